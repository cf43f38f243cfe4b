"""Comparisons and filters that can have no effect are reported, and no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from avisa.lint import check
from tests.templates.harness import files, read_plan


def found(tmp_path: Path, body: str, name: str = "shown", **more: str) -> list[tuple[str, str | None]]:
    """Code and suggestion of each diagnostic of a message."""
    folder = {**files(**{name: f"---\nsubject: s\nshort: s\n---\n{body}\n"}), **more}
    for file, text in folder.items():
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    found = check(tmp_path, read_plan)
    return [(it.code, it.suggestion) for it in found if it.code in ("always_the_same", "not_written")]


@pytest.mark.parametrize(
    ("body", "instead"),
    [
        ('{% if status == "shiped" %}a{% endif %}', '"shipped"'),
        ('{% if "moved " == promise.state %}a{% endif %}', '"moved"'),
        ('{% if reminder.last == "true" %}a{% endif %}', "true"),
        ('{% if reminder.number == "1" %}a{% endif %}', None),
        ('{% if status != "nowhere" %}a{% endif %}', None),
    ],
)
def test_a_comparison_with_an_impossible_value_is_reported(tmp_path: Path, body: str, instead: str | None) -> None:
    assert found(tmp_path, body) == [("always_the_same", instead)]


@pytest.mark.parametrize(
    "body",
    [
        '{% if status == "shipped" and promise.state == "moved" and reminder.number == 1 %}a{% endif %}',
        "{% if reminder.last == true %}a{% endif %}",
        '{% if order.kind == "x" %}a{% endif %}',
        "{{ order.total | default(0) | money(order.currency | default('EUR')) }}",
        "{% for item in order.items %}{{ item.quantity | number }}{% endfor %}",
        "{{ order.colours | default('') }}",
    ],
)
def test_a_comparison_with_a_possible_value_is_not_reported(tmp_path: Path, body: str) -> None:
    assert found(tmp_path, body) == []


def test_the_status_of_a_message_for_unknown_ones_can_be_anything(tmp_path: Path) -> None:
    assert found(tmp_path, '{% if status == "left_the_map" %}a{% endif %}', name="generic") == []


@pytest.mark.parametrize(
    ("body", "instead"),
    [
        ("{{ order.number | date }}", None),
        ("{% if order.url %}{{ order.url | money }}{% endif %}", None),
        ("{% if promise %}{{ promise.date | time }}{% endif %}", "day"),
        ("{% if order.items %}{{ order.items }}{% endif %}", "{{ items(order.items) }}"),
        ("{{ order.total | default(1) | money('€') }}", '"EUR"'),
        ("{{ reason | default(none) }}", '"…"'),
    ],
)
def test_a_filter_on_a_value_that_it_cannot_write_is_reported(tmp_path: Path, body: str, instead: str | None) -> None:
    assert found(tmp_path, body) == [("not_written", instead)]
    assert found(tmp_path, body) == [("not_written", instead)]  # again, in the same process


def test_an_own_sample_with_a_value_that_can_be_written_is_enough(tmp_path: Path) -> None:
    body = "{% if promise %}{{ promise.date | time }}{% endif %}{% if order.day %}{{ order.day | date }}{% endif %}"
    event = '{"order_id": "1", "status": "shipped", "promised_at": "2026-03-04T12:00:00Z", "details": {"day": "DAY"}}'
    mine = {"samples.jsonl": event.replace("DAY", "2026-03-04")}
    assert found(tmp_path, body, **mine) == []
    assert found(tmp_path, body, **{"samples.jsonl": event.replace("DAY", "soon")}) == [("not_written", None)]


def test_the_same_text_in_two_languages_is_reported(tmp_path: Path) -> None:
    text = "---\nsubject: s\nshort: s\n---\nSo much of a text is not the same in two languages by chance.\n"
    folder = {**files(), "messages/shown/en.md": text, "messages/shown/pt.md": text, "messages/shown/pt-BR.md": text}
    for file, written in folder.items():
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(written, "utf-8")
    same = [(it.file, it.message) for it in check(tmp_path, read_plan) if it.code == "same_words"]
    assert same == [
        ("messages/shown/pt-BR.md", "this is word for word what `en.md` says"),
        ("messages/shown/pt.md", "this is word for word what `en.md` says"),
    ]
