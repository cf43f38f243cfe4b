"""A plan, and where each of its keys is written."""

from __future__ import annotations

from dataclasses import dataclass

from avisa.core.plan import Plan
from avisa.diagnostics.diagnostic import Place
from avisa.diagnostics.yaml_reader import Document


@dataclass(frozen=True, slots=True, kw_only=True)
class LocatedPlan:
    """The plan of `file`, whose text was read as `document`."""

    plan: Plan
    document: Document
    file: str

    def key(self, *path: str | int) -> Place:
        """Return the place of a key: `key("touchpoints", "shipped")`."""
        return self.document.key(path)

    def at(self, *path: str | int) -> Place:
        """Return the place of a value: `at("touchpoints", "shipped", "window")`."""
        return self.document.at(path)
