"""The operator's own sample events."""

from __future__ import annotations

import json
from pathlib import Path

from avisa.diagnostics.diagnostic import Diagnostic
from avisa.lint import check
from avisa.templates import template_folder
from tests.templates.harness import PLAIN, files, read_plan
from tests.templates.test_folder import laid_out


def checked(folder: Path, *events: object, **messages: str) -> list[Diagnostic]:
    lines = [event if isinstance(event, str) else json.dumps(event) for event in events]
    laid_out(folder, {**files(**messages), "samples.jsonl": "\n".join(lines) + "\n"})
    return check(folder, read_plan)


def event(status: str, **more: object) -> dict[str, object]:
    return {"order_id": "A-1", "status": status, **more}


def of_samples(problems: list[Diagnostic]) -> list[Diagnostic]:
    return [problem for problem in problems if problem.file == "samples.jsonl"]


def test_a_sample_with_a_status_outside_the_plan_is_reported_at_its_place(tmp_path: Path) -> None:
    line = '{"order_id": "A-1", "status": "shiped"}'
    (problem,) = of_samples(checked(tmp_path, event("confirmed"), "", line))
    assert (problem.code, problem.line, problem.suggestion) == ("unplanned_status", 3, "shipped")
    assert line[(problem.column or 0) - 1 :].startswith("shiped")


def test_a_sample_that_would_be_a_dead_letter_is_reported(tmp_path: Path) -> None:
    found = of_samples(checked(tmp_path, {"order_id": "A-1"}, "{", event("shipped")))
    assert [(it.code, it.line) for it in found] == [("bad_sample", 1), ("bad_sample", 2)]


def test_a_sample_that_is_no_json_is_reported_at_its_column(tmp_path: Path) -> None:
    comma, half = of_samples(checked(tmp_path, '{"order_id": "A-1", "status": "shipped",}', '{"order_id":'))
    assert (comma.line, comma.column, comma.suggestion) == (1, 41, None)
    assert "line 1" not in comma.message
    assert (half.line, half.suggestion) == (2, "each event on one line, {…}")


def test_messages_are_rendered_for_the_samples(tmp_path: Path) -> None:
    only_for_others = PLAIN.replace("Order {{ order.number }}.", '{% if order.kind != "gift" %}Order.{% endif %}')
    assert not [
        it for it in checked(tmp_path / "a", event("shipped"), shown=only_for_others) if it.code == "empty_result"
    ]
    gift = event("shipped", details={"kind": "gift"})
    (problem,) = [it for it in checked(tmp_path / "b", gift, shown=only_for_others) if it.code == "empty_result"]
    assert problem.file == "messages/shown/en.md"
    assert problem.message == "the message comes out empty: update at `shipped`, sample `samples.jsonl:1`"


def test_events_of_one_order_make_one_sample(tmp_path: Path) -> None:
    """Facts of earlier events hold on."""
    silent = PLAIN.replace("Order {{ order.number }}.", '{% if order.kind != "gift" %}Order.{% endif %}')
    way = [event("confirmed", details={"kind": "gift"}), event("shipped")]
    (problem,) = [it for it in checked(tmp_path, *way, shown=silent) if it.code == "empty_result"]
    assert "samples.jsonl:2" in problem.message


def test_samples_are_no_part_of_what_is_put_in_force(tmp_path: Path) -> None:
    folder = laid_out(tmp_path, files())
    before = template_folder.read(folder)
    laid_out(folder, {"samples.jsonl": "{}"})
    assert template_folder.read(folder) == before


def test_a_samples_file_that_is_no_text_is_reported(tmp_path: Path) -> None:
    folder = laid_out(tmp_path, files())
    (folder / "samples.jsonl").write_bytes(b"\xff")
    assert [it.code for it in check(folder, read_plan) if it.file == "samples.jsonl"] == ["not_utf8"]
