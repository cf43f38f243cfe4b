"""How much a message may be, how much a mail may become, and what becomes of one that would be more."""

from __future__ import annotations

import re
from functools import cache

import pytest

from avisa.catalog import Catalog
from avisa.catalog.catalog import LARGEST_DRAFT
from avisa.core.samples import samples
from avisa.core.shapes import LONGEST_TEXT
from avisa.ports import CannotRender, Draft, Mail, RenderedMessage
from avisa.templates.jinja.direction import Direction
from avisa.templates.jinja.filters import REMEMBERED, functions
from avisa.templates.layout.layout import Layout
from avisa.templates.limits import LONGEST_RESULT, Budget
from avisa.templates.renderer import fill
from tests.templates.harness import NOW, catalog_of, compiled, compiled_in, drafted, files, layout_with, mailed, usual

LONG = '"' * LONGEST_TEXT
KNOWN = {
    "customer": {"name": "Ana", "first_name": "Ana"},
    "order": {"id": "A", "number": "1"},
    "brand": {"name": "B", "color": "#000000", "on_color": "#ffffff"},
    "status": "shipped",
    "reminder": {"number": 0, "last": False},
    "progress": [],
    "_zone": "UTC",
}


def test_an_order_that_is_mostly_items_is_told_with_fewer_of_them() -> None:
    item = {"name": '"' * 1_500, "sku": '"' * 1_500}
    known = {"details_number": "1042", "details_note": "short", "details_items": [item] * 100}
    draft = drafted(usual(), **known)
    assert len(draft.json) <= LARGEST_DRAFT
    rendered, _ = mailed(usual(), **known)
    assert "1042" in rendered.subject + rendered.text
    assert "short" in draft.json.decode()
    assert re.search(r"order\.items: \d+ of 100 left out", draft.json.decode())


def filled(body: str, **order: object) -> RenderedMessage | CannotRender:
    made, problems = compiled(body)
    assert made is not None, problems
    return fill(made, {**KNOWN, "order": {"id": "A", "number": "1", **order}})


@pytest.mark.parametrize(
    "body",
    [
        "x " * 9_000,
        "- a\n" * 601,
        "*a*" * 301,
        "[" * 601,
        "{{ order.number }}\n\n" * 400,
        "{{ progress() }}\n\n" * 100,
        "{% if reason %}x{% endif %}\n\n" * 200,
        "{{ '" + "a" * 8_200 + "' }}",
        "é" * 4_100,
    ],
)
def test_a_message_that_is_too_much_is_refused(body: str) -> None:
    made, problems = compiled(body)
    assert made is None
    assert [problem.code for problem in problems] == ["too_large"]


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_a_line_is_one_line_however_it_ends(ends: str) -> None:
    made, problems = compiled(("word\n" * 590).replace("\n", ends))
    assert made is not None, problems


@pytest.mark.parametrize(
    "body",
    [
        "{{ " + "9" * 5_000 + " }}",
        "{{ " + "1_" * 3_000 + "1.5 }}",
        "{{ a" + "|b" * 4_000 + " }}",
        "{{ a" + "()" * 4_000 + " }}",
    ],
)
def test_what_python_or_jinja_could_choke_on_is_refused(body: str) -> None:
    assert compiled(body)[0] is None


OR = "{{ 'a' if order.note else 'b' }}"
LARGEST = [
    "🚚" + '"' * 5_000,
    "🚚" + ('"' * 10 + "\n\n") * 280,
    "🚚" + f"{OR}\n\n" * 145,
    f"- {OR}\n" * 145,
    f"*{OR}*" * 140,
    "{{ progress() }}\n\n" * 8,
    "{% if reason %}" + OR * 18 + "{% endif %}" + OR * 130,
]


@pytest.mark.parametrize("body", LARGEST)
def test_the_largest_messages_are_taken(body: str) -> None:
    made, problems = compiled(body)
    assert made is not None, problems


def test_a_theme_that_would_make_a_page_many_times_as_large_is_refused() -> None:
    laid_out = layout_with({"theme.yaml": f'em: "font-family:{"x" * 480}"\n'})
    assert isinstance(laid_out, Layout), laid_out
    made, problems = compiled_in("*a* " * 240, laid_out)
    assert made is None
    assert [problem.code for problem in problems] == ["too_large"]
    assert compiled_in("*a* " * 4, laid_out)[0] is not None


LOOPS = "{% for a in order.x %}{% for b in order.x %}SAID{% endfor %}{% endfor %}"


@pytest.mark.parametrize(
    "said",
    [
        "x" * 900,
        "{{ order.note | default('') }}",
        "{{ a.name | default('') }}{{ b.name | default('') }}",
        "{{ order.x | default('') | join('!') }}",
    ],
)
def test_loops_in_loops_come_to_an_end(said: str) -> None:
    """A hundred times a hundred turns would come to 10 MB and more."""
    things = [{"name": LONG} for _ in range(100)]
    rendered = filled(LOOPS.replace("SAID", said), x=things, note=LONG)
    assert isinstance(rendered, CannotRender)
    assert rendered.problem == "messages/m/en.md: it came out too large"


NOTE = "{{ order.note | default('') }}"
FULL = {  # bodies by how much they say, and make of what an order says
    "a little": NOTE * 12,
    "some": NOTE * 25,
    "more": NOTE * 45,
    "much": NOTE * 60,
    "all": NOTE * 130,
    "wide": "🚚" + NOTE * 25,
    "paragraphs": (NOTE + "\n\n") * 60,
    "capitals": "{{ order.number | upper }}" * 140,
    "lists": "{{ order.x | default('') }}" * 140,
    "lists as amounts": "{{ order.x | default('') | money('EUR') }}" * 60,
    "lists in one": "{{ order.x | default('') | join('-') }}" * 60,
    "parts of addresses": "{% if order.note %}" + "[x](https://a.example/{{ order.note }}) " * 12 + "{% endif %}",
    "buttons": "{{ button(order.note | default(''), order.url) }}\n\n" * 10,
    "a loop": "{% for a in order.x %}" + NOTE * 20 + "{% endfor %}",
}
TEXTS = [  # what a text begins with, and how it goes on
    ("", '"'), ("🚚", '"'), ("", "🚚"), ("🚚", "a"), ("", "é"), ("", "é&"), ("", "語"), ("", "ab "), ("🚚", "ab "),
    ("", "a\n"), ("🚚", "a\n\n "), ("", "語\n\n"), ("", "🚚\n\n "), ("", "ΐ"),
]  # fmt: skip


@pytest.mark.parametrize(("begun", "unit"), TEXTS)
@pytest.mark.parametrize("body", FULL.values(), ids=FULL)
def test_a_mail_has_an_end_whatever_the_order_says(body: str, begun: str, unit: str) -> None:
    """Or there is none."""
    note = (begun + unit * LONGEST_TEXT)[:LONGEST_TEXT]
    catalog, draft = _catalog(body), _saying(note)
    _, notification = samples("shown", catalog.plan, NOW)["full"]
    made = catalog.compose(notification, draft)
    if isinstance(made, Mail):
        rendered = catalog.render(draft)
        assert isinstance(rendered, RenderedMessage)
        assert len(rendered.text) + len(rendered.html) <= LONGEST_RESULT
    else:
        assert made.problem == "messages/shown/en.md: it came out too large"


@cache
def _saying(note: str) -> Draft:
    """What an order says is frozen without a look at the message."""
    return drafted(
        _catalog(NOTE),
        details_note=note,
        details_number=note,
        details_url=f"https://a.example/{note}",
        details_x=[note[:80]] * 100,
    )


@cache
def _catalog(body: str) -> Catalog:
    return catalog_of(files(shown=f"---\nsubject: s\nshort: s\n---\n{body}\n"))


def test_one_liners_of_many_words_are_cut() -> None:
    made, problems = compiled("x", subject=NOTE * 60)
    assert made is not None, problems
    order = {"id": "A", "number": "1", "note": "ab " * 600}
    rendered = fill(made, {**KNOWN, "order": order})
    assert isinstance(rendered, RenderedMessage)
    assert len(rendered.subject) <= LONGEST_TEXT
    assert rendered.subject.endswith("…")


def test_turns_that_say_nothing_are_counted_too() -> None:
    body = LOOPS.replace("SAID", "{% if order.x | default('') | upper == 'y' %}x{% endif %}")
    assert isinstance(filled(body, x=["a"] * 100), CannotRender)
    assert isinstance(filled(body, x=["a"] * 10), RenderedMessage)


def test_many_loops_share_one_allowance() -> None:
    loop = "{% for a in order.x %}{{ a.name | default('') }}{% endfor %} "
    assert isinstance(filled(loop * 40, x=[{"name": LONG}] * 12), CannotRender)
    assert isinstance(filled(loop * 40, x=[{"name": "x"}] * 12), RenderedMessage)


def test_a_long_order_is_told_in_full() -> None:
    rendered = filled(
        "{{ items(order.items) }}", items=[{"name": f"thing {count}" * 9, "quantity": 2} for count in range(100)]
    )
    assert isinstance(rendered, RenderedMessage)
    assert rendered.html.count("<tr") > 100
    assert "thing 99" in rendered.text


def test_a_list_is_written_in_a_limited_number_of_characters() -> None:
    rendered = filled(
        "{{ order.x | default('') }}\n\n{{ order.x | default('') | join('-') }}",
        x=["a" * 1_500, {"b": 1}, ["c"]] * 30,
    )
    assert isinstance(rendered, RenderedMessage)
    for line in rendered.text.split("\n\n")[:2]:
        assert len(line) == LONGEST_TEXT
        assert set(line) <= set("a, -…")


@pytest.mark.parametrize("right_to_left", [False, True])
@pytest.mark.parametrize(
    "text", ["\U00010800\n", "1a\U00010800", "\U0001f600", "'", "a.bb ", "a\n", "\u05d0 1a\n", "= .b"]
)
def test_what_is_written_of_a_short_value_is_no_longer_than_a_text(text: str, right_to_left: bool) -> None:
    known = functions({}, Direction(right_to_left=right_to_left))
    short = (text * REMEMBERED)[:REMEMBERED]
    for writer in ("escape", "shown", "in_line", "lines"):
        for name in (writer, f"typed_{writer}"):
            assert len(known[name](short, Budget())) <= LONGEST_TEXT, name
