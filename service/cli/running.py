"""Commands that run the service, or look at how it is set up: run, demo, migrate, config."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer

from avisa.cli.answer import answer
from avisa.cli.exits import Exit, misconfigured
from avisa.cli.surroundings import settings


def register(app: typer.Typer) -> None:
    app.command()(run)
    app.command()(demo)
    app.command()(migrate)
    app.command()(config)


def run() -> int:
    """Run the service until SIGTERM or SIGINT."""
    known = settings()  # before anything is imported that takes its time
    from avisa import app

    return _started(lambda: app.run(known))


def demo(
    keep: bool = typer.Option(False, "--keep", help="Keep running when the sample orders have been told."),
    speed: float = typer.Option(20_000.0, "--speed", min=1, max=100_000, help="Virtual seconds to a real one."),
) -> int:
    """Play sample orders and show what their customers are told, and why."""
    known = settings()
    import asyncio

    from avisa.cli.demo import play

    return _started(lambda: asyncio.run(play(known, keep=keep, speed=speed)))


def _started(start: Callable[[], int]) -> int:
    from avisa.app import Misconfigured

    try:
        return start()
    except Misconfigured as refusal:
        raise misconfigured(refusal.problems) from None


def migrate(
    check: bool = typer.Option(False, "--check", help="Change nothing; exit 1 if there is something to do."),
) -> None:
    """Bring the store's schema up to date."""
    import asyncio

    from avisa.store.migrate import status, upgrade

    url = settings().store.url.get_secret_value()
    if check:
        found = asyncio.run(status(url))
        told: dict[str, Any] = {"from": found.current, "to": found.head, "applied": []}
        answer.give(told | {"missing": list(found.missing)}, _standing)
        if found.current != found.head:
            raise typer.Exit(Exit.FINDINGS)
        return
    done = asyncio.run(upgrade(url))
    answer.give({"from": done.before, "to": done.after, "applied": list(done.applied)}, _migrated)


def _standing(told: dict[str, Any]) -> str:
    if told["from"] == told["to"]:
        return f"The schema is up to date ({told['to']})."
    if told["missing"]:
        return f"The schema is at {told['from'] or 'nothing'}; {told['to']} is needed: run `avisa migrate`."
    return f"The schema is at {told['from']}, which a later version made; this one knows {told['to']}."


def _migrated(told: dict[str, Any]) -> str:
    if not told["applied"]:
        return f"The schema is up to date ({told['to']})."
    return f"The schema was brought from {told['from'] or 'nothing'} to {told['to']}."


def config() -> None:
    """Show every setting, where it comes from, and no secret."""
    from avisa.cli.tables import settings as shown
    from avisa.settings import describe

    answer.give({"settings": describe(settings())}, shown)
