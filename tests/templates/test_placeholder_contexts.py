"""Where a placeholder of the layout may stand, and that no order gets out of there."""

from __future__ import annotations

from pathlib import Path

import pytest

from avisa.templates.jinja import parser
from avisa.templates.layout import html_scanner, placeholder_contexts
from avisa.templates.layout.layout import Layout, read
from avisa.templates.reserved import RESERVED
from tests.hostile.page import Page, objections
from tests.hostile.values import PAYLOADS
from tests.templates.harness import catalog_of, files, layout_with, mailed

NOTE = "{{ order.note | default('') }}"
ODD = "a `<` that begins no tag; write `&lt;`, and look for a quote that is not closed"
ONLY = "within `{}` there can be no placeholder but `brand.logo`, `brand.reply_to`, `brand.url`, `unsubscribe`"
ALLOWED = [
    f"<p>{NOTE}</p>",
    f'<p title="a {NOTE}">b</p>',
    "<p title='{% if order.note %}{{ order.note }}{% endif %}'>b</p>",
    '{% if brand.reply_to %}<a href="mailto:{{ brand.reply_to }}">b</a>{% endif %}',
    '<a href="{% if brand.url %}{{ brand.url }}{% endif %}">b</a>',
    '<p style="color: {{ brand.color }}">b</p>',
    '<p dir="{{ dir }}">b</p>',
    "<p class='{% if order.note %}a{% endif %}'>b</p>",
]
REFUSED = [
    (f"‸<!--[if mso]><style><![endif]--><p>{NOTE}</p>", "within a comment, this `<style>` must be closed, too"),
    (f"‸<!--[if mso]><TITLE><![endif]--><p>{NOTE}</p>", "within a comment, this `<title>` must be closed, too"),
    (
        f"‸<!--[if mso]></style><style><![endif]-->{NOTE}",
        "within a comment, `</style>` closes nothing that was opened there",
    ),
    (f"‸<p {NOTE}>b</p>", "within a tag, a placeholder can stand only in the quotes of a value"),
    (f"‸<p a{NOTE}>b</p>", "within a tag, a placeholder can stand only in the quotes of a value"),
    (f"‸<p {NOTE}=1>b</p>", "within a tag, a placeholder can stand only in the quotes of a value"),
    (f"‸<p title={NOTE}>b</p>", "within a tag, a placeholder can stand only in the quotes of a value"),
    (f'‸<p dir="{NOTE}">b</p>', "within `dir` there can be no placeholder but `dir`"),
    ("""‸<a href="{{ dir }}">b</a>""", ONLY.format("href")),
    ("‸<p title={{ short }}>b</p>", "within a tag, a placeholder can stand only in the quotes of a value"),
    ("‸<p\xa0title=\"><a href='{{ order.url }}'>x</a>\">b</p>", ODD),
    ('‸<p title=\u2003"><b>x</b>">b</p>', ODD),
    (f"<style lang='a>b</title'>p {{ color: {NOTE} }}‸</style>", "within `<style>` there can be no placeholder"),
    (
        f"<p title='<title>'>x</p><style>p {{ color: {NOTE} }}‸</style>",
        "within `<style>` there can be no placeholder",
    ),
    ("<title lang='a>b</title'>{{ content }}‸</title>", "`content` can stand between elements only"),
    ("‸<\u017f title='a'>b</\u017f>", ODD),
    ("‸<lin\u212a>", ODD),
    (f"‸<p class='{NOTE}'>b</p>", ONLY.format("class")),
    (f"‸<a ping='{NOTE}'>b</a>", ONLY.format("ping")),
    (
        f"‸<p bgcolor='{NOTE}'>b</p>",
        "within `bgcolor` there can be no placeholder but `brand.color`, `brand.on_color`",
    ),
    ("‸<p {% if reason %}title='a'{% endif %}>b</p>", "within a tag, an `if` or `for` can stand in quotes only"),
    ("‸<p title={% if reason %}a{% endif %}>b</p>", "within a tag, an `if` or `for` can stand in quotes only"),
    (f"‸<!-- {NOTE} --><p>b</p>", "within a comment there can be no placeholder"),
    ("‸<!-- {% if reason %} -->{% endif %}<p>b</p>", "within a comment there can be no placeholder"),
    (f"<style>p {{ color: {NOTE} }}‸</style>", "within `<style>` there can be no placeholder"),
    ("<title>{{ content }}‸</title>", "`content` can stand between elements only"),
    ("‸<p title='{{ content }}'>b</p>", "`title` cannot hold that placeholder"),
    ("‸<meta http-equiv=refresh content='0;url={{ order.url }}'>", "`content` cannot hold that placeholder"),
    (
        f"‸<p style='color: {NOTE}'>b</p>",
        "within `style` there can be no placeholder but `brand.color`, `brand.on_color`",
    ),
    *(
        (f"‸<{tag}>", f"within `{name}` there can be no placeholder but `brand.logo`, `brand.url`")
        for name, tag in (("src", "img src='{{ order.url }}' alt=''"), ("background", f"img background='{NOTE}'"))
    ),
    *(
        (
            f"‸<{tag}>",
            ONLY.format(name),
        )
        for name, tag in (
            ("href", f"link href='{NOTE}'"),
            ("href", f"link href=' java{NOTE}'"),
            ("href", f"link href='https://shop.example/{NOTE}'"),
            ("href", f"link href='{{% if reason %}}https://a.example/{{% endif %}}{NOTE}'"),
        )
    ),
]


@pytest.mark.parametrize(("html", "said"), REFUSED)
def test_what_would_let_an_order_out_is_refused(html: str, said: str) -> None:
    page = html_scanner.Page.of(parser.parse(html.replace("‸", "")))
    found = html_scanner.flaw(page) or placeholder_contexts.flaw(page, {"content", "unsubscribe"})
    assert found == (html.index("‸"), said)


@pytest.mark.parametrize(
    "html",
    [
        "<!--[if !mso]><!--><b>c</b><!--<![endif]-->",
        "<!--[if !mso]><!-- --><b>c</b><!--<![endif]-->",
        '<!--[if mso]><v:roundrect xmlns:v="urn:x" style="width:9px"><w:anchorlock/></v:roundrect><![endif]-->',
        "<!--[if gte mso 9]><xml><o:PixelsPerInch>96</o:PixelsPerInch></xml><![endif]-->",
        "<!-- only < 600 px wide -->",
        "<!--[if mso]><style>p{color:red}</style><xml><o:a/></xml><table><tr><td><![endif]-->a",
        "{% if brand.url %}<a href='{{ brand.url }}/path?x=1'>a</a>{% endif %}",
        "{% if brand.logo %}<img src='{{ brand.logo }}' alt='{{ brand.name }}' width='9'>{% endif %}",
        '<style type="text/css">@media screen{.a{color:red}}</style>',
    ],
)
def test_html_that_mail_programs_need_is_accepted(html: str) -> None:
    page = html_scanner.Page.of(parser.parse(html))
    assert (html_scanner.flaw(page) or placeholder_contexts.flaw(page, {"content"})) is None


def test_a_frame_as_many_write_them_is_taken() -> None:
    """With what they hold for Outlook, Apple and Gmail, styles of all kinds, and comments in them."""
    kept = files()
    kept["layout/layout.html"] = Path(__file__).with_name("another.html").read_text("utf-8")
    rendered, _ = mailed(catalog_of(kept))
    assert "not Outlook" in rendered.html
    assert "1042" in rendered.html


def test_no_warning_hides_where_a_placeholder_stands() -> None:
    problems = layout_with({"layout.html": "{% if order.ulr %}x{% endif %}" + f'<a href="{NOTE}">x</a>'})
    assert isinstance(problems, list)
    assert [it.code for it in problems] == ["unlikely_name", "layout_html"]


def test_only_what_a_file_is_given_checked_is_an_address() -> None:
    """A loop could call anything `url`."""
    html = parser.parse("{% for url in order.x %}<a href='{{ url }}'>b</a>{% endfor %}")
    assert placeholder_contexts.flaw(html_scanner.Page.of(html), {"items"}) is not None
    assert placeholder_contexts.flaw(html_scanner.Page.of(html), {"text", "url"}) is None


@pytest.mark.parametrize("html", ALLOWED)
def test_no_order_gets_out_of_where_a_placeholder_may_stand(html: str) -> None:
    kept = files()
    kept["layout/layout.html"] = kept["layout/layout.html"].replace("{{ content }}", "{{ content }}" + html)
    assert isinstance(read(kept), Layout), read(kept)
    catalog = catalog_of(kept)
    tame = mailed(catalog, details_note="x")[0].html
    assert not RESERVED.search(tame)
    for text in PAYLOADS:
        rendered, _ = mailed(catalog, details_note=f"x{text}x")
        assert list(objections(rendered.html)) == list(objections(tame))
        assert Page(rendered.html).tags == Page(tame).tags
