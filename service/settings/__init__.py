"""The settings: `AVISA_` names from the environment, and from a `.env` beside the process.

`load` answers the settings, or all that is wrong, a line each and never with a value in it. A secret can also be
given as the path of a file, by its name with `_FILE`. The names are gathered here rather than by a settings
library because a misspelt one must be an error, `avisa config` shows where each value came from, and the words of
an error must be ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, get_args
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import SecretStr, ValidationError
from pydantic_core import ErrorDetails

from service.settings.sections import (
    Clock,
    Http,
    Inbox,
    Kafka,
    Log,
    Retry,
    Section,
    Settings,
    Smtp,
    Store,
)
from service.settings.values import is_loopback

__all__ = [
    "Clock",
    "Http",
    "Inbox",
    "Kafka",
    "Log",
    "Retry",
    "Settings",
    "Smtp",
    "Store",
    "cautions",
    "describe",
    "load",
]

DOTENV = Path(".env")
_LARGEST = 64 * 1024  # octets of a .env or of a secret
_OTHERS = "AVISA_TEST_"  # what the tests are told by; no setting begins so

S = TypeVar("S", bound=Section)
_Path = tuple[str, ...]  # of a setting in `Settings`: ("smtp", "port")


@dataclass(frozen=True, slots=True)
class _Given:
    """What was given for a setting, and where."""

    text: str
    source: str


def load(environ: Mapping[str, str], dotenv: Path | None = DOTENV) -> Settings | list[str]:
    """The settings in `environ` and, where that is silent, in the file `dotenv`; else a line per problem."""
    problems: list[str] = []
    given = _gather(environ, dotenv, problems)
    parts: dict[str, Any] = {}
    for name, section in _sections().items():
        own = {path[1]: each.text for path, each in given.items() if path[0] == name and len(path) > 1}
        parts[name] = _checked(section, own, (name,), problems)
    parts |= {path[0]: each.text for path, each in given.items() if len(path) == 1}
    whole = _checked(Settings, {key: each for key, each in parts.items() if each is not None}, (), problems)
    if problems or whole is None:
        return sorted(problems)
    return whole.from_sources({_name(path): each.source for path, each in given.items()})


def describe(settings: Settings) -> dict[str, dict[str, Any]]:
    """Every setting by name with its value, secrets masked, and the source it came from."""
    described = {}
    for path, name in _names().items():
        value: Any = settings
        for key in path:
            value = getattr(value, key)
        described[name] = {"value": _shown(path, value), "source": settings.sources.get(name, "default")}
    return described


def cautions(settings: Settings) -> list[str]:
    """What works but is probably not meant, a line each."""
    url = urlsplit(settings.public_url or "")
    if url.scheme == "http" and not is_loopback(url.hostname):
        return [f"{_name(('public_url',))}: one-click unsubscribing needs https (RFC 8058)"]
    return []


# ---------------------------------------------------------------- names


def _sections() -> dict[str, type[Section]]:
    return {
        name: each.annotation
        for name, each in Settings.model_fields.items()
        if isinstance(each.annotation, type) and issubclass(each.annotation, Section)
    }


def _name(path: _Path) -> str:
    return "AVISA_" + "__".join(path).upper()


def _names() -> dict[_Path, str]:
    """Every setting there is, by its path in `Settings`."""
    sections = _sections()
    paths: list[_Path] = [
        path
        for name in Settings.model_fields
        for path in ([(name, key) for key in sections[name].model_fields] if name in sections else [(name,)])
    ]
    return {path: _name(path) for path in paths}


def _secrets() -> frozenset[_Path]:
    """The settings whose values are shown to nobody."""
    sections = _sections()
    return frozenset(
        path
        for path in _names()
        for field in [(sections[path[0]] if len(path) > 1 else Settings).model_fields[path[-1]]]
        if SecretStr in (field.annotation, *get_args(field.annotation))
    )


# ---------------------------------------------------------------- gathering


def _gather(environ: Mapping[str, str], dotenv: Path | None, problems: list[str]) -> dict[_Path, _Given]:
    """What was given for each setting; `problems` gains a line for every name or file that is wrong."""
    written = {
        name: _Given(text, source)
        for source, names in ((".env", _dotenv(dotenv, problems)), ("environment", environ))
        for name, text in names.items()
        if name.startswith("AVISA_") and not name.startswith(_OTHERS)
    }
    names = {name: path for path, name in _names().items()}
    # AVISA_KAFKA__KEY_FILE is a setting of its own, not the file of a secret AVISA_KAFKA__KEY.
    files = {f"{_name(path)}_FILE": path for path in _secrets()}
    given: dict[_Path, _Given] = {}
    for name, each in written.items():
        if name not in names and name not in files:
            close = get_close_matches(name.upper(), [*names, *files], n=1)
            problems.append(f"{name}: there is no such setting" + (f"; did you mean {close[0]}?" if close else ""))
        elif not each.text.strip():
            problems.append(f"{name}: is empty; give it a value or leave it out")
        elif name in names:
            given[names[name]] = each
    for name, path in files.items():
        if name not in written or not written[name].text.strip():
            continue
        if _name(path) in written:
            problems.append(f"{_name(path)}: given twice, by itself and as {name}")
            continue
        secret = _secret(Path(written[name].text.strip()))
        if isinstance(secret, str):
            given[path] = _Given(secret, f"{written[name].source} ({name})")
        else:
            problems.append(f"{name}: {secret.words}")
    return given


def _dotenv(dotenv: Path | None, problems: list[str]) -> dict[str, str]:
    if dotenv is None or not dotenv.is_file():
        return {}
    if dotenv.stat().st_size > _LARGEST:
        problems.append(f"{dotenv.name}: is larger than {_LARGEST // 1024} KiB")
        return {}
    try:
        # A $ in a password is a $: nothing is filled in.
        values = dotenv_values(dotenv, interpolate=False)
    except (OSError, UnicodeDecodeError):
        problems.append(f"{dotenv.name}: cannot be read as text")
        return {}
    return {name: text or "" for name, text in values.items()}


@dataclass(frozen=True, slots=True)
class _NoSecret:
    """Why a file gives no secret."""

    words: str


def _secret(path: Path) -> str | _NoSecret:
    """The text of a secret file, less the one line break that editors put at its end."""
    try:
        if not path.is_file():
            return _NoSecret("there is no such file")
        if path.stat().st_size > _LARGEST:
            return _NoSecret(f"the file is larger than {_LARGEST // 1024} KiB")
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        return _NoSecret("the file is not text")
    except OSError:
        return _NoSecret("the file cannot be read")
    text = text.removesuffix("\n").removesuffix("\r")
    return text if text.strip() else _NoSecret("the file is empty")


# ---------------------------------------------------------------- checking


def _checked(section: type[S], values: Mapping[str, Any], path: _Path, problems: list[str]) -> S | None:
    """The section, or None; `problems` gains a line for each value that is wrong."""
    try:
        checked = section.model_validate(values)
    except ValidationError as error:
        for each in error.errors(include_url=False, include_input=False):
            name = _name((*path, *map(str, each["loc"][:1])))
            problems.append(f"{name}: {_words(each)}")
        return None
    problems += [f"{_name((*path, key))}: {words}" for key, words in checked.conflicts()]
    return checked


_RULES = {
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_parsing": "must be a number",
    "finite_number": "must be a number",
    "greater_than": "must be greater than {gt:.0f}",
    "greater_than_equal": "must be at least {ge:.0f}",
    "less_than_equal": "must be at most {le:.0f}",
    "literal_error": "must be one of {expected}",
    "setting": "{words}",
}


def _words(error: ErrorDetails) -> str:
    words = _RULES.get(error["type"], "is not possible").format_map(error.get("ctx", {}))
    return words.replace("'", "").replace(" or ", ", ") if error["type"] == "literal_error" else words


# ---------------------------------------------------------------- showing


def _shown(path: _Path, value: Any) -> Any:
    """A value as it would be written; a secret as asterisks."""
    if path == ("store", "url"):
        return _masked_url(value.get_secret_value())
    if isinstance(value, SecretStr):
        return "****"
    if isinstance(value, tuple):
        return ",".join(str(_shown(path, each)) for each in value)
    if isinstance(value, timedelta):
        return _duration(value)
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return str(value) if isinstance(value, Path) else value


def _duration(value: timedelta) -> str:
    seconds = int(value.total_seconds())
    for unit, size in (("h", 3600), ("m", 60)):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _masked_url(url: str) -> str:
    """A store's URL without its password, which may also stand in the query."""
    parts = urlsplit(url)
    if not parts.netloc:
        return url
    user, at, host = parts.netloc.rpartition("@")
    name, colon, _ = user.partition(":")
    query = re.sub(r"(?i)([^&=]*(?:password|secret)[^&=]*)=[^&]*", r"\1=****", parts.query)
    masked = f"{name}{colon}{'****' if colon else ''}{at}{host}"
    return parts._replace(netloc=masked, query=query).geturl()
