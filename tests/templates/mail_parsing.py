"""A mail read back by parsers that share nothing with what wrote it."""

from __future__ import annotations

import email
import re
from email.message import EmailMessage
from email.policy import SMTP

from avisa.ports import Mail

INTENDED = [
    "Date",
    "Message-ID",
    "To",
    "Subject",
    "References",
    "Feedback-ID",
    "From",
    "Reply-To",
    "MIME-Version",
    "Auto-Submitted",
    "Content-Type",
]


def parsed(mail: Mail) -> EmailMessage:
    message = email.message_from_bytes(mail.data, policy=SMTP)
    assert isinstance(message, EmailMessage)
    return message


def well_formed(mail: Mail, intended: list[str] = INTENDED) -> EmailMessage:
    """What must hold of every mail (RFC 5322 sections 2.1.1, 3.6; RFC 2047 section 2)."""
    assert all(len(line) <= 998 for line in mail.data.split(b"\r\n"))
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)|\x00|[\x80-\xff]", mail.data)
    head = mail.data.partition(b"\r\n\r\n")[0]
    assert all(len(line) <= 78 or line.startswith(b"List-") for line in head.split(b"\r\n")), head
    assert all(len(word) <= 75 for word in re.findall(rb"=\?\S+\?=", head))
    names = re.findall(rb"^([!-9;-~]+):", head, re.MULTILINE)
    assert [name.decode() for name in names] == intended
    message = parsed(mail)
    assert message.keys() == intended
    assert not message.defects
    assert not any(part.defects for part in message.walk())
    assert not any(message[name].defects for name in message)
    return message
