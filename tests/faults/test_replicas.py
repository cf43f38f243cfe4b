"""Two replicas, all equal, on one PostgreSQL and one topic of three partitions; one dies or stands still."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

import pytest

from tests.bench.machine import family
from tests.faults.harness import LEASE, event, put, scene, standing_still, states, together, until
from tests.tools.kafka import ApacheKafka
from tests.tools.postgres import Postgres
from tests.tools.sink import Fault

pytestmark = pytest.mark.long

ALONE: Mapping[str, str] = {}
SENDERS = {"AVISA_SENDERS": "1"}


def test_two_replicas_lose_and_double_nothing_when_one_fails(
    tmp_path: Path, apache_kafka: ApacheKafka, postgres: Postgres, seed: int
) -> None:
    """Four scenes side by side, for most of each is waiting."""
    together(
        lambda: one_is_killed(tmp_path / "killed", apache_kafka, postgres, seed),
        lambda: one_stands_still_beyond_its_lease(tmp_path / "still", apache_kafka, postgres, seed),
        lambda: frozen_between_the_envelope_and_the_mail(tmp_path / "frozen", apache_kafka, postgres),
        lambda: who_decides_a_reminder_sends_it(tmp_path / "decides", apache_kafka, postgres),
    )


def test_two_replicas_with_sender_processes_lose_and_double_nothing_when_one_fails(
    tmp_path: Path, apache_kafka: ApacheKafka, postgres: Postgres, seed: int
) -> None:
    """A machine that stands still stops both processes of a replica; or one of them, and the other is alone."""
    together(
        lambda: one_stands_still_beyond_its_lease(tmp_path / "still", apache_kafka, postgres, seed, SENDERS),
        lambda: frozen_between_the_envelope_and_the_mail(tmp_path / "frozen", apache_kafka, postgres, SENDERS),
        lambda: a_sender_is_alone_beyond_its_lease(tmp_path / "alone", apache_kafka, postgres),
    )


def one_is_killed(folder: Path, kafka: ApacheKafka, postgres: Postgres, seed: int) -> None:
    """The other does its work: everything is told once, and twice only in the same bytes."""
    with scene(folder, kafka, postgres.database(), seed=seed, replicas=2) as two:
        two.play(lambda: two.kill(two.replicas[1]))
        assert two.living == [two.first]


def one_stands_still_beyond_its_lease(
    folder: Path, kafka: ApacheKafka, postgres: Postgres, seed: int, settings: Mapping[str, str] = ALONE
) -> None:
    """When it wakes it finds its work done by the other, and does none of it again out of turn."""
    with scene(folder, kafka, postgres.database(), seed=seed, replicas=2, **settings) as two:

        def freeze() -> None:
            with two.frozen(two.replicas[1]):
                time.sleep(2 * LEASE)

        two.play(freeze)
        assert len(two.living) == 2


def frozen_between_the_envelope_and_the_mail(
    folder: Path, kafka: ApacheKafka, postgres: Postgres, settings: Mapping[str, str] = ALONE
) -> None:
    """Who was frozen past his lease with a mail half begun must not send it when he wakes: something newer was
    told meanwhile (promise 3)."""
    with scene(folder, kafka, postgres.database(), replicas=2, started=1, speed=1, **settings) as two:
        frozen, other = two.replicas
        two.sink.ask(Fault(stage="data", do="delay", when="after", seconds=2.0))
        put(two, [event(two, "F-1", "in_production", 1)])
        until(two.sink.faults, "the envelope")
        with standing_still(*family(frozen.pid)):
            other.start()
            put(two, [event(two, "F-1", "delivered", 2)])
            until(two.sink.count, "the newer mail")
        until(two.shared_out, "both to be at work again")
        time.sleep(LEASE)
        assert two.sink.count() == 1
        assert states(other) == {"sent": 1, "in_doubt": 1}


def a_sender_is_alone_beyond_its_lease(folder: Path, kafka: ApacheKafka, postgres: Postgres) -> None:
    """It knows by itself when the lease of a mail is over, and keeps it back."""
    with scene(folder, kafka, postgres.database(), replicas=2, started=1, speed=1, **SENDERS) as two:
        frozen, other = two.replicas
        two.sink.ask(Fault(stage="data", do="delay", when="after", seconds=1.5 * LEASE))
        put(two, [event(two, "S-1", "in_production", 1)])
        until(two.sink.faults, "the envelope")
        with standing_still(frozen.pid):
            other.start()
            put(two, [event(two, "S-1", "delivered", 2)])
            until(two.sink.count, "the newer mail")
            time.sleep(LEASE)
        until(two.shared_out, "both to be at work again")
        assert two.sink.count() == 1
        assert states(other) == {"sent": 1, "in_doubt": 1}


def who_decides_a_reminder_sends_it(folder: Path, kafka: ApacheKafka, postgres: Postgres) -> None:
    """One that does not read an order's partition is blind for it, and would put its reminder off again and again."""
    url = postgres.database()
    with scene(folder, kafka, url, replicas=2) as two:
        for _ in range(8):
            put(two, [event(two, f"R-{uuid4().hex}", "in_production") for _ in range(40)])
            time.sleep(0.3)
        until(lambda: sum(mail.purpose == "reminder" for mail in two.first.received()) >= 320, "the first reminders")
        blind = postgres.sql("SELECT count(*) FROM entries WHERE line LIKE '%blind%'", url.rpartition("/")[2])
        assert blind == "0"
