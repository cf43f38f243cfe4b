"""Styles in the elements they are for: what a browser shows of it is what it showed before."""

from __future__ import annotations

import html
import json
import random
import re
from pathlib import Path

import pytest

from avisa.templates.jinja import parser
from avisa.templates.layout import html_scanner
from avisa.templates.layout.minify import tightened
from avisa.templates.layout.styles import flaw, inlined
from avisa.templates.limits import TooMuch
from tests.tools import chromium
from tests.tools.parts import need

URL = "the address of a `url()` stands in quotes, or without blanks and brackets"
WHOLE = "<html><body>{}</body></html>"


def styled(css: str, body: str) -> str:
    """What becomes of the body, in a page with these styles."""
    page = inlined(WHOLE.format(f"<style>{css}</style>{body}"), lambda _: True)
    return page.removeprefix("<html><body>").removesuffix("</body></html>")


@pytest.mark.parametrize(
    ("css", "body", "becomes"),
    [
        ("p{color:red}", "<p>a</p><b>c</b>", '<p style="color:red">a</p><b>c</b>'),
        ("P { COLOR : Red ; }", "<P>a</P>", '<P style="color:Red">a</P>'),
        (".x.y{a:b}.x{c:d}", '<p class="y x"></p><p class=x>',
         '<p class="y x" style="c:d;a:b"></p><p class=x style="c:d">'),
        ("#x{a:b}p{a:c}", "<p id='x'>a</p>", "<p id='x' style=\"a:b\">a</p>"),
        (".k b{a:b}.k>b{c:d}", "<p class=k><i><b></b></i><b></b></p>",
         '<p class=k><i><b style="a:b"></b></i><b style="a:b;c:d"></b></p>'),
        ("p>i b{a:b}", "<p><i><i><b></b></i></i></p>", '<p><i><i><b style="a:b"></b></i></i></p>'),
        ("b:first-child{a:b}", "<p>x<b></b><b></b></p>", '<p>x<b style="a:b"></b><b></b></p>'),
        ("table>tbody>tr>td{a:b}", "<table><tr><td></td></tr></table>",
         '<table><tr><td style="a:b"></td></tr></table>'),
        ("table>tr{a:b}", "<table><tr><td></td></tr></table>", "<table><tr><td></td></tr></table>"),
        # the cascade
        ("p{margin:0;margin-left:5px}p{margin:9px}", "<p></p>", '<p style="margin-left:5px;margin:9px"></p>'),
        ("p{color:red;color:new(1)}", "<p></p>", '<p style="color:red;color:new(1)"></p>'),
        ("p{a:b!important}.x{a:c}", "<p class=x></p>", '<p class=x style="a:b!important"></p>'),
        ("p{a:b}", "<p style='a:c;'></p>", "<p style='a:c;'></p>"),
        ("p{a:b!important;c:d}", "<p style='a:c'></p>", '<p style="a:b!important;c:d;a:c"></p>'),
        ("p{--A:b}p{--a:c}", "<p></p>", '<p style="--A:b;--a:c"></p>'),
        # quotes
        ('p{font:"Segoe UI"}', "<p></p>", "<p style=\"font:'Segoe UI'\"></p>"),
        ("p{font:'a\"b'}", "<p></p>", "<p style=\"font:'a&quot;b'\"></p>"),
        ("p{a:url(/x?a&lt)}", "<p></p>", '<p style="a:url(/x?a&amp;lt)"></p>'),
        ("p{a:b}", "<p style='font:\"x\"'></p>", '<p style="a:b;font:&quot;x&quot;"></p>'),
        ("p{a:b}", "<p title='>' style=c:d hidden></p>", "<p title='>' style=\"a:b;c:d\" hidden></p>"),
        ("p{a:b}", "<br/><p/></p>", '<br/><p style="a:b"/></p>'),
        ("p{--\u00e9:5px;--a&b:1}", "<p></p>", '<p style="--\u00e9:5px;--a&amp;b:1"></p>'),
        (".x.x{a:b}.y{a:c}", "<p class='x y'></p>", "<p class='x y' style=\"a:b\"></p>"),
        ("p{\u00a0a:b;c:d}", "<p></p>", '<p style="c:d"></p>'),
        # what stays in the head
        ("a,a::foo{b:c}", "<a></a>", "<style>a,a::foo{b:c}</style><a></a>"),
        ("tbody{a:b}", "<table><tbody></tbody></table><table><tr></tr></table>",
         '<style>tbody{a:b}</style><table><tbody style="a:b"></tbody></table><table><tr></tr></table>'),
        ("i{a:b}@import 'x';@layer q;@namespace url('y');", "<i></i>", '<style>@layer q;</style><i style="a:b"></i>'),
        ("a:hover{b:c}a{d:e}", "<a></a>", '<style>a:hover{b:c}</style><a style="d:e"></a>'),
        ("a,a:hover , b{c:d}", "<a></a>", '<style>a:hover{c:d}</style><a style="c:d"></a>'),
        ("p:not(.a,.b){c:d}[t='a,b']{e:f}", "", "<style>p:not(.a,.b){c:d}[t='a,b']{e:f}</style>"),
        ("@import 'a.css'; @media screen { p { a : b ; } }", "",
         "<style>@import 'a.css';@media screen{p{a :b}}</style>"),
        ("p{a:b;@media print{a:c}}", "<p></p>", "<style>p{a:b;@media print{a:c}}</style><p></p>"),
        ("/* a */ p /* b */ { /* c */ }", "<p></p>", "<p></p>"),
        ("@media x{p{a:url(x/*y);b:'*/ ; , b' }}", "", "<style>@media x{p{a:url(x/*y);b:'*/ ; , b'}}</style>"),
        ("@media x{a{b:c !important}d  e{f: g  h}}", "", "<style>@media x{a{b:c!important}d e{f:g h}}</style>"),
    ],
)  # fmt: skip
def test_what_becomes_of_it(css: str, body: str, becomes: str) -> None:
    assert styled(css, body) == becomes


def test_styles_for_one_medium_only_are_left_alone() -> None:
    page = WHOLE.format("<style media=print>p { a: b }</style><style type='text/css'>p{c:d}</style><p></p>")
    assert inlined(page, lambda _: True) == WHOLE.format('<style media=print>p { a: b }</style><p style="c:d"></p>')


def test_each_of_several_styles_is_one_of_its_own() -> None:
    page = WHOLE.format("<style>@import 'a'</style><style>b</style><style>i{a:b}</style><i></i>")
    with pytest.raises(Exception, match="is no rule"):
        inlined(page, lambda _: True)
    page = WHOLE.format("<style>@import 'a';</style><style>@media x{b{c:d}}</style><i></i>")
    assert inlined(page, lambda _: True) == page


def test_html_and_body_that_nobody_wrote_keep_their_styles_in_the_head() -> None:
    assert inlined("<style>body,p{a:b}html p{c:d}</style><p></p>", lambda _: True) == (
        '<style>body,p{a:b}html p{c:d}</style><p style="a:b"></p>'
    )


def test_what_hangs_on_a_condition_overrules_nothing() -> None:
    """`style="color:{{ brand.color }}"` is surely there, `style="{% if reason %}color:red{% endif %}"` is not."""
    page = WHOLE.format('<style>p{color:red}</style><p style="color:\ue0001\ue001"></p>')
    assert "color:red" not in inlined(page, lambda _: True)
    assert "color:red;color:\ue0001" in inlined(page, lambda _: False)


@pytest.mark.parametrize(
    ("body", "becomes"),
    [
        ("<b></b>", '<b style="a:b"></b>'),
        ("<p>\ue0001\ue001<b></b>\ue0001\ue001</p>", None),
        ("<p>\ue0001\ue001<b></b>\ue0001\ue001<b></b></p>", None),
        (
            "<p>\ue0001\ue001<i><b></b></i>\ue0001\ue001</p>",
            '<p>\ue0001\ue001<i><b style="a:b"></b></i>\ue0001\ue001</p>',
        ),
        ("<p><i></i>\ue0001\ue001<b></b>\ue0001\ue001</p>", "<p><i></i>\ue0001\ue001<b></b>\ue0001\ue001</p>"),
    ],
)
def test_who_is_first_in_a_loop_the_browser_finds_out(body: str, becomes: str | None) -> None:
    page = inlined(WHOLE.format(f"<style>b:first-child{{a:b}}</style><u>{body}</u>"), lambda _: False)
    kept = "<style>b:first-child{a:b}</style>" if becomes is None else ""
    assert page == WHOLE.format(f"{kept}<u>{body if becomes is None else becomes}</u>")


@pytest.mark.parametrize(
    ("css", "said"),
    [
        ("p{a‸\\22:b}", "within styles there can be no `\\`"),
        ("p{a:b}‸}", "there is nothing open that `}` could close"),
        ("p‸{a:b", "this `{` is never closed"),
        ("p{a:b‸(c}", "this `(` is never closed"),
        ("p{a:‸'b}", "the quotes that begin here are not closed in their line"),
        ("p{a:b}‸/* c", "this comment is never closed"),
        ("p{a:re/**/‸d}", "a comment can stand between rules, declarations and words, but not within one"),
        ("p{a:b}‸;i{a:b}", "a `;` stands between rules, and would take the next one with it"),
        ("p‸,{a:b}", "a selector is missing here"),
        ("p{a:url‸( x)}", URL),
        ("p{a:50%url‸(x/*)}", URL),
        ("p{a:url‸(x'y)c'z)}", URL),
        ("p{a:b} p‸", "what stands at the end of these styles is no rule"),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused_where_it_stands(css: str, said: str) -> None:
    text = f"<style>{css}</style>"
    found = flaw(html_scanner.Page.of(parser.parse(text.replace("‸", ""))))
    assert found is not None
    at, told = found
    assert (text.replace("‸", "")[at:], told) == (text.partition("‸")[2], said)


def test_too_many_styles_are_refused() -> None:
    with pytest.raises(TooMuch):
        styled("i," * 2_000 + "i{a:b}", "")
    with pytest.raises(TooMuch):
        styled("".join(f"i{{x{n}:y}}" for n in range(1_100)), "")
    with pytest.raises(TooMuch):
        styled("u b b b i{a:b}", "<b>" * 30 + "<i></i>" * 1_000)
    with pytest.raises(TooMuch):
        styled("i{a:" + "b" * 5_000 + "}", "<i></i>" * 100)


# ---------------------------------------------------------------- as a browser sees it

PROPERTIES = ("color", "margin-left", "margin-top", "padding-left", "text-indent", "letter-spacing")
OF_KEPT = "outline-offset"
SELECTORS = ("p", "b", "div", ".x", ".y", "#i", "div .x", "div>b", "p b", ".x.y", "b:first-child", "*", "td",
             "table td", "tr>td", "tbody tr", "li", "ul>li:first-child", "div p", "div>p")  # fmt: skip
TO_HIDE = ("p", "div", ".x", ".y", "td", "li", "table", "br")
KEPT = ("p:last-child", "b+b", "[title]", "div:not(.x)", "td:nth-child(2)", ":is(.x,.y)")
DISPLAYS = (
    "display:none",
    "display:inline",
    "display:inline-block",
    "position:absolute",
    "float:left",
    "display:contents",
)


def rules(dice: random.Random) -> str:
    made = []
    for _ in range(dice.randrange(1, 9)):
        selectors = ",".join(dice.choices(SELECTORS, k=dice.randrange(1, 3)))
        made.append(f"{selectors}{{{declared(dice)}}}")
        if dice.random() < 0.3:
            made.append(f"{dice.choice(KEPT)}{{{OF_KEPT}:{dice.randrange(9)}px!important}}")
        if dice.random() < 0.1:
            made.append(f"@media all{{ {dice.choice(TO_HIDE)}{{{dice.choice(DISPLAYS)}!important}}}}")
    return " ".join(made)


def declared(dice: random.Random) -> str:
    made = []
    for name in dice.choices((*PROPERTIES, "margin", "padding"), k=dice.randrange(1, 4)):
        value = f"rgb({dice.randrange(9)}, 2, 3)" if name == "color" else f"{dice.randrange(1, 9)}px"
        made.append(f"{name}:{value}{dice.choice(('', '', '', '!important'))}")
    return ";".join(made)


def block(dice: random.Random, depth: int) -> str:
    def attributes() -> str:
        given = [dice.choice(("", "", "class=x", "class='x y'", 'class="y"', "id=i", "title='a > b'", "hidden"))]
        if dice.random() < 0.3:
            given.append(f"style='{dice.choice((declared(dice), dice.choice(DISPLAYS)))}'")
        return "".join(f" {it}" for it in given if it)

    def text() -> str:
        return dice.choice(("", " ", "\n", "  a ", "b", "c\n\n", " &nbsp; "))

    if depth == 0:
        return text()
    tag = dice.choice(("p", "b", "div", "i", "br", "table", "ul", "h2"))
    inside = "".join(block(dice, depth - 1) for _ in range(dice.randrange(1, 4)))
    if tag == "br":
        return f"{text()}<br>{inside}"
    if tag == "table":
        cells = "".join(f"<td{attributes()}>{block(dice, depth - 1)}</td>{dice.choice(('', ' '))}" for _ in range(2))
        rows = f"<tr{attributes()}>{cells}</tr>" * 2
        inside = dice.choice((rows, f"<tbody>{rows}</tbody>", f"<thead>{rows}</thead> {rows}"))
    if tag == "ul":
        inside = f"<li{attributes()}>{inside}</li> " * 2
    return f"{text()}<{tag}{attributes()}>{inside}</{tag}>{text()}"


SCRIPT = """
const seen = (source) => {
  const host = document.body.appendChild(document.createElement('div'));
  const root = host.attachShadow({mode: 'open'});
  root.innerHTML = '<section>' + source + '</section>';
  const all = [...root.querySelectorAll('section *')].filter((one) => !/STYLE|TBODY/.test(one.tagName));
  const styles = all.map((one) => {
    const style = getComputedStyle(one);
    return [one.tagName, ...NAMES.map((name) => style.getPropertyValue(name))].join(' ');
  });
  const text = root.querySelector('section').innerText.split('\\n');
  host.remove();
  return [styles, text];
};
const differ = PAGES.flatMap(([written, styled, tight], number) => {
  const before = seen(written), after = [seen(styled)[0], seen(tight)[1]];
  return [0, 1].filter((which) => JSON.stringify(before[which]) != JSON.stringify(after[which]))
    .map((which) => [number, before[which], after[which]]);
});
document.body.textContent = JSON.stringify(differ);
"""


def test_a_browser_shows_the_same(tmp_path: Path) -> None:
    need("chromium")
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")
    dice = random.Random(seed)
    pages: list[tuple[str, str, str]] = []
    while len(pages) < 400:
        page = f"<style>{rules(dice)}</style>{block(dice, 3)}"
        if html_scanner.flaw(html_scanner.Page.of(parser.parse(page))) is None:
            done = inlined(page, lambda _: True)
            pages.append((page, done, tightened(done)))
    assert sum('style="' in done for _, done, _ in pages) > 200
    assert sum(len(tight) < len(done) for _, done, tight in pages) > 200
    names = json.dumps([*PROPERTIES, OF_KEPT, "display"])
    script = f"const NAMES = {names};\nconst PAGES = {json.dumps(pages)};\n{SCRIPT}".replace("</", "<\\/")
    path = tmp_path / "page.html"
    path.write_text(f"<!doctype html><meta charset=utf-8><body><script>{script}</script>", "utf-8")
    shown = chromium.document(path, dark=False, budget=5_000)
    found = re.search(r"<body>(.*?)</body>", shown, re.DOTALL)
    assert found is not None, shown
    for number, before, after in json.loads(html.unescape(found[1])):
        wrong = [(one, other) for one, other in zip(before, after, strict=False) if one != other]
        raise AssertionError("\n".join((*pages[number], str(wrong))))
