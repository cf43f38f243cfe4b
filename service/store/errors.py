# ruff: noqa: N818 -- each name says what is so, and reads well in a log line
"""What can be wrong with a store. No message holds a password, an address or a stored value."""

from __future__ import annotations

from avisa.ports import DurabilityLost


class StoreError(Exception):
    """Something is wrong with the store."""


class StoreUnavailable(StoreError):
    """It cannot be reached, or did not answer in time: try again later. Whether a commit under way was stored is
    unknown; it is safe to commit again, because every change is conditional."""


class StoreFailed(StoreError, DurabilityLost):
    """The disk failed to make a promise durable, or the file is damaged. Nothing more may be acknowledged: the
    process must end, because after a failed fsync the kernel may report success for what was never written."""


class StoreInUse(StoreError):
    """Another process runs on this SQLite file."""


class StoreNotFound(StoreError):
    """There is no such SQLite file yet."""


class StoreOutdated(StoreError):
    """The schema is not the one that this version needs."""


class StoreMisconfigured(StoreError):
    """The URL is not one of a store, or the database's settings would break a promise."""
