"""Hostile messages and hostile orders, a few of them; `python -m tests.hostile` tries as many as one likes."""

from __future__ import annotations

import re
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avisa.core.hosts import without_links
from avisa.core.shapes import LONGEST_LINE, LONGEST_TEXT, Notes, text_of
from avisa.ports import CannotRender
from tests.depth import examples, rounds
from tests.hostile.__main__ import case
from tests.hostile.attacks import ATTACKS, Attack, struck
from tests.hostile.page import Page
from tests.hostile.trial import mail_of, tried, warm
from tests.hostile.values import CANARY, PAYLOADS, occasions, tame
from tests.templates.harness import catalog_of, files
from tests.templates.mail_parsing import well_formed

CASES = 40
SIGNS = re.compile("[\u200e\u200f\u2068\u2069]")  # of direction: none of a value passes, so these are ours

EVERYWHERE = """---
subject: "{{ order.number }} {{ customer.name }}"
short: "{% if order.note %}{{ order.note }}{% endif %}"
---
# Head {{ order.number }}

{% if order.note %}

Text {{ order.note }}, *em {{ order.note }}*, **strong {{ order.note }}**, `code {{ order.note }}`.

> Quote {{ order.note }}

[link {{ order.note }}](https://shop.example/{{ order.note }}?a={{ order.note }}) and [whole]({{ order.note }})

{{ button(order.note, order.url) }}

{% endif %}

{% for thing in order.items %}
- Item {{ thing.name | default('?') }}
{% endfor %}

{{ items(order.items) }}

{% if reason %}Because {{ reason }}.{% endif %}
"""
CATALOG = catalog_of(files(shown=EVERYWHERE), public_url="https://avisa.example.com")
PLACES = 10  # where the text of a page shows it


def test_messages_by_hostile_authors_harm_nobody() -> None:
    seed = Random().randrange(2**32)
    print(f"seed {seed}")
    warm()
    for number in range(rounds(CASES)):
        text, random = case(seed, number)
        verdict = tried(text, occasions(random))
        assert not verdict.faults, f"seed {seed}, case {number}: {verdict.faults}\n{text}"


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_no_attack_that_worked_once_works_again(attack: Attack) -> None:
    """How long each takes is told by `python -m tests.hostile`."""
    warm()
    assert not struck(attack).faults


texts = st.one_of(
    st.sampled_from(PAYLOADS),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=200),
    st.text(alphabet="<>&\"'{}%#*_`[]()!-=/?:;. \r\n\t\x00\x1eaé🚚\ue000\ue0011", max_size=80),
).map(lambda text: text[: LONGEST_LINE - 2])  # of an item's name no more is shown


@examples(150)
@given(text=texts)
def test_a_value_is_literal_text_wherever_it_stands(text: str) -> None:
    """From the order to the bytes, and back by readers that know nothing of us."""
    page, plain, headers = _read("x" + text + "x")
    usual_page, _, usual_headers = _read("x")
    assert not page.objections
    assert [tag for tag in page.tags if tag != "br"] == usual_page.tags  # a line of a value stays a line
    assert headers == usual_headers
    shown = _seen("x" + text + "x")
    assert " ".join(page.text.split()).count(shown) >= PLACES
    assert " ".join(SIGNS.sub("", plain).split()).count(shown) >= PLACES
    assert CANARY not in page.text + plain


def _read(text: str) -> tuple[Page, str, list[str]]:
    known = {"customer.name": "Ana", "details.number": "1", "details.note": text, "reason": without_links(text)}
    things = {"details.items": [{"name": text, "quantity": 1}, {"name": text}]}
    made = mail_of(CATALOG, {**tame(), **known, **things})
    assert not isinstance(made, CannotRender), made
    rendered, mail = made
    message = well_formed(mail)
    plain, html = (part.get_content().replace("\r\n", "\n") for part in message.iter_parts())
    assert (plain, html) == (rendered.text, rendered.html)
    return Page(html), plain, list(message.keys())


def _seen(text: str) -> str:
    """What is left of a text after its shape has taken out what is in nobody's interest, and blanks are one."""
    return " ".join(without_links(text_of(text, LONGEST_TEXT, Notes())).split())
