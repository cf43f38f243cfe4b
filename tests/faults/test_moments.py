"""Faults at moments of our choosing, where chance would seldom strike."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.harness import LEASE, event, put, scene, states, until
from tests.tools.kafka import ApacheKafka
from tests.tools.postgres import Postgres
from tests.tools.sink import Fault

pytestmark = pytest.mark.long


@contextlib.contextmanager
def gone(server: Postgres) -> Iterator[None]:
    """It is stopped within the block, in the way of a kill -9."""
    server.stop("immediate")
    try:
        yield
    finally:
        server.start()


def test_a_store_away_longer_than_the_lease_lets_no_mail_go_twice(
    tmp_path: Path, apache_kafka: ApacheKafka, own_postgres: Postgres
) -> None:
    """Answers that could not be stored are stored first when it is back: nobody sends those mails again. And a
    template saved meanwhile is put in force; nobody has to save it again (promises 10 and 11)."""
    with scene(tmp_path / "a", apache_kafka, own_postgres.database(), replicas=2, speed=1) as two:
        for _ in range(8):
            two.sink.ask(Fault(stage="dot", do="delay", when="after", seconds=LEASE))
        put(two, [event(two, f"S-{number}", "in_production") for number in range(40)])
        until(lambda: len(two.sink.faults()) == 8, "mails under way")
        with gone(own_postgres):
            words = two.first.templates / "messages" / "shipped" / "en.md"
            words.write_text(words.read_text("utf-8") + "\nOne more thing.\n", "utf-8")
            time.sleep(2 * LEASE)
        assert len(two.living) == 2, two.first.log_tail()
        until(two.well, "the store")
        until(lambda: states(two.first) == {"sent": 40}, "all mails")
        assert two.sink.count() == 40, "told twice"
        assert all("catalog.put_in_force" in replica.log.read_text() for replica in two.replicas)


def test_a_pause_under_load_holds_every_mail_until_resumed(tmp_path: Path, apache_kafka: ApacheKafka) -> None:
    """`avisa pause` holds everything within seconds, whatever comes in; `resume` lets it go. Memory stays flat."""
    many = 12_000
    with scene(tmp_path / "a", apache_kafka, f"sqlite:///{tmp_path / 'a.db'}", speed=1) as played:
        stage = played.first
        put(played, [event(played, f"P-{number}", "in_production", 1) for number in range(many)])
        until(lambda: played.sink.count() > 500, "the first mails")
        stage.avisa("pause", "--reason", "wrong words")
        until(lambda: _silent(played.sink.count, 2.0), "the end of what was begun", within=20)
        held = played.sink.count()
        assert stage.health()["checks"]["sending"] == {"ok": False, "detail": "paused", "required": False}
        time.sleep(2)
        assert played.sink.count() == held < many
        print(f"{held} mails went out before the pause, {rss(stage.pid)} MB")
        stage.avisa("resume")
        until(lambda: played.sink.count() == many, "the rest")
        assert rss(stage.pid) < 400
        until(lambda: states(stage) == {"sent": many}, "the last settlement")


def _silent(count: Callable[[], int], seconds: float) -> bool:
    """Whether nothing is added in that time."""
    before = count()
    time.sleep(seconds)
    return count() == before


def rss(pid: int) -> int:
    """Resident memory in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmRSS"))
