"""Deadlines, as ranges: the judge knows when a decision can have been made, not when it was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.oracle.course import Course, Step
from tests.oracle.names import Sent
from tests.oracle.plan import Span
from tests.oracle.testimony import Latitude


@dataclass(frozen=True, slots=True)
class Deadline:
    """It lies between these two, both included. `told`: the customer was told so."""

    earliest: datetime
    latest: datetime
    told: bool

    def before(self, other: Deadline) -> Deadline:
        """The earlier of the two, whichever that is."""
        return Deadline(min(self.earliest, other.earliest), min(self.latest, other.latest), self.told)


def given_by(
    course: Course, mail: Sent, span: tuple[datetime, datetime], *, reminders: int, latitude: Latitude
) -> Deadline | None:
    """The deadline that a mail sets which was decided within `span`, as number `reminders` or after as many.

    None where there is none: final, no window, the last reminder and what follows it.
    """
    opening = course.opening(mail.name.episode)
    touchpoint = opening.touchpoint
    if not touchpoint.dated or reminders >= touchpoint.at_most:
        return None
    if touchpoint.from_last_event:
        return _from_last_event(course, mail.name.episode, mail.at, latitude)
    gap = touchpoint.gap_after(reminders) if mail.is_reminder else touchpoint.window
    if gap is None:
        return None
    first, last = span
    given = span_of(gap, first, last, opening, told=True)
    # A deadline that passes before the first attempt, or before the mail is settled, is set anew then.
    if given.earliest <= latitude.settled(mail.at):
        late = span_of(gap, first, latitude.reach(mail.at), opening, told=True)
        given = Deadline(given.earliest, max(given.latest, late.latest), told=True)
    return given


def decided(course: Course, mail: Sent, latitude: Latitude) -> tuple[datetime, datetime]:
    """When an update or a notice of a moved promise can have been decided."""
    episode, at = mail.name.episode, mail.at
    steps = course.updates(episode) if mail.name.purpose == "update" else course.moves(episode)
    first = steps[int(mail.name.ordinal) - 1]
    last = max((step for step in steps if step.at <= at), key=lambda step: step.at, default=first)
    return min(first.at, at), max(min(first.at, at), min(at, latitude.reach(last.acked)))


def chain(course: Course, told: Deadline | None, *, after: int, to: int, latitude: Latitude) -> Deadline | None:
    """The deadline in force in episode `to`, when the customer was last told `told` in episode `after`.

    Nothing was told in between: each episode begun in silence makes it the earlier of the told date and its
    own window. A final one ends it; if the customer never heard of the end, and the order is back where they think
    it is, the date that they were told may stand again.
    """
    deadline = told
    ended: Deadline | None = None
    if told is not None and not told.told:
        told = None  # a message that follows the feed tells no date
    for episode in range(after + 1, to + 1):
        opening = course.opening(episode)
        touchpoint = opening.touchpoint
        if touchpoint.final or not touchpoint.at_most:
            ended, deadline, told = told or ended, None, None
        elif touchpoint.window is None:
            deadline = told
        elif touchpoint.from_last_event:
            followed = _from_last_event(course, episode, latitude.until, latitude)
            deadline = told.before(followed) if told and followed else followed
        else:
            own = span_of(touchpoint.window, opening.at, latitude.reach(opening.acked), opening, told=False)
            deadline = told.before(own) if told else own
            if ended and opening.returns.possible:
                deadline = Deadline(min(ended.earliest, own.earliest), own.latest, told=False)
    return deadline


def _from_last_event(course: Course, episode: int, at: datetime, latitude: Latitude) -> Deadline | None:
    steps = course.within(episode)
    window = course.opening(episode).touchpoint.window
    known = [step for step in steps if step.at <= at]
    if window is None or not known:
        return None
    # Which event was the newest when the reminder was decided cannot be told from the mail.
    begin = min(step.at for step in known)
    end = latitude.reach(max(step.acked for step in steps))
    return span_of(window, begin, end, steps[0], told=False)


def span_of(span: Span, first: datetime, last: datetime, opening: Step, *, told: bool = False) -> Deadline:
    """The deadline after this span of time that began between `first` and `last`."""
    moments = [first, last]
    quiet = opening.touchpoint.quiet
    raw = [span.after(moment) for moment in moments]
    if quiet is None:
        return Deadline(raw[0], raw[1], told)
    # Moving out of quiet hours is not monotone: look at both ends and at every edge between them.
    low, high = raw
    edges = [low, high]
    at = low
    while at < high and len(edges) < 64:
        stretch = quiet.holding(at, opening.zone)
        if stretch:
            edges += [max(low, stretch[0]), min(high, stretch[1])]
            at = stretch[1]
        else:
            at += timedelta(minutes=15)
    working = span.calendar is not None
    moved = [quiet.deadline(edge, now, opening.zone, working=working) for edge in edges for now in moments]
    return Deadline(min(moved), max(moved), told)
