"""Values stay what they are: text. Whatever they spell, nothing reads it a second time."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avisa.core.hosts import without_links
from tests.depth import examples
from tests.templates.harness import mailed, usual

SPELT = [
    "{{ 7*7 }}",
    "{% raw %}",
    "{# x #}",
    "${jndi:ldap://x}",
    "**bold** _it_ `code`",
    "# heading",
    "- item",
    "[x](http://evil.example)",
    "![x](http://evil.example/x.png)",
    "<b>bold</b>",
    "<script>alert(1)</script>",
    "</title><img src=x onerror=alert(1)>",
    "<!--x-->",
    "&lt;script&gt;",
    '" onmouseover="alert(1)',
    "=?utf-8?q?x?=",
]


class Seen(HTMLParser):
    """The text of a page and its elements, as a browser would take them."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.tags: list[str] = []
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.comments: list[str] = []  # for Outlook on Windows
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


PLAIN = Seen(mailed(usual(), customer_name="Ana", details_note="x", reason="x")[0].html)


@pytest.mark.parametrize("value", SPELT)
def test_what_a_value_spells_is_shown_and_not_done(value: str) -> None:
    rendered, _ = mailed(usual(), reason=value, details_note=value, details_number=value)
    seen = Seen(rendered.html)
    broken = without_links(value)  # in all but the reason, which the shop writes
    assert seen.text.count(broken) >= 2
    assert rendered.text.count(broken) >= 2
    assert value in seen.text
    assert value in rendered.text
    assert broken in rendered.subject
    assert broken in rendered.short
    assert seen.tags == PLAIN.tags
    assert seen.links == PLAIN.links
    assert seen.comments == PLAIN.comments


@examples(100)
@given(value=st.text(alphabet="<>&\"'{}%#*_`[]()!-=/ \nab\ue000\ue0011", min_size=1, max_size=60))
def test_no_value_adds_an_element_or_a_link(value: str) -> None:
    rendered, _ = mailed(usual(), reason="x" + value, details_note="x" + value, customer_name="A" + value)
    seen = Seen(rendered.html)
    assert [tag for tag in seen.tags if tag != "br"] == PLAIN.tags  # a line of a value stays a line
    assert seen.links == PLAIN.links
    assert seen.attributes == PLAIN.attributes


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        " javascript:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "//evil.example/x",
        "/relative",
        "shop.example.com",
        "http://",
        "https://[broken",
        "file:///etc/passwd",
        "",
        17,
        None,
    ],
)
def test_a_link_that_is_none_is_left_out(url: object) -> None:
    rendered, _ = mailed(usual(), details_url=url)
    assert "Look" not in rendered.html
    assert "Look" not in rendered.text


@pytest.mark.parametrize(
    "url",
    ["https://shop.example/a?b=1&c=%20#d", "https://x.example/"],
)
def test_a_link_is_whole_in_html_and_in_text(url: str) -> None:
    rendered, _ = mailed(usual(), details_url=url)
    assert url in Seen(rendered.html).links
    assert url in rendered.text


def test_nothing_is_fetched_when_a_mail_is_opened() -> None:
    assert not {"img", "script", "link", "iframe", "form"} & set(PLAIN.tags)
    assert "url(" not in mailed(usual())[0].html


def test_a_missing_name_leaves_no_gap() -> None:
    rendered, _ = mailed(usual(), customer_name="")
    assert rendered.text.startswith("Olá,\n")
    assert "Olá," in Seen(rendered.html).text


def test_lists_and_texts_have_an_end() -> None:
    many = [{"name": f"thing {count}", "quantity": count} for count in range(5_000)]
    rendered, mail = mailed(usual(), details_items=many, reason="r" * 100_000)
    assert "thing 99" in rendered.text
    assert "thing 100" not in rendered.text
    assert len(mail.data) < 100_000
