"""Where everything is kept: SQLite for one process, PostgreSQL for many, with one schema and one meaning."""

from avisa.store.errors import (
    StoreError,
    StoreFailed,
    StoreInUse,
    StoreMisconfigured,
    StoreNotFound,
    StoreOutdated,
    StoreUnavailable,
)
from avisa.store.store import Store, open_store

__all__ = [
    "Store",
    "StoreError",
    "StoreFailed",
    "StoreInUse",
    "StoreMisconfigured",
    "StoreNotFound",
    "StoreOutdated",
    "StoreUnavailable",
    "open_store",
]
