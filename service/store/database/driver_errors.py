"""Translates the errors of database drivers. Ours carry only a code, because a driver's text may quote a value."""

from __future__ import annotations

import asyncio
import sqlite3

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from avisa.store.errors import StoreError, StoreFailed, StoreMisconfigured, StoreOutdated, StoreUnavailable

_FAILED = ("SQLITE_IOERR", "SQLITE_CORRUPT", "SQLITE_NOTADB")
_UNAVAILABLE = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_FULL", "SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_NOMEM")

# PostgreSQL, Appendix A: deadlock, serialization failure, lock time-out; none of them had any effect.
_REPEATABLE = frozenset({"40P01", "40001", "55P03"})
# Connection lost, resources short, shutting down, cancelled or timed out, a standby that only reads.
_UNREACHABLE = ("08", "53", "57", "25006", "25P03", "58")
_MISCONFIGURED = ("28", "3D000")  # not let in; no such database


def store_error_of_sqlite(error: Exception) -> Exception:
    """The error of the store that it means. Any other exception is a bug, and returned as it is."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(cause, sqlite3.Error):
        return error
    name = getattr(cause, "sqlite_errorname", type(cause).__name__)
    kind = (
        StoreFailed if name.startswith(_FAILED) else StoreUnavailable if name.startswith(_UNAVAILABLE) else StoreError
    )
    return kind(name).with_traceback(error.__traceback__)


def may_be_repeated(error: BaseException) -> bool:
    """True if the transaction only lost against another one, so that a second try may succeed."""
    return _code(error) in _REPEATABLE


def store_error_of_postgres(error: BaseException) -> BaseException:
    """The error of the store that it means. Any other exception is a bug, and returned as it is."""
    from asyncpg.exceptions import InterfaceError  # only here, because only PostgreSQL loads this driver

    if isinstance(error, (NoConnectionFree, TimeoutError, OSError, InterfaceError, asyncio.TimeoutError)):
        return StoreUnavailable(type(error).__name__)
    code = _code(error)
    if code is None:
        if isinstance(error, DBAPIError):
            return StoreUnavailable(type(error.orig).__name__).with_traceback(error.__traceback__)
        return error
    kind: type[StoreError] = StoreError
    if code in _REPEATABLE or code.startswith(_UNREACHABLE):
        kind = StoreUnavailable
    elif code.startswith(_MISCONFIGURED):
        kind = StoreMisconfigured
    elif code == "42P01":
        kind = StoreOutdated
    return kind(f"PostgreSQL answered {code}").with_traceback(error.__traceback__)


def _code(error: BaseException) -> str | None:
    """The SQLSTATE, or None."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return getattr(cause, "sqlstate", None)
