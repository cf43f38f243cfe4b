"""What the links in messages carry: a keyed hash of an address, and proof that we wrote it.

An address never stands in a link, and nobody without the installation's key can make one (RFC 8058 section 6
asks for that of one-click unsubscribing). A token is so short that `List-Unsubscribe` fits one header line.
"""

from __future__ import annotations

import unicodedata

from avisa.core import signed_token

_HASH = 16  # bytes
_UNSUBSCRIBE = b"u"


def address_hash(secret: bytes, address: str) -> bytes:
    """16 bytes that stand for `address` and reveal nothing about it without `secret`.

    Case and surrounding space make no difference: RFC 5321 section 2.4 lets a local part tell `Ana` from
    `ana`, but nobody who unsubscribed as one means to go on hearing from us as the other.
    """
    plain = unicodedata.normalize("NFC", address.strip().casefold())
    return signed_token.keyed(secret, b"address", plain.encode("utf-8", "surrogatepass"), _HASH)


def unsubscribe_token(secret: bytes, address: str) -> str:
    """44 URL-safe characters that unsubscribe `address` and nothing else."""
    return signed_token.signed(secret, _UNSUBSCRIBE, address_hash(secret, address))


def read_unsubscribe_token(secret: bytes, token: str) -> bytes | None:
    """The address hash in a token that we wrote, or None."""
    return signed_token.read(secret, _UNSUBSCRIBE, token, _HASH)
