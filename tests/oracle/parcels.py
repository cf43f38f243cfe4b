"""Orders that have parts: where each part is, what its customer may read of it, and what they must have read.

Which number a mail names is read off the mail. All else follows from the records, folded anew each time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any

from tests.oracle.course import Rank, identity, rank_of
from tests.oracle.plan import Plan
from tests.oracle.testimony import Published


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What the customer read, in an update or, before there were parts, in any message: that these parts are in a
    status; None: that the order is."""

    at: datetime
    status: str
    numbers: tuple[int, ...] | None
    of: int | None = None


@dataclass(slots=True)
class Parcels:
    """One order by the records taken in so far."""

    plan: Plan
    known: list[tuple[Rank, dict[str, Any]]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)  # in the order in which they were first heard of
    _seen: set[str] = field(default_factory=set)

    def take(self, record: Published, arrival: int) -> None:
        event = dict(record.event)
        if (name := identity(event, arrival)) in self._seen:
            return
        self._seen.add(name)
        self.known.append((rank_of(event, arrival, self.plan), event))
        part = event.get("part")
        if part is not None and part["id"] not in self.ids:
            self.ids.append(part["id"])

    @property
    def of(self) -> int:
        """How many parts there are."""
        said = [(rank, int(it["part"]["of"])) for rank, it in self.known if "of" in (it.get("part") or {})]
        return max(len(self.ids), max(said)[1] if said else 0)

    def stays(self, number: int) -> list[list[dict[str, Any]]]:
        """The records that speak of the part of this number, by rank, those with the same status together."""
        part = self.ids[number - 1] if number <= len(self.ids) else None
        speaking = [pair for pair in self.known if (pair[1].get("part") or {"id": part})["id"] == part]
        passed_by = self.passed_by(number)
        speaking = [pair for pair in speaking if pair not in passed_by]
        stays = groupby(sorted(speaking, key=lambda pair: pair[0]), key=lambda pair: pair[1]["status"])
        return [[event for _, event in stay] for _, stay in stays]

    def passed_by(self, number: int) -> list[tuple[Rank, dict[str, Any]]]:
        """The newest records of the whole order, where they leave the part of this number where it is."""
        part = self.ids[number - 1] if number <= len(self.ids) else None
        own = max(
            (pair for pair in self.known if (pair[1].get("part") or {}).get("id") == part), key=_rank, default=None
        )
        whole = [pair for pair in self.known if not pair[1].get("part")]
        if part is None or own is None or not whole:
            return []
        if self._place(max(whole, key=_rank)[1]["status"]) > self._place(own[1]["status"]):
            return []
        return [pair for pair in whole if pair[0] > own[0]]

    def _place(self, status: str) -> tuple[bool, int]:
        """To be compared: what is final stands behind what is open, and what is not in the plan behind what is."""
        places = [*self.plan.touchpoints]
        return self.plan.touchpoint(status).final, places.index(status) if status in places else len(places)

    def tells(self, stay: list[dict[str, Any]]) -> bool:
        """Whether this was surely to be told."""
        return all(it.get("notify") is not False for it in stay) and self.plan.touchpoint(stay[0]["status"]).known

    def sayable(self, number: int) -> set[str]:
        """What may be told of the part: the newest status, or one before it that waits, if no newer one tells."""
        statuses: set[str] = set()
        for stay in reversed(self.stays(number)):
            statuses.add(stay[0]["status"])
            if self.tells(stay) or self.plan.touchpoint(stay[0]["status"]).final:
                break
        return statuses

    def where(self) -> dict[int, str]:
        """The status of each part by number, of those that no record named, too."""
        places: dict[int, str] = {}
        for number in range(1, max(self.of, 1) + 1):
            stays = self.stays(number)
            places[number] = stays[-1][0]["status"] if stays else self._heard_first()
        return places

    def _heard_first(self) -> str:
        heard = [str(event["status"]) for _, event in sorted(self.known, key=lambda pair: pair[0])]
        begun = (it for it in (*heard, *self.plan.touchpoints) if not self.plan.touchpoint(it).final)
        return next(begun, heard[0])

    @property
    def status(self) -> str:
        """Of the order."""
        statuses = set(self.where().values())
        ends = {it for it in statuses if self.plan.touchpoint(it).final}
        places = [*self.plan.touchpoints]
        return min(statuses - ends or ends, key=lambda it: (places.index(it) if it in places else len(places), it))

    @property
    def final(self) -> bool:
        return all(self.plan.touchpoint(it).final for it in self.where().values())


def _rank(pair: tuple[Rank, dict[str, Any]]) -> Rank:
    return pair[0]


def judge_parcels(records: Sequence[Published], mails: Sequence[Read], plan: Plan) -> list[str]:
    """All that is wrong with the updates about one order. Whatever was published before a mail was known to it."""
    wrong: list[str] = []
    parcels = Parcels(plan)
    coming = list(enumerate(records))
    told: defaultdict[int, list[str]] = defaultdict(list)
    of_whole: list[str] = []  # holds for parts that are named later on
    for mail in mails:
        while coming and coming[0][1].at <= mail.at:
            arrival, record = coming.pop(0)
            _take(parcels, record, arrival, told)
        if mail.of is not None and mail.of != parcels.of:
            wrong.append(f"{mail}: there are {parcels.of}")
        always = plan.touchpoint(mail.status).always
        sayable = {number: parcels.sayable(number) for number in parcels.where()}
        about = mail.numbers or tuple(number for number, statuses in sayable.items() if mail.status in statuses)
        if not about and not always:
            wrong.append(f"{mail}: nothing is there")
        for number in about:
            if mail.status not in sayable.get(number, ()) and not always:
                wrong.append(f"{mail}: {number} is {sayable.get(number)}")
            told[number].append(mail.status)
        if mail.numbers is None and mail.status in parcels.sayable(len(parcels.ids) + 1):
            of_whole.append(mail.status)
    for arrival, record in coming:
        _take(parcels, record, arrival, told)
    return wrong + _untold(parcels, told, of_whole)


def _take(parcels: Parcels, record: Published, arrival: int, told: Mapping[int, list[str]]) -> None:
    """Take in a record. A part that it names first, and that nobody counted before, is no news where the whole order
    is: that counts as told."""
    counted = parcels.of
    parcels.take(record, arrival)
    number = len(parcels.ids)
    if not 0 < counted < number:
        return
    status, whole = parcels.where()[number], parcels.stays(number + 1)
    if whole and whole[-1][0]["status"] == status:
        told[number].append(status)


def _untold(parcels: Parcels, told: Mapping[int, list[str]], of_whole: list[str]) -> list[str]:
    """The parts of which the customer does not know where they are, though they were to be told."""
    missing = []
    for number in range(1, len(parcels.ids) + 1):
        stay = parcels.stays(number)[-1]
        status = stay[0]["status"]
        silent = any(event.get("notify") is False for _, event in parcels.passed_by(number))
        if parcels.tells(stay) and not silent and (last := told.get(number, of_whole)[-1:]) != [status]:
            missing.append(f"part {number} is {status}; told was {last}")
    return missing
