"""A catalog as the store keeps it: what it was made of, and what was found out when it was checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import orjson

from avisa.core.plan import Holidays
from avisa.diagnostics.diagnostic import Diagnostic


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptCatalog:
    """Whatever opens a catalog again without checking it anew.

    `holidays` are by country or region. Those of one that was kept before holidays were are to be looked up again.
    """

    engine: str  # what decides the bytes of its mails besides the files
    files: Mapping[str, str]  # by path
    warnings: Sequence[Diagnostic] = ()
    holidays: Mapping[str, Holidays] = field(default_factory=dict)

    @classmethod
    def read(cls, content: bytes) -> KeptCatalog:
        """The catalog that `written` made these bytes of, here or in an earlier release."""
        kept: dict[str, Any] = orjson.loads(content)
        return cls(
            engine=kept["engine"],
            files=kept["files"],
            warnings=[Diagnostic(**warning) for warning in kept.get("warnings", ())],
            holidays={
                country: Holidays(country, _days(days["closed"]), _days(days["working"]))
                for country, days in kept.get("holidays", {}).items()
            },
        )

    def written(self) -> bytes:
        """The bytes to keep. They are the same for the same catalog."""
        holidays = {
            country: {"closed": sorted(days.closed), "working": sorted(days.working)}
            for country, days in self.holidays.items()
        }
        content = {
            "engine": self.engine,
            "files": dict(self.files),
            "warnings": list(self.warnings),
            "holidays": holidays,
        }
        return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)


def _days(texts: Sequence[str]) -> frozenset[date]:
    return frozenset(map(date.fromisoformat, texts))
