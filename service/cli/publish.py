"""`avisa publish`: events from a file to the topic."""

from __future__ import annotations

import asyncio
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import typer
from aiokafka.errors import KafkaError

from avisa import kafka, telemetry
from avisa.app.edges import cluster_of
from avisa.cli.answer import answer
from avisa.cli.exits import Exit, Failure, misconfigured, not_there
from avisa.cli.session import load_settings
from avisa.embedded.broker import running_cluster
from avisa.kafka import Cluster, UnreachableError
from avisa.settings import Settings
from avisa.store.database import database_url


def publish(file: str = typer.Argument(..., help="JSON lines, a plain event each; - is standard input.")) -> None:
    settings = load_settings()
    with ExitStack() as stack:
        try:
            lines = sys.stdin.buffer if file == "-" else stack.enter_context(Path(file).open("rb"))
        except OSError as error:
            raise not_there(f"{file}: {error.strerror}") from None
        published = asyncio.run(_publish(settings, lines))
    answer.give({"published": published}, lambda _: f"{published} published.")


async def _publish(settings: Settings, lines: BinaryIO) -> int:
    telemetry.configure(level="error", fd=2)
    cluster, embedded = cluster_in_use(settings)
    try:
        return await kafka.publish(cluster, lines, wait_for_reader=embedded)
    except UnreachableError as error:
        raise Failure(Exit.FINDINGS, "unreachable", f"nothing was published: {error}") from None
    except OSError as error:  # a certificate or key that cannot be used
        raise misconfigured([f"AVISA_KAFKA__CA_FILE, __CERT_FILE, __KEY_FILE: {error.strerror or error}"]) from None
    except KafkaError as error:
        raise Failure(Exit.FINDINGS, "not_published", f"the broker refused: {type(error).__name__}") from None


def cluster_in_use(settings: Settings) -> tuple[Cluster, bool]:
    """The cluster to publish to or to read, and whether that is the broker inside a running Avisa."""
    cluster = cluster_of(settings.kafka)
    if cluster is not None:
        return cluster, False
    url = database_url.read(settings.store.url.get_secret_value())
    beside = database_url.sqlite_file(url).parent if url.drivername == "sqlite" else Path()
    running = running_cluster(beside, settings.kafka.topics, settings.kafka.group_id)
    if running is None:
        raise Failure(
            Exit.FINDINGS,
            "unreachable",
            "no AVISA_KAFKA__BOOTSTRAP_SERVERS is set, and no `avisa run` with the embedded broker runs here",
        )
    return running, True
