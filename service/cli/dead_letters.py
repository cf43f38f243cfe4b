"""`avisa dead-letters`: the records that were set aside; `replay` takes them in again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial

import typer

from avisa import events, views
from avisa.app.catalogs import catalog_cache
from avisa.catalog import Catalog, CatalogCache, Versions
from avisa.cli.answer import answer
from avisa.cli.exits import Exit, usage
from avisa.cli.folder_catalog import folder_catalog
from avisa.cli.session import load_settings, read_store, use_store
from avisa.cli.views import tables
from avisa.dispatch.preparation import Prepared
from avisa.dispatch.settlements import Now
from avisa.intake import Intake
from avisa.ports import Attempt, Claimed, Clock, Unreadable
from avisa.settings import Settings
from avisa.store import Store
from avisa.write_path import WritePath

_AT_ONCE = 50  # each may have a mebibyte

dead_letters = typer.Typer(add_completion=False, rich_markup_mode=None)


@dead_letters.callback(invoke_without_command=True)
def show(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        list_()


@dead_letters.command("list")
def list_() -> None:
    """Show what was set aside, and why."""
    answer.give(read_store(views.dead_letters), tables.dead_letters)


@dead_letters.command()
def replay(
    ids: list[int] | None = typer.Argument(None, metavar="ID..."),  # noqa: B008 -- how typer declares
    everything: bool = typer.Option(False, "--all", help="All that are open."),
) -> None:
    """Take records in again, as they came, now that what was wrong is mended."""
    if bool(ids) == everything:
        raise usage("dead-letters replay: give ids, or --all")
    settings = load_settings()
    outcome = use_store(settings, partial(_replay, settings, ids or None))
    answer.give(outcome, lambda document: f"{document['replayed']} replayed, {document['failed']} failed.")
    if outcome["failed"]:
        raise typer.Exit(Exit.FINDINGS)


async def _replay(settings: Settings, ids: Collection[int] | None, store: Store, clock: Clock) -> dict[str, int]:
    """Take in the open ones among `ids` (None: all that are open). Return how many were, and how many not."""
    catalogs = await _in_force(settings, store, clock)
    plan = catalogs.in_force.plan
    nobody = _Nobody()
    write_path = WritePath(
        store.orders, nobody.prepare, nobody, lease=settings.retry.lease, on_wake_at=lambda _: None
    )
    intake = Intake(store.orders, catalogs, clock, write_path)
    still_open = [letter.id for letter in await store.queries.dead_letters(ids) if letter.state == "open"]
    replayed = 0
    for first in range(0, len(still_open), _AT_ONCE):
        for letter in await store.queries.dead_letters(still_open[first : first + _AT_ONCE]):
            event = events.read(letter.record, rules=plan.events, types=settings.kafka.types or ())
            if letter.whole and not isinstance(event, Unreadable):
                # In this order: if it is cut short between the two, the next replay finds the event `already_seen`.
                await intake.take([event])
                await store.operations.replayed(letter.id)
                replayed += 1
    wanted = len(still_open) if ids is None else len(set(ids))
    return {"replayed": replayed, "failed": wanted - replayed}


async def _in_force(settings: Settings, store: Store, clock: Clock) -> CatalogCache | _Folder:
    """The catalog that the service decides by; if it never ran, the one that the folder makes."""
    cache = catalog_cache(settings, store)
    if await Versions(cache, store.versions).join(at=clock.now()):
        return cache
    return _Folder(folder_catalog(settings))


class _Folder:
    """Holds the folder's catalog, where intake asks for the one in force."""

    def __init__(self, catalog: Catalog) -> None:
        self.in_force = catalog

    async def version(self, version: str) -> None: ...


class _Nobody:
    """Sends nothing: the service finds in the outbox what was decided here."""

    async def capacity(self) -> bool:
        return False

    def send(self, attempts: Sequence[Attempt], *, since: datetime) -> None: ...

    def nudge(self) -> None: ...

    async def prepare(self, batch: Sequence[Claimed], at: Now) -> Prepared:
        raise NotImplementedError("nothing is prepared where there is no capacity")
