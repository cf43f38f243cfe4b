"""A filled message becomes the bytes of a mail: multipart/alternative, assembled from parts prepared per brand.

Headers are folded here and not by a library, which might fold wrongly. A value of an event reaches a header only
through `neutral`, and all but printable ASCII only as RFC 2047 encoded words made here; only in `To` does an address
that is not ASCII stand as it is. Bodies are base64 or quoted-printable, so no line can be too long and no dot can
stand alone.
"""

from __future__ import annotations

import binascii
import re
import struct
from collections.abc import Iterator
from email.utils import parseaddr
from functools import lru_cache

from avisa.core.characters import one_line, visible
from avisa.core.plan import Brand
from avisa.core.quick_dataclass import dataclass
from avisa.ports import RenderedMessage
from avisa.templates.jinja.direction import SIGNS, closed

_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]+(?: [A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]+)*")
_TOKEN = re.compile(r"[^A-Za-z0-9._-]")

_OF_DIRECTION = re.compile(f"([{SIGNS}])")

_LINE = 78  # RFC 5322 section 2.1.1: what a line should not pass
_WORD = 45  # bytes of text in an encoded word: 60 of base64 and 12 around them (RFC 2047 section 2 allows 75)
_AT_ONCE = 4096  # characters; most texts are shorter
_LONGEST_SUBJECT = 250
_LONGEST_NAME = 200

# What decides the bytes of a mail besides its texts. Raise it with every change of them, and keep the form before:
# a mail that was in doubt when Avisa was upgraded goes out again as it was. Form 1 had its HTML in base64.
FORM = 2

_BOUNDARY = b"=_avisa_"  # base64 has no underscore, quoted-printable nothing but `=` and two digits: no body holds it
_TYPE = b'Content-Type: multipart/alternative; boundary="' + _BOUNDARY + b'"\r\n\r\n'
_BASE64 = b"Content-Transfer-Encoding: base64\r\n\r\n"
_QUOTED = b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
_TEXT = b"--" + _BOUNDARY + b"\r\nContent-Type: text/plain; charset=utf-8\r\n" + _BASE64
_HTML = b"\r\n--" + _BOUNDARY + b"\r\nContent-Type: text/html; charset=utf-8\r\n"
_END = b"\r\n--" + _BOUNDARY + b"--\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """The headers that differ from mail to mail. All but `name` are made by Avisa, or checked."""

    to: str
    name: str
    message_id: str
    references: str
    date: str
    feedback_id: tuple[str, ...]
    unsubscribe: str | None = None
    intended_to: str | None = None  # where it would have gone, had it not been redirected


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderHeaders:
    """The headers that all mails of a brand have in common, ready to be sent."""

    sender: str  # the envelope's, and From's, address
    domain: str
    fixed: bytes

    @classmethod
    def of(cls, brand: Brand) -> SenderHeaders:
        """Return the headers of a brand. Raises ValueError if `from` or `reply_to` holds no address."""
        name, sender = _mailbox(brand.sender)
        lines = [b"From: " + mailbox(name, sender, len("From: "))]
        if brand.reply_to:
            lines.append(b"Reply-To: " + mailbox(*_mailbox(brand.reply_to), len("Reply-To: ")))
        lines += [b"MIME-Version: 1.0", b"Auto-Submitted: auto-generated", _TYPE]
        return cls(sender=sender, domain=sender.rpartition("@")[2], fixed=b"\r\n".join(lines))

    def mail(self, heading: Heading, message: RenderedMessage, form: int = FORM) -> bytes:
        """Return the bytes of a mail of that form, with CRLF line ends, not dot-stuffed."""
        feedback = _feedback(heading.feedback_id)
        lines = [
            f"Date: {heading.date}\r\nMessage-ID: {heading.message_id}\r\nTo: ".encode("ascii"),
            mailbox(heading.name, heading.to, len("To: ")),
            b"\r\nSubject: ",
            text(_subject(message.subject), len("Subject: ")),
            f"\r\nReferences: {heading.references}\r\nFeedback-ID: {feedback}\r\n".encode("ascii"),
        ]
        if heading.unsubscribe:
            # RFC 8058 section 3.1. Never folded: mail programs do not look for the address anywhere else.
            lines.append(
                f"List-Unsubscribe: <{heading.unsubscribe}>\r\n"
                "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n".encode("ascii")
            )
        if heading.intended_to:
            # Whoever it was redirected to may have an address for which the relay needs no SMTPUTF8.
            intended = heading.intended_to
            shown = intended.encode() if intended.isascii() else _encoded(intended, len("X-Avisa-Intended-To: "))
            lines.append(b"X-Avisa-Intended-To: " + shown + b"\r\n")
        lines += [self.fixed, _TEXT, *_base64(message.text), _HTML]
        lines += (_BASE64, *_base64(message.html)) if form == 1 else (_QUOTED, message.quoted_html)
        lines.append(_END)
        return b"".join(lines)


@lru_cache(256)
def _feedback(parts: tuple[str, ...]) -> str:
    return ":".join(_TOKEN.sub("-", part) for part in parts)


def neutral(value: str, longest: int) -> str:
    """Return the text as one line of no more than `longest` characters, safe in a header.

    It has no `=?`: some readers decode twice, and would find header lines of the sender's choice (CVE-2024-6923).
    """
    return _shortened(one_line(value), longest)


def _shortened(value: str, longest: int) -> str:
    value = value.replace("=?", "= ?")
    return value if len(value) <= longest else value[: longest - 1].rstrip() + "…"


def _subject(value: str) -> str:
    """Return the subject as `neutral` would, but with the signs that keep the directions in it apart. Values of an
    event hold none (`core.characters`)."""
    pieces = [value] if value.isascii() else _OF_DIRECTION.split(value)
    if len(pieces) == 1:
        return neutral(value, _LONGEST_SUBJECT)
    shown = "".join(piece if place % 2 else visible(piece) for place, piece in enumerate(pieces))
    return closed(_shortened(" ".join(shown.split()), _LONGEST_SUBJECT))


def text(value: str, used: int) -> bytes:
    """Return neutral text as an unstructured header value; `used` columns of the first line are taken."""
    if len(value) + used <= _LINE and _is_plain(value):
        return value.encode("ascii")
    return _encoded(value, used)


def mailbox(name: str, address: str, used: int) -> bytes:
    """Return `name <address>`, the name in atoms, quotes or encoded words, as it needs (RFC 5322 section 3.4).

    An address that is not ASCII is written as UTF-8 (RFC 6532 section 3.2), as no encoded word may hold one.
    """
    name = neutral(name, _LONGEST_NAME)
    if not name:
        return address.encode()
    if len(name) + used > _LINE or not _is_plain(name):
        phrase = _encoded(name, used)
    elif _ATOMS.fullmatch(name):
        phrase = name.encode("ascii")
    else:
        phrase = b'"' + name.replace("\\", "\\\\").replace('"', '\\"').encode("ascii") + b'"'
    between = b"\r\n " if len(phrase) + used + len(address) + 3 > _LINE else b" "
    return phrase + between + b"<" + address.encode() + b">"


def _is_plain(value: str) -> bool:
    """Whether the text is of printable ASCII, all of which a header may hold."""
    return value.isascii() and value.isprintable()


def _encoded(value: str, used: int) -> bytes:
    """Return encoded words (RFC 2047), each of whole characters, each on its own line."""
    left, words = value.encode(), []
    room = min(_WORD, (_LINE - used - len("=?utf-8?b??=")) // 4 * 3)  # the header's name comes before
    while len(left) > room:
        end = room
        while left[end] & 0xC0 == 0x80:  # within a character
            end -= 1
        words.append(left[:end])
        left, room = left[end:], _WORD
    words.append(left)
    return b"\r\n ".join(b"=?utf-8?b?" + binascii.b2a_base64(word, newline=False) + b"?=" for word in words if word)


def _base64(body: str) -> Iterator[bytes]:
    """Yield a body, its line ends made CRLF (RFC 2046 section 4.1.1), in base64 with lines of 76 characters. A long
    body comes in pieces."""
    left = b""
    for start in range(0, len(body), _AT_ONCE):
        waiting = left + body[start : start + _AT_ONCE].encode().replace(b"\n", b"\r\n")
        last = start + _AT_ONCE >= len(body)
        ends = len(waiting) if last else len(waiting) // 57 * 57  # 57 bytes are a line
        left = waiting[ends:]
        encoded = binascii.b2a_base64(waiting[:ends], newline=False)
        whole = (len(encoded) - 1) // 76
        yield b"\r\n".join((*_lines(whole).unpack_from(encoded), encoded[whole * 76 :])) + (b"" if last else b"\r\n")


@lru_cache(512)
def _lines(count: int) -> struct.Struct:
    """Return what cuts off `count` lines in one call, which is fast."""
    return struct.Struct("76s" * count)


def _mailbox(written: str) -> tuple[str, str]:
    """Return name and address of a mailbox of the plan, the domain in ASCII. Raises ValueError if there is no
    address."""
    name, address = parseaddr(written)
    local, at, domain = address.rpartition("@")
    if not (local and at and domain and local.isascii()):
        raise ValueError("there is no address in it")
    return name, f"{local}@{domain.encode('idna').decode('ascii').lower() if not domain.isascii() else domain}"
