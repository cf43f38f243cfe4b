"""A campaign: one load of orders, one blow after the other, and in the end a verdict."""

from __future__ import annotations

import asyncio
import os
import pickle
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from tests.bench.machine import family
from tests.crash.owners import Owners
from tests.oracle import Published, Verdict, judge
from tests.replay.harness import ROOT, Stage, silence_ends, templates
from tests.replay.play import clock_at
from tests.replay.publisher import publish, real_now
from tests.tools.orders import Scheduled, generated
from tests.tools.proxy import Step, reached
from tests.tools.sink import Fault, Sink

SPEED = 3600.0  # an hour a second
TESTIMONY = "testimony"  # in a campaign's folder: what the oracle was told
PLAN = Path(__file__).with_name("plan.yaml")
PATIENCE = timedelta(seconds=5)
WAVE = timedelta(seconds=10)  # real time between the beginnings of waves of orders
ORDERS_A_WAVE = 40
IN_PEACE = 3.0  # real seconds of load after the last blow
ANSWERING = 5.0  # real seconds for which owners still answer, once no event comes any more
AFTER_CUT = 2.0  # real seconds to get over a connection that was cut, before the next blow
FARTHEST = 1  # days from now, of the dates that owners give: the silence after them has to end, too
NOT_REACHED = 40.0  # real seconds after which a step does not come any more; some only reminders come by
PAST_LEASE = 3.0  # real seconds
LOOK_EVERY = 0.02  # real seconds
RETRY = {"AVISA_RETRY__LEASE": "2s", "AVISA_RETRY__STEPS": "1s"}


@dataclass(frozen=True, slots=True)
class AtInstant:
    """SIGKILL so many seconds after the start."""

    seconds: float

    def __str__(self) -> str:
        return f"after {self.seconds:.2f} s"


@dataclass(frozen=True, slots=True)
class OfSender:
    """It befalls the sender process, not the service. `frozen`: SIGSTOP, and SIGCONT when its leases are over."""

    blow: Fault | AtInstant
    frozen: bool = False

    def __str__(self) -> str:
        return f"sender {'frozen ' if self.frozen else ''}{_named(self.blow)}"


Blow = Step | Fault | AtInstant | OfSender


@dataclass(slots=True)
class Outcome:
    """What came of a campaign."""

    verdict: Verdict
    struck: list[Blow]
    missed: list[Blow]  # the service never got there
    reached: frozenset[tuple[str, str]]  # every step that there is, as name and when


@dataclass(kw_only=True)
class Campaign:
    """Where it takes place, and with which build."""

    folder: Path
    servers: str
    topic: str
    store_url: str
    seed: int
    build: str = ""
    senders: int = 0
    say: Callable[[str], None] = print
    _stage: Stage = field(init=False)
    _record: Path = field(init=False)

    def run(self, blows: Sequence[Blow]) -> Outcome:
        """Strike every blow under load, then let the service finish its work in peace."""
        self.folder.mkdir(parents=True)
        self._record = self.folder / "steps"
        with Sink(self.folder / "sink") as sink:
            clock = clock_at(SPEED)
            self._stage = stage = Stage(
                folder=self.folder,
                servers=self.servers,
                topic=self.topic,
                store_url=self.store_url,
                templates=templates(self.folder / "templates", PLAN),
                sink=sink,
                clock=clock,
                command=(sys.executable, "-m", "tests.crash.runner"),
                settings=RETRY
                | {
                    "AVISA_SENDERS": str(self.senders),
                    "PYTHONPATH": str(ROOT),
                    "CRASH_RECORD": str(self._record),
                    "CRASH_BUILD": self.build,
                },
                patience=PATIENCE,
            )
            stage.avisa("migrate")
            orders = self._orders(clock.virtual(real_now()), len(blows))
            enough = threading.Event()
            publishing = threading.Thread(
                target=lambda: asyncio.run(
                    publish(stage.servers, stage.topic, orders, clock, stage.published, enough=enough.is_set)
                ),
                daemon=True,
            )
            publishing.start()
            try:
                with Owners(stage, random.Random(self.seed), farthest=FARTHEST):
                    struck = [blow for blow in blows if self._strike(blow)]
                    stage.start()
                    if not stage.wait_ready():
                        raise RuntimeError(f"the service ended by itself:\n{stage.log_tail()}")
                    time.sleep(IN_PEACE)
                    enough.set()
                    publishing.join()
                    time.sleep(ANSWERING)
                verdict = self._end()
            finally:
                stage.stop()
        steps = frozenset((step.name, str(step.when)) for step in reached(self._record))
        return Outcome(verdict, struck, [blow for blow in blows if blow not in struck], steps)

    def _orders(self, now: datetime, blows: int) -> list[Scheduled]:
        """Wave after wave, for longer than the blows can take: publishing is stopped when they are over."""
        waves = [
            generated(
                ORDERS_A_WAVE,
                seed=1000 * self.seed + number,
                start=now + number * WAVE * SPEED,
                length=2 * WAVE * SPEED,
            )
            for number in range(3 + int(blows * NOT_REACHED / WAVE.total_seconds()))
        ]
        return sorted((one for wave in waves for one in wave), key=lambda one: one.at)

    def _end(self) -> Verdict:
        stage = self._stage
        newest = {record.order_id: record.event for record in stage.published}
        answers = [
            Published(at=it.at, acked=it.acked, event={**newest[it.order_id], **it.facts}) for it in stage.answered
        ]
        end = silence_ends([*stage.published, *answers], stage.plan()) + 2 * PATIENCE * SPEED
        while real_now() < stage.clock.real(end):
            time.sleep(max(0.0, (stage.clock.real(end) - real_now()).total_seconds()))
        testimony = stage.testimony(stage.clock.virtual(real_now()))
        (self.folder / TESTIMONY).write_bytes(pickle.dumps(testimony))
        return judge(*testimony)

    def _strike(self, blow: Blow) -> bool:
        """Start the service and have it struck; false if that never came."""
        stage = self._stage
        match blow:
            case Step():
                stage.start(CRASH_AT=str(blow))
            case AtInstant():
                stage.start()
            case Fault():
                stage.start()
                stage.sink.ask(_aimed(blow, stage.pid))
            case OfSender():
                stage.start()
                if (sender := self._sender()) is None:
                    return False
                if isinstance(blow.blow, Fault):
                    stage.sink.ask(_aimed(blow.blow, sender))
        done = self._await_end(blow)
        stage.sink.ask(None)
        self.say(f"  {_named(blow)}: {'struck' if done else 'NOT REACHED'}")
        return done

    def _await_end(self, blow: Blow) -> bool:
        stage = self._stage
        begin = time.monotonic()
        faults = len(stage.sink.faults())
        ready = False
        while time.monotonic() < begin + NOT_REACHED:
            if stage.dead:
                stage.died()
                return not isinstance(blow, AtInstant)
            ready = ready or stage.ready()
            if isinstance(blow, AtInstant) and time.monotonic() >= begin + blow.seconds:
                stage.kill()
                return True
            if isinstance(blow, Fault) and blow.do == "cut" and stage.sink.faults()[faults:]:
                time.sleep(AFTER_CUT)
                stage.kill()
                return True
            if isinstance(blow, OfSender) and self._befell_sender(blow, begin, stage.sink.faults()[faults:]):
                stage.wait_ready()  # with another sender process
                time.sleep(AFTER_CUT)
                stage.kill()
                return True
            time.sleep(LOOK_EVERY)
        stage.kill()
        return False

    def _sender(self) -> int | None:
        """The sender process, once it is there; None if none comes."""
        for _ in range(int(NOT_REACHED / LOOK_EVERY)):
            if self._stage.dead:
                return None
            for pid in family(self._stage.pid):
                if b"avisa.senders" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    return pid
            time.sleep(LOOK_EVERY)
        return None

    def _befell_sender(self, blow: OfSender, begin: float, faults: Sequence[object]) -> bool:
        """Whether it has happened; an instant is here."""
        stage = self._stage
        if isinstance(blow.blow, Fault):
            if faults:
                stage.sender_died()
            return bool(faults)
        if time.monotonic() < begin + blow.blow.seconds or (sender := self._sender()) is None:
            return False
        if blow.frozen:
            since = real_now()
            os.kill(sender, signal.SIGSTOP)
            time.sleep(PAST_LEASE)
            os.kill(sender, signal.SIGCONT)
            stage.down.append((since, real_now()))
        else:
            os.kill(sender, signal.SIGKILL)
            stage.sender_died()
        return True


def _aimed(fault: Fault, pid: int) -> Fault:
    return Fault(stage=fault.stage, when=fault.when, do=fault.do, nth=fault.nth, pid=pid, seconds=fault.seconds)


def _named(blow: Blow) -> str:
    return f"{blow.do}:{blow.when}:{blow.stage}:{blow.nth}" if isinstance(blow, Fault) else str(blow)


def instants(count: int, rng: random.Random) -> list[Blow]:
    """Random instants: most while it works, some while it starts."""
    return [AtInstant(rng.uniform(0.2, 6.0)) for _ in range(count)]


def parts(blows: Sequence[Blow], size: int, rng: random.Random) -> list[list[Blow]]:
    """Shuffled, in campaigns of `size`."""
    shuffled = list(blows)
    rng.shuffle(shuffled)
    return [shuffled[i : i + size] for i in range(0, len(shuffled), size)]
