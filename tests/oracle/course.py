"""The course of one order: what each of its records was to the order when it was taken in.

Everything here follows from the records alone, taken in the order of publishing; only two things can be
open: whether a record was too old to tell by the time it was read (`Maybe`), and which promise the customer
was told last, which depends on mails. The facts are found the long way, by folding all records known so far
in rank order, each time anew.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo

from tests.oracle import ledger
from tests.oracle.ledger import Ledger
from tests.oracle.plan import Plan, Touchpoint
from tests.oracle.testimony import Answered, Latitude, Published

Rank = tuple[float, float, int]
_OR_NOT = "or not"
_BESIDE = 1 << 40  # an answer ranks behind whatever arrived with the rank that its author saw


class Told(Enum):
    """Whether a record is told to the customer."""

    YES = "yes"
    NO = "no"
    MAYBE = "maybe"

    @property
    def possible(self) -> bool:
        return self is not Told.NO


@dataclass(slots=True, kw_only=True)
class Step:
    """One record as it was taken in, or what an owner wrote for the customer. A step is an episode's first if it
    `begins` it."""

    at: datetime
    acked: datetime
    episode: int
    status: str
    touchpoint: Touchpoint
    begins: bool
    told: Told = Told.NO  # for `begins`: the update of the touchpoint
    returns: Told = Told.NO  # for `begins`: to the status that the customer was told last, so that it is not told
    reasons: frozenset[str]  # the reasons that it may have been given
    promise_moved: Told = Told.NO
    reason_changed: Told = Told.NO  # or a detail that is news, or there is an address at last
    alerts_owner: Told = Told.NO  # of an unknown status
    by_owner: bool = False  # an answer, and no record
    promise: str | None = None
    ledger: Ledger
    owner: str | None = None
    address: str | None = None
    zone: ZoneInfo

    @property
    def changes_facts(self) -> bool:
        return self.promise_moved.possible or self.reason_changed.possible

    def leaves_from(self) -> datetime:
        """Before that nothing can have left: it is waited for, and then for the end of quiet hours."""
        at = self.at + self.touchpoint.burst_wait
        stretch = self.touchpoint.quiet.holding(at, self.zone) if self.touchpoint.quiet else None
        return stretch[1] if stretch else at

    def told_by(self, latitude: Latitude) -> datetime:
        """By when the customer must have been told of it: once taken in, waited for and let out of quiet hours."""
        wait = self.touchpoint.burst_wait
        at = latitude.reach(self.acked) + wait
        if self.touchpoint.quiet is None:
            return at
        held = self.touchpoint.quiet.stretches(self.acked + wait, at, self.zone)
        return max([at, *(latitude.reach(end) for _, end in held)])


@dataclass(frozen=True, slots=True)
class Placed:
    """An answer that acted, among the records; `sure`: which of them had been taken in by then is known."""

    answer: Answered
    sure: bool
    lasts: bool  # the episode that the question was asked in
    date: str | None  # the promise that stood


@dataclass(slots=True)
class Course:
    """All steps of an order, and what the address was at any time."""

    order_id: str
    steps: list[Step] = field(default_factory=list)
    answers: list[Placed] = field(default_factory=list)

    @property
    def sure(self) -> bool:
        """Whether what owners wrote for customers has its place among the records; else it is no step."""
        return all(placed.sure for placed in self.answers if placed.answer.reply == "tell")

    def opening(self, episode: int) -> Step:
        """The record that began it."""
        return next(step for step in self.steps if step.begins and step.episode == episode)

    def openings(self, *, after: int = 0) -> list[Step]:
        return [step for step in self.steps if step.begins and step.episode > after]

    def within(self, episode: int) -> list[Step]:
        return [step for step in self.steps if step.episode == episode]

    def updates(self, episode: int) -> list[Step]:
        """The steps that may each have asked for an update."""
        return [s for s in self.within(episode) if (s.begins and s.told.possible) or s.reason_changed.possible]

    @property
    def telling(self) -> list[Step]:
        """The steps that may each have told of a status, or of changed facts."""
        return [step for step in self.steps if (step.begins and step.told.possible) or step.changes_facts]

    def moves(self, episode: int) -> list[Step]:
        """The steps that may each have asked for telling a moved promise."""
        return [step for step in self.within(episode) if step.promise_moved.possible]

    @property
    def promises(self) -> int:
        """How many there were, one after the other."""
        return self.steps[-1].ledger.line if self.steps else 0

    @property
    def episodes(self) -> int:
        return self.steps[-1].episode if self.steps else 0


@dataclass(slots=True)
class _Facts:
    promise: str | None = None
    promise_rank: Rank | None = None
    reason: str | None = None
    owner: str | None = None
    status: str | None = None
    customer: dict[str, Any] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)


def course_of(
    order_id: str,
    records: Sequence[Published],
    plan: Plan,
    latitude: Latitude,
    reminded: Sequence[datetime] = (),
    answers: Sequence[Answered] = (),
) -> Course:
    """Take in the records of one order, in the order of publishing; `reminded` is when reminders came, and what else
    time alone calls for."""
    intake = _Intake(Course(order_id), plan, latitude)
    coming = sorted((answer for answer in answers if answer.acted), key=lambda answer: answer.at)
    for arrival, record in enumerate(records):
        while coming and coming[0].at < record.at:
            answer = coming.pop(0)
            intake.answered(answer, reminded, alone=answer.acked < record.at)
        intake.recall(record.at, reminded)
        intake.take(record, arrival)
    for answer in coming:
        intake.answered(answer, reminded, alone=True)
    return intake.course


class _Intake:
    """Takes in one record after the other."""

    def __init__(self, course: Course, plan: Plan, latitude: Latitude) -> None:
        self.course = course
        self.plan = plan
        self.latitude = latitude
        self.known: list[tuple[Rank, dict[str, Any]]] = []
        self.seen: set[str] = set()
        self.status_rank: Rank | None = None
        self.last_rank: Rank | None = None  # of the newest arrival
        self.status = ""
        self.episode = 0
        self.texts: list[str] = []  # every reason text of the episode, told or not
        self.last_text: str | None = None  # the one told last, or silently entered with
        self.references: set[str] = set()  # the promises that may be the one last told, else first known
        self.replaced: set[str] = set()  # those before the last update, which a return may drop
        self.notice: Step | None = None  # the last one that told changed facts
        self.facts = _Facts()
        self.before = _Facts()  # as they were before the record at hand
        self.ledger = Ledger()
        self.event: tuple[Rank, dict[str, Any]] | None = None  # the one at hand; None if it was seen before
        self.reminded_in: set[str] = set()  # statuses that a reminder may have told

    def recall(self, at: datetime, reminded: Sequence[datetime]) -> None:
        """What must have been told by the time of a record, and what a reminder may have shown."""
        notice = self.notice
        if notice is not None and notice.promise and at > notice.told_by(self.latitude):
            self.references, self.notice = {notice.promise}, None
        if self.course.steps:
            before = self.course.steps[-1]
            if any(before.at <= told <= at for told in reminded):
                self.reminded_in.add(before.status)
                if before.promise:
                    self.references = self.references | {before.promise}

    def told_last(self, record: Published) -> set[str | None]:
        """The statuses of which the customer may have been told last, when this record was taken in."""
        last: set[str | None] = {None}
        telling = self.course.telling
        for step, later in zip(telling, [*telling, None][1:], strict=True):
            by = step.told_by(self.latitude)
            newer = self.course.openings(after=step.episode)
            ended = any(opening.touchpoint.final and opening.at <= by for opening in newer)
            overtaken = ended or (later is not None and later.at <= by)
            sure = Told.YES in (step.told, step.promise_moved, step.reason_changed)
            if sure and record.at > by and not overtaken:
                last = {step.status}
            elif self.latitude.reach(record.acked) >= step.leaves_from():
                last = last | {step.status}
        if telling and record.at <= telling[-1].told_by(self.latitude):
            last = last | {telling[-1].status}  # it waits, and then tells that the order is back
        return last | self.reminded_in

    def take(self, record: Published, arrival: int) -> None:
        event = dict(record.event)
        rank = self.last_rank = rank_of(event, arrival, self.plan)
        name = identity(event, arrival)
        if name in self.seen:
            self.event = None
            self._step(record, {"already_seen"})
            return
        self.seen.add(name)
        self._learn(rank, event)
        promise = self.facts.promise
        if not self.references and promise:
            self.references = {promise}
        if self.status_rank is not None and rank < self.status_rank:
            self._reached(self._step(record, {"older_than_known"}))
            self._shown_by_what_waits(record.at)
            if self.facts.reason is not None:
                self.texts.append(self.facts.reason)  # it is known now, and no record after it brings it anew
            else:
                self.last_text = None  # the stay that it was of is over: the same reason may be told again
            return
        self.status_rank = rank
        begins = event["status"] != self.status
        if begins:
            self.status, self.episode = event["status"], self.episode + 1
            self.texts, self.last_text = [], None
        untold = _untold(event, record, self.plan, self.latitude)
        sure = not untold
        may_tell = _OR_NOT in untold or sure
        untold.discard(_OR_NOT)
        certainty = Told.YES if sure else Told.MAYBE
        if not may_tell:
            self._step(record, untold, begins=begins)
            self._shown_by_what_waits(record.at)
        elif not self.plan.touchpoint(self.status).known:
            made = self._step(record, untold | {"unknown_status"}, begins=begins)
            made.alerts_owner = certainty
            self._shown_by_what_waits(record.at)
        elif begins and (possible := self._may_be_known(record)):
            self._returns(record, untold, surely=sure and possible == {self.status})
        elif begins:
            made = self._step(record, untold | {"entered"}, begins=True)
            made.told = certainty
            if promise:
                self.replaced = self.references
                self.references = {promise} | (set() if sure else self.references)
            self.last_text, self.notice = self.facts.reason, None
        else:
            self._same_status(self._step(record, untold), sure=sure)
        if self.facts.reason is not None:
            self.texts.append(self.facts.reason)

    def _learn(self, rank: Rank, event: dict[str, Any]) -> None:
        self.event = rank, event
        self.known.append((rank, event))
        self.before, self.facts = self.facts, _fold(self.known)

    def answered(self, answer: Answered, reminded: Sequence[datetime], *, alone: bool) -> None:
        """Take in an owner's answer; `alone`: no record came while it was given."""
        lasts = answer.episode == self.episode
        sure = alone and (self._seen_by(answer) if lasts else self._long_over(answer))
        date = self.ledger.date if self.ledger.stands else None
        self.course.answers.append(Placed(answer, sure, lasts, date))
        if answer.reply != "tell" or not sure:
            return
        assert self.status_rank is not None
        self.recall(answer.at, reminded)
        event: dict[str, Any] = {"status": self.status, **answer.facts}
        if lasts:
            self._learn((*self.status_rank[:2], _BESIDE + answer.number), event)
        else:
            self.event = None
        said = Published(at=answer.at, acked=answer.acked, event=event)
        step = self._step(said, set())
        step.by_owner = True
        if lasts:
            self._same_status(step, sure=True)
            self.texts += [answer.facts["reason"]] if "reason" in answer.facts else []
        elif self.facts.promise and not step.touchpoint.final:
            # What is said of an earlier status is history. But a date that came without being told is told now.
            moves = {_moved(self.facts.promise, told, step.touchpoint, step.zone) for told in self.references}
            step.promise_moved = Told.MAYBE if True in moves else Told.NO
            self.references = self.references | {self.facts.promise}

    def _seen_by(self, answer: Answered) -> bool:
        """Whether all that was published before had been taken in: it saw the newest event, which also came last."""
        assert self.status_rank is not None and self.last_rank is not None
        seen = tuple(map(int, answer.seen.split(".")[:2]))
        return self.last_rank[:2] == self.status_rank[:2] and seen == _shown(self.status_rank, self.plan)

    def _long_over(self, answer: Answered) -> bool:
        """Whether the episode that it was asked in had surely ended. Answers do not wait for what lies in Kafka."""
        ends = (self.latitude.reach(step.acked) for step in self.course.openings(after=answer.episode))
        return any(end < answer.at for end in ends)

    def _may_be_known(self, record: Published) -> set[str | None]:
        """The statuses told last, if the one that begins is among them; it is, too, if it is told once and was."""
        last = self.told_last(record)
        earlier = {step.status for step in self.course.steps if step.told.possible}
        if self.status in last or (self.plan.touchpoint(self.status).once and self.status in earlier):
            return last
        return set()

    def _shown_by_what_waits(self, at: datetime) -> None:
        """A message that waits shows the promise as it is when it leaves, be it told of or not. A notice that waits
        is dropped if the status that has come calls the move none."""
        made, promise = self.course.steps[-1], self.facts.promise
        waiting = [step for step in self.course.telling if at <= step.told_by(self.latitude)]
        if waiting and self.notice is not None and self.notice.promise != promise:
            self.notice = None  # it waits, and may not tell that promise
        if not promise or not waiting:
            return
        self.references = self.references | {promise}
        # Where the order has ended, too, nobody is told of a move.
        if made.touchpoint.final or not any(
            _moved(promise, told, made.touchpoint, made.zone) for told in self.references
        ):
            self.notice = None
            for step in waiting:
                if step.promise_moved is Told.YES:
                    step.promise_moved = Told.MAYBE

    def _returns(self, record: Published, untold: set[str], *, surely: bool) -> None:
        """A status that was told comes back: only what changed since is told, and how that was depends on mails."""
        made = self._step(record, untold | {"repeated"}, begins=True)
        made.returns = Told.YES if surely else Told.MAYBE
        made.told = Told.NO if surely else Told.MAYBE
        believed = self.references | self.replaced
        promises = {_moved(self.facts.promise, told, made.touchpoint, made.zone) for told in believed}
        if True in promises and not made.touchpoint.final:
            made.promise_moved = Told.MAYBE
        if self.facts.reason is not None or any(self.facts.details.get(name) for name in made.touchpoint.news):
            made.reason_changed = Told.MAYBE
        if made.changes_facts:
            made.reasons |= {"facts_changed"}
        if not surely:
            made.reasons |= {"entered"}
        if self.facts.promise:
            self.references = self.references | {self.facts.promise}
        self.last_text, self.notice = self.facts.reason, None

    def _reached(self, made: Step) -> None:
        """An address that is not the one before may make possible what failed with that."""
        others = {step.address for step in self.course.within(self.episode)} - {made.address}
        if made.address and others and not made.changes_facts:
            made.reason_changed = Told.MAYBE
            made.reasons |= {"facts_changed"}

    def _same_status(self, made: Step, *, sure: bool) -> None:
        """The same status again: did the promise move, or is there a new reason?"""
        touchpoint, facts = made.touchpoint, self.facts
        moves = {False}
        if facts.promise and not touchpoint.final:
            moves = {_moved(facts.promise, told, touchpoint, made.zone) for told in self.references}
        other_text = facts.reason is not None and facts.reason != self.last_text
        new_text = other_text and facts.reason not in self.texts
        made.promise_moved = _told(moves, sure=sure)
        if other_text and made.promise_moved is not Told.YES:
            alone = new_text and sure and made.promise_moved is Told.NO
            made.reason_changed = Told.YES if alone else Told.MAYBE
        every = touchpoint.moves_at_most_every
        if made.promise_moved is Told.YES and every and self._moved_since(made.at - every):
            made.promise_moved = Told.MAYBE  # it waits, and may lead back meanwhile
        news = any(
            self.facts.details.get(name) not in (None, "", False, [], {}, self.before.details.get(name))
            for name in touchpoint.news
        )
        if news:
            made.promise_moved = Told.MAYBE if made.promise_moved.possible else Told.NO
            made.reason_changed = Told.YES if sure else Told.MAYBE
        if touchpoint.once and made.reason_changed.possible:
            made.reason_changed, new_text, news = Told.MAYBE, False, False
        if made.changes_facts:
            made.reasons |= {"facts_changed"}
        if not sure or not (moves == {True} or new_text or news):
            made.reasons |= {"repeated"}
        self._reached(made)
        if other_text:
            self.last_text = facts.reason
        if made.changes_facts and facts.promise:
            # The notice may not have been sent, or may have been taken back, before the next record.
            self.references = self.references | {facts.promise}
            self.notice = made if Told.YES in (made.promise_moved, made.reason_changed) else None
        elif not made.changes_facts:
            self._shown_by_what_waits(made.at)

    def _moved_since(self, at: datetime) -> bool:
        return any(step.promise_moved.possible and step.at >= at for step in self.course.steps)

    def _step(self, record: Published, reasons: set[str], *, begins: bool = False) -> Step:
        touchpoint = self.plan.touchpoint(self.status)
        zone = _zone(self.facts.customer.get("time_zone")) or self.plan.zone
        self._keep(record, touchpoint, zone, begins=begins)
        made = Step(
            at=record.at,
            acked=record.acked,
            episode=self.episode,
            status=self.status,
            touchpoint=touchpoint,
            begins=begins,
            reasons=frozenset(reasons),
            promise=self.facts.promise,
            ledger=self.ledger,
            owner=self.facts.owner if self.facts.owner in self.plan.owners else touchpoint.owner,
            address=self.facts.customer.get("email"),
            zone=zone,
        )
        self.course.steps.append(made)
        return made

    def _keep(self, record: Published, touchpoint: Touchpoint, zone: ZoneInfo, *, begins: bool) -> None:
        """Enter what the record says into the ledger of promises."""
        if self.event is None:
            return
        rank, event = self.event
        promise_rank = self.facts.promise_rank
        told = ledger.Told(
            promise=self.facts.promise,
            promise_is_older=promise_rank is None or promise_rank < rank,
            fulfils=self.plan.touchpoint(event["status"]).fulfils_promise,
            occurred=_time(event.get("occurred_at")) or record.at,
            begins=begins,
            late=self.status_rank is not None and rank < self.status_rank,
            touchpoint=touchpoint,
            zone=zone,
            lapses=touchpoint.grace if self.plan.judges_promises else None,
            span=(record.at, self.latitude.reach(record.acked)),
        )
        self.ledger = ledger.after(self.ledger, told)


def _told(answers: set[bool], *, sure: bool) -> Told:
    if answers == {False}:
        return Told.NO
    return Told.YES if answers == {True} and sure else Told.MAYBE


def _untold(event: dict[str, Any], record: Published, plan: Plan, latitude: Latitude) -> set[str]:
    """The reasons for which the event may be recorded without telling; the empty set if it is told for sure."""
    if event.get("notify") is False:
        return {"not_to_tell"}
    occurred = _time(event.get("occurred_at"))
    if occurred is None:
        return set()
    if record.at - occurred > plan.tell_within:
        return {"too_old_to_tell"}
    if latitude.reach(record.acked) - occurred > plan.tell_within:
        return {"too_old_to_tell", _OR_NOT}
    return set()


def _moved(promise: str | None, reference: str, touchpoint: Touchpoint, zone: ZoneInfo) -> bool:
    if promise is None:
        return False
    return ledger.moved(promise, reference, touchpoint, zone)


def rank_of(event: dict[str, Any], arrival: int, plan: Plan) -> Rank:
    occurred = _time(event.get("occurred_at"))
    moment = occurred.timestamp() if occurred else 0.0
    sequence = event.get("sequence")
    number = -1.0 if sequence is None else float(sequence)
    return (number, moment, arrival) if plan.by_sequence else (moment, number, arrival)


def _shown(rank: Rank, plan: Plan) -> tuple[int, int]:
    """The first two numbers of a rank as pages have it: its moment is in whole microseconds there."""
    one, other = rank[:2]
    return (int(one), round(other * 1e6)) if plan.by_sequence else (round(one * 1e6), int(other))


def _fold(known: list[tuple[Rank, dict[str, Any]]]) -> _Facts:
    facts = _Facts()
    for rank, event in sorted(known, key=lambda pair: pair[0]):
        if event["status"] != facts.status:
            facts.status, facts.reason = event["status"], None
        said = _said(event)
        if "promised_at" in said:
            facts.promise, facts.promise_rank = promise_of(said["promised_at"]), rank
        if "reason" in said:
            facts.reason = said["reason"]
        if said.get("owner") is not None:
            facts.owner = said["owner"]
        facts.details = {**facts.details, **_said(said.get("details") or {})}
        # Null clears a promise and a reason, but neither the owner nor who the customer is.
        given = {key: value for key, value in _said(said.get("customer") or {}).items() if value is not None}
        one, other = facts.customer.get("id"), given.get("id")
        if one is not None and other is not None and one != other:
            facts.customer = {}
        facts.customer.update(given)
    return facts


def promise_of(given: Any) -> str | None:
    """A promise as one text: a slot as `FROM/UNTIL`."""
    return f"{given['from']}/{given['until']}" if isinstance(given, dict) else given


def _said(given: dict[str, Any]) -> dict[str, Any]:
    """An empty or blank text says nothing, like an absent key."""
    return {key: value for key, value in given.items() if not isinstance(value, str) or value.strip()}


def identity(event: dict[str, Any], arrival: int) -> str:
    """(source, id); a record without an id is only ever itself."""
    if event.get("id") is None:
        return json.dumps([arrival])
    return json.dumps([event.get("source") or "", event["id"]])


def _time(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None


def _zone(name: Any) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if isinstance(name, str) and name else None
    except (KeyError, ValueError, OSError):
        return None
