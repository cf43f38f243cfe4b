"""What owners are asked: for news once in each window, and once whether a date will be kept; each in its moment.

Whoever answers is asked no more; whom they pass it on to is asked at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import product

from tests.oracle.course import Course, Placed, Step
from tests.oracle.ledger import Ledger, moved
from tests.oracle.names import Sent
from tests.oracle.plan import Plan, end_of_promise
from tests.oracle.promises import AT_RISK, BROKEN, calls_for, in_force
from tests.oracle.silence import Silence, Window
from tests.oracle.testimony import Answered, Latitude
from tests.oracle.verdict import Kind, Verdict


class Questions:
    """The questions of one order against the windows of its customer and the course of its promise."""

    def __init__(
        self,
        course: Course,
        mails: Sequence[Sent],
        silence: Silence,
        plan: Plan,
        latitude: Latitude,
        verdict: Verdict,
    ) -> None:
        self.course = course
        asked = (mail for mail in mails if mail.name.purpose == "ask_owner")
        # As they were decided: to one owner a mail may come later than the next one to another.
        self.mails = sorted(asked, key=lambda mail: (mail.name.episode, int(mail.name.ordinal)))
        self.windows = silence.windows
        self.late = silence.late
        self.plan = plan
        self.latitude = latitude
        self.verdict = verdict
        self.about: dict[tuple[int, int, str], datetime] = {}  # by episode, line and date: when that was asked first
        self.right: list[Sent] = []
        self.ends: dict[tuple[int, int], datetime] = {}  # by episode and number: of the date that was asked about
        self.handed_on: set[tuple[int, int]] = set()  # episode and number of each question that was passed on
        self.served: set[int] = set()  # places of windows in which somebody was asked for news

    def hear(self) -> None:
        for place, mail in enumerate(self.mails):
            self._not_stale(mail)
            before = self.mails[:place]
            if (
                self._handed_on(mail)
                or self._about_a_date(mail)
                or self._passed_on(mail, before)
                or self._for_news(mail)
            ):
                self.right.append(mail)
            else:
                self._blame(Kind.UNEXPECTED, f"{mail.name.key} at {mail.at}: nobody is to be asked then")
        for placed in self.course.answers:
            self._must_hand_on(placed)
        for place, step in enumerate(self.course.steps):
            self._must_ask_about_a_date(step, self.course.steps[place + 1 :][:1])
        for place, window in enumerate(self.windows):
            self._must_ask_for_news(window, self.windows[place + 1 :][:1])

    def _not_stale(self, mail: Sent) -> None:
        for later in self.course.openings(after=mail.name.episode):
            if self.latitude.taken_in(later.acked, mail.at):
                self._blame(Kind.STALE, f"{mail.name.key} at {mail.at}, though {later.status} was there")
                return

    def _about_a_date(self, mail: Sent) -> bool:
        """Whether it may ask if a date will be kept: one that is near, has not passed, and was not asked about."""
        steps = in_force(self.course, mail.at, self.latitude)
        known = [(step, ledger) for step in steps for ledger in step.ledger.possible()]
        for step, ledger in known:
            due, end = _asks_about(step, ledger)
            asked = step.episode, ledger.line, str(ledger.date)
            if due is None or end is None or step.episode != mail.name.episode or asked in self.about:
                continue
            if self._owns(mail, step) and due <= mail.at and mail.at - self.latitude.patience < end:
                self.about[asked] = mail.at
                self.ends[_place(mail)] = end
                return True
        return False

    def _for_news(self, mail: Sent) -> bool:
        """Whether it may ask for news: so long after a window began as the plan says, and before its deadline."""
        for place, window in self._may_run(mail.at):
            touchpoint = self.course.opening(window.episode).touchpoint
            if window.episode != mail.name.episode or place in self.served or touchpoint.asks_at is None:
                continue
            deadline = window.deadline
            asks = touchpoint.asks_from(window.start[0], deadline.earliest if deadline else None)
            early = asks is not None and mail.at < asks
            late = deadline is not None and mail.at > self.latitude.reach(deadline.latest)
            answered = any(
                window.start[1] < placed.answer.at and self.latitude.reach(placed.answer.acked) < mail.at
                for placed in self.course.answers
            )
            if (touchpoint.from_last_event or not (early or late or answered)) and any(
                self._owns(mail, step) for step in self.course.within(window.episode)
            ):
                self.served.add(place)
                return True
        return False

    def _may_run(self, at: datetime) -> Iterator[tuple[int, Window]]:
        """The windows of which any may have been the last one to begin when a question of then was asked."""
        for place, window in enumerate(self.windows):
            following = self.windows[place + 1 :][:1]
            over = any(self.latitude.reach(later.start[1]) < at for later in following)
            if window.start[0] <= at and not over:
                yield place, window
        for place, window in enumerate(self.late, len(self.windows)):
            over = any(window.start[1] < it.start[0] and self.latitude.reach(it.start[1]) < at for it in self.windows)
            if window.start[0] <= at and not over:
                yield place, window

    def _handed_on(self, mail: Sent) -> bool:
        """Whether somebody said just now that it is not theirs."""
        for placed in self.course.answers:
            answer = placed.answer
            key = answer.episode, answer.number
            if answer.reply != "pass_on" or key in self.handed_on or answer.episode != mail.name.episode:
                continue
            if answer.number < int(mail.name.ordinal) and answer.at <= mail.at <= self.latitude.reach(answer.acked):
                self.handed_on.add(key)
                self._follows(mail, key)
                return True
        return False

    def _follows(self, mail: Sent, before: tuple[int, int]) -> None:
        """Note that a question is about the same date as the one before it, if that was about one."""
        if before in self.ends:
            self.ends[_place(mail)] = self.ends[before]

    def _must_hand_on(self, placed: Placed) -> None:
        """It comes unless something else happened meanwhile, to the order or to the question."""
        answer = placed.answer
        by = self.latitude.reach(answer.acked)
        if answer.reply != "pass_on" or not (placed.sure and placed.lasts) or by >= self.latitude.until:
            return
        key = answer.episode, answer.number
        if key in self.ends and self.ends[key] <= by:
            return  # nobody is asked any more whether a date will be kept that has passed
        if key in self.handed_on or any(answer.at < step.at <= by for step in self.course.steps):
            return
        if not any(answer.at < other.answer.at <= by for other in self.course.answers):
            self._blame(Kind.LOST, f"question {answer.number} of episode {answer.episode}, passed on at {answer.at}")

    @staticmethod
    def _asks(mail: Sent, answer: Answered) -> bool:
        """Whether it asks what this answers: that very question, or a later one that had been asked by then."""
        number = int(mail.name.ordinal)
        return mail.name.episode == answer.episode and (
            number == answer.number or (number > answer.number and mail.at < answer.at)
        )

    def _passed_on(self, mail: Sent, before: Sequence[Sent]) -> bool:
        """Whether somebody was asked before, and did not answer in their time."""
        for earlier in before:
            owner = earlier.name.recipient.removeprefix("owner:")
            after = self.plan.afters.get(owner)
            answered = any(
                self._asks(earlier, placed.answer) and self.latitude.reach(placed.answer.acked) < mail.at
                for placed in self.course.answers
            )
            if answered or after is None or f"owner:{self.plan.nexts.get(owner)}" != mail.name.recipient:
                continue
            if earlier.name.episode == mail.name.episode and mail.at >= earlier.at - self.latitude.patience + after:
                self._follows(mail, _place(earlier))
                return True
        return False

    def _must_ask_about_a_date(self, step: Step, following: Sequence[Step]) -> None:
        """The owner is asked if the promise surely stood when it was due, and nothing happened until that was out."""
        due, end = _asks_about(step, step.ledger)
        if due is None or end is None or step.owner not in self.plan.owners or not step.ledger.sure:
            return
        by = self.latitude.reach(due)
        if due <= self.latitude.reach(step.acked) or end <= by or by >= self.latitude.until:
            return
        if any(later.at <= by for later in following):
            return
        before = (date for episode, line, date in self.about if episode == step.episode and line < step.ledger.line)
        if any(not moved(str(step.ledger.date), date, step.touchpoint, step.zone) for date in before):
            return  # step by step it came back to about what was asked before
        came = [
            at for (episode, line, _), at in self.about.items() if (episode, line) == (step.episode, step.ledger.line)
        ]
        if not came:
            self._blame(Kind.LOST, f"the question whether {step.ledger.date} will be kept, due by {by}")
        elif min(came) > by:
            self._blame(
                Kind.LATE, f"the question whether {step.ledger.date} will be kept at {min(came)}, due by {by}"
            )

    def _must_ask_for_news(self, window: Window, following: Sequence[Window]) -> None:
        """The owner is asked in a window that surely ran so long and in which nothing happened until then."""
        steps = self.course.within(window.episode)
        touchpoint, deadline = steps[0].touchpoint, window.deadline
        if not window.sure or deadline is None or touchpoint.asks_at is None or touchpoint.from_last_event:
            return
        asks = touchpoint.asks_from(window.start[1], deadline.latest)
        if asks is None or not all(step.owner in self.plan.owners for step in steps):
            return
        by = self.latitude.reach(asks)
        if by >= min(deadline.earliest, self.latitude.until) or any(later.start[0] <= by for later in following):
            return
        happened = [step.at for step in self.course.steps] + [placed.answer.at for placed in self.course.answers]
        for step, purpose in product(steps, (AT_RISK, BROKEN)):  # sent or not
            happened += [due for _, due in calls_for(purpose, step, self.plan)]
        if any(window.start[0] < at <= by for at in happened):
            return
        if not any(mail.name.episode == window.episode and window.start[0] <= mail.at <= by for mail in self.right):
            self._blame(Kind.LOST, f"the question for news in the window of {window.start[0]}, due by {by}")

    def _owns(self, mail: Sent, step: Step) -> bool:
        return mail.name.recipient.removeprefix("owner:") in self.plan.line(step.owner)

    def _blame(self, kind: Kind, text: str) -> None:
        self.verdict.add(kind, self.course.order_id, text)


def _place(mail: Sent) -> tuple[int, int]:
    return mail.name.episode, int(mail.name.ordinal)


def _asks_about(step: Step, ledger: Ledger) -> tuple[datetime | None, datetime | None]:
    """When the owner is asked whether the promise of a step will be kept, and when it ends; None: they are not."""
    before = step.touchpoint.asks_before
    if before is None or ledger.date is None or not ledger.stands or step.touchpoint.final:
        return None, None
    end = end_of_promise(ledger.date, step.zone)
    return end - before, end
