"""Commands that run the service, or look at how it is set up: run, demo, migrate, config."""

from __future__ import annotations

import typer

from service.cli.answer import answer
from service.cli.exits import Exit
from service.cli.surroundings import settings


def register(app: typer.Typer) -> None:
    app.command()(run)
    app.command()(demo)
    app.command()(migrate)
    app.command()(config)


def run() -> int:
    """Run the service until SIGTERM or SIGINT."""
    known = settings()  # before anything is imported that takes its time
    from service.app import run as run_service

    return run_service(known)


def demo(
    keep: bool = typer.Option(False, "--keep", help="Keep running when the sample orders have been told."),
    speed: float = typer.Option(600.0, "--speed", min=1, max=100_000, help="Virtual seconds to a real one."),
) -> int:
    """Play sample orders and show what their customers are told, and why."""
    known = settings()
    from service.app import demo as run_demo

    return run_demo(known, keep, speed)


def migrate(
    check: bool = typer.Option(False, "--check", help="Change nothing; exit 1 if there is something to do."),
) -> int:
    """Bring the store's schema up to date."""
    from service.store import migrate as migrations

    done = migrations.migrate(settings().store.url, check=check)
    answer.give(done, lambda told: _migrated(told, check))
    return Exit.FINDINGS if check and done["applied"] else Exit.DONE


def _migrated(told: dict[str, object], check: bool) -> str:
    if not told["applied"]:
        return f"The schema is up to date ({told['to']})."
    verb = "would be brought" if check else "was brought"
    return f"The schema {verb} from {told['from'] or 'nothing'} to {told['to']}."


def config() -> None:
    """Show every setting, where it comes from, and no secret."""
    from service.cli.tables import settings as shown
    from service.settings import describe

    answer.give({"settings": describe(settings())}, shown)
