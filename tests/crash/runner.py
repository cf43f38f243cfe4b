"""The service with a meter on every way out of it: `python -m tests.crash.runner`, in place of `avisa run`.

What is wrapped are the names under which the composition root knows the edges, the two calls by which we
touch Kafka, and the COMMIT of every transaction. `CRASH_RECORD` is the meter's file, `CRASH_AT` the step at
which the process dies, `CRASH_BUILD` one of the builds that are wrong on purpose.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer
from sqlalchemy import Engine, event

from avisa.app import mailing, wiring
from avisa.cli import main
from avisa.core.model import Reason, State
from avisa.kafka.consumer import RawRecord
from avisa.kafka.offsets import commit
from avisa.kafka.subscription import Subscription
from avisa.ports import Attempt, Begun, Committed, Settlement
from avisa.smtp.channel import EmailChannel
from avisa.store.orders import SqlOrders
from avisa.store.outbox import SqlOutbox
from tests.tools.proxy import Meter, Proxy, Step, if_any, metered, named

SESSION_MS = 1_500  # the group lets go of a killed process after so long; ours would take 20 s


def _commit_name(_args: tuple[Any, ...], kwargs: dict[str, Any], _answer: Any) -> str:
    """Intake counts what it stores, the other flows do not."""
    return "commit-of-intake" if kwargs.get("tally") is not None else "commit-of-others"


ORDER_CALLS = {"load": named("load"), "commit": _commit_name, "due": if_any("due")}
OUTBOX_CALLS = {"claim": if_any("claim"), "begin": named("begin"), "settle": named("settle")}


def wrap(meter: Meter) -> None:
    """Put the meter on everything."""
    open_store, channel, pool = wiring.open_store, mailing.EmailChannel, mailing.SenderPool

    def opened(*args: Any, **kwargs: Any) -> Any:
        store = open_store(*args, **kwargs)
        orders: Any = Proxy(store.orders, meter, ORDER_CALLS)
        outbox: Any = Proxy(store.outbox, meter, OUTBOX_CALLS)
        return replace(store, orders=orders, outbox=outbox)

    def made(*args: Any, **kwargs: Any) -> Any:
        return Proxy(channel(*args, **kwargs), meter, {"deliver": named("deliver")})

    def handing_over(*args: Any, **kwargs: Any) -> Any:
        return Proxy(pool(*args, **kwargs), meter, {"send": named("deliver")})

    _replace(wiring, "open_store", opened)
    _replace(mailing, "EmailChannel", made)
    _replace(mailing, "SenderPool", handing_over)
    _replace(AIOKafkaConsumer, "getmany", _method(meter, if_any("fetch"), AIOKafkaConsumer.getmany))
    _replace(AIOKafkaConsumer, "commit", _method(meter, named("offset-commit"), AIOKafkaConsumer.commit))
    event.listen(Engine, "commit", lambda _connection: meter.at("transaction", "before"))


def _method(meter: Meter, naming: Any, function: Any) -> Any:
    through = metered(meter, naming, function)
    return lambda self, *args, **kwargs: through(self, *args, **kwargs)


def let_go_soon() -> None:
    """A killed member must not keep its partitions for long, or a sweep takes hours."""
    init = AIOKafkaConsumer.__init__

    def short(self: AIOKafkaConsumer, *topics: str, **options: Any) -> None:
        init(self, *topics, **options | {"session_timeout_ms": SESSION_MS, "heartbeat_interval_ms": 300})

    _replace(AIOKafkaConsumer, "__init__", short)


def offset_before_transaction() -> None:
    """Wrong on purpose: the offset is committed before the batch is stored."""
    on_batch = Subscription._on_batch

    async def wrong(self: Subscription, records: Sequence[RawRecord]) -> None:
        await commit(self._consumer, self._consumer.read_to)
        await on_batch(self, records)

    _replace(Subscription, "_on_batch", wrong)


def settled_before_receipt() -> None:
    """Wrong on purpose: a mail counts as sent as soon as it is begun, be it with the commit that decides it."""
    begin, commit_ = SqlOutbox.begin, SqlOrders.commit

    async def settle(outbox: SqlOutbox, begun: Collection[str]) -> None:
        now = datetime.now(UTC)
        await outbox.settle(
            [Settlement(key=key, state=State.SENT, reason=Reason.ACCEPTED, at=now) for key in sorted(begun)]
        )

    async def wrong_begin(self: SqlOutbox, attempts: Sequence[Attempt]) -> Begun:
        begun = await begin(self, attempts)
        await settle(self, begun.keys)
        return begun

    async def wrong_commit(self: SqlOrders, *args: Any, begin: Sequence[Attempt] = (), **kwargs: Any) -> Committed:
        committed = await commit_(self, *args, begin=begin, **kwargs)
        outbox = SqlOutbox(self.database, lease_token=self._lease_token, shard=self._shard)
        await settle(outbox, committed.begun)
        return committed

    _replace(SqlOutbox, "begin", wrong_begin)
    _replace(SqlOrders, "commit", wrong_commit)


BUILDS = {"offset_before_transaction": offset_before_transaction, "settled_before_receipt": settled_before_receipt}


def _replace(holder: object, name: str, value: object) -> None:
    assert hasattr(holder, name), f"{holder} has no {name} any more: this harness must follow"
    setattr(holder, name, value)


if __name__ == "__main__":
    assert mailing.EmailChannel is EmailChannel
    at = os.environ.get("CRASH_AT")
    let_go_soon()
    if build := os.environ.get("CRASH_BUILD"):
        BUILDS[build]()
    wrap(Meter(Path(os.environ["CRASH_RECORD"]), Step.read(at) if at else None))
    sys.argv = ["avisa", "run"]
    sys.exit(main())
