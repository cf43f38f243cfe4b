"""What a driver's error means to us. Our own say what is wrong by code, for a driver's text may quote a value."""

from __future__ import annotations

import asyncio
import sqlite3

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from avisa.store.errors import StoreError, StoreFailed, StoreMisconfigured, StoreOutdated, StoreUnavailable

_BROKEN = ("SQLITE_IOERR", "SQLITE_CORRUPT", "SQLITE_NOTADB")
_AWAY = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_FULL", "SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_NOMEM")

# PostgreSQL, Appendix A: deadlock, serialization failure, lock time-out; each had no effect whatever.
_AGAIN = frozenset({"40P01", "40001", "55P03"})
# Connection lost, resources short, shutting down, cancelled or timed out, a standby that only reads.
_GONE = ("08", "53", "57", "25006", "25P03", "58")
_UNFIT = ("28", "3D000")  # not let in; no such database


def sqlite_trouble(trouble: Exception) -> Exception:
    """The same in our words; a bug stays what it is."""
    cause = trouble.orig if isinstance(trouble, DBAPIError) else trouble
    if not isinstance(cause, sqlite3.Error):
        return trouble
    name = getattr(cause, "sqlite_errorname", type(cause).__name__)
    kind = StoreFailed if name.startswith(_BROKEN) else StoreUnavailable if name.startswith(_AWAY) else StoreError
    return kind(name).with_traceback(trouble.__traceback__)


def may_be_repeated(trouble: BaseException) -> bool:
    """It lost against another transaction, and the next try may win."""
    return _code(trouble) in _AGAIN


def postgres_trouble(trouble: BaseException) -> BaseException:
    """The same in our words; a bug stays what it is."""
    from asyncpg.exceptions import InterfaceError  # whoever meets it has loaded the driver

    if isinstance(trouble, (NoConnectionFree, TimeoutError, OSError, InterfaceError, asyncio.TimeoutError)):
        return StoreUnavailable(type(trouble).__name__)
    code = _code(trouble)
    if code is None:
        if isinstance(trouble, DBAPIError):
            return StoreUnavailable(type(trouble.orig).__name__).with_traceback(trouble.__traceback__)
        return trouble
    kind: type[StoreError] = StoreError
    if code in _AGAIN or code.startswith(_GONE):
        kind = StoreUnavailable
    elif code.startswith(_UNFIT):
        kind = StoreMisconfigured
    elif code == "42P01":
        kind = StoreOutdated
    return kind(f"PostgreSQL answered {code}").with_traceback(trouble.__traceback__)


def _code(trouble: BaseException) -> str | None:
    """SQLSTATE, wherever the drivers keep it."""
    cause = trouble.orig if isinstance(trouble, DBAPIError) else trouble
    return getattr(cause, "sqlstate", None)
