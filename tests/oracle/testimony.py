"""What the oracle is told: what was published, what the mail server received, and what was done to the service."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.utils import parseaddr
from typing import Any
from uuid import NAMESPACE_URL, uuid5


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A record, in the order of publishing. `event` is a plain one, as `avisa publish` takes it."""

    at: datetime  # virtual, before it was handed to the broker
    acked: datetime  # virtual, when the broker had it
    event: Mapping[str, Any]

    @property
    def order_id(self) -> str:
        return str(self.event["order_id"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A mail that the server took responsibility for, in the order of taking."""

    at: datetime  # virtual
    to: str
    message_id: str
    subject: str
    purpose: str
    digest: str  # of all its bytes
    lists: tuple[str, ...] = ()  # numbers of orders, of which a mail to an owner tells in a list


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What an owner answered to the question `number` of an episode; `facts` is what they wrote for the customer.

    `seen` is what the page said of the newest event: the moment in microseconds and the sequence, joined by a dot
    (as the plan ranks), and what arrived with them. `acted` is how often the page said that the answer had an effect,
    also where it was sent twice; one whose page was lost counts, if the question shows it from then on.
    """

    order_id: str
    episode: int
    number: int
    at: datetime  # virtual, before the page was looked at
    acked: datetime  # virtual, when a page said what came of it
    reply: str  # on_track, tell or pass_on
    facts: Mapping[str, str]
    seen: str
    acted: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What `avisa counts --json` said in the end."""

    events: Mapping[str, Any]
    notifications: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Latitude:
    """How much time the rules leave, and what excuses.

    `patience_real` is how long the service may take over anything while it is up; `down` are the virtual
    stretches in which it was not: from the kill to the moment when it was able to work again.
    """

    speed: float = 1.0
    patience_real: timedelta = timedelta(seconds=5)
    until: datetime  # virtual end of watching; everything had time to come
    down: tuple[tuple[datetime, datetime], ...] = ()
    kills: tuple[datetime, ...] = ()  # virtual; also connections cut after the final dot
    starts: tuple[datetime, ...] = ()  # virtual, of every process
    ends: tuple[datetime, ...] = ()  # virtual, of every process that ended
    rereads: bool = False  # a transaction's or an offset commit's answer may have been lost

    @property
    def patience(self) -> timedelta:
        return self.patience_real * self.speed

    def reach(self, at: datetime) -> datetime:
        """By when that which is due `at` has happened: patience, spent only while the service is up."""
        for begin, end in sorted(self.down):
            if begin <= at + self.patience and at < end:
                at = end  # after a stop it starts over
        return at + self.patience

    def not_before(self, at: datetime) -> datetime:
        """The first moment from `at` on at which any process lived."""
        living = sum(start <= at for start in self.starts) - sum(end <= at for end in self.ends)
        return at if living else min((start for start in self.starts if start > at), default=at)

    def stopped_after(self, at: datetime) -> bool:
        """Whether a stop came so soon after a mail was received that its receipt may not have been stored yet."""
        return any(begin <= at + self.patience and at < end for begin, end in self.down)

    def settled(self, at: datetime) -> datetime:
        """By when a mail that was received then was settled, as far as a stop after it is known."""
        return self.reach(at) if self.stopped_after(at) else at

    def was_up(self, begin: datetime, end: datetime) -> bool:
        return all(end < stop or start < begin for stop, start in self.down)

    def taken_in(self, acked: datetime, by: datetime) -> bool:
        """Whether a record must have been taken in before a mail was sent at `by`: patience has passed, or the
        process that sent it was started after the record lay in Kafka, and nothing is sent before reading that."""
        return by > self.reach(acked) or any(acked < start < by for start in self.starts)

    def excuses(self, first: datetime, second: datetime) -> bool:
        """Whether the first mail's receipt may have been lost: a kill or cut soon after it, before the second."""
        soon = timedelta(seconds=1) * self.speed
        return any(first - soon <= kill <= min(first + self.patience, second) for kill in self.kills)


_NAMESPACE = NAMESPACE_URL
_LISTED = re.compile(r"^- ([^\s:]+)(?: \(https?:[^\s]+\))?: ", re.MULTILINE)


def message_id(key: str, domain: str) -> str:
    """`<uuid5(key)@from-domain>`."""
    return f"<{uuid5(_NAMESPACE, key)}@{domain}>"


def read_mail(data: bytes, *, to: str, at: datetime) -> Received:
    """What the bytes say, by the standard library's own parser."""
    mail = message_from_bytes(data, policy=policy.default)
    purpose = str(mail["Feedback-ID"] or "").partition(":")[0]
    body = mail.get_body(("plain",)) if purpose == "owner_alert" else None
    return Received(
        at=at,
        to=parseaddr(to)[1] or to,
        message_id=str(mail["Message-ID"] or ""),
        subject=str(mail["Subject"] or ""),
        purpose=purpose,
        digest=hashlib.sha256(data).hexdigest(),
        lists=tuple(_LISTED.findall(body.get_content())) if body is not None else (),
    )


@dataclass(slots=True)
class Clockwork:
    """The virtual clock of a run, for harnesses: one origin for all processes."""

    start: datetime
    origin: datetime
    speed: float

    def virtual(self, real: datetime) -> datetime:
        return self.start + (real - self.origin) * self.speed

    def real(self, virtual: datetime) -> datetime:
        return self.origin + (virtual - self.start) / self.speed
