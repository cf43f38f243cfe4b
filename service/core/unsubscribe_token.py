"""What the links in messages carry: a keyed hash of an address, and proof that we wrote it.

An address never stands in a link, and nobody without the installation's key can make one (RFC 8058 section 6
asks for that of one-click unsubscribing). A token is so short that `List-Unsubscribe` fits one header line.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import unicodedata

_HASH = 16  # bytes
_TAG = 16  # bytes: 128 bits
_UNSUBSCRIBE = b"u"
_LONGEST = 100  # characters worth reading; a token has 44


def address_hash(secret: bytes, address: str) -> bytes:
    """16 bytes that stand for `address` and reveal nothing about it without `secret`.

    Case and surrounding space make no difference: RFC 5321 section 2.4 lets a local part tell `Ana` from
    `ana`, but nobody who unsubscribed as one means to go on hearing from us as the other.
    """
    plain = unicodedata.normalize("NFC", address.strip().casefold())
    return _keyed(secret, b"address", plain.encode("utf-8", "surrogatepass"), _HASH)


def unsubscribe_token(secret: bytes, address: str) -> str:
    """44 URL-safe characters that unsubscribe `address` and nothing else."""
    return _signed(secret, _UNSUBSCRIBE, address_hash(secret, address))


def read_unsubscribe_token(secret: bytes, token: str) -> bytes | None:
    """The address hash in a token that we wrote, or None. The time it takes reveals nothing of the tag."""
    try:
        given = token[:_LONGEST].encode("ascii")
        content = base64.urlsafe_b64decode(given)[len(_UNSUBSCRIBE) : -_TAG]
    except (UnicodeEncodeError, binascii.Error):
        return None
    # Writing it again and comparing the text shuts out every second spelling that base64 would read.
    genuine = hmac.compare_digest(_signed(secret, _UNSUBSCRIBE, content).encode(), given)
    return content if genuine and len(content) == _HASH else None


def _signed(secret: bytes, kind: bytes, content: bytes) -> str:
    return base64.urlsafe_b64encode(kind + content + _keyed(secret, b"link " + kind, content, _TAG)).decode("ascii")


def _keyed(secret: bytes, use: bytes, content: bytes, size: int) -> bytes:
    """HMAC-SHA-256 cut to `size`, bound to one use so that no hash of ours can pass for another."""
    return hmac.digest(secret, use + b"\0" + content, hashlib.sha256)[:size]
