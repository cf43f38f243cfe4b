"""The HTML of a layout is one that every parser reads the same way, or it is refused."""

from __future__ import annotations

import random
from html.parser import HTMLParser

import css_inline
import pytest

from avisa.templates.jinja import parser
from avisa.templates.layout import html_scanner
from avisa.templates.layout.layout import Layout, read
from tests.templates.desk import files

SEED = random.randrange(1_000_000)


def flaw(html: str) -> html_scanner.Flaw | None:
    return html_scanner.flaw(html_scanner.Page.of(parser.parse(html)))


@pytest.mark.parametrize(
    ("html", "said"),
    [
        ("‸<div>", "this `<div>` is never closed"),
        ("<p>a{% if reason %}‸<b>{% endif %}</p>", "`</p>` stands where `</b>` is expected"),
        ("{% if reason %}‸<p>{% else %}<i></i>{% endif %}", "this `<p>` is never closed"),
        ("<p>{# <b> #}a‸</b></p>", "there is no `<b>` open that `</b>` could close"),
        ("<p>‸<div></div></p>", "a `<div>` cannot stand in a `<p>`"),
        ("<p>‸<table></table></p>", "a `<table>` cannot stand in a `<p>`"),
        ("<h1>‸<h2></h2></h1>", "a `<h2>` cannot stand in another heading"),
        ('<a href="#">‸<a href="#"></a></a>', "a `<a>` cannot stand in another"),
        ("‸<td></td>", "a `<td>` can stand in a `<tr>` only"),
        ("<table>‸<b></b></table>", "a `<b>` cannot stand between the parts of a `<table>`"),
        ("<table><tr>{{ status }}‸<td></td></tr></table>", "text cannot stand between the parts of a `<tr>`"),
        ("<div>‸<li></li></div>", "a `<li>` can stand in a `<ol>` or `<ul>` only"),
        ("‸<svg></svg>", "`<svg>` cannot stand in a mail"),
        ("<style>a‸<b></style>", "within `<style>` there can be text only"),
        ("a ‸< b", "a `<` that begins no tag; write `&lt;`, and look for a quote that is not closed"),
        ('‸<a href="x>y</a>', "a `<` that begins no tag; write `&lt;`, and look for a quote that is not closed"),
        ("‸<!--> <b> -->", "a `<` that begins no tag; write `&lt;`, and look for a quote that is not closed"),
        ('{{ "}}{#" }}‸<b>{{ "#}" }}', "this `<b>` is never closed"),
        ("<i>" * 40 + "‸<i>" + "</i>" * 41, "there are more than 40 elements within one another"),
    ],
)
def test_what_html_would_have_to_be_mended_for(html: str, said: str) -> None:
    found = flaw(html.replace("‸", ""))
    if found and found[1].startswith("`</"):  # it shows where something else is closed
        assert found[1] == said
    else:
        assert found == (html.index("‸"), said)


@pytest.mark.parametrize(
    "html",
    [
        "<table width='{{ status }}'><tr><td>a</td></tr></table>",
        "<!--[if mso]><table><tr><td><![endif]-->a<!--[if !mso]><!--><b>c</b><!--<![endif]-->",
        "<TABLE>\n{% for a in progress %}<TR>\n<td>{{ a }}</TD></tr>{% endfor %}</table>",
        '<p class=\'a "b"\' hidden><img src="<x>" alt=""/><br></p>',
        "<ul><li><p>a</p><ol><li>b</li></ol></li></ul>",
    ],
)
def test_what_is_well(html: str) -> None:
    assert flaw(html) is None


def test_the_author_is_told_where() -> None:
    kept = files()
    kept["layout/layout.html"] = kept["layout/layout.html"].replace("{{ content }}", "<p>{{ content }}")
    problems = read(kept)
    assert isinstance(problems, list)
    (problem,) = problems
    line = kept["layout/layout.html"].split("\n")[problem.line - 1]
    assert (problem.code, line[problem.column - 1 :]) == ("layout_html", "</td></tr></table>")
    assert problem.message == "`</td>` stands where `</p>` is expected"


class Tags(HTMLParser):
    """The tags that open and close, in order, without those that a parser adds to every page or table."""

    ADDED = ("html", "head", "body", "tbody", "colgroup")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in self.ADDED:
            self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.ADDED:
            self.tags.append(f"/{tag}")

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        self.handle_starttag(tag, attrs)  # HTML knows no such thing


PIECES = (
    "<b>|</b>|<i class=x>|</i>|<p>|</p>|<div id='a'>|</div>|<table>|</table>|<tr>|</tr>|<td>|</td>|<ul>|</ul>|<li>"
    '|</li>|<a href="y">|</a>|<h1>|</h1>|<h2>|</h2>|<br>|text|<!-- <b> -->|<!--[if mso]><p><![endif]-->|<center>'
    "|</center>|<span>|</span>"
    "|<font>|</font>|<dl>|</dl>|<dt>|</dt>|<nobr>|</nobr>|<tbody>|</tbody>|<form>|</form>|<u/>|<hr/>| "
).split("|")


def soup(dice: random.Random) -> str:
    """Pieces at random; nine times in ten what is open is closed in its order."""
    made: list[str] = []
    opened: list[str] = []
    tidy = dice.random() < 0.9
    for _ in range(dice.randrange(1, 14)):
        piece = dice.choice(PIECES)
        if tidy and piece.startswith("</"):
            piece = f"</{opened.pop()}>" if opened else ""
        elif piece.startswith("<") and piece[1].isalpha() and piece not in ("<br>", "<hr/>"):
            opened.append(Tags(piece).tags[0] if Tags(piece).tags else "tbody")
        made.append(piece)
    return "".join(made) + "".join(f"</{tag}>" for tag in reversed(opened) if tidy)


def test_what_is_accepted_is_read_as_it_is_written() -> None:
    """By the parser of the CSS inliner, which mends like any browser. What it has to mend has other tags then."""
    print(f"seed {SEED}")
    dice = random.Random(SEED)
    accepted = 0
    for _ in range(20_000):
        html = soup(dice)
        if flaw(html) is None:
            accepted += 1
            page = css_inline.inline(f"<!doctype html><body><div>{html}</div></body>", load_remote_stylesheets=False)
            assert Tags(page).tags == ["div", *Tags(html).tags, "/div"], html
    assert accepted > 1_000


def test_a_layout_too_deep_for_the_inliner_is_refused() -> None:
    """It would end the process, for the inliner goes down with its stack."""
    kept = files()
    kept["layout/button.html"] = "<b>" * 6_000
    assert not isinstance(read(kept), Layout)
