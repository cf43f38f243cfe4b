"""Commands that feed events: publish, and replay of dead letters."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import typer

from avisa.cli.answer import answer
from avisa.cli.exits import Exit, Failure, misconfigured, not_there
from avisa.cli.surroundings import catalog, inside_store, settings

if TYPE_CHECKING:
    from avisa.catalog import Catalog, CatalogCache
    from avisa.dispatch.preparation import Prepared
    from avisa.dispatch.settlements import Now
    from avisa.kafka import Cluster
    from avisa.ports import Attempt, Claimed, Clock, DeadLetter
    from avisa.settings import Settings
    from avisa.store import Store


def publish(file: str = typer.Argument(..., help="JSON lines, a plain event each; - is standard input.")) -> None:
    """Publish events to the topic, keyed by order_id."""
    known = settings()
    with ExitStack() as stack:
        try:
            lines = sys.stdin.buffer if file == "-" else stack.enter_context(Path(file).open("rb"))
        except OSError as error:
            raise not_there(f"{file}: {error.strerror}") from None
        told = asyncio.run(_publish(known, lines))
    answer.give({"published": told}, lambda _: f"{told} published.")


async def _publish(known: Settings, lines: BinaryIO) -> int:
    from aiokafka.errors import KafkaError

    from avisa import telemetry
    from avisa.kafka import UnreachableError
    from avisa.kafka import publish as publish_lines

    telemetry.configure(level="error", fd=2)
    cluster, embedded = _cluster(known)
    try:
        return await publish_lines(cluster, lines, wait_for_reader=embedded)
    except UnreachableError as error:
        raise Failure(Exit.FINDINGS, "unreachable", f"nothing was published: {error}") from None
    except OSError as error:  # a certificate or key that cannot be used
        raise misconfigured([f"AVISA_KAFKA__CA_FILE, __CERT_FILE, __KEY_FILE: {error.strerror or error}"]) from None
    except KafkaError as error:
        raise Failure(Exit.FINDINGS, "not_published", f"the broker refused: {type(error).__name__}") from None


def _cluster(known: Settings) -> tuple[Cluster, bool]:
    """Where to publish, and whether that is the broker inside a running Avisa."""
    from avisa.app.cluster import cluster_of
    from avisa.embedded.broker import running_cluster
    from avisa.store.database import database_url

    cluster = cluster_of(known.kafka)
    if cluster is not None:
        return cluster, False
    where = database_url.read(known.store.url.get_secret_value())
    beside = database_url.sqlite_file(where).parent if where.drivername == "sqlite" else Path()
    running = running_cluster(beside, known.kafka.topics, known.kafka.group_id)
    if running is None:
        raise Failure(
            Exit.FINDINGS,
            "unreachable",
            "no AVISA_KAFKA__BOOTSTRAP_SERVERS is set, and no `avisa run` with the embedded broker runs here",
        )
    return running, True


# ---------------------------------------------------------------- dead letters


def replay(ids: Collection[int] | None) -> dict[str, int]:
    """Take dead letters in again as they came (None: all that are open); answers how many were, and were not."""
    known = settings()
    return inside_store(known, partial(_replay, known, ids))


async def _replay(known: Settings, ids: Collection[int] | None, store: Store, clock: Clock) -> dict[str, int]:
    from avisa import events
    from avisa.intake import Intake
    from avisa.ports import Unreadable
    from avisa.write_path import WritePath

    shelf = await _in_force(known, store, clock)
    plan = shelf.in_force.plan
    nobody = _Nobody()
    write_path = WritePath(store.orders, nobody.prepare, nobody, lease=known.retry.lease, on_wake_at=lambda _: None)
    intake = Intake(store.orders, shelf, clock, write_path)
    letters = [letter for letter in await store.queries.dead_letters(ids) if letter.state == "open"]
    done = 0
    for letter in letters:
        taken = events.read(letter.record, rank_by=plan.rank_by, types=known.kafka.types or ())
        if letter.whole and not isinstance(taken, Unreadable):
            # In this order: cut short between the two, it is taken in again and found to be `already_seen`.
            await intake.take([taken])
            await store.operations.replayed(letter.id)
            done += 1
    return {"replayed": done, "failed": _asked(ids, letters) - done}


async def _in_force(known: Settings, store: Store, clock: Clock) -> CatalogCache | _Shelf:
    """What the service decides by; before it ever ran, what the folder says."""
    from avisa.app.template_sync import shelf_of
    from avisa.catalog import Versions

    shelf = shelf_of(known, store, b"nothing is sent from here", known.public_url)
    return shelf if await Versions(shelf, store.versions).join(at=clock.now()) else _Shelf(catalog(known))


def _asked(ids: Collection[int] | None, letters: Sequence[DeadLetter]) -> int:
    return len(letters) if ids is None else len(set(ids))


class _Shelf:
    """Holds the one catalog by which is decided."""

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
