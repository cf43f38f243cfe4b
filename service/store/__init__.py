"""What is kept: SQLite for one process, PostgreSQL for many; one schema, one meaning."""

from service.store.errors import (
    StoreAbsent,
    StoreAway,
    StoreBroken,
    StoreError,
    StoreInUse,
    StoreOutdated,
    StoreUnfit,
)
from service.store.store import Store, open_store

__all__ = [
    "Store",
    "StoreAbsent",
    "StoreAway",
    "StoreBroken",
    "StoreError",
    "StoreInUse",
    "StoreOutdated",
    "StoreUnfit",
    "open_store",
]
