"""A real Apache Kafka on this machine: one process, KRaft, its files in a folder of its own.

It runs from the Maven artifacts, which are fetched once into `.tools/kafka` of the checkout.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.tools.parts import needs
from tests.tools.waiting import PATIENCE

VERSION = "4.1.1"
CACHE = Path(__file__).parents[2] / ".tools" / "kafka"
_POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>avisa.tests</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{VERSION}</version>
    </dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
"""


def jars() -> Path:
    """The folder of Kafka's jars; fetched if they are not there."""
    libs = CACHE / "libs"
    if not any(libs.glob("kafka_2.13-*.jar")):
        CACHE.mkdir(parents=True, exist_ok=True)
        (CACHE / "pom.xml").write_text(_POM)
        command = ["mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=libs"]
        subprocess.run(command, cwd=CACHE, check=True, timeout=600)
    return libs


@dataclass(kw_only=True)
class Secured:
    """A second listener beside the plaintext one."""

    protocol: str  # SSL, SASL_PLAINTEXT, SASL_SSL
    users: dict[str, str] = field(default_factory=dict)  # for PLAIN and both SCRAMs alike
    keystore_pem: str | None = None  # private key and chain, PKCS #8
    truststore_pem: str | None = None  # if given, clients must show a certificate signed by it


@dataclass(kw_only=True)
class ApacheKafka:
    """One broker. `bootstrap_servers` stays the same over restarts; its data too, until the folder goes."""

    folder: Path
    secured: Secured | None = None
    properties: dict[str, str] = field(default_factory=dict)
    _process: subprocess.Popen[bytes] | None = None
    _ports: tuple[int, int, int] = (0, 0, 0)
    _log_read: int = 0

    @property
    def bootstrap_servers(self) -> str:
        return f"127.0.0.1:{self._ports[0]}"

    @property
    def secured_servers(self) -> str:
        return f"localhost:{self._ports[2]}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start, and wait until it answers. Data of an earlier start is kept."""
        if not (self.folder / "data").exists():
            self._ports = _free_ports()
            self._write_properties()
            scram = [
                option
                for user, password in (self.secured.users if self.secured else {}).items()
                for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512")
                for option in ("--add-scram", f"{mechanism}=[name={user},password={password}]")
            ]
            self._java("kafka.tools.StorageTool", "format", "--standalone", "-t", "AAAAAAAAAAAAAAAAAAAAAA",
                       "-c", "server.properties", *scram)  # fmt: skip
        with (self.folder / "kafka.log").open("ab") as log:
            self._process = subprocess.Popen(
                _command("kafka.Kafka", "server.properties"),
                cwd=self.folder,
                stdout=log,
                stderr=log,
            )
        self._await_answer()

    def stop(self) -> None:
        """End it as an operator would."""
        self._end(signal.SIGTERM)

    def kill9(self) -> None:
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Freeze it: connections stay open and nobody answers."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    async def create_topic(self, name: str, partitions: int = 1) -> None:
        async with self._admin() as admin:
            await admin.create_topics([NewTopic(name, partitions, 1)])

    async def delete_topic(self, name: str) -> None:
        async with self._admin() as admin:
            await admin.delete_topics([name])

    def add_user(self, name: str, password: str) -> None:
        """Let somebody in by SCRAM-SHA-512."""
        self._java(
            "kafka.admin.ConfigCommand",
            "--bootstrap-server", self.bootstrap_servers, "--alter", "--entity-type", "users", "--entity-name", name,
            "--add-config", f"SCRAM-SHA-512=[password={password}]",
        )  # fmt: skip

    async def topics(self) -> list[str]:
        async with self._admin() as admin:
            return [topic for topic in await admin.list_topics() if not topic.startswith("__")]

    @contextlib.asynccontextmanager
    async def _admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap_servers)
        await admin.start()
        try:
            async with asyncio.timeout(PATIENCE):  # a broker that is busy may name no controller in its first answers
                while admin._client.cluster.controller is None:
                    await admin._client.force_metadata_update()
            yield admin
        finally:
            await admin.close()

    def _end(self, sign: signal.Signals) -> None:
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGCONT)
        self._process.send_signal(sign)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _write_properties(self) -> None:
        plain, controller, secured = self._ports
        listeners = {"PLAINTEXT": f"127.0.0.1:{plain}", "CONTROLLER": f"127.0.0.1:{controller}"}
        advertised = {"PLAINTEXT": f"127.0.0.1:{plain}"}
        protocols = {"PLAINTEXT": "PLAINTEXT", "CONTROLLER": "PLAINTEXT"}
        lines = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.bootstrap.servers": f"127.0.0.1:{controller}",
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAINTEXT",
            "log.dirs": "data",
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "1",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "transaction.state.log.num.partitions": "1",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            "group.initial.rebalance.delay.ms": "0",
            "group.min.session.timeout.ms": "1000",
            "broker.session.timeout.ms": "6000",  # so long a busy machine may stand still
            "broker.heartbeat.interval.ms": "200",
            "num.network.threads": "2",
            "num.io.threads": "2",
            "log.cleaner.dedupe.buffer.size": "2097152",
        }
        if self.secured is not None:
            listeners["SECURED"] = f"127.0.0.1:{secured}"
            advertised["SECURED"] = f"localhost:{secured}"
            protocols["SECURED"] = self.secured.protocol
            lines |= self._security(self.secured)
        lines["listeners"] = ",".join(f"{name}://{at}" for name, at in listeners.items())
        lines["advertised.listeners"] = ",".join(f"{name}://{at}" for name, at in advertised.items())
        lines["listener.security.protocol.map"] = ",".join(f"{name}:{how}" for name, how in protocols.items())
        self.folder.mkdir(parents=True, exist_ok=True)
        text = "".join(f"{key}={value}\n" for key, value in (lines | self.properties).items())
        (self.folder / "server.properties").write_text(text)

    def _security(self, secured: Secured) -> dict[str, str]:
        prefix = "listener.name.secured."
        lines: dict[str, str] = {}
        if secured.users:
            scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
            users = " ".join(f'user_{user}="{password}"' for user, password in secured.users.items())
            lines |= {
                "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
                f"{prefix}plain.sasl.jaas.config": (
                    f"org.apache.kafka.common.security.plain.PlainLoginModule required {users};"
                ),
                f"{prefix}scram-sha-256.sasl.jaas.config": scram,
                f"{prefix}scram-sha-512.sasl.jaas.config": scram,
            }
        if secured.keystore_pem:
            (self.folder / "keystore.pem").write_text(secured.keystore_pem)
            lines |= {f"{prefix}ssl.keystore.type": "PEM", f"{prefix}ssl.keystore.location": "keystore.pem"}
        if secured.truststore_pem:
            (self.folder / "truststore.pem").write_text(secured.truststore_pem)
            lines |= {
                f"{prefix}ssl.truststore.type": "PEM",
                f"{prefix}ssl.truststore.location": "truststore.pem",
                f"{prefix}ssl.client.auth": "required",
            }
        return lines

    def _java(self, *arguments: str) -> None:
        done = subprocess.run(_command(*arguments), cwd=self.folder, capture_output=True, timeout=PATIENCE)
        assert done.returncode == 0, (done.stdout + done.stderr).decode(errors="replace")

    def _await_answer(self) -> None:
        """Ready is when it names itself as a broker; a listening port is not enough."""
        deadline = time.monotonic() + PATIENCE
        while True:
            assert self._process is not None
            assert self._process.poll() is None, (self.folder / "kafka.log").read_text()[-4000:]
            if b"Kafka Server started" in (self.folder / "kafka.log").read_bytes()[self._log_read :]:
                self._log_read = (self.folder / "kafka.log").stat().st_size
                return
            assert time.monotonic() < deadline, (self.folder / "kafka.log").read_text()[-4000:]
            time.sleep(0.1)


def _command(*arguments: str) -> list[str]:
    return [
        "java",
        "-Xmx384m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-cp",
        f"{jars()}/*",
        *arguments,
    ]


def _free_ports() -> tuple[int, int, int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(3)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        first, second, third = (one.getsockname()[1] for one in sockets)
    return first, second, third


@pytest.fixture(scope="session")
@needs("kafka")
def apache_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApacheKafka]:
    """One broker for the whole session. Whoever stops, kills or freezes a broker starts one of their own."""
    broker = ApacheKafka(folder=tmp_path_factory.mktemp("kafka"))
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture(scope="module")
@needs("kafka")
def own_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApacheKafka]:
    """A broker for those who stop, kill or freeze it. It runs when a test begins, whatever the last one did."""
    broker = ApacheKafka(folder=tmp_path_factory.mktemp("own-kafka"))
    broker.start()
    yield broker
    broker.kill9()
