"""The path from a record's bytes to an accepted mail is the one that CONTRIBUTING tells."""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import Any, cast

from aiokafka import ConsumerRecord

from avisa.core.model import State
from avisa.core.plan import Events
from avisa.embedded.inbox import Inbox
from avisa.kafka import Cluster, LagTracker, Subscription
from avisa.smtp.channel import EmailChannel
from avisa.smtp.relay import Relay
from tests.fakes import HandClock
from tests.flows.harness import Flows, running
from tests.tools.waiting import until

CONTRIBUTING = Path(__file__).parents[2] / "CONTRIBUTING.md"
MOST_ROOMS = 6
EVENT = b'{"order_id": "A-1", "status": "confirmed", "customer": {"email": "ana@example.com"}}'


def listed() -> list[tuple[str, str]]:
    """Module and function of each step, as the document names them."""
    _, _, rest = CONTRIBUTING.read_text("utf-8").partition("<!-- path -->\n")
    steps = re.findall(r"^\d+\. `([\w.]+)` `([\w.]+)`:", rest.partition("\n\n")[0], re.MULTILINE)
    assert len(steps) > 5, "the document has the list"
    return [(f"avisa.{module}", function) for module, function in steps]


@contextmanager
def watching(steps: list[tuple[str, str]], passed: list[tuple[str, str]]) -> Iterator[None]:
    """Note in `passed` each step when it is called for the first time."""

    def note(frame: FrameType, event: str, _: Any) -> None:
        if event == "call":
            step = (frame.f_globals.get("__name__", ""), frame.f_code.co_qualname)
            if step in steps and step not in passed:
                passed.append(step)

    sys.setprofile(note)
    try:
        yield
    finally:
        sys.setprofile(None)


async def test_a_record_passes_the_listed_functions_in_order(tmp_path: Path) -> None:
    steps, passed = listed(), cast(list[tuple[str, str]], [])
    clock = HandClock()
    inbox = Inbox(clock)
    await inbox.start()
    relay = Relay(host="127.0.0.1", port=inbox.port, tls="none", username=None, password=None)
    channel = EmailChannel(relay, jitter=random.random)
    await channel.start()
    try:
        async with running(tmp_path / "avisa.db", clock=clock, channel=channel) as flows, flows.sending():
            await until(lambda: channel.open)
            with watching(steps, passed):
                await arrives(flows, EVENT)
                await flows.became("A-1/1/update/1/customer", State.SENT)
    finally:
        await channel.stop(1.0)
        await inbox.stop()
    assert passed == steps
    assert inbox.taken == 1


def test_the_path_leads_through_few_rooms_and_never_back() -> None:
    """The last step is the receipt, which comes back by nature."""
    rooms = [module.split(".")[1] for module, _ in listed()[:-1]]
    visited = [room for at, room in enumerate(rooms) if at == 0 or rooms[at - 1] != room]
    assert len(visited) == len(set(visited)) <= MOST_ROOMS


async def arrives(flows: Flows, value: bytes) -> None:
    """Hand a record to the subscription as its reader does."""
    lag = LagTracker(since=flows.clock.real(), blind_after=lambda: flows.catalogs.in_force.plan.feed.blind_after)
    subscription = Subscription(
        Cluster(bootstrap_servers="127.0.0.1:9", topics=("orders",), group_id="avisa"),
        take=flows.intake.take,
        rules=Events,
        lag=lag,
        clock=flows.clock,
    )
    consumer = SimpleNamespace(
        offsets=SimpleNamespace(commit_soon=lambda _: None), read_to={}, rewind=lambda: None, finish=lambda: None
    )
    subscription._reader = SimpleNamespace(consumer=consumer)  # type: ignore[assignment]  # Kafka has its own tests
    at = int(flows.clock.real().timestamp() * 1000)
    record: ConsumerRecord[bytes, bytes] = ConsumerRecord(
        "orders", 0, 7, at, 0, b"A-1", value, None, 3, len(value), []
    )
    await subscription._on_batch([record])
