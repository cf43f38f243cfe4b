"""`avisa dead-letters`: the records that were set aside; `replay` takes them in again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime
from functools import partial

import typer

from avisa import events, views
from avisa.app.catalogs import catalog_cache
from avisa.catalog import Catalog, CatalogCache, Versions
from avisa.cli import pages
from avisa.cli.answer import answer
from avisa.cli.exits import Exit, usage
from avisa.cli.folder_catalog import folder_catalog
from avisa.cli.schemas import SchemaSource
from avisa.cli.session import load_settings, use_store
from avisa.cli.views import tables
from avisa.dispatch.preparation import Prepared
from avisa.dispatch.settlements import Now
from avisa.intake import Intake
from avisa.ports import Attempt, Claimed, Clock, DeadLetter, Queries, Unreadable
from avisa.settings import Settings
from avisa.store import Store
from avisa.write_path import WritePath

_AT_ONCE = 50  # each may have a mebibyte

dead_letters = typer.Typer(add_completion=False, rich_markup_mode=None)


@dead_letters.callback(invoke_without_command=True)
def show(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        list_(limit=None, before=None)


@dead_letters.command("list")
def list_(
    limit: int | None = pages.limit_option,
    before: int | None = typer.Option(None, "--before", metavar="ID", help="Only those with a lower id."),
) -> None:
    """Show what was set aside, and why."""

    async def look(store: Queries, most: int | None) -> list[views.Shape]:
        return await views.dead_letters(store, before=before, limit=most)

    pages.give(look, tables.dead_letters, limit=limit, command=["dead-letters", "list"], cursor="id")


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
    """Take in the open ones among `ids` (None: all that are open). Return how many were, and how many not. Raises
    Failure if a schema is needed, and its registry does not answer; what was replayed by then remains so."""
    catalogs = await _in_force(settings, store, clock)
    plan = catalogs.in_force.plan
    nobody = _Nobody()
    write_path = WritePath(
        store.orders, nobody.prepare, nobody, lease=settings.retry.lease, on_wake_at=lambda _: None
    )
    intake = Intake(store.orders, catalogs, clock, write_path)
    schemas = SchemaSource(settings)
    tried = replayed = 0
    async for letter in _open(store.queries) if ids is None else _chosen(store.queries, sorted(set(ids))):
        tried += 1
        if not letter.whole:
            continue
        known = await schemas.of(letter.record, plan.events)
        event = events.read(letter.record, rules=plan.events, types=settings.kafka.types or (), schemas=known)
        if not isinstance(event, Unreadable):
            # In this order: if it is cut short between the two, the next replay finds the event `already_seen`.
            await intake.take([event])
            await store.operations.replayed(letter.id)
            replayed += 1
    wanted = tried if ids is None else len(set(ids))
    return {"replayed": replayed, "failed": wanted - replayed}


async def _open(queries: Queries) -> AsyncIterator[DeadLetter]:
    """All that are open now, a few at a time; not those that are set aside meanwhile, or there might be no end."""
    after = 0
    for newest in await queries.dead_letters(limit=1):
        while letters := await queries.open_dead_letters(after=after, until=newest.id, limit=_AT_ONCE):
            for letter in letters:
                yield letter
            after = letters[-1].id


async def _chosen(queries: Queries, ids: Sequence[int]) -> AsyncIterator[DeadLetter]:
    """The open ones among `ids`, a few at a time."""
    for first in range(0, len(ids), _AT_ONCE):
        for letter in await queries.dead_letters_by_id(ids[first : first + _AT_ONCE]):
            if letter.state == "open":
                yield letter


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
