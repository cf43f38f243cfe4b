"""A question to an owner as the order keeps it: who was asked when, and what they answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Reply(StrEnum):
    """What an owner can answer: something to tell the customer, "nothing new, all is on track", or "not mine"."""

    TELL = "tell"
    ON_TRACK = "on_track"
    PASS_ON = "pass_on"  # noqa: S105 -- a word, and no password


class QuestionState(StrEnum):
    """OPEN is only the newest question of a stay that lasts; UNANSWERED is one that this stay or the next owner in
    line has overtaken."""

    OPEN = "open"
    ANSWERED = "answered"
    PASSED_ON = "passed_on"
    UNANSWERED = "unanswered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question, the `number`-th of its episode, to the owner of that name in the plan.

    `rank` is the rank that the status had when the question was asked: whatever is answered ranks beside it.
    """

    episode: int
    number: int
    status: str
    owner: str
    rank: tuple[int, int, int]
    asked_at: datetime
    closed_at: datetime | None = None  # when the episode ended
    reply: Reply | None = None
    replied_at: datetime | None = None
    author: str = ""  # the address that the answered question was sent to
    promise: str | None = None  # the date of which is asked whether it will be kept; None: it is asked for news


@dataclass(frozen=True, slots=True, kw_only=True)
class Unheeded:
    """An alert of this kind to an owner, since which nothing happened to the order."""

    alert: str
    owner: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """The newest questions of an order, the oldest first, and what follows from them."""

    questions: tuple[Question, ...] = ()
    due: datetime | None = None  # when the next question is to be asked
    alerts: tuple[Unheeded, ...] = ()  # that go on to the next in line
    on_track_at: datetime | None = None  # when an owner last said, in this episode, that all is on track
