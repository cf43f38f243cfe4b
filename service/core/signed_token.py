"""What a link in a mail carries: a kind, a content, and proof that we wrote both."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from functools import lru_cache

_TAG = 16  # bytes: 128 bits
_LONGEST = 100  # characters worth reading; a token has 44


def signed(secret: bytes, kind: bytes, content: bytes) -> str:
    """A token of URL-safe characters. Its tag binds the content to the kind: no token can be used as another."""
    return base64.urlsafe_b64encode(kind + content + keyed(secret, b"link " + kind, content, _TAG)).decode("ascii")


def read(secret: bytes, kind: bytes, token: str, size: int) -> bytes | None:
    """The `size` bytes of content in a token of this kind that we wrote, or None. The time it takes reveals nothing
    of the tag."""
    try:
        given = token[:_LONGEST].encode("ascii")
        content = base64.urlsafe_b64decode(given)[len(kind) : -_TAG]
    except (UnicodeEncodeError, binascii.Error):
        return None
    # Writing it again and comparing the text shuts out every second spelling that base64 would read.
    genuine = hmac.compare_digest(signed(secret, kind, content).encode(), given)
    return content if genuine and len(content) == size else None


def keyed(secret: bytes, use: bytes, content: bytes, size: int) -> bytes:
    """HMAC-SHA-256 cut to `size`, bound to one use so that no hash of ours can pass for another."""
    mac = _empty(secret).copy()
    mac.update(use + b"\0" + content)
    return mac.digest()[:size]


@lru_cache(4)
def _empty(secret: bytes) -> hmac.HMAC:
    """An HMAC of nothing yet. `hmac.digest` sets up the key each time, and lets go of the GIL, so that a mail waits
    for whichever thread takes it."""
    return hmac.new(secret, digestmod=hashlib.sha256)
