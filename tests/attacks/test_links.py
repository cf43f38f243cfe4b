"""A link leads where it seems to lead: it is read as browsers read it, and written in its canonical form."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from avisa import plan_file, views
from avisa.catalog import Catalog
from avisa.core.model import State
from avisa.links import Flaw, Link, LinkRule, read, written
from tests.flows.harness import running
from tests.templates.harness import PLAN, catalog_of, compiled, files, mailed, usual

SHOP = "https://shop.example.com/orders/1042"
# What an event sends, and the clause of the timeline that says why there is no button.
NO_LINKS = [
    ("https://shop.example.com@evil.example/", "it names a user before its host"),
    ("https://shop.example.com:443@evil.example/", "it names a user before its host"),
    ("https://:secret@evil.example/", "it names a user before its host"),
    ("https:\\\\shop.example.com@evil.example\\", "it names a user before its host"),
    ("https://shоp.example.com/", "its host mixes scripts"),  # a Cyrillic о
    ("https://xn--shp-ted.example.com/", "its host mixes scripts"),
    ("https://аррӏе.com/", "its host looks like another"),  # all of it Cyrillic
    ("https://shop.νοτ.com/", "its host looks like another"),
    ("https://xn--0.example/", "its host cannot be read"),
    ("https://127.0.0.1/", "its host is a number"),
    ("https://2130706433/", "its host is a number"),
    ("https://0x7f.1/", "its host is a number"),
    ("https://１２７.0.0.1/", "its host is a number"),
    ("https://[::1]/", "its host is a number"),
    ("https://0177.0.0.1/", "its host is a number"),
    ("https://0xa9fea9fe/", "its host is a number"),
    ("https://①②⑦.0.0.1/", "its host is a number"),
    ("https://127。0。0。1/", "its host is a number"),
    ("https://[::ffff:127.0.0.1]/", "its host is a number"),
    ("https://0/", "its host is a number"),
    ("https://xn--80ak6aa92e.com/", "its host looks like another"),
    ("https://%61dmin@evil.example/", "it names a user before its host"),
    ("https://a@b@evil.example/", "it names a user before its host"),
    ("https://foo.localhost/", "its host is local"),
    ("https://metadata.google.internal/", "its host is local"),
    ("https://shop.onion/", "its host is local"),
    ("https://home.arpa/", "its host is local"),
    ("https://shop example.com/", "no browser can read it"),
    ("JAVASCRIPT://%0aalert(1)", "it does not begin with https:"),
    ("ftp://shop.example.com/", "it does not begin with https:"),
    ("https://localhost/", "its host is local"),
    ("https://LOCALHOST./", "its host is local"),
    ("https://printer.local/", "its host is local"),
    ("https://intranet/", "its host is local"),
    ("https://db.internal:8443/", "its host is local"),
    ("https://shop.example.com:25/", "no browser opens its port"),
    ("https://shop.example.com:0/", "no browser opens its port"),
    ("https://shop.example.com:99999/", "no browser can read it"),
    ("https://a..example/", "its host is none"),
    (f"https://{'a' * 64}.example/", "its host is none"),
    (f"https://{'a.' * 600}example/", "its host is too long"),
    ("https:" + "a" * 400, "its host is too long"),
    ("http://shop.example.com/", "it begins with http:, not https:"),
    ("tel:+351210000000", "it does not begin with https:"),
    ("mailto:a@b.example", "it does not begin with https:"),
    ("java\nscript:alert(1)", "it does not begin with https:"),
    ("data:text/html,x", "it does not begin with https:"),
    ("//evil.example/x", "it does not begin with https:"),
    ("shop.example.com", "it does not begin with https:"),
    ("https://", "no browser can read it"),
    (f"{SHOP}?{'x' * 3_000}", "it is longer than 1999 characters"),
]
# What an event sends, and where the button leads.
LINKS = [
    (SHOP, SHOP),
    (" https://SHOP.example.com:443/a/../b ", "https://shop.example.com/b"),
    ("https:\\\\shop.example.com\\x", "https://shop.example.com/x"),
    ("https:shop.example.com", "https://shop.example.com/"),
    ("https://shop.exam\u00adple.com/", "https://shop.example.com/"),
    ("https://shop.example.com\u3002evil.example/", "https://shop.example.com.evil.example/"),
    ("https://shop.example.com%2eevil.example/", "https://shop.example.com.evil.example/"),
    ("https://shop.example.com\t.evil.example/", "https://shop.example.com.evil.example/"),
    ("https:///shop.example.com", "https://shop.example.com/"),
    ("https://:@shop.example.com/", "https://shop.example.com/"),
    ("https://shop.example.com/\u202e", "https://shop.example.com/%E2%80%AE"),
    ('https://shop.example.com/?a="onclick', "https://shop.example.com/?a=%22onclick"),
    ("https://shop.example.com/<b>", "https://shop.example.com/%3Cb%3E"),
    ("https://ｓｈｏｐ.example.com/", "https://shop.example.com/"),
    ("https://shop.example.com:8443/x", "https://shop.example.com:8443/x"),
    ("https://bücher.example/", "https://xn--bcher-kva.example/"),
    ("https://例え.jp/", "https://xn--r8jz45g.jp/"),
    ("https://магазин.example/", "https://xn--80aairftm.example/"),
    ("https://shop.example.com/@user:pass", "https://shop.example.com/@user:pass"),
]
LINKS_PLAN = PLAN.replace(
    "    locale: pt-PT\n", "    locale: pt-PT\n    url: https://azul.example\n    links: [shop.example.com]\n"
)


@cache
def bound() -> Catalog:
    """A catalog whose brand names the hosts that may be linked to."""
    folder = files()
    folder["plan.yaml"] = LINKS_PLAN
    return catalog_of(folder)


def hrefs(html: str) -> list[str]:
    return re.findall(r'class="go" href="([^"]*)"', html)


@pytest.mark.parametrize(("url", "problem"), NO_LINKS)
def test_what_could_lead_astray_loses_its_button(url: str, problem: str) -> None:
    assert LinkRule().read(url) == Flaw(problem)


@pytest.mark.parametrize(("url", "problem"), NO_LINKS[::8])
def test_a_mail_without_its_button_says_so(url: str, problem: str) -> None:
    rendered, mail = mailed(usual(), details_url=url)
    assert hrefs(rendered.html) == []
    assert "Look" not in rendered.text
    assert mail.notes == (f"order.url is no link: {problem}",)


@pytest.mark.parametrize(("url", "href"), LINKS)
def test_a_link_is_written_canonically(url: str, href: str) -> None:
    found = LinkRule().read(url)
    assert isinstance(found, Link) and found.href == href
    assert read(href) == found


@pytest.mark.parametrize(
    ("url", "leads"),
    [
        (SHOP, True),
        ("https://shop.example.com./x", True),
        ("https://azul.example/conta", True),
        ("https://evil.example/", False),
        ("https://shop.example.com.evil.example/", False),
        ("https://evil.example\\@shop.example.com/", False),
        ("https://evil.example/#@shop.example.com/", False),
        ("https://sub.shop.example.com/", False),
    ],
)
def test_a_brand_that_names_hosts_links_to_no_other(url: str, leads: bool) -> None:
    rendered, mail = mailed(bound(), details_url=url)
    assert len(hrefs(rendered.html)) == leads
    assert [("none of the brand's `links`" in note) for note in mail.notes] == [True] * (not leads)


def test_what_operators_wrote_is_held_to_no_host() -> None:
    folder = files(
        shown="---\nsubject: x\nshort: x\n---\n{{ button('A', 'https://carrier.example/') }}\n\n[b](tel:+351)\n\n"
        "{{ button('C', order.url or 'https://help.example/') }}\n\n[d]({{ brand.url | default('') }})"
    )
    folder["plan.yaml"] = LINKS_PLAN
    rendered, mail = mailed(catalog_of(folder), details_url="https://evil.example/")
    assert hrefs(rendered.html) == ["https://carrier.example/", "https://help.example/"]
    assert 'href="https://azul.example/"' in rendered.html and 'href="tel:+351"' in rendered.html
    assert len(mail.notes) == 1


def test_http_is_for_brands_that_have_it_themselves() -> None:
    assert LinkRule.of("http://shop.example.com/", ()).read("http://track.example/") == read("http://track.example/")
    assert isinstance(LinkRule.of("https://shop.example.com/", ()).read("http://track.example/"), Flaw)


@pytest.mark.parametrize(
    "address", ["https://a@b.example/", "https://127.0.0.1/x", "http://localhost:8080/", "https://shоp.example/"]
)
def test_plan_and_templates_refuse_the_same(address: str) -> None:
    assert written(address) is None
    made, problems = compiled(f"[x]({address})")
    assert made is None and [it.code for it in problems] == ["link_scheme"]
    made, problems = compiled(f"[x]({address.rstrip('/')}/{{{{ order.number }}}})")
    assert made is None and [it.code for it in problems] == ["link_scheme"]
    made, problems = compiled(f"{{{{ button('x', '{address}') }}}}")
    assert made is None and [it.code for it in problems] == ["link_scheme"]
    read_plan = plan_file.read(PLAN.replace("    locale: pt-PT\n", f"    url: '{address}'\n"), file="plan.yaml")
    assert isinstance(read_plan, list) and [it.code for it in read_plan] == ["bad_link"]


@pytest.mark.parametrize(
    ("host", "meant"),
    [
        ("https://shop.example.com/x", "shop.example.com"),
        ("shop.example.com/x", None),
        ("localhost", None),
        ("*", None),
    ],
)
def test_the_plan_names_hosts_only(host: str, meant: str | None) -> None:
    read_plan = plan_file.read(LINKS_PLAN.replace("[shop.example.com]", f"['{host}']"), file="plan.yaml")
    assert isinstance(read_plan, list)
    assert [(it.code, it.suggestion) for it in read_plan] == [("bad_link", meant)]


async def test_the_timeline_says_why_a_button_is_not_there(tmp_path: Path) -> None:
    async with running(tmp_path / "avisa.db", plan=LINKS_PLAN) as flows, flows.sending():
        await flows.happens("shipped", details__url="https://evil.example/")
        key = "A-1/1/update/1/customer"
        await flows.became(key, State.SENT)
        timeline = await views.timeline(flows.store.queries, "A-1")
    notes = [(line["kind"], line["reason"], line["note"]) for line in (timeline or {})["entries"] if line["note"]]
    assert notes == [("note", None, "order.url is no link: its host is none of the brand's `links`")]
