"""E-mail addresses as SMTP may carry them."""

from __future__ import annotations

import re
from typing import NamedTuple

from email_validator import EmailNotValidError, validate_email

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_TOP = r"[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
# Dot-string "@" Domain of RFC 5321 section 4.1.2. Quoted local parts, address literals and bare host names are
# left out on purpose: no customer has one, and each is a way to make a relay do something else.
_PLAIN = re.compile(rf"({_ATOM}(?:\.{_ATOM})*)@((?:{_LABEL}\.)+{_TOP})")
# What an old relay reads as an option, a route or a pipe: `-f@host`, `ana%other.example@relay`, `|command@host`.
_ODD = re.compile(r"^-|[%!|]")
_LONGEST_LOCAL, _LONGEST_PATH = 64, 254  # bytes; RFC 5321 section 4.5.3.1


class Path(NamedTuple):
    """What stands between the angle brackets of MAIL FROM and RCPT TO."""

    encoded: bytes
    domain: str
    utf8: bool = False  # the local part needs SMTPUTF8 (RFC 6531)


def path(address: str) -> Path | None:
    """Return the address as a path, its domain in A-labels; None if it is no address that we would write to."""
    if not address.isascii():
        return _international(address)
    plain = _PLAIN.fullmatch(address)
    if plain is None or not _fits(plain[1], address):
        return None
    return Path(address.encode("ascii"), plain[2].lower())


def _international(address: str) -> Path | None:
    try:
        valid = validate_email(address, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError:
        return None
    if valid.ascii_email is not None:
        return path(valid.ascii_email)
    whole = f"{valid.local_part}@{valid.ascii_domain}"
    if not _fits(valid.local_part, whole) or path(f"x@{valid.ascii_domain}") is None:
        return None
    return Path(whole.encode(), valid.ascii_domain.lower(), utf8=True)


def _fits(local: str, whole: str) -> bool:
    """Whether the local part is that of a mailbox, and both are short enough."""
    short = len(local.encode()) <= _LONGEST_LOCAL and len(whole.encode()) <= _LONGEST_PATH
    return short and not _ODD.search(local)
