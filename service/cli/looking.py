"""Commands that look at what is kept and change nothing: timeline, outbox, counts."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import typer

from avisa import views
from avisa.cli.answer import answer
from avisa.cli.exits import not_there, usage
from avisa.cli.surroundings import looking_at_store, settings
from avisa.core.model import State
from avisa.ports import Queries


def register(app: typer.Typer) -> None:
    app.command()(timeline)
    app.command()(counts)


def timeline(
    order: str = typer.Argument(..., help="The order's id, as published."),
    mail: str | None = typer.Option(
        None, "--mail", metavar="KEY", help="Show the mail with this key, as it was sent."
    ),
    out: Path | None = typer.Option(  # noqa: B008 -- how typer declares
        None, "--out", metavar="DIR", help="With --mail: also write mail.eml, mail.html, mail.txt and short.txt."
    ),
) -> None:
    """Show what happened to one order and why; or one of its mails again, as it was sent."""
    if mail is not None:
        from avisa.cli import mails

        mails.show(order, mail, out)
        return
    if out is not None:
        raise usage("--out goes with --mail")

    async def look(store: Queries) -> views.Shape | None:
        return await views.timeline(store, order)

    told = looking_at_store(look)
    if told is None:
        raise not_there("no such order is known")
    from avisa.cli.story import story

    answer.give(told, story)


def counts() -> None:
    """Show every event and notification by what came of it."""
    from avisa.cli.tables import sums

    answer.give(looking_at_store(views.counts), sums)


def outbox(state: str | None, order: str | None) -> None:
    """The body of `avisa outbox`, which has commands of its own."""
    if state is not None and state not in set(State):
        raise usage(f"--state: {state!r} is none of {', '.join(State)}")
    wanted = None if state is None else State(state)

    known = settings()
    from avisa.clock import clock_of

    time = clock_of(known.clock)

    def expiry(decided_at: datetime) -> datetime:
        return time.to_virtual(time.to_real(decided_at) + known.retry.give_up)

    async def look(store: Queries) -> list[views.Shape]:
        return await views.outbox(store, expiry, state=wanted, order_id=order)

    from avisa.cli.tables import waiting

    answer.give(looking_at_store(look), waiting)
