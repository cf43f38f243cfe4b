"""What each kind of setting may look like. Each function takes the text of a setting and returns its value, or raises
`invalid` with the rule.

An error names what is allowed and never quotes the text: what was entered as a host may be a password.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar
from urllib.parse import SplitResult, urlsplit

from pydantic import BeforeValidator, SecretStr
from pydantic_core import PydanticCustomError

from avisa.settings.weak_key import PLACEHOLDERS, is_weak

T = TypeVar("T")
MAX_FILE = 64 * 1024  # bytes of a file that settings are read from
_UNITS = {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


def invalid(rule: str) -> PydanticCustomError:
    """The error of a value that breaks `rule`: "must be one e-mail address"."""
    return PydanticCustomError("setting", "{rule}", {"rule": rule})


def read_by(read: Callable[[str], T]) -> BeforeValidator:
    """A field whose text `read` turns into a value. What is not text is a default, and is kept."""
    return BeforeValidator(lambda value: read(value.strip()) if isinstance(value, str) else value)


def duration(text: str) -> timedelta:
    found = re.fullmatch(r"(\d{1,6})(s|m|h|d)", text)
    if not found or not int(found[1]):
        raise invalid("must be a duration such as 30s, 5m, 72h or 3d")
    return int(found[1]) * _UNITS[found[2]]


def many(text: str) -> tuple[str, ...]:
    parts = tuple(each.strip() for each in text.split(","))
    if not all(parts) or len(set(parts)) < len(parts):
        raise invalid("must be one or more values with commas between, none empty and none twice")
    return parts


def durations(text: str) -> tuple[timedelta, ...]:
    try:
        return tuple(duration(each.strip()) for each in text.split(","))
    except PydanticCustomError:
        raise invalid("must be durations with commas between, such as 1m,5m,1h") from None


def servers(text: str) -> str:
    found = [re.fullmatch(r"(?:\[[0-9a-fA-F:.]+\]|[\w.-]+):(\d{1,5})", each) for each in many(text)]
    if not all(each and 0 < int(each[1]) < 65536 for each in found):
        raise invalid("must be host:port, or several with commas between")
    return ",".join(many(text))


def topics(text: str) -> tuple[str, ...]:
    topics = many(text)
    if not all(re.fullmatch(r"[A-Za-z0-9._-]{1,249}", each) and each not in (".", "..") for each in topics):
        raise invalid("must be names of topics (letters, digits and . _ -) with commas between")
    return topics


def time(text: str) -> datetime:
    """Return the moment in UTC. `text` may be in any zone, but must name it."""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise invalid("must be a time with its zone, such as 2026-03-02T10:00:00Z")


def file(text: str) -> Path:
    if not _on_disk(Path(text).is_file):
        raise invalid("must be the path of a file that is there")
    return Path(text)


def folder(text: str) -> Path:
    if not _on_disk(Path(text).is_dir):
        raise invalid("must be the path of a folder that is there")
    return Path(text)


def new_folder(text: str) -> Path:
    if _on_disk(Path(text).exists) and not _on_disk(Path(text).is_dir):
        raise invalid("must be the path of a folder, not of a file")
    return Path(text)


def _on_disk(question: Callable[[], bool]) -> bool:
    """What `question` returns, such as `path.is_file`; False for a path that the operating system does not take."""
    try:
        return question()
    except OSError:
        return False


def host(text: str) -> str:
    if not re.fullmatch(r"[\w.-]+|[0-9a-fA-F:.]+", text):
        raise invalid("must be the name or address of a host, without port or scheme")
    return text


def address(text: str) -> str:
    if not re.fullmatch(r"""[^\s@<>"(),:;\\]{1,64}@[^\s@<>"(),:;\\]{1,190}""", text) or not text.isprintable():
        raise invalid("must be one e-mail address")
    return text


def name(text: str) -> str:
    if not text.isprintable() or len(text) > 200:
        raise invalid("must be a name of at most 200 characters")
    return text


def store_url(text: str) -> SecretStr:
    from avisa.settings import store_address  # here, for SQLAlchemy's parser is heavy, and most keep the default

    try:
        url = store_address.read(text)
    except ValueError as error:
        raise invalid(str(error)) from None
    if url.drivername == "sqlite":
        path = Path(url.database or "")
        if _on_disk(path.is_dir) or not _on_disk(path.parent.is_dir):
            raise invalid("must name a file in a folder that is there")
    root = url.query.get("sslrootcert")
    if root is not None and not _on_disk(Path(str(root)).is_file):
        raise invalid("must have as sslrootcert the path of a file that is there")
    return SecretStr(text)


def public_url(text: str) -> str:
    url = _url(text)
    unwanted = url and (url.query or url.fragment or "@" in text or "\\" in text or not text.isprintable())
    if not url or url.scheme not in ("http", "https") or not url.hostname or unwanted:
        raise invalid("must be https://HOST, without a query or a password in it")
    return text.rstrip("/")


def registry_url(text: str) -> str:
    if not re.fullmatch(r"[!-~]+", text):
        raise invalid("must be https://HOST, in ASCII, with others as %XX")
    return public_url(text)


def _url(text: str) -> SplitResult | None:
    """The parts of a URL; None if it is none, or has a port that cannot be."""
    try:
        url = urlsplit(text)
        return url if url.port is None or url.port > 0 else None
    except ValueError:
        return None


def secret_key(text: str) -> SecretStr:
    if is_weak(text):
        raise invalid("must be at least 16 characters that nobody can guess, such as `openssl rand -hex 32` writes")
    return SecretStr(text)


def api_key(text: str) -> SecretStr:
    if not re.fullmatch(r"[A-Za-z0-9._~+/-]+=*", text):  # RFC 6750 section 2.1
        raise invalid("must be of letters, digits and - . _ ~ + /, for it goes in a header")
    return secret_key(text)


def in_clear(setting: str) -> str:
    """The rule for every password, and the setting that lifts it."""
    return f"a password goes to another machine only over verified TLS, unless {setting} is allowed"


def no_placeholder(secret: SecretStr | None) -> SecretStr | None:
    """The secret itself, unless it is what a document writes in its place."""
    if secret is not None and secret.get_secret_value().strip() in PLACEHOLDERS:
        raise invalid("is the example of a document, and no secret")
    return secret


def read_secret(path: Path) -> str:
    """Return the text of a secret's file without the one line break that editors put at its end."""
    try:
        if not path.is_file():
            raise invalid("there is no such file")
        if path.stat().st_size > MAX_FILE:
            raise invalid(f"the file is larger than {MAX_FILE // 1024} KiB")
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        raise invalid("the file is not text") from None
    except OSError:
        raise invalid("the file cannot be read") from None
    if not text.strip():
        raise invalid("the file is empty")
    return text.removesuffix("\n").removesuffix("\r")
