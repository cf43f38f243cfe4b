"""The settings as `avisa config` shows them: each with its value and its source, and without secrets."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import reduce
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from avisa.core.timestamps import rfc3339
from avisa.settings.names import NAMES
from avisa.settings.sections import Settings


def describe(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return every setting by name with its value, secrets masked, and its source: environment, .env or default."""
    from avisa.settings import store_address  # here, for SQLAlchemy's parser is heavy

    described = {
        name: {"value": _as_written(reduce(getattr, path, settings)), "source": settings.sources.get(name, "default")}
        for name, path in NAMES.items()
    }
    described["AVISA_STORE__URL"]["value"] = store_address.shown(settings.store.url.get_secret_value())
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
    for unit, size, least in (("d", 86_400, 14), ("h", 3600, 1), ("m", 60, 1)):  # `72h`, but not `2160h`
        if seconds % size == 0 and seconds >= least * size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
