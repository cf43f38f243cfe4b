"""What each kind of setting may look like: text to its meaning.

Whatever is refused is told by what is allowed, never shown: what was meant as a host may be a password.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from pydantic import BeforeValidator, SecretStr
from pydantic_core import PydanticCustomError

T = TypeVar("T")
LARGEST = 64 * 1024  # octets of a file that settings are read from
_UNITS = {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


def wrong(words: str) -> PydanticCustomError:
    """A value is refused; `words` say what is allowed, not what it was."""
    return PydanticCustomError("setting", "{words}", {"words": words})


def written(read: Callable[[str], T]) -> BeforeValidator:
    """Text read by `read`; anything else is a default and stands."""
    return BeforeValidator(lambda given: read(given.strip()) if isinstance(given, str) else given)


def duration(text: str) -> timedelta:
    found = re.fullmatch(r"(\d{1,6})(s|m|h|d)", text)
    if not found or not int(found[1]):
        raise wrong("must be a duration such as 30s, 5m, 72h or 3d")
    return int(found[1]) * _UNITS[found[2]]


def many(text: str) -> tuple[str, ...]:
    parts = tuple(each.strip() for each in text.split(","))
    if not all(parts) or len(set(parts)) < len(parts):
        raise wrong("must be one or more values with commas between, none empty and none twice")
    return parts


def durations(text: str) -> tuple[timedelta, ...]:
    try:
        return tuple(duration(each.strip()) for each in text.split(","))
    except PydanticCustomError:
        raise wrong("must be durations with commas between, such as 1m,5m,1h") from None


def servers(text: str) -> str:
    found = [re.fullmatch(r"(?:\[[0-9a-fA-F:.]+\]|[\w.-]+):(\d{1,5})", each) for each in many(text)]
    if not all(each and 0 < int(each[1]) < 65536 for each in found):
        raise wrong("must be host:port, or several with commas between")
    return ",".join(many(text))


def topics(text: str) -> tuple[str, ...]:
    topics = many(text)
    if not all(re.fullmatch(r"[A-Za-z0-9._-]{1,249}", each) and each not in (".", "..") for each in topics):
        raise wrong("must be names of topics (letters, digits and . _ -) with commas between")
    return topics


def moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise wrong("must be a time with its zone, such as 2026-03-02T10:00:00Z")


def file(text: str) -> Path:
    if not _holds(Path(text).is_file):
        raise wrong("must be the path of a file that is there")
    return Path(text)


def folder(text: str) -> Path:
    if not _holds(Path(text).is_dir):
        raise wrong("must be the path of a folder that is there")
    return Path(text)


def new_folder(text: str) -> Path:
    if _holds(Path(text).exists) and not _holds(Path(text).is_dir):
        raise wrong("must be the path of a folder, not of a file")
    return Path(text)


def _holds(look: Callable[[], bool]) -> bool:
    """What a look at the disk answers; no, where the path is so odd that it cannot be looked at."""
    try:
        return look()
    except OSError:
        return False


def host(text: str) -> str:
    if not re.fullmatch(r"[\w.-]+|[0-9a-fA-F:.]+", text):
        raise wrong("must be the name or address of a host, without port or scheme")
    return text


def address(text: str) -> str:
    if not re.fullmatch(r"""[^\s@<>"(),:;\\]{1,64}@[^\s@<>"(),:;\\]{1,190}""", text) or not text.isprintable():
        raise wrong("must be one e-mail address")
    return text


def word(text: str) -> str:
    if not text.isprintable() or len(text) > 200:
        raise wrong("must be a name of at most 200 characters")
    return text


def store_url(text: str) -> SecretStr:
    allowed = "must be sqlite:///FILE or postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
    try:
        url = urlsplit(text)
        sound = url.port is None or url.port > 0
    except ValueError:
        raise wrong(allowed) from None
    if url.scheme == "sqlite":
        path = Path(url.path[1:])
        if url.netloc or len(url.path) < 2 or url.query or url.fragment:
            raise wrong("must be sqlite:///FILE, with four slashes where the path is absolute")
        if _holds(path.is_dir) or not _holds(path.parent.is_dir):
            raise wrong("must name a file in a folder that is there")
    elif url.scheme != "postgresql" or not sound or not (url.hostname or "host=" in url.query) or len(url.path) < 2:
        raise wrong(allowed)
    return SecretStr(text)


def public_url(text: str) -> str:
    try:
        url = urlsplit(text)
        sound = url.port is None or url.port > 0
    except ValueError:
        sound = False
    if (
        not sound
        or url.scheme not in ("http", "https")
        or not url.hostname
        or url.query
        or url.fragment
        or url.username
    ):
        raise wrong("must be https://HOST, without a query or a password in it")
    return text.rstrip("/")


def secret_key(text: str) -> SecretStr:
    if len(text) < 16 or len(set(text)) < 8 or "changeme" in text.lower():
        raise wrong("must be at least 16 characters that nobody can guess, such as `openssl rand -hex 32` writes")
    return SecretStr(text)


def secret_in(path: Path) -> str:
    """What is in a secret's file, less the one line break that editors put at its end."""
    try:
        if not path.is_file():
            raise wrong("there is no such file")
        if path.stat().st_size > LARGEST:
            raise wrong(f"the file is larger than {LARGEST // 1024} KiB")
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        raise wrong("the file is not text") from None
    except OSError:
        raise wrong("the file cannot be read") from None
    if not text.strip():
        raise wrong("the file is empty")
    return text.removesuffix("\n").removesuffix("\r")


def is_loopback(host: str | None) -> bool:
    """Whether `host` is this machine."""
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return host == "localhost"
