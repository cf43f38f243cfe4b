"""What became of the promise of an order, record by record: what the records alone say, and time does not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tests.oracle.plan import Touchpoint, begin_of_slot, end_of_promise


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The promise after a record. It `stands` until it is fulfilled, withdrawn, or was over when it came to be known.

    `line` numbers the promises: a date that moves by less than the plan asks for stays in its line.
    """

    date: str | None = None
    stands: bool = False
    judged: bool = False  # kept, broken or over: another date is another promise
    sure: bool = True  # False: whether it was over depends on when the record was taken in
    fulfilled_at: datetime | None = None
    line: int = 0
    or_else: Ledger | None = None  # what it is if the record was taken in too late for its date to count

    def possible(self) -> Iterator[Ledger]:
        """All that it may be."""
        yield self
        if self.or_else is not None:
            yield from self.or_else.possible()


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a record says that matters to the promise; `promise` is what all records so far say."""

    promise: str | None
    promise_is_older: bool  # than this record
    fulfils: bool
    occurred: datetime
    begins: bool
    late: bool  # it ranks before the one that set the status
    touchpoint: Touchpoint  # of the order
    zone: ZoneInfo
    lapses: timedelta | None  # so long after its end a promise is broken; None: nobody judges
    span: tuple[datetime, datetime]  # in which it was taken in


def after(ledger: Ledger, told: Told) -> Ledger:
    """The ledger after a record that had not been seen before."""
    reached = told.fulfils and (told.begins or (told.late and told.promise_is_older))
    if reached and (ledger.fulfilled_at is None or ledger.stands):
        mattered = ledger.stands or ledger.judged
        date = ledger.date if mattered else told.promise
        judged = date is not None
        return replace(ledger, date=date, stands=False, judged=judged, fulfilled_at=told.occurred, or_else=None)
    if ledger.fulfilled_at is not None and (told.late or told.touchpoint.final):
        if told.late and told.promise is not None:
            return replace(ledger, date=told.promise, judged=True)
        return ledger
    if told.touchpoint.final:
        return replace(ledger, stands=False, or_else=None)
    if told.promise is None:
        return _withdrawn(ledger, told) if ledger.stands else ledger
    if not (ledger.stands or ledger.judged) or ledger.date is None:
        return _given(ledger, told, told.promise)
    if told.promise == ledger.date:
        return ledger
    lapsed = ledger.fulfilled_at is None and (not ledger.stands or _lapsed(ledger.date, told, by=told.span[1]))
    if lapsed and end_of_promise(told.promise, told.zone) <= told.span[1]:
        return replace(_given(ledger, told, told.promise), sure=False, or_else=ledger)
    if not moved(told.promise, ledger.date, told.touchpoint, told.zone):
        if lapsed:
            return _given(ledger, told, told.promise)
        end = end_of_promise(told.promise, told.zone)
        if end <= told.span[0]:
            return ledger
        sure = end > told.span[1]
        return replace(ledger, date=told.promise, sure=ledger.sure and sure, or_else=None if sure else ledger)
    return _given(ledger, told, told.promise)


def _withdrawn(ledger: Ledger, told: Told) -> Ledger:
    """A promise that was broken in silence before its date is taken away stays broken."""
    withdrawn = replace(ledger, date=None, stands=False, or_else=None)
    if ledger.date is None or not _lapsed(ledger.date, told, by=told.span[1]):
        return withdrawn
    broken = replace(ledger, stands=False, judged=True, or_else=None)
    if _lapsed(ledger.date, told, by=told.span[0]):
        return broken
    return replace(withdrawn, sure=False, or_else=broken)


def moved(promise: str, reference: str, touchpoint: Touchpoint, zone: ZoneInfo) -> bool:
    """Whether a promise is so far from another one that the plan calls it moved."""
    difference = abs(end_of_promise(promise, zone) - end_of_promise(reference, zone))
    one, other = begin_of_slot(promise), begin_of_slot(reference)
    if one is not None and other is not None:
        difference = max(difference, abs(one - other))
    return difference > timedelta(0) and difference >= touchpoint.ignore_moves_under


def _lapsed(date: str, told: Told, *, by: datetime) -> bool:
    """Whether the promise was broken in silence by then: after that any other date is another one."""
    return told.lapses is not None and end_of_promise(date, told.zone) + told.lapses <= by


def _given(ledger: Ledger, told: Told, date: str) -> Ledger:
    end = end_of_promise(date, told.zone)
    over = end <= told.span[0]
    sure = over or end > told.span[1]
    if ledger.stands and ledger.date is not None and _lapsed(ledger.date, told, by=told.span[1]):
        sure = sure and _lapsed(ledger.date, told, by=told.span[0])
    return Ledger(date=date, stands=not over, judged=over, sure=sure, line=ledger.line + 1)
