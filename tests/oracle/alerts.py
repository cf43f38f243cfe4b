"""Alerts to owners: the first of a kind by itself, those of the next hour together in one list."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from tests.oracle.names import Name
from tests.oracle.testimony import Latitude, Received
from tests.oracle.verdict import Kind, Verdict

EVERY = timedelta(hours=1)
MOST_SHOWN = 50  # a list of so many may tell more orders, which it only counts


@dataclass(slots=True)
class Alerts:
    """The alerts to owners, each mail once, by kind and owner."""

    mails: defaultdict[tuple[str, str], list[Received]] = field(default_factory=lambda: defaultdict(list))

    def take(self, name: Name, mail: Received) -> None:
        if name.purpose == "owner_alert":
            self.mails[name.ordinal, name.recipient].append(mail)

    def check(self, latitude: Latitude, verdict: Verdict) -> None:
        """No two of a kind to one owner within an hour, but for how long the first of them was on its way."""
        for (kind, owner), mails in self.mails.items():
            for before, after in pairwise(mails):
                soon = after.at + latitude.patience < before.at + EVERY
                if soon and latitude.was_up(before.at - EVERY, after.at):
                    text = f"an alert {kind} to {owner} at {after.at}, and one at {before.at}"
                    verdict.add(Kind.EARLY, "-", text)

    def due(self, kind: str, owner: str, decided: datetime, latitude: Latitude) -> datetime:
        """By when what was decided then is told: at once, or an hour after one of its kind, which it waited for."""
        at_once = latitude.reach(decided)
        since = decided - EVERY - latitude.patience
        before = [mail.at for mail in self.mails[kind, owner] if since <= mail.at <= at_once]
        return max([at_once, *(latitude.reach(at + EVERY) for at in before)])

    def listed(
        self, kind: str, owner: str, numbers: Collection[str], since: datetime, due: datetime
    ) -> datetime | None:
        """When a list told an order with one of these numbers, or may have, in this while; None if none did."""
        for mail in self.mails[kind, owner]:
            shown = len(mail.lists) >= MOST_SHOWN or any(number in mail.lists for number in numbers)
            if shown and since <= mail.at <= due:
                return mail.at
        return None
