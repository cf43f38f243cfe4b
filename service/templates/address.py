"""Whether mail can be sent to an address, decided without the network (RFC 5321 sections 2.3.11 and 4.1.2)."""

from __future__ import annotations

import re

from email_validator import EmailNotValidError, validate_email

from avisa.smtp.address import path

# What nearly every address looks like, with 64 characters at most before the @; any other goes through the slower
# library.
_USUAL = re.compile(
    r"[A-Za-z0-9_+](?:[A-Za-z0-9_+-]|\.(?=[A-Za-z0-9_+-])){0,63}"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)
_LONGEST = 254  # RFC 3696 erratum 1690
_NOBODY = frozenset({"mailer-daemon", "postmaster", "noreply", "no-reply"})


def checked(value: object) -> str | None:
    """Return the address as it goes into an envelope, its domain in ASCII (IDNA); None if mail cannot be sent to it.

    A local part may be in any script (RFC 6531): `jürgen@example.com`. Refused are quoted local parts and those that
    an old relay could take for more than a mailbox, address literals and domains without a dot, and mailboxes such as
    `no-reply` that a machine reads: its answer could start a loop.
    """
    if not isinstance(value, str) or len(value) > _LONGEST:
        return None
    address = value.strip()
    if not _USUAL.fullmatch(address):
        try:
            seen = validate_email(address, check_deliverability=False, test_environment=True)
        except EmailNotValidError:
            return None
        address = f"{seen.local_part}@{seen.ascii_domain}"
        if path(address) is None:
            return None
    local, _, domain = address.partition("@")
    if local.casefold() in _NOBODY or "." not in domain or domain.rpartition(".")[2].isdigit():
        return None
    return f"{local}@{domain.lower()}"
