"""The styles of what Markdown makes."""

from __future__ import annotations

import re

import pytest

from avisa.templates.layout import theme
from avisa.templates.layout.layout import Layout, read
from avisa.templates.markdown.writers import ELEMENTS
from tests.templates.harness import catalog_of, compiled_in, files, mailed

BODY = """# a

## b

### c

#### d

##### e

###### f

> quote

- **g** *h* `i`

2. [j](https://shop.example)

---
"""


def with_theme(text: str | None) -> dict[str, str]:
    kept = files()
    del kept[theme.THEME]
    return kept if text is None else {**kept, theme.THEME: text}


def page(text: str | None, body: str = BODY) -> str:
    """The content of the message in that theme."""
    kept = {**with_theme(text), "layout/layout.html": "{{ content }}"}
    kept["messages/shown/en.md"] = f"---\nsubject: s\nshort: s\n---\n{body}\n"
    return mailed(catalog_of(kept))[0].html


def test_each_element_can_have_a_style() -> None:
    html = page("".join(f'{element}: "margin:{n}px"\n' for n, element in enumerate(ELEMENTS)))
    for n, element in enumerate(ELEMENTS):
        assert re.search(f'<{element}( [^>]*)? style="margin:{n}px">', html), element
    assert set(re.findall("<([a-z0-9]+)", html)) == set(ELEMENTS)


@pytest.mark.parametrize("text", [None, "", "# nothing yet\n", "{}"])
def test_without_a_theme_elements_have_no_style(text: str | None) -> None:
    assert "style=" not in page(text)


def test_a_style_may_have_quotes_and_several_lines() -> None:
    written = 'p: "font:\'Segoe UI\'; color:red;"\nh1: |\n  margin:0;\n  font:"x"\n'
    html = page(written, "# a\n\nb")
    assert html == '<h1 style="margin:0; font:&quot;x&quot;">a</h1><p style="font:\'Segoe UI\'; color:red">b</p>'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("‸- a", "there must be a map of elements, each with its style"),
        ('‸div: "color:red"', "Markdown makes no `div`; it makes `a`, `blockquote`"),
        ("p: ‸[a]", "the style of `p` is one text"),
        ('p: ‸"color:{{ brand.color }}"', "there are no placeholders in a theme"),
        ('p: ‸"color:red}</style>"', "`}` cannot stand in the style of an element"),
        ('p: ‸"a:b<"', "`<` cannot stand in the style of an element"),
        ('p: ‸"background:URL(https://x.example)"', "`URL(` cannot stand in the style of an element"),
        ('p: ‸"width:expression(alert(1))"', "`expression(` cannot stand in the style of an element"),
        ("p: ‸'a:\\22'", "`\\` cannot stand in the style of an element"),
        ('p: ‸"a:b /* c */"', "`/*` cannot stand in the style of an element"),
        ('p: ‸"color:red;green"', "`green` is no declaration, such as `color:#1c5d86`"),
        ("a: color:red\np: ‸border:1px solid #ccc", "without quotes, ` #` begins a comment; put the style in quotes"),
        (f'p: ‸"font:{"x" * 600}"', "a style has no more than 500 characters"),
        ('p: ‸"a:\\ue000"', "a character that cannot stand in a template"),
    ],
)
def test_mistakes_are_told_where_they_stand(text: str, message: str) -> None:
    problems = read(with_theme(text.replace("‸", "")))
    assert isinstance(problems, list), problems
    (problem,) = problems
    before = text.partition("‸")[0]
    place = (before.count("\n") + 1, len(before) - before.rfind("\n"))
    assert (problem.code, problem.file, problem.line, problem.column) == ("layout_theme", theme.THEME, *place)
    assert problem.message.startswith(message)


def test_a_theme_that_is_no_yaml_is_refused() -> None:
    problems = read(with_theme("h1: color: red"))
    assert isinstance(problems, list)
    assert problems[0].file == theme.THEME


def test_a_comment_behind_a_style_in_quotes_is_one() -> None:
    laid_out = read(with_theme('p: "color:red" #fff is white'))
    assert isinstance(laid_out, Layout), laid_out
    assert laid_out.theme == {"p": "color:red"}
    assert compiled_in("a", laid_out)[0] is not None
