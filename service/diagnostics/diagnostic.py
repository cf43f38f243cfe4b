"""One thing that is wrong in a file, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

Severity = Literal["error", "warning"]  # a warning stops no push


class Place(NamedTuple):
    """Line and column in a file, both from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """Something wrong in the plan or in a message, worded so that an operator can mend it."""

    code: str  # one word: unknown_key, unknown_name, not_allowed, missing_subject …
    severity: Severity = "error"
    file: str  # relative to the template folder: `plan.yaml`, `messages/shipped/pt.md`
    line: int | None = None  # from 1
    column: int | None = None  # from 1
    message: str
    suggestion: str | None = None  # what the operator probably meant

    @classmethod
    def at(
        cls,
        place: tuple[int, int],
        code: str,
        file: str,
        message: str,
        suggestion: str | None = None,
        severity: Severity = "error",
    ) -> Diagnostic:
        """Return a diagnostic at a place: line and column, both from 1."""
        line, column = place
        return cls(
            code=code, severity=severity, file=file, line=line, column=column, message=message, suggestion=suggestion
        )

    @property
    def location(self) -> str:
        """`plan.yaml:12:5`, the form that editors and terminals can open."""
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)

    @property
    def summary(self) -> str:
        """The message and the suggestion in one line."""
        return self.message + (f"; perhaps: {self.suggestion}" if self.suggestion else "")
