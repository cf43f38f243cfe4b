"""`avisa note`: a text about an order, for people inside the firm. The timeline and the mail `ask-owner` show it."""

from __future__ import annotations

import typer

from avisa.cli.answer import answer
from avisa.cli.exits import not_there, usage
from avisa.cli.person import login
from avisa.cli.session import change_store
from avisa.ports import Clock, Operations

LONGEST = 1_000  # characters


def note(
    order: str = typer.Argument(..., help="The order's id, as published."),
    text: str = typer.Argument(..., help="What to note; customers never see it."),
    author: str | None = typer.Option(None, "--author", help="Who; without it your login name."),
) -> None:
    words = text.strip()
    if not 0 < len(words) <= LONGEST:
        raise usage(f"a note has 1 to {LONGEST} characters")
    who = author or login()

    async def change(store: Operations, clock: Clock) -> bool:
        return await store.note(order, words, author=who, now=clock.now())

    if not change_store(change):
        raise not_there("no such order is known")
    answer.give({"order_id": order, "note": words, "author": who}, lambda _: "Noted.")
