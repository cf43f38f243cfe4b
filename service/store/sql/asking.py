"""The questions of an order as JSON, and back."""

from __future__ import annotations

from typing import Any

from avisa.core.question import Asking, Question, Reply, Unheeded
from avisa.store.sql.moments import micros, micros_or_none, moment, moment_or_none

_LATE = [None, None, 0]  # what a row says at its end, unless an older version wrote it


def written(asking: Asking) -> list[Any]:
    """What is stored of them."""
    due, on_track_at = micros_or_none(asking.due), micros_or_none(asking.on_track_at)
    alerts = [[it.alert, it.owner, micros(it.at)] for it in asking.alerts]
    return [due, on_track_at, alerts, *(_written(question) for question in asking.questions)]


def read(stored: list[Any]) -> Asking:
    """The questions that were stored so."""
    due, on_track_at, alerts, *questions = stored
    return Asking(
        questions=tuple(_read(row) for row in questions),
        due=moment_or_none(due),
        alerts=tuple(Unheeded(alert=alert, owner=owner, at=moment(at)) for alert, owner, at in alerts),
        on_track_at=moment_or_none(on_track_at),
    )


def _written(it: Question) -> list[Any]:
    moments = [micros_or_none(at) for at in (it.asked_at, it.closed_at, it.replied_at)]
    row = [it.episode, it.number, it.status, it.owner, list(it.rank), *moments, it.reply, it.author]
    return [*row, it.promise, micros_or_none(it.counted_from), it.messages]  # older versions read up to the promise


def _read(row: list[Any]) -> Question:
    episode, number, status, owner, rank, asked_at, closed_at, replied_at, reply, author, *late = row
    promise, counted_from, messages = late + _LATE[len(late) :]
    return Question(
        episode=episode,
        number=number,
        status=status,
        owner=owner,
        rank=tuple(rank),
        asked_at=moment(asked_at),
        closed_at=moment_or_none(closed_at),
        reply=None if reply is None else Reply(reply),
        replied_at=moment_or_none(replied_at),
        author=author,
        promise=promise,
        counted_from=moment_or_none(counted_from),
        messages=messages,
    )
