"""The oracle finds what is planted in the mails about the parcels of an order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.oracle import Published, read_plan
from tests.oracle.parcels import Parcels, Read, judge_parcels

PLAN = read_plan(Path(__file__).parents[1] / "replay/plan.yaml")
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def record(hours: float, status: str, part: str | None = None, of: int | None = 2) -> Published:
    at = START + hours * HOUR
    event = {"order_id": "A-1", "status": status, "occurred_at": at.isoformat()}
    named = {"part": {"id": part} | ({"of": of} if of else {})} if part else {}
    return Published(at=at, acked=at, event=event | named)


def read(hours: float, status: str, *numbers: int, of: int | None = None) -> Read:
    return Read(at=START + hours * HOUR, status=status, numbers=numbers or None, of=of)


RECORDS = [
    record(0, "in_production"),
    record(1, "shipped", "A"),
    record(2, "delivered", "A"),
    record(3, "shipped", "B"),
    record(4, "cancelled", "B"),
]
MAILS = [
    read(0, "in_production"),
    read(1, "shipped", 1, of=2),
    read(2, "delivered", 1, of=2),
    read(3, "shipped", 2, of=2),
    read(4, "cancelled", 2, of=2),
]


def test_what_is_right_is_clean() -> None:
    assert judge_parcels(RECORDS, MAILS, PLAN) == []
    waiting = [*MAILS[:3], read(4, "cancelled", 2, of=2)]
    assert judge_parcels(RECORDS, waiting, PLAN) == [], "B was cancelled before the mail about it left"


@pytest.mark.parametrize(
    ("mails", "found"),
    [
        ([*MAILS, read(5, "shipped", 1, of=2)], "1 is {'delivered'}"),
        ([*MAILS[:3], read(3, "shipped", 1, of=2), MAILS[4]], "1 is {'delivered'}"),
        ([*MAILS[:1], read(1, "shipped"), *MAILS[3:]], "part 1 is delivered; told was ['shipped']"),
        (MAILS[:4], "part 2 is cancelled; told was ['shipped']"),
        ([*MAILS[:4], read(4, "cancelled", 2, of=3)], "there are 2"),
        ([*MAILS, read(5, "in_production")], "nothing is there"),
    ],
)
def test_what_is_wrong_is_found(mails: list[Read], found: str) -> None:
    assert found in "\n".join(judge_parcels(RECORDS, mails, PLAN))


def test_an_order_is_where_its_first_open_part_is_and_ends_with_the_last() -> None:
    parcels, seen = Parcels(PLAN), []
    for arrival, one in enumerate(RECORDS):
        parcels.take(one, arrival)
        seen.append((parcels.status, parcels.final))
    assert seen == [
        ("in_production", False), ("in_production", False), ("in_production", False),
        ("shipped", False), ("delivered", True),
    ]  # fmt: skip


@pytest.mark.parametrize(("hours", "whole", "where"), [
    (5, "in_production", {1: "delivered", 2: "cancelled"}),
    (2.5, "cancelled", {1: "cancelled", 2: "cancelled"}),
    (1.5, "in_production", {1: "delivered", 2: "cancelled"}),
])  # fmt: skip
def test_a_record_of_the_whole_order_takes_no_part_back(hours: float, whole: str, where: dict[int, str]) -> None:
    parcels = Parcels(PLAN)
    for arrival, one in enumerate([*RECORDS, record(hours, whole)]):
        parcels.take(one, arrival)
    assert parcels.where() == where


def test_a_part_that_nobody_counted_is_no_news_where_the_whole_order_is() -> None:
    records = [
        record(0, "confirmed"),
        record(1, "in_production", "A", None),
        record(2, "in_production"),
        record(3, "in_production", "B", None),
    ]
    mails = [read(0, "confirmed"), read(1, "in_production", 1, of=1)]
    assert judge_parcels(records, mails, PLAN) == []
    counted = [*records[:1], record(1, "in_production", "A"), *records[2:]]
    mails[1] = read(1, "in_production", 1, of=2)
    assert judge_parcels(counted, mails, PLAN) == ["part 2 is in_production; told was ['confirmed']"]
    gone_on = [*records, record(4, "shipped", "B", None)]
    assert judge_parcels(gone_on, mails[:1], PLAN)[-1] == "part 2 is shipped; told was ['in_production']"


def test_parts_that_nobody_named_are_told_by_their_numbers() -> None:
    records = [
        record(0, "confirmed"),
        record(1, "shipped", "A", 3),
        record(2, "in_production"),
        record(3, "in_production", "B", 3),
    ]
    mails = [read(0, "confirmed"), read(1, "shipped", 1, of=3), read(2, "in_production", 2, 3, of=3)]
    assert judge_parcels(records, mails, PLAN) == []
    mails[2] = read(2, "in_production", 3, of=3)
    assert judge_parcels(records, mails, PLAN) == ["part 2 is in_production; told was ['confirmed']"]
    mails[2] = read(2, "in_production", 1, 2, 3, of=3)
    assert "1 is {'shipped'}" in "\n".join(judge_parcels(records, mails, PLAN))
