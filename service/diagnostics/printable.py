"""Text from outside, as it may stand on a terminal or in a log."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return `text` in one line, with what could steer a terminal or reorder the line written as escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
