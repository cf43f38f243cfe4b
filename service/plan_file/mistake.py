"""A mistake in the plan, at the key where it is to be mended."""

from __future__ import annotations

from dataclasses import dataclass

from avisa.diagnostics.diagnostic import Diagnostic
from avisa.diagnostics.yaml_reader import KEY, Document, Path

_SHOWN_AT_KEY = frozenset({"unknown_key", "not_supported_yet", "missing_key"})


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong, and the path of the key or value that is."""

    code: str
    path: Path
    message: str
    suggestion: str | None = None
    offset: int | None = None  # characters from the beginning of the value to what is wrong in it

    @property
    def entry(self) -> Path:
        """The path of the entry to leave out, so that the rest of the plan can be checked without it."""
        return self.path[:-1] if self.path[-1:] == (KEY,) else self.path

    def diagnostic(self, document: Document, file: str) -> Diagnostic:
        """The same with its line and column in `document`, which is what `file` holds."""
        at_key = self.code in _SHOWN_AT_KEY or self.entry != self.path
        if self.offset is not None:
            place = document.within(self.path, self.offset)
        else:
            place = document.key(self.entry) if at_key else document.at(self.entry)
        return Diagnostic.at(place, self.code, file, self.message, self.suggestion)
