"""E-mail addresses as SMTP may carry them."""

from __future__ import annotations

import re
from typing import NamedTuple

from email_validator import EmailNotValidError, validate_email

# Of RFC 5322 section 3.2.3, without what an old relay reads as a route or a pipe: `%`, `!` and `|`.
_ATOM = r"[A-Za-z0-9#$&'*+/=?^_`{}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_TOP = r"[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
# Dot-string "@" Domain of RFC 5321 section 4.1.2. Quoted local parts, address literals and bare host names are
# left out on purpose, and so is a leading hyphen: no customer has one, and each is a way to make a relay do
# something else.
_PLAIN = re.compile(rf"((?!-){_ATOM}(?:\.{_ATOM})*)@((?:{_LABEL}\.)+{_TOP})")
_LONGEST_LOCAL, _LONGEST_PATH = 64, 254  # RFC 5321 section 4.5.3.1


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
    if plain is None or len(address) > _LONGEST_PATH or len(plain[1]) > _LONGEST_LOCAL:
        return None
    return Path(address.encode("ascii"), plain[2].lower())


def _international(address: str) -> Path | None:
    try:
        valid = validate_email(address, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError:
        return None
    if valid.ascii_email is not None:
        return path(valid.ascii_email)
    encoded = f"{valid.local_part}@{valid.ascii_domain}".encode()
    odd = valid.local_part.startswith("-") or set("%!|") & set(valid.local_part)
    too_long = len(valid.local_part.encode()) > _LONGEST_LOCAL or len(encoded) > _LONGEST_PATH
    if odd or too_long or path(f"x@{valid.ascii_domain}") is None:
        return None
    return Path(encoded, valid.ascii_domain.lower(), utf8=True)
