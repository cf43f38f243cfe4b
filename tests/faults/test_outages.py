"""Each part goes away in the middle and comes back; nobody restarts Avisa (promise 10), and health tells (13)."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from tests.faults.harness import LONGEST, Scene, scene, together, until
from tests.tools.kafka import ApacheKafka
from tests.tools.postgres import Postgres

pytestmark = pytest.mark.long

GONE = 2.0  # seconds


def says(played: Scene, name: str, ok: bool) -> bool:
    """Whether all report it so. The process itself is well all the time."""
    assert all(replica.health("/livez")["code"] == 200 for replica in played.living)
    return all(replica.health()["checks"].get(name, {}).get("ok") is ok for replica in played.living)


def test_nothing_is_lost_while_kafka_is_stopped_and_frozen(
    tmp_path: Path, own_kafka: ApacheKafka, postgres: Postgres, seed: int
) -> None:
    """Stopped, started, frozen and thawed; both stores at once, for they share the broker."""
    with (
        scene(tmp_path / "postgres", own_kafka, postgres.database(), seed=seed, replicas=2) as two,
        scene(tmp_path / "sqlite", own_kafka, f"sqlite:///{tmp_path / 'a.db'}", seed=seed) as one,
    ):
        gone, back = threading.Event(), threading.Event()

        def stop_and_freeze() -> None:
            with two.away():
                gone.set()
                own_kafka.stop()
                time.sleep(GONE)
                own_kafka.start()
                own_kafka.pause()
                time.sleep(GONE)
                own_kafka.resume()
                back.set()

        def bear_it() -> None:
            gone.wait(LONGEST)
            with one.away():
                assert back.wait(LONGEST)

        together(lambda: two.play(stop_and_freeze), lambda: one.play(bear_it))


def test_nothing_is_lost_while_store_and_relay_are_away(
    tmp_path: Path, apache_kafka: ApacheKafka, postgres: Postgres, own_postgres: Postgres, seed: int
) -> None:
    """PostgreSQL frozen and stopped under two replicas; the relay, and then Avisa itself, on either store."""

    def store() -> None:
        with scene(tmp_path / "store", apache_kafka, own_postgres.database(), seed=seed, replicas=2) as two:

            def freeze_and_stop_twice() -> None:
                with two.away():
                    own_postgres.pause()
                    until(lambda: says(two, "store", False), "the truth about the store")
                    own_postgres.resume()
                for mode in ("fast", "immediate"):
                    with two.away():
                        own_postgres.stop(mode)
                        until(lambda: says(two, "store", False), "the truth about the store")
                        assert all(replica.health()["code"] == 503 for replica in two.living)
                        time.sleep(GONE / 2)
                        own_postgres.start()

            two.play(freeze_and_stop_twice)
            assert all(replica.log.read_text().count("StoreAway") < 40 for replica in two.replicas)

    def relay(url: str, name: str) -> None:
        with scene(tmp_path / name, apache_kafka, url, seed=seed) as one:

            def stop_relay_and_avisa() -> None:
                with one.away(doubts=True):
                    one.sink.stop()
                    until(lambda: says(one, "email", False), "the truth about the relay")
                    assert one.first.health()["code"] == 200
                    one.sink.start()
                with one.away():
                    began = time.monotonic()
                    assert one.first.stop() == 0
                    assert time.monotonic() - began < 45
                    one.first.start()
                    assert one.first.wait_ready()

            one.play(stop_relay_and_avisa)

    together(
        store,
        lambda: relay(f"sqlite:///{tmp_path / 'a.db'}", "sqlite"),
        lambda: relay(postgres.database(), "postgres"),
    )
