"""Zero is not missing: `if x` asks whether there is something to show, and a number is."""

from __future__ import annotations

import pytest

from avisa.core.model import Json
from tests.templates.harness import catalog_of, files, mailed

MESSAGE = """---
subject: s
short: s
---
{% if order.x %}shown{% else %}nothing{% endif %}

{% if not order.x %}not{% else %}there{% endif %}

{{ "left" if order.x else "right" }}

{{ order.x | default("instead") }}

{% if order.x or order.missing %}either{% endif %}

{% if order.number and order.x %}both{% endif %}

{{ order.x or "other" }}

{% if reminder.number %}a reminder{% else %}no reminder{% endif %}

{% if order.list | default("") | length %}some{% else %}none{% endif %}

{% if order.total %}Total: {{ order.total | money }}{% endif %}

{{ items(order.items) }}
"""
CATALOG = catalog_of(files(shown=MESSAGE))
NUMBERS: list[Json] = [0, 0.0, -0.0, 1, -1, "0", "0.00"]
NOTHING: list[Json] = [False, None, "", " ", "\u200b", [], {}]


@pytest.mark.parametrize("value", NUMBERS)
def test_a_number_is_something_to_show(value: Json) -> None:
    text = mailed(CATALOG, details_x=value)[0].text
    for word in ("shown", "there", "left", "either", "both", str(value)):
        assert f"{word}\n" in text
    assert "instead" not in text and "other" not in text


@pytest.mark.parametrize("value", NOTHING)
def test_what_is_empty_is_nothing_to_show(value: Json) -> None:
    text = mailed(CATALOG, details_x=value)[0].text
    for word in ("nothing", "not", "right", "instead", "other"):
        assert f"{word}\n" in text
    assert "either" not in text and "both" not in text


def test_a_total_and_a_quantity_of_zero_are_shown() -> None:
    rendered, _ = mailed(CATALOG, details_total=0, details_items=[{"name": "Vase", "quantity": 0}])
    assert "Total: €0.00" in rendered.text
    assert "- 0 × Vase" in rendered.text
    assert "×&nbsp;0<" in rendered.html


def test_a_zero_that_counts_is_none() -> None:
    text = mailed(CATALOG, details_list=[])[0].text
    assert "no reminder" in text
    assert "none" in text
