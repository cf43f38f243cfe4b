"""The signed link to the page on which an owner answers a question.

The link names one question of one episode of one order by a hash of its notification's key. So every link has the
same length, and a reader of the link learns nothing about the order.
"""

from __future__ import annotations

import hashlib

from avisa.core import signed_token

_HASH = 16  # bytes
_QUESTION = b"o"


def link_of(key: str) -> bytes:
    """16 bytes that stand for the question whose notification has this key."""
    return hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=_HASH).digest()


def question_token(secret: bytes, key: str) -> str:
    """44 URL-safe characters that let an owner answer this question and do nothing else."""
    return signed_token.signed(secret, _QUESTION, link_of(key))


def read_question_token(secret: bytes, token: str) -> bytes | None:
    """What `link_of` returned for the question, if we signed the token; else None."""
    return signed_token.read(secret, _QUESTION, token, _HASH)
