"""What a command says: one JSON document, or something that is good to read."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from avisa.telemetry import printable


class Answer:
    """How this run of the command answers; `--json` anywhere on the line makes it one JSON document."""

    as_json = False

    def give(self, document: Any, shown: Callable[[Any], Any] | None = None) -> None:
        """Print `document` as JSON, or for people what `shown` makes of it: anything that rich can print."""
        if self.as_json:
            self.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
        elif shown is not None:
            self._show(shown(document))
        sys.stdout.flush()

    def write(self, text: str) -> None:
        """Print what a program has asked for in a form of its own."""
        sys.stdout.write(text.encode("utf-8", "backslashreplace").decode())  # half a surrogate pair is no text
        sys.stdout.flush()

    def _show(self, made: Any) -> None:
        from rich.console import Console

        class Pipe(Console):
            def on_broken_pipe(self) -> None:
                raise BrokenPipeError  # `main` knows what to do, and that it is no failure

        Pipe(highlight=False, markup=False, soft_wrap=isinstance(made, str)).print(made, crop=False)

    def note(self, message: str) -> None:
        """Something that people should know besides; programs are not told."""
        if not self.as_json:
            sys.stderr.write(f"avisa: {printable(message)}\n")

    def refuse(self, error: str, message: str) -> None:
        """Say why there is no answer: on stdout for programs, on stderr for people."""
        if self.as_json:
            document = {"error": error, "message": message}
            self.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
        else:
            for line in message.splitlines() or [error]:
                sys.stderr.write(f"avisa: {printable(line)}\n")


answer = Answer()

_SPACES = str.maketrans("\t\u00a0\u202f", "   ")  # the kinds of space that templates and formatted numbers have


def legible(text: str) -> str:
    """A text of several lines with nothing in it that steers a terminal."""
    return "\n".join(printable(line.translate(_SPACES)) for line in text.splitlines())
