"""`avisa pause` and `avisa resume`: sending stops, and starts again."""

from __future__ import annotations

import typer

from avisa.cli.answer import answer
from avisa.cli.session import change_store
from avisa.ports import Clock, Operations


def pause(reason: str = typer.Option("", "--reason", help="Shown in metrics and health.")) -> None:
    async def change(store: Operations, clock: Clock) -> None:
        await store.pause(reason, now=clock.now())

    change_store(change)
    answer.give({"paused": True, "reason": reason or None}, lambda _: "Sending is paused.")


def resume() -> None:
    async def change(store: Operations, _clock: Clock) -> None:
        await store.resume()

    change_store(change)
    answer.give({"paused": False, "reason": None}, lambda _: "Sending goes on.")
