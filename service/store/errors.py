# ruff: noqa: N818 - each is named for what is so, and so a log line reads
"""What can be wrong with a store. No message holds a password, an address or a value that was stored."""

from __future__ import annotations

from avisa.ports import DurabilityLost


class StoreError(Exception):
    """Something is wrong with the store."""


class StoreUnavailable(StoreError):
    """It can not be reached, or did not answer in time: ask again later. Whether a commit under way was stored
    is unknown; asking again is safe, because every change is conditional."""


class StoreFailed(StoreError, DurabilityLost):
    """The disk failed to make a promise durable, or the file is damaged. Nothing more may be acknowledged: the
    process must end, because after a failed fsync the kernel may report success for what was never written."""


class StoreInUse(StoreError):
    """Another process runs on this SQLite file."""


class StoreNotFound(StoreError):
    """There is no such SQLite file yet."""


class StoreOutdated(StoreError):
    """The schema is not the one this version needs."""


class StoreMisconfigured(StoreError):
    """The address is not one of a store, or its settings would break a promise."""
