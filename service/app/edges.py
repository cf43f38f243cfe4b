"""Kafka and the mail relay as the settings say; where they name none, the embedded broker and inbox."""

from __future__ import annotations

from contextlib import AsyncExitStack
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from avisa import private_file
from avisa.clock import VirtualClock
from avisa.core.plan import Plan
from avisa.kafka.cluster import Cluster
from avisa.registry import Endpoint
from avisa.settings import Kafka, Settings
from avisa.smtp.relay import Relay
from avisa.store.database import database_url

if TYPE_CHECKING:
    from avisa.embedded.inbox import Inbox


def cluster_of(settings: Kafka) -> Cluster | None:
    """The cluster that the settings name, or None."""
    if settings.bootstrap_servers is None:
        return None
    return Cluster(
        bootstrap_servers=settings.bootstrap_servers,
        topics=settings.topics,
        group_id=settings.group_id,
        security=settings.security,
        sasl=settings.sasl or "plain",
        username=settings.username or "",
        password="" if settings.password is None else settings.password.get_secret_value(),
        ca_file=_path(settings.ca_file),
        cert_file=_path(settings.cert_file),
        key_file=_path(settings.key_file),
    )


def registry_of(settings: Settings) -> Endpoint | None:
    """The schema registry that the settings name, or None."""
    registry = settings.registry
    if registry.url is None:
        return None
    return Endpoint(
        url=registry.url,
        username=registry.username,
        password=None if registry.password is None else registry.password.get_secret_value(),
        ca_file=_path(registry.ca_file),
    )


def _path(path: Path | None) -> str | None:
    return None if path is None else str(path)


def relay_of(settings: Settings) -> Relay | None:
    """The relay that the settings name, or None.

    It is greeted with the host that customers know, so that no inner address of ours ends in every `Received:`.
    """
    smtp = settings.smtp
    if smtp.host is None:
        return None
    public_host = urlsplit(settings.public_url or "").hostname
    return Relay(
        host=smtp.host,
        port=smtp.relay_port,
        tls=smtp.security,
        username=smtp.username,
        password=None if smtp.password is None else smtp.password.get_secret_value(),
        clear_text=smtp.clear_text == "allowed",
        helo=smtp.helo or (public_host if public_host and not _is_address(public_host) else None),
    )


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def example_senders(plan: Plan) -> list[str]:
    """A line for each brand that sends from an example domain (RFC 2606 section 3), which a real relay refuses."""
    found = []
    for brand in plan.brands.values():
        domain = brand.sender.rpartition("@")[2].rstrip("> ").lower()
        if ("." + domain).endswith((".example", ".example.com", ".example.net", ".example.org")):
            found.append(f"plan.yaml: the brand {brand.key} sends from an example domain")
    return found


def exposed_store(settings: Settings) -> list[str]:
    """A line if the files of a SQLite store can be read by every user of this machine."""
    file = _sqlite_file(settings)
    if file is None:
        return []
    exposed = private_file.exposed(file, *(file.with_name(f"{file.name}-{part}") for part in ("wal", "shm")))
    if not exposed:
        return []
    paths = " ".join(map(str, exposed))
    return [f"AVISA_STORE__URL: every user of this machine can read the store, with all addresses; chmod o= {paths}"]


def embedded_inbox(settings: Settings, clock: VirtualClock) -> Inbox | None:
    """The embedded inbox, not started yet; None if the settings name a relay."""
    if settings.smtp.host is not None:
        return None
    from avisa.embedded.inbox import Inbox  # here, for a service with a relay does without its libraries

    return Inbox(clock, folder=settings.inbox.dir)


def embedded_cluster(settings: Settings, stack: AsyncExitStack) -> Cluster:
    """The embedded broker, which lives as long as `stack`."""
    from avisa.embedded.broker import EmbeddedBroker  # here, for a service with a cluster does without librdkafka

    broker = EmbeddedBroker(settings.kafka.topics, beside=_store_folder(settings))
    stack.callback(broker.stop)
    broker.start()
    return broker.cluster(settings.kafka.group_id)


def _store_folder(settings: Settings) -> Path:
    """The folder of the store, where other processes look for the address of the embedded broker."""
    file = _sqlite_file(settings)
    return Path() if file is None else file.parent


def _sqlite_file(settings: Settings) -> Path | None:
    """The file of a SQLite store, as the parser that opens the store reads its address; None for another store."""
    url = database_url.read(settings.store.url.get_secret_value())
    return database_url.sqlite_file(url) if url.drivername == "sqlite" else None
