"""An address that a browser would mend is mended, percent-encoded, and keeps its link in both texts of the mail."""

from __future__ import annotations

import random
from html import unescape

import ada_url
import pytest

from avisa.links import USUAL
from tests.templates.harness import mailed, usual

TRACK = "https://track.example"
MENDED = [
    (f"{TRACK}/find?number=RB 123 456 PT", f"{TRACK}/find?number=RB%20123%20456%20PT"),
    (f"{TRACK}/encomendas/São João", f"{TRACK}/encomendas/S%C3%A3o%20Jo%C3%A3o"),
    (f"{TRACK}/?ids[]=1&ids[]=2", f"{TRACK}/?ids%5B%5D=1&ids%5B%5D=2"),
    (f"{TRACK}/a|b^c`d{{e}}", f"{TRACK}/a%7Cb%5Ec%60d%7Be%7D"),
    (f'{TRACK}/"quoted"<x>', f"{TRACK}/%22quoted%22%3Cx%3E"),
    (f"{TRACK}/日本?q=数#量", f"{TRACK}/%E6%97%A5%E6%9C%AC?q=%E6%95%B0#%E9%87%8F"),
    (f"  {TRACK}/x  ", f"{TRACK}/x"),
    (f"{TRACK}/a\tb", f"{TRACK}/a%20b"),  # a tab in a value is a blank
    (f"{TRACK}", f"{TRACK}/"),
    (f"{TRACK}/done%20already?x=%5B%5D", f"{TRACK}/done%20already?x=%5B%5D"),
    (f"{TRACK}/100%", f"{TRACK}/100%"),
    ("https://münchen.example/straße", "https://xn--mnchen-3ya.example/stra%C3%9Fe"),
]


@pytest.mark.parametrize(("sent", "link"), MENDED)
def test_a_link_that_a_browser_would_mend_is_whole(sent: str, link: str) -> None:
    rendered, mail = mailed(usual(), details_url=sent)
    assert f'href="{link}"' in unescape(rendered.html)
    assert f"Look:\n{link}\n" in rendered.text
    assert mail.notes == ()


def test_a_usual_address_is_read_as_a_browser_reads_it() -> None:
    chance = random.Random(1)
    hosts = (
        "shop.example.com",
        "-a.b-.pt",
        "ab--cd.io",
        "x.0x1.com",
        "0x.ab",
        "XN--a.com",
        f"{'a' * 63}.com",
        "1.2.3",
    )
    letters = "aZ09-_~" * 3 + "./=&?" * 2 + "%+#:@!;\\|é "
    usual = 0
    for _ in range(5_000):
        address = f"https://{chance.choice(hosts)}/{''.join(chance.choices(letters, k=chance.randint(0, 12)))}"
        if USUAL.fullmatch(address):
            usual += 1
            assert ada_url.URL(address).href == address
    assert usual > 500
