"""Where the processor time of a mail goes: `avisa run` with a meter at the door of each stage.

`python -m tests.bench.metered run` in place of `avisa run`. At SIGUSR1 it writes to the file `BENCH_METER` the
seconds of processor time that each stage has used so far, as JSON. A stage is charged for what it does itself, not
for the stages it calls; what nobody is charged for is the event loop, the libraries between the stages, and the
meter.
"""

from __future__ import annotations

import functools
import json
import os
import signal
import sys
import threading
import time
import types
from collections import defaultdict
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import greenlet
from aiokafka.consumer.fetcher import Fetcher
from faststream._internal.endpoint.subscriber.usecase import SubscriberUsecase

from avisa import events
from avisa.catalog import Catalog
from avisa.cli import main
from avisa.core.fold import Fold
from avisa.dispatch import Dispatch
from avisa.dispatch.in_flight import InFlight
from avisa.dispatch.preparation import Preparation
from avisa.intake import Intake
from avisa.kafka.consumer import Consumer
from avisa.kafka.subscription import Subscription
from avisa.smtp.channel import EmailChannel
from avisa.smtp.conversation import Conversation
from avisa.store import orders
from avisa.store.database.connection_thread import ConnectionThread
from avisa.store.database.database import OnDatabase, transaction
from avisa.store.database.postgres import PostgreSQL
from avisa.store.orders import SqlOrders
from avisa.store.outbox import SqlOutbox
from avisa.templates.renderer import Renderer
from avisa.write_path import WritePath

# The doors: holder, name, stage.
DOORS: tuple[tuple[Any, str, str], ...] = (
    (Fetcher, "_proc_fetch_request", "consume"),
    (Consumer, "getmany", "consume"),
    (SubscriberUsecase, "consume", "consume"),
    (Subscription, "_on_batch", "consume"),
    (events, "read", "read"),
    (Intake, "take", "decide"),
    (Fold, "add", "decide"),
    (WritePath, "commit", "dispatch"),
    (orders, "load", "store: load"),
    (SqlOrders, "commit", "store: commit"),
    (SqlOutbox, "claim", "store: claim"),
    (SqlOutbox, "begin", "store: begin"),
    (SqlOutbox, "settle", "store: settle"),
    (ConnectionThread, "_durably", "store: transaction"),
    (PostgreSQL, "_run", "store: transaction"),
    (Dispatch, "_round", "dispatch"),
    (Preparation, "prepare", "dispatch"),
    (InFlight, "settle_receipts", "dispatch"),
    (Catalog, "draft", "draft"),
    (Renderer, "mail", "compose"),
    (EmailChannel, "deliver", "send"),
    (Conversation, "data_received", "send"),
    (EmailChannel, "_balance", "send"),
)


class _Thread(threading.local):
    """The stages that are open in this thread, the innermost last.

    Each greenlet has its own: SQLAlchemy does the work on PostgreSQL in greenlets, and leaves one in the middle of a
    stage whenever it waits for the server. A new one begins in the stage that started it.
    """

    def __init__(self, seconds: dict[str, float]) -> None:
        self.open: list[str] = []
        self._seconds = seconds
        self._charged = time.thread_time()  # all of this thread's time before is charged
        self._of_greenlets: WeakKeyDictionary[greenlet.greenlet, list[str]] = WeakKeyDictionary()
        greenlet.settrace(self._switched)

    def charge(self) -> None:
        """Charge the innermost stage for the time since the last call; nobody, where none is open."""
        now = time.thread_time()
        if self.open:
            self._seconds[self.open[-1]] += now - self._charged
        self._charged = now

    def _switched(self, _: str, switch: tuple[greenlet.greenlet, greenlet.greenlet]) -> None:
        origin, target = switch
        self.charge()
        self._of_greenlets[origin] = self.open
        self.open = self._of_greenlets.get(target, self.open[-1:])


class Meter:
    """Seconds by stage, over all threads."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._here = _Thread(self.seconds)

    def call(self, stage: str, work: Callable[[], Any]) -> Any:
        """Do `work` and charge `stage` for it, less what is charged to others meanwhile."""
        self._here.charge()
        self._here.open.append(stage)
        try:
            return work()
        finally:
            self._here.charge()
            self._here.open.pop()

    @types.coroutine
    def steps(self, stage: str, coroutine: Any) -> Generator[Any, Any, Any]:
        """Await `coroutine`, charging `stage` for each of its steps but not for its waits."""
        step = functools.partial(coroutine.send, None)
        while True:
            try:
                awaited = self.call(stage, step)
            except StopIteration as end:
                return end.value
            try:
                step = functools.partial(coroutine.send, (yield awaited))
            except BaseException as thrown:
                step = functools.partial(coroutine.throw, thrown)

    def dump(self, *_: object) -> None:
        """Write what there is, whole or not at all."""
        path = Path(os.environ["BENCH_METER"])
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps({**self.seconds, "all": time.process_time()}))
        fresh.rename(path)


def wrap(meter: Meter) -> None:
    """Put the meter at every door."""
    for holder, name, stage in DOORS:
        assert hasattr(holder, name), f"{holder} has no {name} any more: this harness must follow"
        setattr(holder, name, _metered(holder, meter, stage, getattr(holder, name)))


def _metered(holder: object, meter: Meter, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
    if isinstance(holder, type) and issubclass(holder, OnDatabase):  # its work is done in a thread of the store's
        return transaction(_metered(None, meter, stage, function.__wrapped__))
    if function.__code__.co_flags & 0x80:  # a coroutine function

        @functools.wraps(function)  # FastStream looks at the signature
        async def stepped(*args: Any, **kwargs: Any) -> Any:
            return await meter.steps(stage, function(*args, **kwargs))

        return stepped

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        return meter.call(stage, functools.partial(function, *args, **kwargs))

    return called


if __name__ == "__main__":
    meter = Meter()
    wrap(meter)
    signal.signal(signal.SIGUSR1, meter.dump)
    sys.exit(main())
