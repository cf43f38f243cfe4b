"""The settings as `avisa config` shows them: each with its value and its source, and without secrets."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import reduce
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from avisa.core.timestamps import rfc3339
from avisa.settings.names import NAMES
from avisa.settings.sections import Settings


def describe(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return every setting by name with its value, secrets masked, and its source: environment, .env or default."""
    described = {
        name: {"value": _as_written(reduce(getattr, path, settings)), "source": settings.sources.get(name, "default")}
        for name, path in NAMES.items()
    }
    described["AVISA_STORE__URL"]["value"] = _masked_url(settings.store.url.get_secret_value())
    return described


def _as_written(value: Any) -> Any:
    """A value as an operator would write it; a secret as asterisks."""
    match value:
        case SecretStr():
            return "****"
        case tuple():
            return ",".join(str(_as_written(each)) for each in value)
        case timedelta():
            return _duration(value)
        case datetime():
            return rfc3339(value)
        case Path():
            return str(value)
        case _:
            return value


def _duration(value: timedelta) -> str:
    seconds = int(value.total_seconds())
    for unit, size in (("h", 3600), ("m", 60)):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _masked_url(url: str) -> str:
    """A store's URL with its password masked, also if the password is in the query."""
    parts = urlsplit(url)
    if not parts.netloc:
        return url
    user, at, host = parts.netloc.rpartition("@")
    name, colon, _ = user.partition(":")
    query = re.sub(r"(?i)([^&=]*(?:password|secret)[^&=]*)=[^&]*", r"\1=****", parts.query)
    masked = f"{name}{colon}{'****' if colon else ''}{at}{host}"
    return parts._replace(netloc=masked, query=query).geturl()
