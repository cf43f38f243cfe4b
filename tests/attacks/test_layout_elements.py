"""A layout holds what mail programs show: from one closed list, however a thing is written that is not on it."""

from __future__ import annotations

import pytest

from avisa.diagnostics.diagnostic import Diagnostic
from avisa.lint import accessibility, client_support
from avisa.lint.remote_pictures import check_layout
from avisa.templates.layout.layout import Layout, read
from avisa.templates.layout.theme import THEME
from tests.templates.harness import PLAN, files, read_plan, shipped

FORM, FILM, DRAWING = "link to a page with the form", "link to a page that has it", "show a picture"
NOT_SHOWN = "it is none of the elements that mail programs show"
EQUIV = "`http-equiv` can be `content-type` or `x-ua-compatible`"
WHOLE = "this is no whole address"
NO_SCRIPTS = "a mail has no scripts"
STYLES = "write the styles themselves"
# `‸` is where it is said.
REFUSED = [
    ("‸<form action='https://a.example/'></form>", FORM),
    ("‸<FORM></FORM>", FORM),
    ("‸<input name=a>", FORM),
    ("‸<button>a</button>", FORM),
    ("‸<textarea></textarea>", FORM),
    ("‸<select></select>", FORM),
    ("‸<label>a</label>", FORM),
    ("‸<base href='https://evil.example/'>", "write each address whole"),
    ("‸<bAsE\nhref='https://evil.example/'/>", "write each address whole"),
    ("<meta ‸http-equiv='refresh' content='0;url=https://evil.example/'>", EQUIV),
    ("<META ‸HTTP-EQUIV=Refresh content=5>", EQUIV),
    ("<meta ‸http-equiv='&#114;efresh' content='5'>", EQUIV),
    ("<meta http-equiv='x-ua-compatible' ‸http-equiv='refresh' content='5'>", EQUIV),
    ("<meta ‸http-equiv='{% if reason %}refresh{% endif %}' content='5'>", EQUIV),
    ("<meta ‸http-equiv='set-cookie' content='a=b'>", EQUIV),
    ("‸<object data='https://a.example/x.swf'></object>", FILM),
    ("‸<embed src='https://a.example/'>", FILM),
    ("‸<iframe srcdoc='<p>a</p>'></iframe>", FILM),
    ("‸<video src='https://a.example/'></video>", FILM),
    ("‸<audio></audio>", FILM),
    ("‸<dialog open></dialog>", FILM),
    ("‸<svg><a xlink:href='https://evil.example/'><text>a</text></a></svg>", DRAWING),
    ("‸<math><mtext>a</mtext></math>", DRAWING),
    ("‸<picture><img alt='' src='https://a.example/x.png'></picture>", DRAWING),
    ("‸<script>if (a < b) x()</script>", NO_SCRIPTS),
    ("‸<noscript>a</noscript>", NO_SCRIPTS),
    ("‸<link rel=stylesheet href='https://a.example/x.css'>", "write the styles into a `<style>`"),
    ("‸<template></template>", NOT_SHOWN),
    ("‸<marquee>a</marquee>", NOT_SHOWN),
    ("‸<x></x>", NOT_SHOWN),
    ("‸<v:rect></v:rect>", NOT_SHOWN),
    ("<!--[if mso]>‸<form></form><![endif]-->", FORM),
    ("<!--[IF MSO]>‸<Form></Form><![endif]-->", FORM),
    ("<!-- [if mso]>‸<input><![endif]-->", FORM),
    ("<!--[if !mso]><!-->‸<input><!--<![endif]-->", FORM),
    ("<!--[if gte mso 9]><xml>‸<o:OLEObject></o:OLEObject></xml><![endif]-->", NOT_SHOWN),
    ("<!--[if mso]>‸<form/action=x><![endif]-->", "whole tags only"),
    ('<!--[if mso]>‸<a href="<![endif]-->x', "whole tags only"),
    ("<!--[if mso]><v:rect ‸href='javascript:x()'></v:rect><![endif]-->", WHOLE),
    ("<!--[if mso]><v:rect ‸onclick='x()'></v:rect><![endif]-->", NO_SCRIPTS),
    ("<!--[if mso]><v:fill ‸src='x.png'></v:fill><![endif]-->", WHOLE),
    ("<p ‸onclick='x()'>a</p>", NO_SCRIPTS),
    ("<p ‸ONMOUSEOVER=x()>a</p>", NO_SCRIPTS),
    ("<img alt='' src='https://a.example/x.png' ‸srcset='https://evil.example/y.png 2x'>", "one address"),
    ("<a href='https://a.example/' ‸ping='https://evil.example/'>a</a>", "none of the attributes"),
    ("<p ‸contenteditable>a</p>", "none of the attributes"),
    ("<p ‸alıgn=left>a</p>", "none of the attributes"),
    ("<a ‸href='javascript:x()'>a</a>", WHOLE),
    ("<a ‸HREF=' java&#10;script:x()'>a</a>", WHOLE),
    ("<a ‸href='&#xE000;javascript:x()'>a</a>", WHOLE),
    ("<a ‸href='data:text/html,x'>a</a>", WHOLE),
    ("<a ‸href='/orders'>a</a>", WHOLE),
    ("<a ‸href='//evil.example/'>a</a>", WHOLE),
    ("<a ‸href=''>a</a>", WHOLE),
    ("<a ‸href='https://shop.example.com@evil.example/'>a</a>", "it names a user before its host"),
    ("<a ‸href='java{% if reason %}script:{% endif %}x()'>a</a>", WHOLE),
    ("<a ‸href='{% if reason %}https://a.example/{% else %}javascript:x(){% endif %}'>a</a>", WHOLE),
    ("<a ‸href='https://a.example{% if reason %}.evil.example{% endif %}/'>a</a>", "put a `/` behind the host"),
    ("<img alt='' ‸src='box.png'>", WHOLE),
    ("<img alt='' ‸src='cid:box'>", WHOLE),
    ("<img alt='' ‸src='data:image/png;base64,AA=='>", WHOLE),
    ("<table ‸background='box.png'></table>", WHOLE),
    ("‸<style>@import 'https://evil.example/x.css';</style>", STYLES),
    ("‸<style>p{}@IMPORT\nurl(https://evil.example/x.css);</style>", STYLES),
    ("‸<style>/* ' */@import 'x';/* ' */</style>", STYLES),
    ('‸<style>p{content:"/*"}@import "x";p{content:"*/"}</style>', STYLES),
    ("‸<style>@\\69mport 'https://evil.example/x.css';</style>", "`\\69` stands for `i`"),
    ("‸<style>@i\\mport 'https://evil.example/x.css';</style>", STYLES),
    ("‸<style>@namespace svg url(https://a.example/);</style>", STYLES),
    ("‸<style>p{background:u\\72l(https://evil.example/x.png)}</style>", "`\\72` stands for `r`"),
    ("‸<style>p{background:url(javascript:x())}</style>", WHOLE),
    ("‸<style>p{background:url('x.png')}</style>", WHOLE),
    ("‸<style>p{width:expression(x())}</style>", NO_SCRIPTS),
    ("<!--[if mso]>‸<style>@import 'x';</style><![endif]-->", STYLES),
    ("<p ‸style='background:url(x.png)'>a</p>", WHOLE),
    ("<p ‸style='background:ur&#108;(x.png'>a</p>", WHOLE),
    ("<p ‸STYLE=\"behavior:url('https://a.example/x.htc')\">a</p>", NO_SCRIPTS),
]
ALLOWED = [
    "<p lang='pt' dir='auto' data-x='1' aria-label='a' hidden>a</p>",
    "<a href='#top' name='b' target='_blank' rel='noopener'>a</a>",
    "<a href='https://shop.example.com/a?b=c&amp;d#e'>a</a>",
    "<a href='mailto:a@b.example'>b</a><a href='tel:+351'>c</a>",
    "{% if brand.reply_to %}<a href='mailto:{{ brand.reply_to }}'>b</a>{% endif %}",
    "<table background='https://shop.example.com/x.png'><caption>a</caption><tr><th scope='col'>a</th></tr></table>",
    "<map name='m'><area shape='rect' coords='0,0,9,9' href='https://shop.example.com/' alt='a'></map>",
    "<style>.sm\\:w-full{width:100%}.w-1\\/2{width:50%}p::before{content:'\\201C'}/* me@a.example */</style>",
    "<style>@-ms-viewport{width:device-width}@-webkit-keyframes x{from{top:0}}@supports(x:y){p{top:0}}</style>",
    "<style>p{content:'@import'}.my-url(x){top:0}</style>",
    "<!-- <form> is what nobody reads -->",
    "<!--[if mso]><v:rect xmlns:v='urn:x' fillcolor='#fff' href='https://shop.example.com/'><w:anchorlock/>"
    "<v:fill type='tile' src='https://shop.example.com/x.png'/></v:rect><![endif]-->",
    "<meta http-equiv='Content-Type' content='text/html; charset=utf-8'>",
]
PLAN_WITH_SHOP = PLAN.replace(
    "    locale: pt-PT\n",
    "    locale: pt-PT\n    url: https://shop.example.com/\n    logo: https://cdn.example.com/logo.png\n",
)
REMOTE = [
    ("<img alt='' ‸src='https://pixel.example.net/open.gif'>", "pixel.example.net"),
    ("<IMG alt='' ‸SRC=https://PIXEL.example.net/open.gif>", "pixel.example.net"),
    ("<img alt='' ‸src='&#104;ttps://pixel.example.net/open.gif'>", "pixel.example.net"),
    ("<img alt='' ‸src='https://shop.example.com.evil.example/x.png'>", "shop.example.com.evil.example"),
    ("<img alt='' ‸src='https:\\\\evil.example\\shop.example.com/x.png'>", "evil.example"),
    (
        "<img alt='' ‸src='{% if reason %}https://shop.example.com/x{% else %}https://a.example/y{% endif %}'>",
        "a.example",
    ),
    ("<table ‸background='https://a.example/x.png'></table>", "a.example"),
    ('‸<style>p{background:url( "https://a.example/x.png" )}</style>', "a.example"),
    ("‸<style>@font-face{font-family:x;src:url(https://fonts.example.net/x.woff2)}</style>", "fonts.example.net"),
    ("‸<style>p{background:image-set('https://a.example/x.png' 1x)}</style>", "a.example"),
    ("<p ‸style='background:url(https://a.example/x.png'>a</p>", "a.example"),
    ("<!--[if mso]>‸<style>p{background:url(https://a.example/x.png)}</style><![endif]-->", "a.example"),
    ("<!--[if mso]><v:fill ‸src='https://a.example/x.png'/><![endif]-->", "a.example"),
    ("<!--[if !mso]><!--><img alt='' ‸src='https://a.example/x.png'><!--<![endif]-->", "a.example"),
]
OWN = [
    "<img alt='' src='https://shop.example.com/x.png'>",
    "<img alt='' src='https://CDN.example.com:443/x.png'>",
    "{% if brand.logo %}<img alt='' src='{{ brand.logo }}'>{% endif %}",
    "{% if brand.url %}<img alt='' src='{{ brand.url }}/x.png'>{% endif %}",
    "<img alt='' src='https://shop.example.com/{% if reason %}a{% else %}b{% endif %}.png'>",
    "<p style='background:url(https://shop.example.com/x.png)'>a</p>",
    "<a href='https://carrier.example/'>where it leads is no picture</a>",
    "<style>/* from https://a.example/ */p{top:0}</style>",
]


def with_more(html: str, file: str = "layout/progress.html") -> tuple[dict[str, str], tuple[int, int]]:
    """A folder with more at the end of that file, and the place that is marked in it."""
    kept = files()
    before = kept[file] + html.partition("‸")[0]
    kept[file] += html.replace("‸", "")
    return kept, (before.count("\n") + 1, len(before) - before.rfind("\n"))


def remote_pictures(kept: dict[str, str], text: str) -> list[Diagnostic]:
    """What is said of pictures in a layout, in which there is no error, under a plan."""
    layout, plan = read(kept), read_plan(text)
    assert isinstance(layout, Layout), layout
    assert not isinstance(plan, list), plan
    return list(check_layout(layout.files, plan))


@pytest.mark.parametrize(("html", "says"), REFUSED)
def test_what_is_not_on_the_list_is_refused_at_its_place(html: str, says: str) -> None:
    kept, place = with_more(html)
    found = read(kept)
    assert isinstance(found, list)
    assert {(it.code, it.severity) for it in found} == {("not_for_mails", "error")}
    assert ((found[0].line, found[0].column), says in found[0].message) == (place, True), found


@pytest.mark.parametrize("html", ALLOWED)
def test_what_mail_programs_show_is_taken(html: str) -> None:
    kept, _ = with_more(html)
    assert isinstance(read(kept), Layout), read(kept)


@pytest.mark.parametrize(("html", "host"), REMOTE)
def test_what_another_host_sends_is_a_warning(html: str, host: str) -> None:
    kept, place = with_more(html)
    (remote,) = remote_pictures(kept, PLAN_WITH_SHOP)
    assert (remote.code, remote.severity) == ("remote_picture", "warning")
    assert (remote.line, remote.column) == place
    assert remote.message.startswith(f"`{host}`")


@pytest.mark.parametrize("html", OWN)
def test_what_the_brand_itself_sends_is_none(html: str) -> None:
    kept, _ = with_more(html)
    assert remote_pictures(kept, PLAN_WITH_SHOP) == []


@pytest.mark.parametrize(
    "html", ["<{{ status }}>", "<fo{{ status }}rm>", "<{% if reason %}form{% endif %}>", "<a {{ status }}='x'>b</a>"]
)
def test_no_placeholder_names_an_element_or_attribute(html: str) -> None:
    kept, _ = with_more(html)
    found = read(kept)
    assert isinstance(found, list)
    assert [it.code for it in found] == ["layout_html"]


def test_an_element_that_is_said_is_text() -> None:
    kept, _ = with_more("{{ '<form>' }}&lt;form&gt;")
    assert isinstance(read(kept), Layout)


@pytest.mark.parametrize(
    ("html", "suggestion"),
    [
        ("<tabel></tabel>", "<table>"),
        ("<td widht='9'></td>", "width"),
        ("<button>a</button>", '<a href="…">'),
        ("<svg></svg>", '<img src="…" alt="…">'),
        ("<a href='//shop.example.com/'>a</a>", "https://shop.example.com/"),
        ("<a href='care@example.com'>a</a>", "mailto:care@example.com"),
        ("<a href='care@{% if reason %}x{% endif %}'>a</a>", None),
        ("<script></script>", None),
    ],
)
def test_it_is_said_what_was_probably_meant(html: str, suggestion: str | None) -> None:
    found = read(with_more(html)[0])
    assert isinstance(found, list)
    assert found[0].suggestion == suggestion


def test_all_that_is_wrong_is_told_at_once_within_reason() -> None:
    found = read(with_more("<form></form><p onclick='x'></p>" * 2)[0])
    assert isinstance(found, list) and len(found) == 4
    found = read(with_more("<x></x>" * 500)[0])
    assert isinstance(found, list) and len(found) == 30


def test_the_shipped_layout_has_nothing_to_warn_of() -> None:
    texts = shipped()
    layout = read(texts)
    assert isinstance(layout, Layout)
    assert layout.warnings == ()
    assert remote_pictures(texts, texts["plan.yaml"]) == []
    assert list(accessibility.check_layout(layout.files)) == []
    assert list(client_support.check_layout({**layout.files, THEME: texts[THEME]})) == []
