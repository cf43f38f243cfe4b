"""Silence: reminders come when they are due, not before, not long after, and not where none is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.oracle.course import Course, Told
from tests.oracle.deadlines import Deadline, chain, decided, given_by, span_of
from tests.oracle.names import Sent
from tests.oracle.plan import Plan
from tests.oracle.promises import calls_for, in_force
from tests.oracle.testimony import Latitude
from tests.oracle.verdict import Kind, Verdict


@dataclass(frozen=True, slots=True)
class Window:
    """What a mail began, or an event that told nothing: between which moments, and the deadline that it set."""

    episode: int
    start: tuple[datetime, datetime]
    deadline: Deadline | None
    sure: bool


class Silence:
    """What passed between the mails to the customer of one order; `windows` is known once it was heard, and `late`,
    the windows that may have begun when a mail was settled."""

    def __init__(self, course: Course, mails: list[Sent], plan: Plan, latitude: Latitude, verdict: Verdict) -> None:
        self.course = course
        self.mails = mails
        self.plan = plan
        self.latitude = latitude
        self.verdict = verdict
        self.windows: list[Window] = []
        self.late: list[Window] = []

    def hear(self) -> None:
        """Go from mail to mail with the deadline that each one set."""
        before: Sent | None = None
        given: Deadline | None = None  # what `before` told
        sure = True  # whether it surely did
        reminders = 0  # told in the episode of `before`
        dropped = 0  # decided in that episode beside those, perhaps
        for mail in self.mails:
            due = self._due(before, given, mail)
            if sure:
                self._check_kept(before, given, mail)
                if mail.is_reminder:
                    self._check_due(mail, due)
            if before is None or before.name.episode != mail.name.episode:
                reminders = dropped = 0
            if mail.is_reminder:
                reminders = int(mail.name.ordinal)
            # A reminder may have been decided and then dropped because of this very mail, and it counted.
            dropped += not mail.is_reminder and due is not None and due.earliest <= mail.at
            began = self._began(mail, due)
            given = self._given(mail, reminders, began)
            sure = sure and given == self._given(mail, reminders + dropped, began)
            self._untold(before, mail)
            self.windows.append(Window(mail.name.episode, began, given, sure))
            self._settled(mail, given)
            before = mail
        self._untold(before, None)
        if sure:
            self._check_kept(before, given, None)

    def _untold(self, before: Sent | None, mail: Sent | None) -> None:
        """The windows that events began in between without telling, or with a message that was superseded unsent."""
        given = self.windows[-1].deadline if self.windows else None
        last = mail.name.episode if mail else self.course.episodes
        mailed = {each.name.episode for each in self.mails}
        for opening in self.course.openings(after=_episode(before)):
            if opening.episode <= last and (opening.told is not Told.YES or opening.episode not in mailed):
                own = opening.told is Told.YES  # the message fulfils what was told before, whether it goes out or not
                told, after = (None, opening.episode - 1) if own else (given, _episode(before))
                due = chain(self.course, told, after=after, to=opening.episode, latitude=self.latitude)
                start = opening.at, self.latitude.reach(opening.acked)
                self.windows.append(Window(opening.episode, start, due, sure=False))

    def _settled(self, mail: Sent, given: Deadline | None) -> None:
        """The windows that began once it was settled, if the deadline had passed by then."""
        settled = self.latitude.settled(mail.at)
        for opening in self.course.openings(after=mail.name.episode - 1):
            window, to = opening.touchpoint.window, opening.episode
            due = chain(self.course, given, after=mail.name.episode, to=to, latitude=self.latitude)
            if opening.at <= settled and due is not None and due.earliest <= settled and window is not None:
                start = mail.at, self.latitude.reach(mail.at)
                own = span_of(window, *start, opening)
                if given is not None and given.earliest > mail.at:  # it stands
                    own = own.before(given)
                self.late.append(Window(to, start, own, sure=False))

    def _given(self, mail: Sent, reminders: int, began: tuple[datetime, datetime]) -> Deadline | None:
        return given_by(self.course, mail, began, reminders=reminders, latitude=self.latitude)

    def _began(self, mail: Sent, due: Deadline | None) -> tuple[datetime, datetime]:
        """Between which moments the mail was decided, and a window began."""
        if mail.is_reminder:
            first = self.latitude.not_before(due.earliest) if due else mail.at
            last = min(mail.at, self.latitude.reach(due.latest)) if due else mail.at
            return min(first, mail.at), max(last, min(first, mail.at))
        if mail.is_notice:
            steps = in_force(self.course, mail.at, self.latitude)
            called = [due for step in steps for _, due in calls_for(mail.name.purpose, step, self.plan)]
            return min([mail.at, *called]), mail.at
        return decided(self.course, mail, self.latitude)

    def _due(self, before: Sent | None, given: Deadline | None, mail: Sent) -> Deadline | None:
        """The deadline in force when `mail` came."""
        return chain(self.course, given, after=_episode(before), to=mail.name.episode, latitude=self.latitude)

    def _check_due(self, reminder: Sent, due: Deadline | None) -> None:
        name = reminder.name
        if due is None:
            self._blame(Kind.UNEXPECTED, f"{name.key} at {reminder.at}: nothing was due")
            return
        if reminder.at < due.earliest:
            self._blame(Kind.EARLY, f"{name.key} at {reminder.at}, due {due.earliest}")
        if self.latitude.was_up(due.earliest, reminder.at):
            # Where a moment's difference in deciding moves the deadline over a night, it is known at its latest only.
            known = due.latest - due.earliest <= timedelta(seconds=1) * self.latitude.speed
            since = due.earliest if known else due.latest
            lateness = (reminder.at - since).total_seconds() / self.latitude.speed
            self.verdict.max_lateness_real_s = max(self.verdict.max_lateness_real_s, lateness)

    def _check_kept(self, before: Sent | None, told: Deadline | None, following: Sent | None) -> None:
        """By the deadline that stands after `before`, the customer heard again."""
        limit = self._limit(_episode(before), told)
        if limit is None or limit >= self.latitude.until or (following is not None and following.at <= limit):
            return
        since = before.name.key if before else "the beginning"
        came = f"next came {following.name.key} at {following.at}" if following else "nothing came"
        if told is not None and (following is None or following.at > self.latitude.reach(told.latest)):
            self._blame(Kind.OVER_TOLD_DATE, f"{since} told {told.latest}; {came}")
        if following is None:
            self._blame(Kind.LOST, f"news after {since}, due by {limit}")
        elif told is None or following.at <= self.latitude.reach(told.latest):
            self._blame(Kind.LATE, f"news after {since}, due by {limit}; {came}")

    def _limit(self, episode: int, told: Deadline | None) -> datetime | None:
        """By when a customer last told `told` in `episode` must have heard again; None if there is no such date."""
        latitude = self.latitude
        deadline = told
        limit: datetime | None = None  # set once a mail that must come takes the reminder's place
        for opening in self.course.openings(after=episode):
            if limit is not None and opening.at > limit:
                break
            if limit is None and deadline is not None and latitude.reach(deadline.latest) < opening.at:
                break
            if opening.touchpoint.final or opening.told is Told.MAYBE:
                return None
            if opening.told is Told.YES:
                if told is None:
                    return None  # that mail has a limit of its own
                limit = max(opening.told_by(latitude), latitude.reach(told.latest), limit or opening.at)
            elif limit is None:
                deadline = chain(self.course, told, after=episode, to=opening.episode, latitude=latitude)
        if limit is None:
            if deadline is None:
                return None
            limit = latitude.reach(deadline.latest)
        for step in self.course.steps:  # no reminder is decided while such a notice is on its way
            if step.episode >= episode and step.changes_facts and step.at <= limit:
                limit = max(limit, step.told_by(latitude))
        return limit

    def _blame(self, kind: Kind, text: str) -> None:
        self.verdict.add(kind, self.course.order_id, text)


def _episode(mail: Sent | None) -> int:
    return mail.name.episode if mail else 0
