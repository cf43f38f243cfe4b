"""`avisa feed try`: a mapping is tried before it counts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from avisa.cli.exits import Exit
from tests.cli.test_command import Avisa, asked, avisa
from tests.feeds.plans import text

__all__ = ["asked", "avisa"]

FEED = """\
only: {kind: order}
fields:
  order_id: {from: id, as: text}
  status: {from: state, values: {sent: shipped}}
  occurred_at: at
  part: parcel
  customer.email: buyer.mail
  promised_at: {from: eta, as: day}
"""
ORDER = {
    "kind": "order",
    "id": 7,
    "state": "SENT",
    "at": "2026-03-02T10:15:00Z",
    "buyer": {"email": "a@example.com"},
    "eta": "2026-03-09T00:00:00",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A plan with one feed, and a file of records called after its topic."""
    (tmp_path / "plan.yaml").write_text(text(FEED))
    records = [ORDER, ORDER | {"kind": "draft"}, ORDER | {"id": None}, ORDER | {"eta": "soon", "state": "lost"}]
    (tmp_path / "shop.orders.jsonl").write_text("\n".join(map(json.dumps, records)))
    return tmp_path


def tried(asked: Avisa, *words: str) -> list[Any]:
    ended = asked("feed", "try", *words, "--plan", "plan.yaml", "--json")
    assert ended.code in (0, 1), ended.err
    found: list[Any] = ended.json
    return found


def test_each_record_is_shown_as_the_event_that_comes_out_of_it(asked: Avisa, folder: Path) -> None:
    event, skipped, dead, odd = tried(asked, "shop.orders.jsonl")
    assert event["event"] == {
        "order_id": "7",
        "status": "shipped",
        "occurred_at": "2026-03-02T10:15:00Z",
        "sequence": None,
        "notify": True,
        "id": None,
        "part": None,
        "facts": {"promised_at": "2026-03-09"},
    }
    assert (event["line"], event["planned"], event["skipped"], event["error"]) == (1, True, None, None)
    assert (skipped["line"], skipped["event"], skipped["skipped"]) == (2, None, "filtered")
    assert (dead["line"], dead["error"]["reason"], dead["event"]) == (3, "no_order_id", None)
    assert (odd["left_out"], odd["planned"]) == (["promised_at"], False)


def test_a_path_that_finds_nothing_is_named_with_what_was_probably_meant(asked: Avisa, folder: Path) -> None:
    missing = tried(asked, "shop.orders.jsonl")[0]["missing"]
    assert {"field": "customer.email", "from": "buyer.mail", "suggestion": "buyer.email"} in missing
    assert {"field": "part", "from": "parcel", "suggestion": None} in missing


def test_people_read_it_record_by_record(asked: Avisa, folder: Path) -> None:
    ended = asked("feed", "try", "shop.orders.jsonl", "--plan", "plan.yaml")
    assert ended.code == 1
    assert "Line 1: order 7, “shipped”" in ended.out
    assert "`buyer.mail` finds nothing; perhaps: buyer.email" in ended.out
    assert "Line 2: skipped, " in ended.out
    assert "Line 3: a dead letter, /order_id" in ended.out
    assert "the plan has no touchpoint for this status" in ended.out
    assert "left out, as it cannot be used" in ended.out
    assert "4 records: 2 events, 1 skipped, 1 dead letters." in ended.out


def test_a_part_is_shown_with_its_event(asked: Avisa, folder: Path) -> None:
    (folder / "one.json").write_text(json.dumps(ORDER | {"parcel": "RR-1"}))
    assert tried(asked, "one.json")[0]["event"]["part"] == {"id": "RR-1", "of": None}


def test_one_record_may_be_laid_out_over_many_lines(asked: Avisa, folder: Path) -> None:
    (folder / "one.json").write_text("\ufeff" + json.dumps(ORDER, indent=2))
    (one,) = tried(asked, "one.json")
    assert one["event"]["order_id"] == "7"


def test_records_come_from_standard_input_too(avisa: Avisa, folder: Path) -> None:
    ended = avisa("feed", "try", "-", "--plan", "plan.yaml", "--json", stdin=json.dumps(ORDER))
    assert (ended.code, ended.json[0]["event"]["status"]) == (0, "shipped")


def test_without_a_dead_letter_it_ends_well(asked: Avisa, folder: Path) -> None:
    (folder / "good.jsonl").write_text(json.dumps(ORDER))
    assert asked("feed", "try", "good.jsonl", "--plan", "plan.yaml").code == 0


def test_the_topic_is_asked_for_named_by_the_file_or_the_only_one(asked: Avisa, folder: Path) -> None:
    two = text(FEED) + "  other: {fields: {order_id: number, status: state}}\n"
    (folder / "plan.yaml").write_text(two)
    (folder / "mine.jsonl").write_text('{"number": "N-1", "state": "shipped"}')
    assert tried(asked, "shop.orders.jsonl")[0]["event"]["order_id"] == "7"
    assert tried(asked, "mine.jsonl", "--topic", "other")[0]["event"]["order_id"] == "N-1"
    unclear = asked("feed", "try", "mine.jsonl", "--plan", "plan.yaml")
    unknown = asked("feed", "try", "mine.jsonl", "--topic", "others", "--plan", "plan.yaml")
    for ended in (unclear, unknown):
        assert ended.code == Exit.USAGE
        assert "there are shop.orders, other" in ended.err


def test_a_plan_without_a_feed_says_so(asked: Avisa, folder: Path) -> None:
    ended = asked("feed", "try", "shop.orders.jsonl")
    assert ended.code == Exit.USAGE
    assert "the plan has none" in ended.err


def test_what_is_not_there_is_said_to_be_missing(asked: Avisa, folder: Path) -> None:
    ended = asked("feed", "try", "nowhere.jsonl", "--plan", "plan.yaml")
    assert ended.code == Exit.FINDINGS
    assert "nowhere.jsonl" in ended.err


def test_a_hostile_record_cannot_move_the_cursor(asked: Avisa, folder: Path) -> None:
    (folder / "one.json").write_text(json.dumps(ORDER | {"id": "\x1b[2J7", "eta": "2026-03-09\u202e"}))
    ended = asked("feed", "try", "one.json", "--plan", "plan.yaml")
    assert "\x1b" not in ended.out


def test_what_a_registry_would_describe_is_tried_as_json(asked: Avisa, folder: Path) -> None:
    (folder / "plan.yaml").write_text(text(f"envelope: registry\n{FEED}"))
    found = [each["event"] and each["event"]["order_id"] for each in tried(asked, "shop.orders.jsonl")]
    assert found == ["7", None, None, "7"]
