"""The URL of a store, as a driver needs it. No error repeats any part of it, for it may hold a password."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

from sqlalchemy import URL

from avisa.settings import store_address
from avisa.store.errors import StoreMisconfigured

_DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}


def read(url: str) -> URL:
    """`url`, with the driver that we use for it. Raises StoreMisconfigured."""
    try:
        address = store_address.read(url)
    except ValueError as error:
        raise StoreMisconfigured(str(error)) from None
    return address.set(drivername=_DRIVERS[address.drivername])


def sqlite_file(url: URL) -> Path:
    assert url.database is not None
    return Path(url.database)


def encryption(url: URL) -> tuple[URL, dict[str, Any]]:
    """The URL without libpq's `sslmode` and `sslrootcert`, and what asyncpg has to be given instead of them."""
    mode, root = url.query.get("sslmode"), url.query.get("sslrootcert")
    bare = url.difference_update_query(["sslmode", "sslrootcert"])
    if mode is None and root is None:
        return bare, {}
    if root is None and mode not in ("verify-ca", "verify-full"):
        return bare, {"ssl": mode}
    # asyncpg itself would look for authorities in ~/.postgresql; without a file of its own we trust the machine's.
    context = ssl.create_default_context(cafile=None if root is None else str(root))
    context.check_hostname = mode in (None, "verify-full")
    return bare, {"ssl": context}
