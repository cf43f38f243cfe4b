"""No word that a stranger typed becomes a link in a mail of the shop.

A name has the shape of a name, or is not said. In every other value that the shop did not write itself, a word that
mail programs would make a link of is broken.
"""

from __future__ import annotations

import re

import pytest

from tests.templates.harness import mailed, usual
from tests.templates.mail_parsing import parsed

# What mail programs make a link of, as their makers describe it, with none of our own patterns.
_LINKED = re.compile(
    r"\b(?:www\.\S|[a-z][a-z0-9+]*://|[\w-]+(?:\.[\w-]+)*\.(?:com|example|de|рф|zip|uk)\b)", re.IGNORECASE
)

NAMES = [  # what is typed as a name, and what `To:` and the greeting say
    ("www.evil.example/x", ""),
    ("X Your parcel is blocked: pay at evil.com/p", ""),
    ("Your parcel is blocked now", ""),
    ("Your Parcel Is Blocked Now", "Your Now"),
    ("Ana evil.com", ""),
    ("Ana https://evil.example", ""),
    ("ana@evil.example", ""),
    ("Ana\nYour parcel: evil. com", ""),
    ("A" * 61, ""),
    ("E.V.I.L.Com", ""),
    ("T.Co", ""),
    ("1.1.1.1", ""),
    ("evil\u2024com", ""),
    ("evil\u2e31com", ""),
    ("ＥＶＩＬ．ＣＯＭ", ""),
    ("O'Neil.com", ""),
    ("evil[.]com", ""),
    ("<b>Ana</b>", ""),
    ("Ana=?utf-8?q?x?=", ""),
    ("Call +351 210 000 000", ""),
    ("Ana Sousa", "Ana Sousa"),
    ("José-María García", "José-María García"),
    ("Sinéad O’Connor", "Sinéad O’Connor"),
    ("J. R. R. Tolkien", "J. R. R. Tolkien"),
    ("Maria José da Silva e Santos", "Maria José da Silva e Santos"),
    ("Maria José da Silva Santos Pereira", "Maria Pereira"),
    ("Gal·la Puig", "Gal·la Puig"),
    ("ジョン・スミス", "ジョン・スミス"),
    ("Nguyễn Văn An", "Nguyễn Văn An"),
    ("अमित शर्मा", "अमित शर्मा"),
]
TYPED = [  # what is typed as a note, an item or a number, and what the mail says
    ("www.evil.example/x", "www. evil. example/x"),
    ("pay at evil.com/p", "pay at evil. com/p"),
    ("https://evil.example", "https: //evil. example"),
    ("http://3232235777/x", "http: //3232235777/x"),
    ("WWW.EVIL.COM", "WWW. EVIL. COM"),
    ("write to ana@evil.example", "write to ana@evil. example"),
    ("evil\uff0ecom", "evil\uff0e com"),
    ("пример.рф", "пример. рф"),
    ("évil.com", "évil. com"),
    ("invoice.zip", "invoice. zip"),
    ("x.co.uk:8080", "x. co. uk:8080"),
    ("evil\u200b.com", "evil. com"),
    ("evil\u0323.com", "evil\u0323. com"),
    ("evil.भारत", "evil. भारत"),
    ("இந்தியா.இந்தியா", "இந்தியா. இந்தியா"),
    ("\U0001f4a9.la", "\U0001f4a9. la"),
    ("evil\ufe52com", "evil\ufe52 com"),
    ("évil。com", "évil。 com"),
    ("пример。рф", "пример。 рф"),
    ("10.0.0.1/x", "10. 0. 0. 1/x"),
    ("see 10.0.0.1:8080", "see 10. 0. 0. 1:8080"),
    ("\\\\evil\\share", "\\ \\evil\\share"),
    ("file:evil", "file: evil"),
    ("skype:evil?call", "skype: evil?call"),
    ("facetime:351210000000", "facetime: 351210000000"),
    ("Vase, 30.5 cm", "Vase, 30.5 cm"),
    ("U.S.A.", "U.S.A."),
    ("z.B. blau", "z.B. blau"),
    ("v1.2.3", "v1.2.3"),
    ("1.2.3.4", "1.2.3.4"),
    ("木。花瓶", "木。花瓶"),
    ("SKU:1042", "SKU:1042"),
    ("profile:a", "profile:a"),
    ("1.234,50", "1.234,50"),
    ("at 10:15", "at 10:15"),
]


@pytest.mark.parametrize(("typed", "name"), NAMES)
def test_a_name_has_the_shape_of_a_name_or_is_not_said(typed: str, name: str) -> None:
    rendered, mail = mailed(usual(), customer_name=typed)
    (to,) = parsed(mail)["To"].addresses
    assert to.display_name == name
    assert not _LINKED.search(rendered.text.partition("\n")[0] + rendered.subject + rendered.short)


@pytest.mark.parametrize(("typed", "shown"), TYPED)
def test_no_mail_program_makes_a_link_of_what_was_typed(typed: str, shown: str) -> None:
    rendered, mail = mailed(
        usual(), details_note=typed, details_number=typed, details_items=[{"name": typed, "quantity": 1}], reason="r"
    )
    texts = [part.get_content() for part in parsed(mail).iter_parts()]
    for text in (*texts, rendered.subject, rendered.short):
        assert shown in text
        assert shown == typed or typed not in text


def test_what_the_shop_wrote_is_as_the_shop_wrote_it() -> None:
    rendered, _ = mailed(usual(), reason="See https://shop.example/help or shop.example.")
    assert "See https://shop.example/help or shop.example." in rendered.text
    assert "https://shop.example.com/orders/1042" in rendered.text


@pytest.mark.parametrize("name", ["number", "items", "note"])
def test_only_a_reason_has_lines(name: str) -> None:
    typed = "Your parcel is blocked.\n\nPay now"
    value = [{"name": typed}] if name == "items" else typed
    rendered, _ = mailed(usual(), **{f"details_{name}": value})
    assert "Your parcel is blocked. Pay now" in rendered.text


@pytest.mark.parametrize("name", ["number", "items"])
def test_what_is_one_line_has_an_end(name: str) -> None:
    value = [{"name": "x" * 500}] if name == "items" else "x" * 500
    rendered, _ = mailed(usual(), **{f"details_{name}": value})
    assert "x" * 119 + "…" in rendered.text
    assert "x" * 120 not in rendered.text
