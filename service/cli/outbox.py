"""`avisa outbox`: where each notification is; with `retry` and `drop` an operator steps in."""

from __future__ import annotations

import sys
from datetime import datetime

import typer

from avisa import views
from avisa.cli import pages
from avisa.cli.answer import answer
from avisa.cli.exits import Exit, not_there, usage
from avisa.cli.session import change_store, load_settings
from avisa.cli.views import tables
from avisa.clock import clock_of
from avisa.core.model import State
from avisa.ports import Clock, Operations, Queries

outbox = typer.Typer(add_completion=False, rich_markup_mode=None)


@outbox.callback(invoke_without_command=True)
def show(
    context: typer.Context,
    state: str | None = typer.Option(None, "--state", help="Only those in this state."),
    order: str | None = typer.Option(None, "--order", help="Only those of this order."),
    limit: int | None = pages.limit_option,
    before: str | None = typer.Option(None, "--before", metavar="KEY", help="Only those decided before this one."),
) -> None:
    if context.invoked_subcommand is not None:
        return
    if state is not None and state not in set(State):
        raise usage(f"--state: {state!r} is none of {', '.join(State)}")
    settings = load_settings()
    time = clock_of(settings.clock)

    def expiry(decided_at: datetime) -> datetime:
        return time.to_virtual(time.to_real(decided_at) + settings.retry.give_up)

    async def look(store: Queries, most: int | None) -> list[views.Shape]:
        place = None if before is None else await store.outbox_place(before)
        if before is not None and place is None:
            raise not_there("no notification has this key")
        chosen = None if state is None else State(state)
        return await views.outbox(store, expiry, state=chosen, order_id=order, before=place, limit=most)

    words = ["outbox"]
    if state is not None:
        words += ["--state", state]
    if order is not None:
        words += ["--order", order]
    pages.give(look, tables.outbox, limit=limit, command=words, cursor="key")


@outbox.command()
def retry(keys: list[str] = typer.Argument(..., metavar="KEY...")) -> None:  # noqa: B008 -- how typer declares
    """Make notifications due at once; one that failed is sent again."""

    async def change(store: Operations, clock: Clock) -> frozenset[str]:
        return await store.retry(keys, now_real=clock.real())

    _report("retried", keys, change_store(change))


@outbox.command()
def drop(keys: list[str] = typer.Argument(..., metavar="KEY...")) -> None:  # noqa: B008 -- how typer declares
    """Never send these notifications."""

    async def change(store: Operations, clock: Clock) -> frozenset[str]:
        return await store.drop(keys, now=clock.now())

    _report("dropped", keys, change_store(change))


def _report(verb: str, keys: list[str], changed: frozenset[str]) -> None:
    left = [key for key in keys if key not in changed]
    answer.give(
        {verb: [key for key in keys if key in changed], "left": left},
        lambda document: f"{len(document[verb])} {verb}.",
    )
    if left:
        sys.stderr.write("".join(f"avisa: cannot be {verb}: {key}\n" for key in left))
        raise typer.Exit(Exit.FINDINGS)
