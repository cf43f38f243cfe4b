"""What is going to be said, frozen before the first octet of it leaves."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What freezes at the first attempt, as JSON: from it and the catalog it names, the same octets come out
    again. `due_real` is when that attempt was begun."""

    catalog: str  # the version of the catalog
    locale: str
    json: bytes  # has `message` and `message_id`, as below; so a draft read back needs no more than these three

    message: str = ""  # its name, for the timeline
    message_id: str = ""  # with its angle brackets
    address_hash: bytes = b""
    letter: object = field(default=None, compare=False, repr=False)  # what `json` says, while it is at hand


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """An attempt about to begin: stored before the first octet leaves."""

    key: str
    revision: int
    at_real: datetime
    draft: Draft
    next_update: datetime | None
