"""Who may read the files that a command writes: their owner alone. Plan and messages are as public as the user's own
umask makes them, for they hold nothing personal, and a service that runs as another user has to read them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

_PRIVATE = 0o077
_users: list[int] = []  # the umask of whoever started the command, while it runs


@contextmanager
def private() -> Iterator[None]:
    """Until it ends, nobody but the owner may read what is written."""
    _users.append(os.umask(_PRIVATE))
    try:
        yield
    finally:
        os.umask(_users.pop())


@contextmanager
def of_the_user() -> Iterator[None]:
    """Until it ends, what is written may be read by those whom the user's own umask lets."""
    before = os.umask(_users[-1] if _users else _PRIVATE)
    try:
        yield
    finally:
        os.umask(before)
