"""What time alone says of a promise: a warning before its end, an apology after it, each once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from tests.oracle.course import Course, Step
from tests.oracle.ledger import Ledger
from tests.oracle.names import Sent
from tests.oracle.plan import Plan, end_of_promise
from tests.oracle.testimony import Latitude
from tests.oracle.verdict import Kind, Verdict

AT_RISK, BROKEN = "promise_at_risk", "promise_broken"


class Promises:
    """The notices of one order against the course of its promise."""

    def __init__(
        self, course: Course, mails: Sequence[Sent], plan: Plan, latitude: Latitude, verdict: Verdict
    ) -> None:
        self.course = course
        self.mails = mails
        self.plan = plan
        self.latitude = latitude
        self.verdict = verdict
        self.noticed: dict[tuple[str, int], datetime] = {}  # by purpose and line: when it came

    def hear(self) -> None:
        for mail in self.mails:
            if mail.is_notice:
                self._may_come(mail)
        for place, step in enumerate(self.course.steps):
            following = self.course.steps[place + 1 :][:1]
            self._must_come(AT_RISK, step, following)
            self._must_come(BROKEN, step, following)

    def _may_come(self, mail: Sent) -> None:
        """It is true when it comes, and the first of its kind about its promise."""
        purpose = mail.name.purpose
        lines = {
            ledger.line
            for step in in_force(self.course, mail.at, self.latitude)
            for ledger, due in calls_for(purpose, step, self.plan)
            if due <= mail.at
            if purpose == BROKEN
            or (mail.at - self.latitude.patience < _end(step, ledger) and not self._kept_back(step, ledger, mail.at))
        }
        fresh = [line for line in sorted(lines) if (purpose, line) not in self.noticed]
        if not lines:
            self._blame(Kind.UNEXPECTED, f"{mail.name.key} at {mail.at}: no promise calls for it")
        elif not fresh:
            self._blame(Kind.DUPLICATE, f"{mail.name.key} at {mail.at}: it was told at {self.noticed}")
        else:
            self.noticed[purpose, fresh[-1]] = mail.at

    def _must_come(self, purpose: str, step: Step, following: Sequence[Step]) -> None:
        """It comes if the promise surely stood when it was due, and nothing happened until it was out."""
        ledger, due = step.ledger, due_at(purpose, step, self.plan)
        if due is None or not ledger.sure or due <= self.latitude.reach(step.acked):
            return
        by = self._by(step, due)
        if purpose == BROKEN:
            by = self._after_news(due, by)
        over = purpose == AT_RISK and _end(step, ledger) <= by
        if over or by >= self.latitude.until or any(later.at <= by for later in following):
            return
        if any(it.ledger.date == ledger.date and it.ledger.line < ledger.line for it in self.course.steps):
            return  # this date was a promise before, and may have been noticed then
        if purpose == AT_RISK and any(
            placed.answer.reply == "on_track" and placed.answer.at <= by for placed in self.course.answers
        ):
            return  # its owner keeps it back, if it is of this date
        came = self.noticed.get((purpose, ledger.line))
        if came is not None:
            if came > by:
                self._blame(Kind.LATE, f"{purpose} of {ledger.date} at {came}, due by {by}")
            return
        if purpose == BROKEN or not any(self._tells_that_it_is_near(mail, ledger.line, by) for mail in self.mails):
            self._blame(Kind.LOST, f"{purpose} of {ledger.date}, due by {by}")

    def _kept_back(self, step: Step, ledger: Ledger, at: datetime) -> bool:
        """Whether the owner had said by then that this very date will be kept, and no warning was on its way."""
        due = _due(AT_RISK, step, ledger, self.plan)
        return any(
            placed.sure and placed.answer.reply == "on_track" and placed.lasts and placed.date == ledger.date
            for placed in self.course.answers
            if due is not None
            and placed.answer.acked <= at
            and (placed.answer.acked < due or self.latitude.reach(placed.answer.acked) < at)
        )

    def _tells_that_it_is_near(self, mail: Sent, line: int, by: datetime) -> bool:
        """A message that carries the date does, once it is near for the status of then."""
        if mail.name.purpose not in ("update", "promise_moved") or mail.at > by:
            return False
        since = (step for step in self.course.steps if step.at <= mail.at and step.episode >= mail.name.episode)
        steps = [step for step in since if step.ledger.line == line]
        return any((near := due_at(AT_RISK, step, self.plan)) is not None and near <= mail.at for step in steps)

    def _by(self, step: Step, due: datetime) -> datetime:
        """By when what is due then is out: decided, and let out of quiet hours."""
        by = self.latitude.reach(due)
        if step.touchpoint.quiet is None:
            return by
        held = step.touchpoint.quiet.stretches(due, by, step.zone)
        return max([by, *(self.latitude.reach(end) for _, end in held)])

    def _after_news(self, due: datetime, by: datetime) -> datetime:
        """An apology waits for the news that was on its way, and is looked at again ever more rarely."""
        news = [it.at for it in self.mails if due <= it.at <= by and it.name.purpose in ("update", "promise_moved")]
        rest = [at + max(timedelta(minutes=1), (at - due) / 4) for at in news]
        return max([by, *(self._by(step, at) for at in rest for step in in_force(self.course, at, self.latitude))])

    def _blame(self, kind: Kind, text: str) -> None:
        self.verdict.add(kind, self.course.order_id, text)


def in_force(course: Course, at: datetime, latitude: Latitude) -> list[Step]:
    """The steps of which any may have been the last one taken in at that moment."""
    possible: list[Step] = []
    for step in course.steps:
        if step.at > at:
            break
        if latitude.taken_in(step.acked, at):
            possible = []
        possible.append(step)
    return possible


def due_at(purpose: str, step: Step, plan: Plan) -> datetime | None:
    """When time alone calls for a notice, if nothing happens after this step; None: it does not."""
    return _due(purpose, step, step.ledger, plan)


def calls_for(purpose: str, step: Step, plan: Plan) -> Iterator[tuple[Ledger, datetime]]:
    """The same of all that the ledger may be after this step."""
    for ledger in step.ledger.possible():
        if (due := _due(purpose, step, ledger, plan)) is not None:
            yield ledger, due


def _due(purpose: str, step: Step, ledger: Ledger, plan: Plan) -> datetime | None:
    if not ledger.stands or step.touchpoint.final:
        return None
    if purpose == BROKEN:
        return _end(step, ledger) + step.touchpoint.grace if plan.judges_promises else None
    return None if step.touchpoint.warn_before is None else _end(step, ledger) - step.touchpoint.warn_before


def _end(step: Step, ledger: Ledger) -> datetime:
    assert ledger.date is not None
    return end_of_promise(ledger.date, step.zone)
