"""No value is cut without a trace: `…` and "and n more" are read, lengths are true, the timeline notes the rest."""

from __future__ import annotations

import orjson
import pytest

from avisa.core.model import Json, OrderEvent
from avisa.events import read
from tests.events.records import plain, record
from tests.templates.harness import catalog_of, drafted, files, mailed

MESSAGE = """---
subject: s
short: s
---
{{ items(order.items) }}

{% if order.items %}Of {{ order.items | length }} things.{% endif %}

{% if order.tags %}{{ order.tags | join(", ") }}{% endif %}

{% if order.note %}{{ order.note }}{% endif %}

{% if reason %}{{ reason }}{% endif %}
"""
CATALOG = catalog_of(files(shown=MESSAGE))
ITEMS: list[tuple[str, list[Json], list[str]]] = [  # what is ordered, and what the text says
    ("150", [{"name": f"thing {n}"} for n in range(150)], ["- thing 99\n- and 50 more: https://", "Of 150 things."]),
    ("137", [{"name": f"thing {n}"} for n in range(137)], ["- and 37 more", "Of 137 things."]),
    ("100", [{"name": f"thing {n}"} for n in range(100)], ["- thing 99\n\nOf 100 things."]),
    ("title", [{"title": "Vase"}], ["- Vase"]),
    ("description", [{"name": " ", "description": "Vase"}], ["- Vase"]),
    ("sku", [{"sku": 1984, "quantity": 2}], ["- 2 × 1984"]),
    ("number", [{"name": 1984}], ["- 1984"]),
    ("text", ["Vase"], ["- Vase"]),
    ("nameless", [{"name": "Vase"}, {"quantity": 3}, {}], ["- Vase\n- and 2 more", "Of 3 things."]),
]
NOTES: list[tuple[dict[str, Json], list[str]]] = [
    ({"details_items": [{"name": "x"}] * 150}, ["order.items: 50 of 150 left out"]),
    ({"details_note": "x" * 5_000}, ["order.note: cut after 2000 characters"]),
    ({"reason": "x " * 5_000}, ["reason: cut after 2000 characters"]),
    ({"details_items": [{"name": "x" * 200}]}, ["order.items: cut after 120 characters"]),
    ({"customer_name": "pay at evil.com"}, ["customer.name: has not the shape of a name"]),
    ({"details_ana@x.example": "x" * 5_000}, ["a detail of the order: cut after 2000 characters"]),
    ({"details_a": [[[[[[1]]]]]]}, ["order.a: left out what is nested more than 5 deep"]),
    ({"details_note": "x" * 2_000}, []),
]


@pytest.mark.parametrize(("items", "lines"), [row[1:] for row in ITEMS], ids=[row[0] for row in ITEMS])
def test_what_is_not_listed_is_counted(items: list[Json], lines: list[str]) -> None:
    rendered, _ = mailed(CATALOG, details_items=items, reason="r")
    for line in lines:
        assert line in rendered.text
    assert (" more" in rendered.text) == (" more</a>" in rendered.html)


def test_without_a_link_the_rest_is_counted_all_the_same() -> None:
    rendered, _ = mailed(CATALOG, details_items=[{"name": "x"}] * 101, details_url=None)
    assert "- and 1 more\n" in rendered.text
    assert ">and 1 more<" in rendered.html


def test_a_text_and_a_list_in_one_line_end_with_an_ellipsis() -> None:
    rendered, _ = mailed(CATALOG, details_note="x" * 5_000, reason="y" * 5_000, details_tags=["z"] * 150)
    for cut in ("x" * 1_999 + "…", "y" * 1_999 + "…", "z, " * 100 + "…"):
        assert cut in rendered.text
        assert cut in rendered.html


@pytest.mark.parametrize(("known", "notes"), NOTES)
def test_what_was_cut_is_noted_for_the_timeline(known: dict[str, Json], notes: list[str]) -> None:
    assert list(mailed(CATALOG, **known)[1].notes) == notes


def test_a_list_that_is_too_large_becomes_shorter() -> None:
    draft = drafted(CATALOG, details_items=[{"name": f"thing {n}", "x": '"' * 1_500} for n in range(150)])
    assert len(draft.json) <= 64 * 1024
    input = orjson.loads(draft.json)
    shown = len(input["values"]["order"]["items"]) - 1
    assert 15 <= shown < 25
    assert input["notes"] == [f"order.items: {150 - shown} of 150 left out, as the mail would be too large"]


# As an event has them: what is ordered, what the text says, and what the timeline notes of the event.
FAT: list[Json] = [{"name": f"thing {n:05}", "sku": "x" * 40} for n in range(5_000)]
ARRIVING: list[tuple[str, list[Json], list[str], tuple[str, ...]]] = [
    ("texts", ["Vase", "Cup", 1984], ["- Vase\n- Cup\n- 1984\n", "Of 3 things."], ()),
    (
        "neither",
        ["Vase", True, ["x"], {"name": "Cup"}],
        ["- Vase\n- Cup\n- and 2 more", "Of 4 things."],
        ("details.items",),
    ),
    ("a name that is none", [{"name": {"en": "Vase"}}], ["- and 1 more"], ("details.items.name",)),
    ("more than an order keeps", FAT, ["- thing 00099\n- and 4,900 more: https://", "Of 5000 things."], ()),
    (
        "the largest item first",
        [{"name": "Vase", "note": "x" * 40_000}, *FAT],
        ["- and 4,", "Of 5001 things."],
        (),
    ),
]


@pytest.mark.parametrize(("items", "lines", "left_out"), [row[1:] for row in ARRIVING], ids=[r[0] for r in ARRIVING])
def test_what_an_event_lists_is_shown_or_counted(items: list[Json], lines: list[str], left_out: tuple[str]) -> None:
    event = read(record(plain(details={"items": items})))
    assert isinstance(event, OrderEvent)
    assert event.left_out == left_out
    assert event.cut == (("details.items",) if len(items) > 1_000 else ())
    rendered, _ = mailed(CATALOG, details_items=event.facts["details.items"])
    for line in lines:
        assert line in rendered.text


@pytest.mark.parametrize("more", [True, -1, "x", 1e300, None, [], 7])
def test_a_list_cannot_lie_about_its_length(more: Json) -> None:
    event = read(record(plain(details={"items": [{"name": "Vase"}, {"_more": more}]})))
    assert isinstance(event, OrderEvent)
    rendered, _ = mailed(CATALOG, details_items=event.facts["details.items"])
    assert "- Vase\n- and 1 more" in rendered.text
    assert "Of 2 things." in rendered.text
