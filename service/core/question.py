"""A question to an owner as the order keeps it: who was asked when, and what they answered. All moments are in
UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Reply(StrEnum):
    """What an owner can answer: words or a date for the customer, "all is on track", or "not mine, ask the next"."""

    TELL = "tell"
    ON_TRACK = "on_track"
    PASS_ON = "pass_on"  # noqa: S105 -- a word, and no password


class QuestionState(StrEnum):
    """What became of a question. Only the newest question of an order can be OPEN, while its episode lasts."""

    OPEN = "open"
    ANSWERED = "answered"
    PASSED_ON = "passed_on"
    UNANSWERED = "unanswered"  # a newer question was asked, or the episode ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question, the `number`-th of its episode, to one owner.

    `rank` is that of the order's status when the question was asked. The answer ranks just behind it, as a fact that
    became true then.
    """

    episode: int
    number: int  # counts from 1
    status: str
    owner: str  # the owner's key in the plan
    rank: tuple[int, int, int]
    asked_at: datetime
    closed_at: datetime | None = None  # when the episode ended
    reply: Reply | None = None
    replied_at: datetime | None = None
    author: str = ""  # the address that the answered question was sent to
    promise: str | None = None  # the question is whether this promised date will be kept; None: is there news?
    counted_from: datetime | None = None  # when the window began in which the question was asked or, later, answered
    messages: int = 0  # how many the customer had in the episode by then


@dataclass(frozen=True, slots=True, kw_only=True)
class Unheeded:
    """An alert to an owner, of the kind `alert`, after which nothing has happened to the order yet."""

    alert: str
    owner: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What an order keeps of its questions to owners."""

    questions: tuple[Question, ...] = ()  # the newest ones, the oldest of them first
    due: datetime | None = None  # when the next question is to be asked, or an alert goes on to the next in line
    alerts: tuple[Unheeded, ...] = ()
    on_track_at: datetime | None = None  # when an owner last said, in this episode, that all is on track
