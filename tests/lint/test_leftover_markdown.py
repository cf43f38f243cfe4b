"""Markdown that is left over is reported; signs meant as text, or written by a placeholder, are not."""

from __future__ import annotations

import pytest

from avisa.lint import message
from avisa.lint.leftover_markdown import check_message


def left(body: str) -> list[tuple[int, int]]:
    """The places of all diagnostics; lines count from the first of `body`."""
    read = message.read("m", "en", f"---\nsubject: s\nshort: s\n---\n{body}\n", "messages/m/en.md")
    assert read is not None
    return [((each.line or 0) - 4, each.column or 0) for each in check_message(read)]


@pytest.mark.parametrize(
    "body",
    [
        "**bold** and *lean*, `** code **`, [a link](https://example.com), <https://example.com>",
        "**{{ order.number }}** and **{% if reason %}{{ reason }}{% endif %}**",
        "{% if reason %}**Note:** {{ reason }}{% endif %}",
        "[look]({{ order.url }}) or [look](mailto:{{ brand.reply_to }})",
        "#{{ order.number }} is yours",
        "# A heading\n\n- one\n- two\n\n1. first\n\n> quoted",
        r"two \*\* signs, and \[a\](b), and \~~",
        "[1] (see below)",
        "a | b",
        "-- the team\n\n---\n\nbelow a rule",
        "{{ '**' }}",
        "![x](https://example.com/x.png)",
        "Call us [toll-free] (0800 100 200) please.",
        '[x]({{ order.url\n| default("https://a.example/") }}) **{{ order.number\n\n}}** x',
        "<https://example.com/a**b>",
        r"\(**“Look”** there)",
        "2 * 3 and 4*x",
    ],
)
def test_markdown_that_messages_have_is_not_reported(body: str) -> None:
    assert left(body) == []


@pytest.mark.parametrize(
    "body",
    [
        "It is ‸** bold **.",
        "It is ‸**bold.",
        "first\nIt is ‸~~gone~~.",
        "[a link]‸ (https://example.com)",
        "[a link]‸ ({{ order.url }})",
        "‸[a link](https://example.com/a b)",
        "a\n\n‸| one | two |\n|---|---|",
        "‸#Heading",
        "Title\n‸=====",
        "‸```\ncode\n```",
        "- an item\n- {{ order.number }} ‸**and one more",
        "> quoted ‸** bold **",
        "**ok** and ‸** bad one",
        "`**` is a sign and ‸** bad one",
        "your way. ‸**Note:**be in",
        "Box 30‸*20*10 cm",
        "‸(our shop)[https://shop.example.com/]",
    ],
)
def test_markdown_left_over_is_reported_at_its_place(body: str) -> None:
    lines = body.split("\n")
    (at,) = [(number, line.index("‸") + 1) for number, line in enumerate(lines, 1) if "‸" in line]
    assert left(body.replace("‸", ""))[:1] == [at]


def test_leftover_markdown_is_reported_in_each_paragraph() -> None:
    assert left("a ** b\n\nc ** d\n\n- e ** f") == [(1, 3), (3, 3), (5, 5)]
