"""`avisa explain`: what the plan would do with an event now. Nothing is stored, and nothing is sent."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import typer

from avisa import events
from avisa.catalog import Catalog
from avisa.cli.answer import answer
from avisa.cli.exits import Exit, Failure, not_there
from avisa.cli.folder_catalog import unchecked_catalog
from avisa.cli.in_force import catalog_in_force
from avisa.cli.schemas import SchemaSource
from avisa.cli.session import load_settings, use_store
from avisa.cli.views import explanation as views
from avisa.clock import clock_of
from avisa.core.model import Order, OrderEvent, Position
from avisa.ports import Clock, Record, Skipped
from avisa.settings import Settings
from avisa.simulate.explain import explain as explained
from avisa.store import Store

_STDIN = "-"


def explain(
    event: str = typer.Argument(..., metavar="EVENT", help="A file with one event as JSON; - is standard input."),
    live: bool = typer.Option(
        False,
        "--live",
        help="Use the plan in force, and the order as the store knows it; without it the folder's, and a new order.",
    ),
) -> None:
    settings = load_settings(dotenv=live)
    value = _value(event)
    if live:
        document = use_store(settings, lambda store, clock: _in_store(store, clock, settings, value))
    else:
        clock = clock_of(settings.clock)
        catalog = unchecked_catalog(settings, None)
        taken = asyncio.run(_read(value, catalog, settings, clock))
        document = explained(None, taken, catalog, clock.now())
    answer.give(document, views.explanation)


async def _in_store(store: Store, clock: Clock, settings: Settings, value: bytes) -> dict[str, object]:
    catalog = await catalog_in_force(store, settings)
    event = await _read(value, catalog, settings, clock)
    history = await store.queries.history(event.order_id)
    order: Order | None = None if history is None else history.order
    return explained(order, event, catalog, clock.now())


def _value(event: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if event == _STDIN else Path(event).read_bytes()
    except OSError as error:
        raise not_there(f"{event}: {error.strerror}") from None


async def _read(value: bytes, catalog: Catalog, settings: Settings, clock: Clock) -> OrderEvent:
    """The event, read as if its record were written now. Raises Failure if the record would become a dead letter or
    be skipped.

    A record that needs a schema registry is read by its schema. Where a feed expects such a record and the file is
    JSON instead, the JSON stands for the content that the schema would have given.
    """
    position = Position(topic=settings.kafka.topics[0], partition=0, offset=0)
    record = Record(position=position, timestamp=clock.now(), key=None, headers=(), value=value)
    rules = catalog.plan.events
    record, known = events.as_described(record, rules)
    known = known or await SchemaSource(settings).of(record, rules)
    taken = events.read(record, rules=rules, types=settings.kafka.types or (), schemas=known)
    if isinstance(taken, OrderEvent):
        return taken
    if isinstance(taken, Skipped):
        raise Failure(Exit.FINDINGS, str(taken.reason), f"it would be skipped: {taken.reason}")
    raise Failure(Exit.FINDINGS, str(taken.reason), f"it would be a dead letter, {taken.reason}: {taken.message}")
