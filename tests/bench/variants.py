"""What is compared: each variant as its users would start it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from confluent_kafka import Producer

from tests.bench.checkout import PROJECT, TODAY, Checkout
from tests.bench.machine import cpu_seconds, family, free_port
from tests.bench.orders import NOON
from tests.tools.kafka import ApacheKafka
from tests.tools.postgres import Postgres

PARTITIONS = 4
_BIN = Path(sys.executable).parent
_PATIENCE = 60.0


@dataclass(slots=True)
class Ground:
    """Broker and database, running for the whole bench; topics and stores fresh for each run."""

    folder: Path
    kafka: ApacheKafka
    postgres: Postgres
    promises: bool = True  # whether orders have a promised date
    _number: count[int] = field(default_factory=lambda: count(1))

    def topic(self) -> str:
        """A new topic."""
        name = f"orders.{next(self._number)}"
        asyncio.run(self.kafka.create_topic(name, PARTITIONS))
        return name

    def publisher(self) -> Producer:
        """One that adds no wait of its own and is sure of its records."""
        return Producer(
            {
                "bootstrap.servers": self.kafka.bootstrap_servers,
                "linger.ms": 0.5,
                "acks": "all",
                "queue.buffering.max.messages": 1_000_000,
            }
        )

    def neighbours(self) -> dict[str, float]:
        """Processor time so far of what the service shares the cores with, in seconds."""
        return {"kafka": cpu_seconds(self.kafka.pid), "postgres": cpu_seconds(self.postgres.pid)}


@dataclass(slots=True)
class Service:
    """The processes of a variant, running."""

    processes: list[subprocess.Popen[bytes]]
    ports: list[int] = field(default_factory=list)  # of Avisa's web servers

    @property
    def pids(self) -> list[int]:
        """Of its processes and of those that they have started."""
        return [pid for process in self.processes for pid in family(process.pid)]

    def cpu(self) -> float:
        """Processor time so far, in seconds."""
        return sum(cpu_seconds(process.pid) for process in self.processes)

    def check(self) -> None:
        """Raise RuntimeError if a process has ended."""
        for process in self.processes:
            if process.poll() is not None:
                raise RuntimeError(f"a service ended by itself with {process.returncode}; see its log")


@dataclass(frozen=True, slots=True, kw_only=True)
class Naive:
    """`tests/bench/naive`, by FastStream's own command."""

    name: str
    connection: str  # kept, each
    turn: int = 200  # mails, about as long as the other turns

    @contextlib.contextmanager
    def running(self, ground: Ground, topic: str, smtp_port: int) -> Iterator[Service]:
        environ = {
            "NAIVE_SERVERS": ground.kafka.bootstrap_servers,
            "NAIVE_TOPIC": topic,
            "NAIVE_SMTP_PORT": str(smtp_port),
            "NAIVE_CONNECTION": self.connection,
        }
        command = [str(_BIN / "faststream"), "run", "tests.bench.naive.service:app"]
        with _started(ground, self.name, [(command, environ)]) as processes:
            yield Service(processes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Avisa:
    """`avisa run` with nothing set but where things are, who sends, and noon on its clock."""

    name: str
    store: str  # sqlite, postgres
    processes: int = 1
    senders: int = 0  # processes beside each, that write and send
    turn: int = 1_500  # mails
    checkout: Checkout = TODAY
    environ: Mapping[str, str] = field(default_factory=dict)

    @property
    def alone(self) -> bool:
        """Whether all is done by one process."""
        return self.processes == 1 and not self.senders

    @contextlib.contextmanager
    def running(self, ground: Ground, topic: str, smtp_port: int) -> Iterator[Service]:
        url = ground.postgres.database() if self.store == "postgres" else f"sqlite:///{ground.folder / topic}.db"
        environ = {
            "AVISA_KAFKA__BOOTSTRAP_SERVERS": ground.kafka.bootstrap_servers,
            "AVISA_KAFKA__TOPICS": topic,
            "AVISA_KAFKA__GROUP_ID": topic,
            "AVISA_STORE__URL": url,
            "AVISA_SMTP__HOST": "127.0.0.1",
            "AVISA_SMTP__PORT": str(smtp_port),
            "AVISA_SMTP__TLS": "none",
            "AVISA_CLOCK__START": NOON.isoformat(),
            "AVISA_CLOCK__ORIGIN": datetime.now(UTC).isoformat(),
            "PYTHONPATH": self.checkout.python_path,
            **({"AVISA_SENDERS": str(self.senders)} if self.checkout.has_senders else {}),
            **self.environ,
        }
        if self.store == "postgres":
            migrate(environ, ground.folder, self.checkout)
        ports = [free_port() for _ in range(self.processes)]
        command = _command(self.checkout, "run")
        commands = [(command, environ | {"AVISA_HTTP__PORT": str(port)}) for port in ports]
        with _started(ground, self.name, commands) as processes:
            service = Service(processes, ports)
            for port in ports:
                _await_ready(service, port)
            for port in ports:
                _await_ready(service, port, "assignment")
            yield service
        for suffix in ("", "-wal", "-shm", ".lock"):
            (ground.folder / f"{topic}.db{suffix}").unlink(missing_ok=True)


def migrate(environ: Mapping[str, str], folder: Path, checkout: Checkout = TODAY) -> None:
    """Make the tables of the store that `environ` names."""
    command = _command(checkout, "migrate")
    subprocess.run(command, env=_environ(environ), cwd=folder, check=True, capture_output=True)


def _command(checkout: Checkout, word: str) -> list[str]:
    return [sys.executable, "-m", checkout.module, word]


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpSource:
    """`smtp-source -d` of postfix: mails of the same size and nothing to do but send them."""

    name: str
    turn: int = 1_500  # mails


Variant = Naive | Avisa

# In the order of their turns, there and back again: those that are compared are neighbours.
VARIANTS: tuple[Variant | SmtpSource, ...] = (
    Naive(name="naive_each", connection="each"),
    SmtpSource(name="smtp_source"),
    Avisa(name="avisa_sqlite_senders", store="sqlite", senders=1),
    Avisa(name="avisa_sqlite", store="sqlite"),
    Naive(name="naive_kept", connection="kept"),
    Avisa(name="avisa_postgres", store="postgres"),
    Avisa(name="avisa_postgres_2", store="postgres", processes=2),
)


def _environ(given: Mapping[str, str]) -> dict[str, str]:
    """Nothing of ours but the way to programs: a setting left over in a shell must not be measured."""
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT), **given}


@contextlib.contextmanager
def _started(
    ground: Ground, name: str, commands: list[tuple[list[str], dict[str, str]]]
) -> Iterator[list[subprocess.Popen[bytes]]]:
    processes: list[subprocess.Popen[bytes]] = []
    told = ground.folder / f"{name}.log"
    with told.open("wb") as log:
        try:
            for command, environ in commands:
                environ = _environ(environ)
                processes.append(subprocess.Popen(command, env=environ, cwd=ground.folder, stdout=log, stderr=log))
            yield processes
        except BaseException:
            print("".join(told.read_text().splitlines(keepends=True)[-20:]), file=sys.stderr)
            raise
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                try:
                    process.wait(_PATIENCE)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def _await_ready(service: Service, port: int, check: str | None = None) -> None:
    """Until `/readyz` says ready, or until it says that `check` is well too."""
    end = time.monotonic() + _PATIENCE
    while True:
        service.check()
        if _ready(port, check):
            return
        if time.monotonic() > end:
            raise TimeoutError("it does not get ready; see its log")
        time.sleep(0.02)


def _ready(port: int, check: str | None) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
            return check is None or bool(json.load(answer)["checks"][check]["ok"])
    except OSError:  # nobody listens yet, or it answers 503
        return False
