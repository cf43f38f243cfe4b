"""`avisa feed try`: which events a feed makes of records in a file. Nothing is stored, and nothing is sent."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import typer
from pydantic_core import from_json

from avisa.cli.answer import answer
from avisa.cli.exits import Exit, not_there, usage
from avisa.cli.folder_catalog import plan_at
from avisa.cli.session import load_settings
from avisa.cli.views import trials
from avisa.clock import clock_of
from avisa.core.model import Json, OrderEvent
from avisa.core.plan import Plan
from avisa.core.timestamps import rfc3339
from avisa.lint.feed_samples import Trial, tried
from avisa.ports import Skipped, Unreadable

_STDIN = "-"

feed = typer.Typer(add_completion=False, rich_markup_mode=None)


@feed.callback()
def group() -> None:
    """Does nothing; but without a callback, typer takes the only command `try` for the command `feed` itself."""


@feed.command("try")
def try_(
    file: str = typer.Argument(..., metavar="FILE", help="Records, each on one line, or one; - is standard input."),
    topic: str | None = typer.Option(
        None, "--topic", metavar="T", help="Try the feed of this topic; without it the one that FILE is named after."
    ),
    plan: Path | None = typer.Option(  # noqa: B008 -- how typer declares
        None, "--plan", help="A plan.yaml or its folder; without it that of the folder in use."
    ),
) -> None:
    """Show the event that comes out of each record, or the first thing that is wrong with it."""
    settings = load_settings(dotenv=False)
    with_feeds = plan_at(settings, plan)
    records, now = _records(file), clock_of(settings.clock).now()
    chosen = _topic(topic, file, with_feeds)
    results = ((line, tried(value, line, chosen, with_feeds, now)) for line, value in records)
    documents = [_document(line, trial, with_feeds, chosen) for line, trial in results]
    answer.give(documents, trials.trials)
    if any(document["error"] for document in documents):
        raise typer.Exit(Exit.FINDINGS)


def _records(file: str) -> list[tuple[int, bytes]]:
    """The records of a file, each with the number of the line on which it begins, from 1. A file that is one JSON
    document is one record, over however many lines."""
    try:
        content = sys.stdin.buffer.read() if file == _STDIN else Path(file).read_bytes()
    except OSError as error:
        raise not_there(f"{file}: {error.strerror}") from None
    content = content.removeprefix(b"\xef\xbb\xbf")
    try:
        from_json(content)
    except ValueError:
        return [(n, line) for n, line in enumerate(content.split(b"\n"), start=1) if line.strip()]
    return [(1, content)]


def _topic(asked: str | None, file: str, plan: Plan) -> str:
    """The topic whose feed is tried: the one asked for; else the one that the file is named after; else the only one.
    Raises Failure if the plan has no such feed."""
    feeds = plan.events.feeds
    named = asked or Path(file).stem
    if named in feeds:
        return named
    if asked is None and len(feeds) == 1:
        return next(iter(feeds))
    there = f"there are {', '.join(feeds)}" if feeds else "the plan has none"
    raise usage(f"there is no feed of {asked}; {there}" if asked else f"--topic: whose feed? {there}")


def _document(line: int, trial: Trial, plan: Plan, topic: str) -> dict[str, Any]:
    """What became of one record, as JSON (docs/reference.md, JSON)."""
    taken, feed = trial.taken, plan.events.feeds[topic]
    document: dict[str, Any] = {"line": line, "event": None, "planned": None, "skipped": None, "error": None}
    match taken:
        case OrderEvent():
            document["event"] = _event(taken)
            document["planned"] = plan.knows(taken.status)
        case Skipped(reason=reason):
            document["skipped"] = reason.value
        case Unreadable(reason=reason, message=message):
            document["error"] = {"reason": reason.value, "message": message}
    document["left_out"] = sorted(taken.left_out) if isinstance(taken, OrderEvent) else []
    document["missing"] = [
        {"field": name, "from": feed.origin(name), "suggestion": near} for name, near in trial.missing.items()
    ]
    return document


def _event(event: OrderEvent) -> dict[str, Json]:
    return {
        "order_id": event.order_id,
        "status": event.status,
        "occurred_at": rfc3339(event.occurred_at),
        "sequence": event.sequence,
        "notify": event.notify,
        "id": event.event_id,
        "part": None if event.part is None else {"id": event.part.id, "of": event.part.of},
        "facts": dict(event.facts),
    }
