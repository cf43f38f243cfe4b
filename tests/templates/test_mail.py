"""The bytes of a mail, read back by two parsers that share nothing with what wrote them."""

from __future__ import annotations

import email
import re
from email.header import decode_header, make_header

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avisa.ports import Mail, RenderedMessage
from tests.depth import examples
from tests.templates.harness import catalog_of, drafted, files, mailed, usual
from tests.templates.mail_parsing import INTENDED, parsed, well_formed

EVIL = "=?utf-8?q?a=0d=0aBcc=3a_evil=40x=2eexample?="
HOSTILE = [
    "Eve\r\nBcc: evil@x.example",
    "Eve\nBcc: evil@x.example",
    "Eve\x00\x85\u2028Bcc: evil@x.example",
    'Eve" <evil@x.example>, "',
    "Eve\\",
    "<evil@x.example>, x",
    EVIL,
    "=?utf-8?b?" + "QUFB" * 40 + "?=",
    "e\u0301" * 500,
    "\u202eevE\u2066",
    "n" * 10_000,
    "名前" * 300,
    "🚚" * 90,
    "(comment) , ; : @ [x]",
    "\ud800",
]
names = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(max_size=300),
    st.text(alphabet='=?utf8bq"<>,;@\\\r\n\t \x00é名', max_size=120),
)


def test_a_mail_says_what_was_written() -> None:
    rendered, mail = mailed(usual())
    message = well_formed(mail)
    text, html = message.iter_parts()
    assert [part.get_content_type() for part in (text, html)] == ["text/plain", "text/html"]
    assert text.get_content().replace("\r\n", "\n") == rendered.text
    assert html.get_content().replace("\r\n", "\n") == rendered.html
    assert message["Subject"] == rendered.subject
    assert message["From"].addresses[0].display_name == "Loja Azul, Lda"
    assert message["Reply-To"].addresses[0].display_name == "Núria"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Feedback-ID"] == "update:shown:default:avisa"
    assert message["Date"].datetime.isoformat() == "2026-03-02T10:15:00+00:00"
    assert (mail.sender, mail.recipient) == ("avisos@example.com", "ana.sousa@example.com")


@examples(150)
@given(name=names, number=names)
def test_no_name_or_number_can_change_the_header(name: str, number: str) -> None:
    _, mail = mailed(usual(), customer_name=name, details_number=number)
    message = well_formed(mail)
    (to,) = message["To"].addresses
    assert to.addr_spec == "ana.sousa@example.com"
    # The second reader: the old parser, and the decoder of RFC 2047 by itself.
    plain = email.message_from_bytes(mail.data)
    for header in ("To", "Subject"):
        decoded = str(make_header(decode_header(re.sub(r"\r\n(?=\s)", "", plain[header]))))
        assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029]|=\\?", decoded)
    assert decoded == message["Subject"]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_reach_the_right_reader_only(name: str) -> None:
    _, mail = mailed(usual(), customer_name=name)
    message = well_formed(mail)
    assert [address.addr_spec for address in message["To"].addresses] == ["ana.sousa@example.com"]
    assert "Bcc" not in message


@examples(60)
@given(value=st.text(max_size=400))
def test_bodies_survive_whatever_a_value_holds(value: str) -> None:
    rendered, mail = mailed(usual(), reason=value, details_note=value)
    text, html = well_formed(mail).iter_parts()
    assert text.get_content().replace("\r\n", "\n") == rendered.text
    assert html.get_content().replace("\r\n", "\n") == rendered.html


def test_the_end_of_a_mail_can_not_be_forged() -> None:
    _, mail = mailed(usual(), reason="\r\n.\r\nMAIL FROM:<evil@x.example>", details_note="\n.\n--=_avisa_--")
    assert b"\r\n." not in mail.data
    assert mail.data.count(b"--=_avisa_--") == 1
    well_formed(mail)


def test_a_reminder_can_be_stopped_in_one_click() -> None:
    catalog = usual()
    rendered, mail = mailed(catalog, "still-in-progress")
    intended = [*INTENDED[:6], "List-Unsubscribe", "List-Unsubscribe-Post", *INTENDED[6:]]
    message = well_formed(mail, intended)
    url = message["List-Unsubscribe"].strip("<>")
    assert re.fullmatch(r"https://avisa\.example\.com/u/[\w-]{20,60}=*", url)
    assert b"List-Unsubscribe: <" + url.encode() + b">\r\n" in mail.data
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert url in rendered.text
    assert url in rendered.html


def test_an_update_or_a_service_without_address_offers_no_unsubscribing() -> None:
    well_formed(mailed(usual())[1])
    well_formed(mailed(catalog_of(), "still-in-progress")[1])


def test_mails_of_one_order_are_one_conversation() -> None:
    first, second = (parsed(mailed(usual(), message)[1]) for message in ("shown", "still-in-progress"))
    assert first["References"] == second["References"]
    assert first["Message-ID"] != second["Message-ID"]
    assert re.fullmatch(r"<[0-9a-f-]{36}@example\.com>", first["Message-ID"])


def test_staging_mail_goes_to_one_address_and_says_where_it_would_have_gone() -> None:
    catalog = catalog_of(redirect_to="staging@example.org")
    _, mail = mailed(catalog)
    message = well_formed(mail, [*INTENDED[:6], "X-Avisa-Intended-To", *INTENDED[6:]])
    assert mail.recipient == "staging@example.org"
    assert message["To"].addresses[0].addr_spec == "staging@example.org"
    assert message["X-Avisa-Intended-To"] == "ana.sousa@example.com"


def test_a_draft_made_before_redirecting_is_redirected_too() -> None:
    draft = drafted(catalog_of())
    catalog = catalog_of(redirect_to="staging@example.org")
    assert isinstance(catalog.render(draft), RenderedMessage)
    mail = catalog.renderer.mail(_letter(draft.json), "k")
    assert isinstance(mail, Mail)
    assert mail.recipient == "staging@example.org"


def _letter(json: bytes):
    import orjson

    from avisa.ports import RenderInput

    return RenderInput(**orjson.loads(json))


def test_domains_are_written_in_ascii() -> None:
    folder = files()
    folder["plan.yaml"] = folder["plan.yaml"].replace("avisos@example.com", "avisos@exämple.example")
    _, mail = mailed(catalog_of(folder), customer_email="ana@müller.example")
    message = well_formed(mail)
    assert mail.sender == "avisos@xn--exmple-cua.example"
    assert mail.recipient == "ana@xn--mller-kva.example"
    assert message["Message-ID"].endswith("@xn--exmple-cua.example>")
