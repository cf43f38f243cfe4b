"""Every mail names itself: its Message-ID is computed from `order/episode/purpose/ordinal/recipient`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from tests.oracle.course import Course
from tests.oracle.plan import Plan, Touchpoint
from tests.oracle.testimony import Received


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """What a mail is about, read off its Message-ID."""

    order_id: str
    episode: int
    purpose: str
    ordinal: str
    recipient: str

    @property
    def key(self) -> str:
        return f"{self.order_id}/{self.episode}/{self.purpose}/{self.ordinal}/{self.recipient}"

    @property
    def to_customer(self) -> bool:
        return self.recipient == "customer"


@dataclass(frozen=True, slots=True)
class Sent:
    """A mail with its name."""

    name: Name
    mail: Received

    @property
    def at(self) -> datetime:
        return self.mail.at

    @property
    def is_reminder(self) -> bool:
        return self.name.purpose == "reminder"

    @property
    def of_silence(self) -> bool:
        """Whether time alone called for it, and no record."""
        return self.is_reminder or self.is_notice

    @property
    def is_notice(self) -> bool:
        """Whether it tells what time made of a promise."""
        return self.name.purpose in ("promise_at_risk", "promise_broken")


def _questions(touchpoint: Touchpoint, steps: int, promises: int) -> int:
    """How many may be asked in an episode: one in each window, told or not, and one about each date."""
    windows = 1 + steps + touchpoint.at_most + 2 * promises  # time alone begins some, with what it says of a promise
    for_news = windows if touchpoint.asks_at is not None else 0
    return for_news + (promises if touchpoint.asks_before is not None else 0)


def names_of(course: Course, plan: Plan) -> Iterator[Name]:
    """Every name that a mail about this order could rightly have."""

    def name(episode: int, purpose: str, ordinal: object, recipient: str = "customer") -> Name:
        return Name(
            order_id=course.order_id,
            episode=episode,
            purpose=purpose,
            ordinal=str(ordinal),
            recipient=recipient,
        )

    unplaced = sum(not placed.sure for placed in course.answers)  # each may tell something, and give another date
    more = unplaced + len(course.steps) if unplaced else 0  # and so may every record after it
    promises = course.promises + more
    for episode in range(1, course.episodes + 1):
        opening, steps = course.opening(episode), course.within(episode)
        yield from (name(episode, "update", n + 1) for n in range(len(course.updates(episode)) + more))
        yield from (name(episode, "promise_moved", n + 1) for n in range(len(course.moves(episode)) + more))
        if not opening.touchpoint.final:
            yield from (name(episode, "reminder", n + 1) for n in range(opening.touchpoint.at_most))
            # A date that moves a little stays the same promise, but drops the warning that waits, for another.
            notices = promises + len(steps) if promises else 0
            for purpose in ("promise_at_risk", "promise_broken"):
                yield from (name(episode, purpose, n + 1) for n in range(notices))
        for owner in {step.owner for step in steps if step.owner in plan.owners}:
            kinds = [] if opening.touchpoint.final else ["stuck"]
            if promises and not opening.touchpoint.final:
                kinds.append("promise_broken")
            if any(step.alerts_owner.possible for step in steps):
                kinds.append("unknown_status")
            if any(step.address is None for step in steps):
                kinds.append("unreachable")
            if not opening.touchpoint.final:
                line = plan.line(owner)
                most = len(line) * _questions(opening.touchpoint, len(steps) + more, promises)
                yield from (name(episode, "ask_owner", n + 1, f"owner:{to}") for n in range(most) for to in line)
            for kind in kinds:
                in_line = plan.line(owner) if kind in ("stuck", "promise_broken") else [owner]
                yield from (name(episode, "owner_alert", kind, f"owner:{to}") for to in in_line)
