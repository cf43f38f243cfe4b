"""The core alone against the oracle: thousands of made-up orders on a clock that is set, not waited for.

The service's core and the oracle were written apart from the same rules, so where they differ one of them is
wrong. Here there is no Kafka, no store and no mail server, hence no latitude: every mail is held to a second.
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from avisa import events, plan_file
from avisa.core import decide, questions
from avisa.core import plan as core_plan
from avisa.core.alert_list import EVERY
from avisa.core.answer import Answer
from avisa.core.flood import Ledger, Scope
from avisa.core.model import SETTLED, Notification, OrderEvent, Position, Purpose, Reason
from avisa.core.question import Reply
from avisa.ports import Record
from tests.core.harness import World
from tests.depth import rounds
from tests.oracle import Answered, Latitude, Published, Received, judge, message_id, read_plan
from tests.replay.play import START
from tests.tools.answers import said_to_customer
from tests.tools.orders import Scheduled, generated

PLANS = (Path(__file__).with_name("plan.yaml"), Path(__file__).parents[1] / "crash/plan.yaml")
TICK = timedelta(minutes=15)  # quiet hours end and bursts are over on one of these
AFTERWARDS = timedelta(days=20)
PATIENCE = timedelta(seconds=1)


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.parent.name)
@pytest.mark.parametrize("days", [1, 4, 30])
def test_the_core_and_the_oracle_agree(path: Path, days: int) -> None:
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")
    differ(path, seed=seed, days=days, orders=max(50, rounds(150)))  # of fewer not all that must come does


def differ(path: Path, *, seed: int, days: int, orders: int) -> None:
    """Fails if they do."""
    plan = plan_file.read(path.read_text("utf-8"), file=path.name)
    assert isinstance(plan, core_plan.Plan)
    scheduled = generated(orders, seed=seed, start=START, length=timedelta(days=days))
    published = [Published(at=one.at, acked=one.at, event=one.event) for one in scheduled]
    by_order: dict[str, list[Scheduled]] = {}
    for one in scheduled:
        by_order.setdefault(one.event["order_id"], []).append(one)
    end = scheduled[-1].at + AFTERWARDS
    owners = Owners(random.Random(seed))
    mails = [mail for rows in by_order.values() for mail in _lived(rows, plan, end, owners)]
    received = sorted(_gathered(mails), key=lambda mail: mail.at)
    latitude = Latitude(until=end, patience_real=PATIENCE)
    verdict = judge(published, received, read_plan(path), latitude, answers=owners.answers)
    assert verdict.clean, f"seed {seed}\n{verdict}"
    assert verdict.answers > 0
    assert verdict.unplaced < verdict.answers / 10
    assert verdict.mails["reminder"] > 0
    assert plan.judges_promises == bool(verdict.mails["promise_at_risk"] + verdict.mails["promise_broken"])
    assert verdict.mails["update"] > orders


class Owners:
    """They answer some of their questions, and keep all that they answered; sometimes they send it twice."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.answers: list[Answered] = []
        self._asked: list[tuple[datetime, Notification]] = []  # and when they will answer

    @property
    def next(self) -> datetime | None:
        return min((at for at, _ in self._asked), default=None)

    def ask(self, question: Notification, now: datetime) -> None:
        if self.rng.random() < 0.7:
            self._asked.append((now + timedelta(hours=self.rng.expovariate(1.0)), question))

    def forget(self) -> None:
        self._asked.clear()

    def answer(self, world: World) -> None:
        """Whatever they meant to have answered by now."""
        for entry in [entry for entry in self._asked if entry[0] <= world.now]:
            self._asked.remove(entry)
            self._reply(world, entry[1])

    def _reply(self, world: World, asked: Notification) -> None:
        order = world.loaded()
        assert order is not None
        question = questions.find(order, asked.episode, int(asked.ordinal))
        if question is None:
            return
        reply = self.rng.choice(list(Reply))
        said = said_to_customer(self.rng, len(self.answers), world.now) if reply is Reply.TELL else {}
        seen = questions.rank_to_see(order, question)
        answer = Answer(episode=question.episode, number=question.number, reply=reply, facts=said, seen=seen)
        acted = 0
        for _ in range(self.rng.choice([1, 2])):
            order = world.loaded()
            assert order is not None
            decision = decide.on_answer(order, answer, world.plan, world.now)
            if decision.reason not in (None, Reason.ALREADY_SEEN):
                world._commit(decision)
                acted += 1
        self.answers.append(
            Answered(
                order_id=order.order_id,
                episode=question.episode,
                number=question.number,
                at=world.now,
                acked=world.now,
                reply=reply,
                facts=said,
                seen=".".join(map(str, seen)),
                acted=acted,
            )
        )


def _lived(rows: Sequence[Scheduled], plan: core_plan.Plan, end: datetime, owners: Owners) -> list[Received]:
    """One order's life, and the mails it gave rise to."""
    world = World(plan, now=rows[0].at)
    mails: list[Received] = []
    to = rows[0].event["customer"]["email"]

    def note() -> None:
        for row in world.sent[len(mails) :]:
            if row.purpose is Purpose.ASK_OWNER:
                owners.ask(row, world.now)
            address = to if row.to_customer else plan.owners[row.recipient.removeprefix("owner:")].email
            mails.append(
                Received(
                    at=world.now,
                    to=address,
                    message_id=message_id(row.key, "example.com"),
                    subject=row.key,
                    purpose=row.purpose,
                    digest="",
                )
            )

    owners.forget()
    for _ in live(rows, world, end, owners):
        note()
    return mails


def live(rows: Sequence[Scheduled], world: World, end: datetime, owners: Owners) -> Iterator[None]:
    """Let all this happen to the order of that world until `end`, from one moment at which something is due to the
    next; after each of them the caller has a look."""
    coming = list(rows)
    while world.now < end:
        moments = [end, *(one.at for one in coming[:1])]
        if any(row.state not in SETTLED for row in world.rows.values()):
            moments.append(START + ((world.now - START) // TICK + 1) * TICK)
        if world.order is not None and world.order.wake_at is not None and world.order.wake_at > world.now:
            moments.append(world.order.wake_at)
        if owners.next is not None:
            moments.append(max(owners.next, world.now))
        world.now = min(moments)
        world.wake()
        owners.answer(world)
        while coming and coming[0].at <= world.now:
            world.take(event_of(coming.pop(0)))
        for _ in range(4):  # what waited for an earlier one goes next
            world.dispatch()
            world.wake()  # what was due when a record came
        yield


def _gathered(mails: Sequence[Received]) -> Iterator[Received]:
    """The mails as they leave, with the alerts to owners in lists; `subject` is the key of each."""
    ledger = Ledger()
    waiting: defaultdict[str, list[Received]] = defaultdict(list)
    for mail in sorted(mails, key=lambda mail: mail.at):
        if mail.purpose != "owner_alert":
            yield mail
            continue
        kind_and_owner = mail.subject.split("/", 3)[3]
        together = waiting[kind_and_owner]
        if together and together[0].at <= mail.at:
            yield _list(together)
        scope = Scope.of_alert(kind_and_owner)
        leaves = ledger.gather(scope, EVERY, mail.at, others_wait=False)
        if leaves == mail.at:
            yield mail
            continue
        if not together:
            ledger.made[scope].append(leaves)
        together.append(replace(mail, at=leaves if not together else together[0].at))
    yield from (_list(together) for together in waiting.values() if together)


def _list(together: list[Received]) -> Received:
    """One mail of all of these, which are no longer waiting then."""
    first, *others = together
    together.clear()
    return replace(first, lists=tuple(mail.subject.partition("/")[0] for mail in (first, *others)))


def event_of(one: Scheduled) -> OrderEvent:
    taken = events.read(
        Record(
            position=Position(topic="orders", partition=0, offset=0),
            timestamp=one.at,
            key=None,
            headers=(),
            value=json.dumps(one.event).encode(),
        ),
        types=(),
    )
    assert isinstance(taken, OrderEvent)
    return taken
