"""Two replicas with a folder each, on one PostgreSQL: they agree whose words are in force, and keep to it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.faults.harness import Scene, event, put, scene, until
from tests.replay.harness import Stage
from tests.tools.kafka import ApacheKafka
from tests.tools.postgres import Postgres

pytestmark = pytest.mark.long


def test_replicas_with_two_folders_agree_on_one_version(
    tmp_path: Path, apache_kafka: ApacheKafka, postgres: Postgres
) -> None:
    with scene(tmp_path / "two", apache_kafka, postgres.database(), replicas=2, started=1, speed=1) as two:
        one, other = two.replicas
        other.templates = Path(shutil.copytree(one.templates, tmp_path / "other"))
        two.start(other)
        until(lambda: agreed(two, 1), "version 1 in both")

        say(one, "From one")
        until(lambda: agreed(two, 2), "the edit in both")
        assert "the folder holds version 1" in catalog(other)["detail"]
        say(other, "From the other")
        until(lambda: not catalog(other)["ok"], "word that the edit of an old folder is not used")

        assert one.avisa("templates", "rollback", "--author", "ana", "--note", "too short")["version"] == 3
        until(lambda: agreed(two, 3), "the roll-back in both")
        assert other.stop() == 0
        until(lambda: in_force(two) == {3: 1}, "one to be gone")
        two.start(other)
        until(lambda: agreed(two, 3), "the same after a start")
        say(one, "From one again")
        until(lambda: agreed(two, 4), "the next edit in both")
        newest, *_ = one.avisa("templates", "history")
        assert (newest["origin"], newest["parent"]) == ("folder", one.avisa("templates", "history")[1]["hash"])

        put(two, [event(two, "V-1", "in_production", customer={"email": "v@customers.example", "locale": "en"})])
        until(lambda: one.avisa("outbox", "--order", "V-1", "--state", "sent"), "the mail")
        (row,) = one.avisa("outbox", "--order", "V-1")
        assert row["version"] == 4
        say(one, "Something else")
        until(lambda: agreed(two, 5), "other words")
        again = tmp_path / "again"
        told = other.avisa("timeline", "V-1", "--mail", row["key"], "--out", str(again))
        assert (told["subject"], told["version"], told["exact"]) == ("From one again", 4, True)
        (mail,) = two.sink.mails()
        assert (again / "mail.eml").read_bytes() == mail.data


def say(stage: Stage, subject: str) -> None:
    """Somebody edits a message in the folder of that replica."""
    file = stage.templates / "messages/in-production/en.md"
    head, _, rest = file.read_text().partition("\nshort:")
    file.write_text(f"{head.partition('subject:')[0]}subject: {subject}\nshort:{rest}")


def catalog(stage: Stage) -> dict[str, object]:
    checks = stage.health()["checks"]
    found: dict[str, object] = checks.get("catalog", {"ok": True, "detail": ""})
    return found


def in_force(two: Scene) -> dict[int, int]:
    """How many replicas have which version in force, as the store knows."""
    history = two.first.avisa("templates", "history")
    return {one["version"]: len(one["in_force_on"]) for one in history if one["in_force_on"]}


def agreed(two: Scene, number: int) -> bool:
    """Whether both have that version in force, by their own word and by the store's."""
    own = [str(catalog(stage)["detail"]) for stage in two.replicas]
    return all(f"version {number} (" in detail for detail in own) and in_force(two) == {number: 2}
