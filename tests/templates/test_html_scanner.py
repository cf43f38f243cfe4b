"""The HTML of a layout is one that every parser reads the same way, or it is refused."""

from __future__ import annotations

import html
import json
import random
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from avisa.templates.jinja import parser
from avisa.templates.layout import html_scanner
from avisa.templates.layout.layout import Layout, read
from tests.templates.harness import files
from tests.tools import chromium
from tests.tools.parts import needs

SEED = random.randrange(1_000_000)


def flaw(text: str) -> html_scanner.Flaw | None:
    return html_scanner.flaw(html_scanner.Page.of(parser.parse(text)))


@pytest.mark.parametrize(
    ("text", "said"),
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
        ("<style>a‸<b></style>", "within `<style>` there can be text only"),
        ("a ‸< b", "a `<` that begins no tag; write `&lt;`, and look for a quote that is not closed"),
        ('‸<a href="x>y</a>', "a `<` that begins no tag; write `&lt;`, and look for a quote that is not closed"),
        ("‸<!--> <b> -->", "a `<` that begins no tag; write `&lt;`, and look for a quote that is not closed"),
        ('{{ "}}{#" }}‸<b>{{ "#}" }}', "this `<b>` is never closed"),
        ("<i>" * 40 + "‸<i>" + "</i>" * 41, "there are more than 40 elements within one another"),
    ],
)
def test_html_that_a_browser_would_mend_has_a_flaw(text: str, said: str) -> None:
    found = flaw(text.replace("‸", ""))
    if found and found[1].startswith("`</"):  # it shows where something else is closed
        assert found[1] == said
    else:
        assert found == (text.index("‸"), said)


@pytest.mark.parametrize(
    "text",
    [
        "<table width='{{ status }}'><tr><td>a</td></tr></table>",
        "<!--[if mso]><table><tr><td><![endif]-->a<!--[if !mso]><!--><b>c</b><!--<![endif]-->",
        "<TABLE>\n{% for a in progress %}<TR>\n<td>{{ a }}</TD></tr>{% endfor %}</table>",
        '<p class=\'a "b"\' hidden><img src="<x>" alt=""/><br></p>',
        "<ul><li><p>a</p><ol><li>b</li></ol></li></ul>",
    ],
)
def test_html_that_holds_together_has_no_flaw(text: str) -> None:
    assert flaw(text) is None


def test_a_flaw_is_reported_at_its_place() -> None:
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


PARSED = """
const parsed = (page) => new DOMParser().parseFromString(page, "text/html").body.innerHTML;
document.body.textContent = JSON.stringify(PAGES.map(parsed));
"""


@needs("chromium")
def test_what_is_accepted_is_read_as_it_is_written(tmp_path: Path) -> None:
    """What a browser has to mend has other tags then."""
    print(f"seed {SEED}")
    dice = random.Random(SEED)
    accepted = [page for page in (soup(dice) for _ in range(20_000)) if flaw(page) is None]
    assert len(accepted) > 1_000
    pages = json.dumps([f"<!doctype html><body><div>{page}</div></body>" for page in accepted]).replace("</", "<\\/")
    path = tmp_path / "page.html"
    script = f"<script>const PAGES = {pages};{PARSED}</script>"
    path.write_text(f"<!doctype html><meta charset=utf-8><body>{script}", "utf-8")
    shown = re.search(r"<body>(.*?)</body>", chromium.document(path, dark=False, budget=5_000), re.DOTALL)
    assert shown is not None
    for page, read_back in zip(accepted, json.loads(html.unescape(shown[1])), strict=True):
        assert Tags(read_back).tags == ["div", *Tags(page).tags, "/div"], page


def test_a_layout_that_is_nested_too_deep_is_refused() -> None:
    kept = files()
    kept["layout/button.html"] = "<b>" * 6_000
    assert not isinstance(read(kept), Layout)
