"""The embedded Kafka broker: librdkafka's own mock cluster, in this process.

It speaks the real protocol and keeps records in memory: the newest few MB of a partition, and nothing once the
process ends. It is good for trying things out; real orders belong in a real Kafka.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog
from confluent_kafka import KafkaException, Producer

from avisa import private_file
from avisa.kafka import Cluster

ADDRESSES = "avisa.run.json"
FETCH_WAIT_MS = 20  # a waiting fetch is not woken by a new record here, so this is our latency
_ANSWER_WITHIN = 10.0  # seconds

_log = structlog.get_logger("avisa.embedded")


class EmbeddedBroker:
    """One broker with the topics `topics`, from `start` to `stop`.

    It writes its address to a file in the folder `beside`, the store's, so that a second shell finds it.
    """

    def __init__(self, topics: tuple[str, ...], *, beside: Path) -> None:
        self._topics = topics
        self._beside = beside
        self._owner: Producer | None = None
        self.bootstrap_servers = ""

    def start(self) -> None:
        """Raises RuntimeError if the broker does not start, and OSError if the folder cannot be written."""
        # It would write a line to stderr for each odd byte that somebody sends it: nothing at all is worth that.
        self._owner = Producer({"bootstrap.servers": "embedded", "test.mock.num.brokers": 1, "log_level": 0})
        try:
            brokers = self._owner.list_topics(timeout=_ANSWER_WITHIN).brokers.values()
            for topic in self._topics:
                self._owner.list_topics(topic, timeout=_ANSWER_WITHIN)  # asking for a topic makes it
        except KafkaException as error:
            raise RuntimeError("the embedded broker did not come up") from error
        self.bootstrap_servers = ",".join(f"{broker.host}:{broker.port}" for broker in brokers)
        write_addresses(self._beside, {"kafka": self.bootstrap_servers})
        _log.warning(
            "embedded.broker_started",
            detail="EMBEDDED Kafka broker: in memory, gone when this process ends; not for real orders",
            servers=self.bootstrap_servers,
            topics=", ".join(self._topics),
        )

    def stop(self) -> None:
        """End the broker. Its records are lost."""
        remove_addresses(self._beside)
        self._owner = None

    def cluster(self, group_id: str) -> Cluster:
        return _cluster(self.bootstrap_servers, self._topics, group_id)


def running_cluster(folder: Path, topics: tuple[str, ...], group_id: str) -> Cluster | None:
    """Return the embedded broker of the process that runs on the store in `folder`; None if there is none."""
    servers = (read_addresses(folder) or {}).get("kafka")
    return _cluster(servers, topics, group_id) if isinstance(servers, str) else None


def _cluster(servers: str, topics: tuple[str, ...], group_id: str) -> Cluster:
    return Cluster(bootstrap_servers=servers, topics=topics, group_id=group_id, fetch_wait_ms=FETCH_WAIT_MS)


def write_addresses(folder: Path, addresses: Mapping[str, Any]) -> Path:
    """Add addresses of parts of this process to its file, and return the path of the file.

    The file appears whole or not at all, and only its owner may read it.
    """
    path = folder / ADDRESSES
    before = read_addresses(folder) or {}
    ours = before if before.get("pid") == os.getpid() else {}
    private_file.write(path, json.dumps({**ours, **addresses, "pid": os.getpid()}).encode())
    return path


def read_addresses(folder: Path) -> dict[str, Any] | None:
    """Return the addresses of a running process; None if none runs. The file of a killed process does not count."""
    try:
        addresses: dict[str, Any] = json.loads((folder / ADDRESSES).read_text())
        with suppress(PermissionError):  # it runs as another user
            os.kill(addresses["pid"], 0)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return addresses


def remove_addresses(folder: Path) -> None:
    """Remove the file if it is this process's."""
    addresses = read_addresses(folder)
    if addresses is not None and addresses["pid"] == os.getpid():
        with suppress(FileNotFoundError):
            (folder / ADDRESSES).unlink()
