"""`avisa why`: what was told about one order, what was not and why, and what comes next."""

from __future__ import annotations

from typing import Any

import typer

from avisa.cli.answer import answer
from avisa.cli.exits import not_there
from avisa.cli.in_force import catalog_in_force
from avisa.cli.session import load_settings, use_store
from avisa.cli.views import why as views
from avisa.ports import Clock
from avisa.store import Store


def why(order: str = typer.Argument(..., help="The order's id, as published.")) -> None:
    settings = load_settings()

    async def look(store: Store, _clock: Clock) -> dict[str, Any] | None:
        history = await store.queries.history(order)
        if history is None:
            return None
        return views.why_json(history, (await catalog_in_force(store, settings)).plan)

    document = use_store(settings, look)
    if document is None:
        raise not_there("no such order is known")
    answer.give(document, views.why)
