"""`avisa snooze` and `avisa snoozes`: reminders, warnings and questions wait; news does not."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta

import typer

from avisa import views
from avisa.cli.answer import answer
from avisa.cli.exits import Exit, usage
from avisa.cli.person import login
from avisa.cli.session import change_store
from avisa.cli.views import tables
from avisa.core.snooze import Of, Snooze
from avisa.ports import Clock, Operations
from avisa.settings.values import duration

LONGEST = timedelta(days=400)

snoozes = typer.Typer(add_completion=False, rich_markup_mode=None)


def snooze(
    until: str = typer.Option(..., "--until", metavar="WHEN", help="A moment with a zone, or for how long: 4h, 3d."),
    order: str | None = typer.Option(None, "--order", help="Hold back those of this order."),
    status: str | None = typer.Option(None, "--status", help="Hold back those of all orders in this status."),
    brand: str | None = typer.Option(None, "--brand", help="Hold back those of all orders of this brand."),
    owner: str | None = typer.Option(None, "--owner", help="Hold back those of all orders of this owner."),
    reason: str = typer.Option("", "--reason", help="Why; `avisa snoozes` shows it."),
    author: str | None = typer.Option(None, "--author", help="Who; without it your login name."),
) -> None:
    chosen = {Of.ORDER: order, Of.STATUS: status, Of.BRAND: brand, Of.OWNER: owner}
    named = [(of, name) for of, name in chosen.items() if name]
    if len(named) != 1:
        raise usage("say one of --order, --status, --brand and --owner")
    ((of, name),) = named
    who, when = author or login(), _when(until)

    async def change(store: Operations, clock: Clock) -> Snooze:
        now = clock.now()
        moment = when if isinstance(when, datetime) else now + when
        if not now < moment <= now + LONGEST:
            raise usage(f"--until: it lies ahead, and no more than {LONGEST.days} days")
        made = Snooze(of=of, name=name, until=moment, author=who, reason=reason, at=now)
        await store.snooze(made)
        return made

    answer.give(views.snooze_json(change_store(change)), lambda it: f"Snoozed until {it['until']}.")


@snoozes.callback(invoke_without_command=True)
def show(context: typer.Context) -> None:
    if context.invoked_subcommand is not None:
        return

    async def look(store: Operations, clock: Clock) -> list[views.Shape]:
        return [views.snooze_json(it) for it in await store.snoozes(now=clock.now())]

    answer.give(change_store(look), tables.snoozes)


@snoozes.command()
def end(ids: list[int] = typer.Argument(..., metavar="ID...")) -> None:  # noqa: B008 -- how typer declares
    """End snoozes now. What they held back goes out if it is still true."""

    async def change(store: Operations, _clock: Clock) -> list[int]:
        return [id for id in ids if await store.end_snooze(id)]

    ended = change_store(change)
    left = [id for id in ids if id not in ended]
    answer.give({"ended": ended, "left": left}, lambda document: f"{len(document['ended'])} ended.")
    if left:
        sys.stderr.write("".join(f"avisa: there is no snooze {id}\n" for id in left))
        raise typer.Exit(Exit.FINDINGS)


def _when(written: str) -> datetime | timedelta:
    """The moment, or how long from now, that `--until` names. Raises Failure if it names neither, or a moment without
    a zone."""
    try:
        span = duration(written)
    except ValueError:
        try:
            until = datetime.fromisoformat(written)
        except ValueError:
            raise usage("--until: a moment such as 2026-03-09T18:00+01:00, or 4h, 3d") from None
        if until.tzinfo is None:
            raise usage("--until: a moment has a zone, as in 2026-03-09T18:00+01:00") from None
        return until
    if span > LONGEST:
        raise usage(f"--until: no more than {LONGEST.days}d")
    return span
