"""The signed link to the page on which an owner answers a question.

It names one question of one episode of one order by a hash of the question's key, so that it is as short for any
order, and whoever reads it learns nothing of the order.
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
    """What `link_of` gave for the question, if we wrote the token; else None."""
    return signed_token.read(secret, _QUESTION, token, _HASH)
