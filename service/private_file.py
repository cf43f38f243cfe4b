"""Files for their owner alone: whatever the umask is, nobody else may read them, and no link is followed to them."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

_OTHERS = 0o007  # what a file's mode allows to those who are neither its owner nor in its group


def write(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all, in place of what has its name, be it a link. Raises OSError."""
    descriptor, draft = tempfile.mkstemp(prefix=".avisa-", suffix=".part", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.replace(draft, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(draft)
        raise


def create(path: Path) -> bool:
    """Create an empty file. Return False if something has its name already, be it a link. Raises OSError."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        return False
    return True


def exposed(*paths: Path) -> list[Path]:
    """Return those of the files that every user of this machine can read or change."""
    return [path for path in paths if _allows_others(path) and _allows_others(path.absolute().parent)]


def _allows_others(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & _OTHERS)
    except OSError:
        return False
