"""One Avisa with real parts around it: its environment, its process, and what it left behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from tests.oracle import Answered, Counts, Latitude, Plan, Published, Received, Verdict, judge, read_mail, read_plan
from tests.oracle.course import promise_of
from tests.oracle.plan import end_of_promise
from tests.oracle.testimony import Clockwork
from tests.tools.sink import Sink
from tests.tools.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "templates"
AVISA = str(Path(sys.executable).with_name("avisa"))
_LOOK_EVERY = 0.05
Testimony = tuple[list[Published], list[Received], Plan, Latitude, Counts, list[Answered]]


def templates(folder: Path, plan: Path | None = None, *, without: Collection[str] = ()) -> Path:
    """The shipped messages with a plan of our own, or the shipped one. `without` are keys of the plan that are left
    out, such as `touchpoints.shipped.ask_owner_at`."""
    shutil.copytree(SHIPPED, folder)
    if plan is not None:
        shutil.copy(plan, folder / "plan.yaml")
    if without:
        _leave_out(folder / "plan.yaml", without)
    return folder


def _leave_out(plan: Path, keys: Iterable[str]) -> None:
    written = yaml.safe_load(plan.read_text("utf-8"))
    for key in keys:
        *way, last = key.split(".")
        del reduce(getitem, way, written)[last]
    plan.write_text(yaml.safe_dump(written, allow_unicode=True, sort_keys=False), "utf-8")


@dataclass(kw_only=True)
class Stage:
    """Everything one run needs. `command` starts the service; the default is the command as installed."""

    folder: Path
    servers: str
    topic: str
    store_url: str
    templates: Path
    sink: Sink
    clock: Clockwork
    command: Sequence[str] = (AVISA, "run")
    settings: dict[str, str] = field(default_factory=dict)  # on top of its own
    patience: timedelta = timedelta(seconds=5)
    rereads: bool = False  # a part was away, and records may have been read twice
    published: list[Published] = field(default_factory=list)
    answered: list[Answered] = field(default_factory=list)  # by owners
    starts: list[datetime] = field(default_factory=list)  # real
    ends: list[datetime] = field(default_factory=list)  # real, at the latest
    kills: list[datetime] = field(default_factory=list)  # real
    down: list[tuple[datetime, datetime]] = field(default_factory=list)  # real; it could not do its work
    _down_since: datetime | None = None
    _process: subprocess.Popen[bytes] | None = None
    _port: int = field(default_factory=lambda: _free_port())

    # ---------------------------------------------------------------- the process

    @property
    def environment(self) -> dict[str, str]:
        """Ours, without a setting of Avisa's, and with all of this stage's."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("AVISA_")}
        return clean | {
            "AVISA_KAFKA__BOOTSTRAP_SERVERS": self.servers,
            "AVISA_KAFKA__TOPICS": self.topic,
            "AVISA_KAFKA__GROUP_ID": self.topic,
            "AVISA_STORE__URL": self.store_url,
            "AVISA_SMTP__HOST": "127.0.0.1",
            "AVISA_SMTP__PORT": str(self.sink.port),
            "AVISA_SMTP__TLS": "none",
            "AVISA_SENDERS": "0",
            "AVISA_TEMPLATES": str(self.templates),
            "AVISA_HTTP__PORT": str(self._port),
            "AVISA_PUBLIC_URL": self.address,
            "AVISA_LOG__FORMAT": "json",
            "AVISA_CLOCK__START": self.clock.start.isoformat(),
            "AVISA_CLOCK__ORIGIN": self.clock.origin.isoformat(),
            "AVISA_CLOCK__SPEED": str(self.clock.speed),
            **self.settings,
        }

    @property
    def address(self) -> str:
        """Of its web pages."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def dead(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def start(self, **more: str) -> None:
        """Start the service, with `more` in its environment. It is not ready yet."""
        self._down_since = self._down_since or _now()
        self.starts.append(_now())
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command, cwd=self.folder, env=self.environment | more, stdout=log, stderr=log
            )

    def health(self, path: str = "/readyz") -> dict[str, Any]:
        """What it says of itself, with the HTTP status as `code`; 0 if there is no answer."""
        try:
            with urllib.request.urlopen(f"{self.address}{path}", timeout=4) as answer:
                return {**json.load(answer), "code": answer.status}
        except urllib.error.HTTPError as refused:
            with refused:
                return {**json.load(refused), "code": refused.code}
        except (urllib.error.URLError, OSError, ValueError):
            return {"code": 0, "checks": {}}

    def ready(self) -> bool:
        """Whether it works now: it can read, write, has its partitions, and its sender process, if any, is up."""
        health = self.health()
        checks = health["checks"]
        if health["code"] != 200:
            return False
        if not checks.get("assignment", checks["kafka"])["ok"]:
            return False
        if self.settings.get("AVISA_SENDERS", "0") != "0" and not checks["email"]["ok"]:
            return False
        if self._down_since is not None:
            self.down.append((self._down_since, _now()))
            self._down_since = None
        return True

    def wait_ready(self, timeout: float = PATIENCE) -> bool:
        """Wait until it is ready; false if it died meanwhile."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self.dead:
                return False
            if self.ready():
                return True
            time.sleep(_LOOK_EVERY)
        raise TimeoutError(f"not ready in {timeout:.0f} s:\n{self.log_tail()}")

    def died(self) -> None:
        """Take note that the process was killed, by whomever."""
        assert self._process is not None
        code = self._process.wait()
        if code != -signal.SIGKILL:
            raise RuntimeError(f"the service ended by itself, with {code}:\n{self.log_tail()}")
        self.kills.append(_now())
        self.ends.append(self.kills[-1])
        self._down_since = self._down_since or self.kills[-1]

    def sender_died(self) -> None:
        """Take note that its sender process was killed: until it is ready again, it cannot do its work."""
        self.kills.append(_now())
        self._down_since = self._down_since or self.kills[-1]

    def kill(self) -> None:
        """SIGKILL."""
        assert self._process is not None
        self._process.kill()
        self.died()

    def stop(self) -> int:
        """SIGTERM; its exit code."""
        assert self._process is not None
        self._process.terminate()
        try:
            return self._process.wait(50)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()
        finally:
            self.ends.append(_now())

    def avisa(self, *arguments: str) -> Any:
        """What a command answers with `--json`."""
        done = subprocess.run(
            [AVISA, *arguments, "--json"],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"avisa {' '.join(arguments)} ended with {done.returncode}: {done.stdout!r}")
        return json.loads(done.stdout)

    @property
    def log(self) -> Path:
        return self.folder / "avisa.log"

    def log_tail(self) -> str:
        return self.log.read_text("utf-8", "replace")[-4000:] if self.log.exists() else ""

    # ---------------------------------------------------------------- what it left

    def counts(self) -> Counts:
        answer = self.avisa("counts")
        return Counts(events=answer["events"], notifications=answer["notifications"])

    def settled(self) -> bool:
        """Whether every notification is."""
        by_state = self.counts().notifications["by_state"]
        return not any(by_state.get(state) for state in ("queued", "held", "sending", "retrying"))

    def plan(self) -> Plan:
        return read_plan(self.templates / "plan.yaml")

    def received(self) -> list[Received]:
        return [read_mail(mail.data, to=mail.to, at=self.clock.virtual(mail.at)) for mail in self.sink.mails()]

    def latitude(self, until: datetime) -> Latitude:
        """What the oracle has to know of how the run went; `until` is virtual."""
        virtual = self.clock.virtual
        # Of all that was cut, only the answer to a final dot leaves a doubt.
        cuts = [at for at, fault in self.sink.faults() if (fault.stage, fault.when) == ("dot", "after")]
        return Latitude(
            speed=self.clock.speed,
            patience_real=self.patience,
            until=until,
            down=tuple((virtual(begin), virtual(end)) for begin, end in self.down),
            kills=tuple(virtual(at) for at in (*self.kills, *cuts)),
            starts=tuple(virtual(at) for at in self.starts),
            ends=tuple(virtual(at) for at in self.ends),
            rereads=self.rereads or bool(self.kills),
        )

    def testimony(self, until: datetime) -> Testimony:
        """All that the oracle is told, as `judge` takes it."""
        return self.published, self.received(), self.plan(), self.latitude(until), self.counts(), self.answered

    def judge(self, until: datetime) -> Verdict:
        """Hold it all against the rules."""
        return judge(*self.testimony(until))


def silence_ends(published: Sequence[Published], plan: Plan) -> datetime:
    """When the last reminder that can come will have been due, also after an apology."""
    ends = [record.acked for record in published]
    lapses: dict[str, datetime] = {}
    for record in published if plan.judges_promises else ():
        if promise := promise_of(record.event.get("promised_at")):
            zone = ZoneInfo(record.event["customer"]["time_zone"])
            lapse = end_of_promise(promise, zone) + plan.touchpoint(record.event["status"]).grace
            lapses[record.order_id] = max(lapse, lapses.get(record.order_id, lapse))
    for record in {record.order_id: record for record in published}.values():
        touchpoint = plan.touchpoint(record.event["status"])
        at = record.acked if touchpoint.final else max(record.acked, lapses.get(record.order_id, record.acked))
        for number in range(touchpoint.at_most if touchpoint.dated else 0):
            gap = touchpoint.window if number == 0 else touchpoint.gap_after(number)
            if gap is None:
                break
            at = gap.after(at)
            if touchpoint.quiet is not None:  # it may be moved back, or be held until they are over
                zone = ZoneInfo(record.event["customer"]["time_zone"])
                at = touchpoint.quiet.release(at, zone)
        ends.append(at)
    return max(ends)


def _now() -> datetime:
    return datetime.now(UTC)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
