"""Records as they are in a topic, beside the plan: what the check says of a feed that finds nothing in them."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

import pytest

from avisa.diagnostics.diagnostic import Diagnostic
from avisa.lint import check
from avisa.templates import template_folder
from tests.templates.harness import PLAN, files, read_plan
from tests.templates.test_folder import laid_out

FEED = """
feeds:
  shop.orders:
    only: {kind: order}
    fields:
      order_id: id
      status: state
      customer.email: buyer.email
      promised_at: {from: eta, as: day}
      details.gift: {from: gift, default: "no"}
"""
ORDER = {"kind": "order", "id": 7, "state": "shipped", "buyer": {"email": "ana@example.com"}, "eta": "2026-03-09"}
SAMPLES = "samples/shop.orders.jsonl"


def checked(
    folder: Path,
    *records: object,
    file: str = SAMPLES,
    topics: Collection[str] | None = None,
    feed: str = FEED,
) -> list[Diagnostic]:
    lines = "".join(f"{each if isinstance(each, str) else json.dumps(each)}\n" for each in records)
    laid_out(folder, {**files(), "plan.yaml": PLAN + feed, file: lines})
    clean = {(it.code, it.file) for it in check(laid_out(folder / "clean", files()), read_plan)}
    return [it for it in check(folder, read_plan, topics=topics) if (it.code, it.file) not in clean]


def said(problems: list[Diagnostic]) -> list[tuple[str, str, int | None]]:
    return [(it.code, it.file, it.line) for it in problems]


def test_samples_in_which_every_field_is_found_are_no_news(tmp_path: Path) -> None:
    assert checked(tmp_path, ORDER, "", ORDER | {"kind": "draft", "state": None, "eta": None}) == []


def test_a_field_that_finds_nothing_is_counted_at_its_line_of_the_plan(tmp_path: Path) -> None:
    other = ORDER | {"buyer": {"e_mail": "ana@example.com"}}
    (problem,) = checked(tmp_path, ORDER, other, other, ORDER | {"buyer": None})
    assert said([problem]) == [("unfilled_field", "plan.yaml", len((PLAN + FEED).splitlines()) - 2)]
    assert problem.message == "customer.email: `buyer.email` finds nothing in 3 of 4 samples"
    assert (problem.suggestion, problem.severity) == ("buyer.e_mail", "warning")


def test_what_is_found_and_cannot_be_used_is_counted_too(tmp_path: Path) -> None:
    (problem,) = checked(tmp_path, ORDER, ORDER | {"eta": "soon"})
    assert problem.message == "promised_at: `eta` finds nothing to be used in 1 of 2 samples"


def test_a_record_that_would_be_a_dead_letter_is_reported_at_its_line(tmp_path: Path) -> None:
    dead, broken = ORDER | {"id": None}, '{"kind": '
    found = [it for it in checked(tmp_path, ORDER, "", dead, broken) if it.file == SAMPLES]
    assert said(found) == [("bad_sample", SAMPLES, 3), ("bad_sample", SAMPLES, 4)]
    assert "order_id" in found[0].message


def test_a_status_that_the_plan_does_not_know_is_reported_at_its_line(tmp_path: Path) -> None:
    (problem,) = checked(tmp_path, ORDER, ORDER | {"state": "shiped"})
    assert said([problem]) == [("unplanned_status", SAMPLES, 2)]
    assert problem.suggestion == "shipped"


def test_samples_of_a_topic_without_a_feed_are_read_as_our_own(tmp_path: Path) -> None:
    own, name = {"order_id": "A-1", "status": "shipped"}, "samples/orders.status.jsonl"
    assert checked(tmp_path / "a", own, file=name) == []
    assert said(checked(tmp_path / "b", ORDER, file=name)) == [("bad_sample", name, 1)]


@pytest.mark.parametrize("topics", [("shop.orders",), ("x", "shop.orders"), None])
def test_a_feed_of_a_topic_that_is_read_is_in_use(tmp_path: Path, topics: Collection[str] | None) -> None:
    assert checked(tmp_path, ORDER, topics=topics) == []


def test_a_feed_of_a_topic_that_nobody_reads_is_reported(tmp_path: Path) -> None:
    (problem,) = checked(tmp_path, ORDER, topics=("orders.status", "shop.order"))
    assert (problem.code, problem.suggestion) == ("unread_topic", "shop.order")
    assert problem.message == "the feed of shop.orders is never used: AVISA_KAFKA__TOPICS does not name that topic"


def test_samples_are_no_part_of_what_is_put_in_force(tmp_path: Path) -> None:
    folder = laid_out(tmp_path, files())
    before = template_folder.read(folder)
    laid_out(folder, {SAMPLES: "{}"})
    assert template_folder.read(folder) == before
    assert not list(template_folder.astray(folder))


def test_samples_that_are_no_text_are_reported(tmp_path: Path) -> None:
    folder = laid_out(tmp_path, {**files(), SAMPLES: ""})
    (folder / SAMPLES).write_bytes(b"\xff")
    assert [it.code for it in check(folder, read_plan) if it.file == SAMPLES] == ["not_utf8"]


def test_samples_of_what_a_registry_describes_are_written_as_json(tmp_path: Path) -> None:
    by_registry = FEED.replace("    only:", "    envelope: registry\n    only:")
    (problem,) = checked(tmp_path, ORDER, ORDER | {"eta": "soon"}, feed=by_registry)
    assert problem.message == "promised_at: `eta` finds nothing to be used in 1 of 2 samples"
