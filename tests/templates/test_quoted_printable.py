"""The HTML of mails is quoted-printable, piece by piece, and readers get what was written."""

from __future__ import annotations

import email
import quopri
import random
from dataclasses import dataclass, replace
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from html import escape

import pytest

from avisa.core import samples
from avisa.core.model import Fact
from avisa.ports import Draft, Mail, RenderedMessage
from avisa.templates.jinja.filters import functions
from avisa.templates.limits import Budget
from avisa.templates.quoted_printable import pieces
from tests.depth import rounds
from tests.mails import harness as mails
from tests.templates.harness import NOW

CHARACTERS = "aaaabcdeé€😀שع=.  \n\t~<&\"'\x7f"
EDGES = ("", " ", ".", "=", "\n", " \n", "\n.", "a" * 36, "a" * 37, "é" * 12, "." * 80, " " * 80, "=" * 80, "😀" * 40)


def assert_fit_to_be_sent(body: bytes) -> None:
    """What RFC 2045 section 6.7 and RFC 5321 section 4.5.2 ask of a line."""
    for line in body.split(b"\r\n"):
        assert len(line) <= 76, line
        assert not line.startswith(b"."), line
        assert not line.endswith((b" ", b"\t")), line
        assert all(0x20 <= byte <= 0x7E for byte in line), line


@dataclass(frozen=True)
class Value:
    """A text that is filled in; other texts are an operator's."""

    text: str


def text(dice: random.Random) -> str:
    if dice.random() < 0.4:
        return dice.choice(EDGES)
    return "".join(dice.choices(CHARACTERS, k=dice.choice([1, 3, 35, 36, 37, 71, 72, 73, dice.randrange(200)])))


def test_whatever_pieces_meet_readers_get_what_was_written() -> None:
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")
    dice = random.Random(seed)
    shown = functions({})["escape"]
    for _ in range(rounds(3_000)):
        blocks = [
            [Value(text(dice)) if dice.random() < 0.5 else text(dice) for _ in range(dice.randrange(4))]
            for _ in range(dice.randrange(8))
        ]
        written = "".join(
            shown(piece.text, Budget()) if isinstance(piece, Value) else piece
            for block in blocks
            for piece in pieces(block)
        ).encode("ascii")
        meant = "".join(escape(part.text) if isinstance(part, Value) else part for block in blocks for part in block)
        assert quopri.decodestring(written) == meant.replace("\n", "\r\n").encode(), blocks
        assert_fit_to_be_sent(written)


def head_of(mail: Mail) -> bytes:
    return mail.data.partition(b"\r\n\r\n")[0]


def in_parts(mail: bytes) -> list[tuple[str, str | None, str]]:
    """Type, charset and text of each part."""
    parts = [part for part in email.message_from_bytes(mail).walk() if not part.is_multipart()]
    texts = [part.get_payload(decode=True).decode("utf-8") for part in parts]
    kinds = [(part.get_content_type(), part.get_content_charset()) for part in parts]
    return [(*kind, text) for kind, text in zip(kinds, texts, strict=True)]


def independent(rendered: RenderedMessage) -> bytes:
    """The texts as the standard library writes them."""
    both = MIMEMultipart("alternative")
    both.attach(MIMEText(rendered.text.replace("\n", "\r\n"), "plain", "utf-8"))
    both.attach(MIMEText(rendered.html.replace("\n", "\r\n"), "html", "utf-8"))
    return both.as_bytes()


@pytest.mark.parametrize("locale", mails.LOCALES)
def test_every_shipped_mail_reads_as_if_the_standard_library_had_encoded_it(locale: str) -> None:
    firm = mails.spoken(locale)
    before = replace(firm, renderer=firm.renderer.as_of("avisa=0.1.0"))
    for message in mails.messages():
        for name, (order, notification) in samples.samples(message, firm.plan, NOW).items():
            facts = {**order.facts, "customer.locale": Fact(rank=order.status_rank, value=locale)}
            draft = firm.draft(notification, replace(order, facts=facts), NOW)
            assert isinstance(draft, Draft), draft
            rendered, mail, in_base64 = (
                firm.render(draft),
                firm.compose(notification, draft),
                before.compose(notification, draft),
            )
            assert isinstance(rendered, RenderedMessage), rendered
            assert isinstance(mail, Mail), mail
            assert isinstance(in_base64, Mail), in_base64
            assert head_of(mail) == head_of(in_base64)
            assert in_parts(mail.data) == in_parts(in_base64.data) == in_parts(independent(rendered))
            assert_fit_to_be_sent(mail.data.partition(b"quoted-printable\r\n\r\n")[2])
            assert len(mail.data) < len(in_base64.data), (message, name)
