"""What a command prints: one JSON document, or something that is good to read."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from avisa.core.characters import printable


def json_text(document: Any) -> str:
    """`document` as JSON, with what could steer a terminal or reorder a line written as escapes."""
    text = json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    if text.replace("\n", "").isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)


class Answer:
    """Prints what a command has to say; `--json` anywhere on the line makes that one JSON document."""

    as_json = False

    def give(self, document: Any, shown: Callable[[Any], Any] | None = None) -> None:
        """Print `document` as JSON; for people, print what `shown` makes of it: anything that rich can print."""
        if self.as_json:
            self.write(json_text(document))
        elif shown is not None:
            self._show(shown(document))
        sys.stdout.flush()

    def write(self, text: str) -> None:
        """Print `text` as it is: a format that a program has asked for."""
        sys.stdout.write(text.encode("utf-8", "backslashreplace").decode())  # half a surrogate pair is no text
        sys.stdout.flush()

    def _show(self, printed: Any) -> None:
        from rich.console import Console  # here, for `--help` and `--json` do without it

        class Pipe(Console):
            def on_broken_pipe(self) -> None:
                raise BrokenPipeError  # `main` knows what to do, and that it is no failure

        Pipe(highlight=False, markup=False, soft_wrap=isinstance(printed, str)).print(printed, crop=False)

    def note(self, message: str) -> None:
        """Print on stderr what people should know besides; with `--json` nothing."""
        if not self.as_json:
            sys.stderr.write(f"avisa: {printable(message)}\n")

    def refuse(self, error: str, message: str) -> None:
        """Print why the command failed: on stdout for programs, on stderr for people."""
        if self.as_json:
            document = {"error": error, "message": message}
            self.write(json_text(document))
        else:
            for line in message.splitlines() or [error]:
                sys.stderr.write(f"avisa: {printable(line)}\n")


answer = Answer()

# The kinds of space that formatted numbers have, and the signs that keep two directions apart in a mail.
_PLAINER = str.maketrans("\u00a0\u202f", "  ", "\u200e\u200f\u2068\u2069")


def legible(text: str) -> str:
    """`text` without anything that steers a terminal; its lines stay."""
    return "\n".join(printable(line.translate(_PLAINER)) for line in text.splitlines())
