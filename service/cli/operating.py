"""Commands with which an operator steps in: outbox retry and drop, dead-letters, pause, resume."""

from __future__ import annotations

import sys

import typer

from avisa import views
from avisa.cli import feeding, looking
from avisa.cli.answer import answer
from avisa.cli.exits import Exit, usage
from avisa.cli.surroundings import changing_store, looking_at_store
from avisa.ports import Clock, Operations


def register(app: typer.Typer) -> None:
    outbox = typer.Typer(help="Notifications: where each is; send one again, or drop it.", rich_markup_mode=None)
    outbox.callback(invoke_without_command=True)(show_outbox)
    outbox.command()(retry)
    outbox.command()(drop)
    app.add_typer(outbox, name="outbox")

    dead_letters = typer.Typer(help="Records that could not be read.", rich_markup_mode=None)
    dead_letters.callback(invoke_without_command=True)(show_dead_letters)
    dead_letters.command("list")(list_dead_letters)
    dead_letters.command()(replay)
    app.add_typer(dead_letters, name="dead-letters")

    app.command()(pause)
    app.command()(resume)
    app.command()(feeding.publish)


# ---------------------------------------------------------------- outbox


def show_outbox(
    context: typer.Context,
    state: str | None = typer.Option(None, "--state", help="Only those in this state."),
    order: str | None = typer.Option(None, "--order", help="Only those of this order."),
) -> None:
    if context.invoked_subcommand is None:
        looking.outbox(state, order)


def retry(keys: list[str] = typer.Argument(..., metavar="KEY...")) -> None:  # noqa: B008 -- how typer declares
    """Make notifications due at once; one that failed is sent again."""

    async def change(store: Operations, clock: Clock) -> frozenset[str]:
        return await store.retry(keys, now_real=clock.real())

    _changed("retried", keys, changing_store(change))


def drop(keys: list[str] = typer.Argument(..., metavar="KEY...")) -> None:  # noqa: B008 -- how typer declares
    """Never send these notifications."""

    async def change(store: Operations, clock: Clock) -> frozenset[str]:
        return await store.drop(keys, now=clock.now())

    _changed("dropped", keys, changing_store(change))


def _changed(verb: str, keys: list[str], done: frozenset[str]) -> None:
    left = [key for key in keys if key not in done]
    answer.give(
        {verb: [key for key in keys if key in done], "left": left},
        lambda told: f"{len(told[verb])} {verb}.",
    )
    if left:
        sys.stderr.write("".join(f"avisa: cannot be {verb}: {key}\n" for key in left))
        raise typer.Exit(Exit.FINDINGS)


# ---------------------------------------------------------------- dead letters


def show_dead_letters(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        list_dead_letters()


def list_dead_letters() -> None:
    """Show what was set aside, and why."""
    from avisa.cli.tables import set_aside

    answer.give(looking_at_store(views.dead_letters), set_aside)


def replay(
    ids: list[int] | None = typer.Argument(None, metavar="ID..."),  # noqa: B008 -- how typer declares
    everything: bool = typer.Option(False, "--all", help="All that are open."),
) -> None:
    """Take records in again, as they came, now that what was wrong is mended."""
    if bool(ids) == everything:
        raise usage("dead-letters replay: give ids, or --all")
    outcome = feeding.replay(ids or None)
    answer.give(outcome, lambda told: f"{told['replayed']} replayed, {told['failed']} failed.")
    if outcome["failed"]:
        raise typer.Exit(Exit.FINDINGS)


# ---------------------------------------------------------------- sending


def pause(reason: str = typer.Option("", "--reason", help="Shown in metrics and health.")) -> None:
    """Stop all sending. Events are still taken in and decided."""

    async def change(store: Operations, clock: Clock) -> None:
        await store.pause(reason, now=clock.now())

    changing_store(change)
    answer.give({"paused": True, "reason": reason or None}, lambda _: "Sending is paused.")


def resume() -> None:
    """Start sending again."""

    async def change(store: Operations, _clock: Clock) -> None:
        await store.resume()

    changing_store(change)
    answer.give({"paused": False, "reason": None}, lambda _: "Sending goes on.")
