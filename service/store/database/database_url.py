"""The URL of a store. No error repeats any part of it, for it may hold a password."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from avisa.store.errors import StoreMisconfigured

_SCHEMES = {"sqlite": "sqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
_EXPECTED = "a store is sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE"


def read(url: str) -> URL:
    """`url`, with the driver that we use for it. Raises StoreMisconfigured."""
    try:
        read = make_url(url)
    except (ArgumentError, ValueError):
        raise StoreMisconfigured(_EXPECTED) from None
    driver = _SCHEMES.get(read.drivername)
    if driver is None or (driver == "sqlite" and read.database in (None, "", ":memory:")):
        raise StoreMisconfigured(_EXPECTED)
    return read.set(drivername=driver)


def sqlite_file(url: URL) -> Path:
    assert url.database is not None
    return Path(url.database)


def encryption(url: URL) -> tuple[URL, dict[str, Any]]:
    """The URL without libpq's `sslmode` and `sslrootcert`, and what asyncpg has to be given instead of them."""
    mode, root = url.query.get("sslmode"), url.query.get("sslrootcert")
    bare = url.difference_update_query(["sslmode", "sslrootcert"])
    if mode is None and root is None:
        return bare, {}
    if root is None:
        return bare, {"ssl": mode}
    context = ssl.create_default_context(cafile=str(root))
    context.check_hostname = mode in (None, "verify-full")
    return bare, {"ssl": context}
