"""Build the image and run it for real: `python -m tests.deploy.image`. It needs a Docker Engine.

Confined as deploy/ says (read-only root, no capabilities, its own user, little memory): once with nothing but its
volume, and once beside a real Apache Kafka, a real PostgreSQL and a mail server on this machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.tools import engine
from tests.tools.engine import CONFINED, ROOT, TAG, container, docker, stops_with_zero, volume
from tests.tools.kafka import ApacheKafka
from tests.tools.postgres import running as running_postgres
from tests.tools.sink import Sink
from tests.tools.waiting import PATIENCE

EVENTS = [json.loads(line) for line in (ROOT / "deploy" / "sample-orders.jsonl").read_text("utf-8").splitlines()]
for event in EVENTS:
    del event["customer"]["time_zone"]  # the brand's will do: at midday there nobody sleeps
SAMPLES = "\n".join(map(json.dumps, EVENTS)).encode()

# Run inside the image: what must not be there, and what must not be possible.
LOOK_INSIDE = """
import importlib.util, json, os, pathlib, shutil, subprocess
def writable(folder):
    try:
        (pathlib.Path(folder) / "probe").write_text("")
    except OSError:
        return False
    return True
tools = ["pip", "pip3", "gcc", "cc", "c++", "make", "git", "curl", "wget"]
bare = ["/usr/local/bin/python", "-c", "import pip"]
print(json.dumps({
    "ids": sorted({os.getuid(), os.getgid(), *os.getgroups()}),
    "tools": [tool for tool in tools if shutil.which(tool)],
    "modules": [name for name in ("pip", "setuptools", "wheel", "ensurepip") if importlib.util.find_spec(name)],
    "bare_pip": subprocess.run(bare, capture_output=True).returncode == 0,
    "writable": [folder for folder in ("/", "/opt/avisa", "/etc", "/var", "/data", "/tmp") if writable(folder)],
}))
"""


def main() -> int:
    if not engine.answers():
        print("No Docker Engine answers. Start one, and name it in DOCKER_HOST if it is not the usual one.")
        return 1 if "engine" in os.environ.get("AVISA_TEST_REQUIRE", "") else 0
    for step in (build, holds_nothing_else, alone, among_real_parts):
        began = time.monotonic()
        step()
        print(f"{step.__name__:<20} ok  {time.monotonic() - began:5.1f} s", flush=True)
    return 0


def build() -> None:
    engine.build()
    config = json.loads(docker("image", "inspect", TAG))[0]["Config"]
    assert config["User"] == "10001:10001"
    assert (config["Entrypoint"], config["Cmd"], config["StopSignal"]) == (["avisa"], ["run"], "SIGTERM")
    assert list(config["Volumes"]) == ["/data"]
    assert config["Labels"]["org.opencontainers.image.title"] == "Avisa"


def holds_nothing_else() -> None:
    """No build tools, no privileges, and nothing to write to but /data and /tmp."""
    found = json.loads(docker("run", "--rm", *CONFINED, "--entrypoint=python", TAG, "-c", LOOK_INSIDE))
    assert found == {
        "ids": [10001],
        "tools": [],
        "modules": [],
        "bare_pip": False,
        "writable": ["/data", "/tmp"],
    }, found


def alone() -> None:
    """No settings and no network: everything embedded, and what it knows outlives the container."""
    with volume() as data:
        options = (f"--volume={data}:/data", "--network=none")
        with container(*options) as name:
            healthy(name)
            published = json.loads(
                docker("exec", "--interactive", name, "avisa", "publish", "-", "--json", given=SAMPLES)
            )
            assert published == {"published": len(EVENTS)}
            until("its events are read", lambda: _counts(name)["events"]["read"] == published["published"])
            stops_with_zero(name)
        with container(*options) as name:
            healthy(name)
            assert _counts(name)["events"]["read"] == published["published"]
            stops_with_zero(name)


def among_real_parts() -> None:
    """Migrate, run, tell six customers, stop."""
    with (
        tempfile.TemporaryDirectory(prefix="avisa-image-") as folder,
        apache_kafka(Path(folder) / "kafka") as kafka,
        Sink(Path(folder) / "sink") as sink,
        contextlib.contextmanager(running_postgres)() as postgres,
    ):
        settings = {
            "AVISA_KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
            "AVISA_STORE__URL": postgres.database(),
            "AVISA_SMTP__HOST": "127.0.0.1",
            "AVISA_SMTP__PORT": str(sink.port),
            "AVISA_SMTP__TLS": "none",
            "AVISA_HTTP__HOST": "127.0.0.1",
            "AVISA_HTTP__PORT": "18080",
            # Midday, or quiet hours would hold the mails.
            "AVISA_CLOCK__START": "2026-03-02T12:00:00Z",
            "AVISA_CLOCK__ORIGIN": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        given = [f"--env={name}={value}" for name, value in settings.items()]
        once = ("run", "--rm", "--interactive", *CONFINED, "--network=host", *given, TAG)

        migrated = json.loads(docker(*once, "migrate", "--json"))
        assert migrated["from"] is None
        assert migrated["applied"]
        assert json.loads(docker(*once, "migrate", "--json"))["applied"] == []

        with container("--network=host", *given) as name:
            healthy(name)
            docker(*once, "publish", "-", given=SAMPLES)
            expected = {event["customer"]["email"] for event in EVENTS}
            until("every customer has mail", lambda: {mail.to for mail in sink.mails()} == expected)
            assert sink.count() == len(expected)
            stops_with_zero(name)
            log = docker("logs", name)
            assert not [address for address in expected if address in log], "addresses in the log"
        counts = json.loads(docker(*once, "counts", "--json"))
        assert counts["notifications"]["by_state"]["sent"] == counts["notifications"]["decided"] == len(expected)


# ---------------------------------------------------------------- what it stands beside


@contextlib.contextmanager
def apache_kafka(folder: Path) -> Iterator[ApacheKafka]:
    broker = ApacheKafka(folder=folder)
    broker.start()
    try:
        asyncio.run(broker.create_topic("orders.status", 3))
        yield broker
    finally:
        broker.stop()


def healthy(name: str) -> None:
    """The image's own health check has said so."""
    until("health turns healthy", lambda: engine.state(name)["Health"]["Status"] == "healthy")


def until(what: str, true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, f"not within {PATIENCE:g} s: {what}"
        time.sleep(0.5)


def _counts(name: str) -> dict[str, Any]:
    counts: dict[str, Any] = json.loads(docker("exec", name, "avisa", "counts", "--json"))
    return counts


if __name__ == "__main__":
    sys.exit(main())
