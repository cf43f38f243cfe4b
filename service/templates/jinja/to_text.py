"""Any value as the text that a reader sees."""

from __future__ import annotations

from typing import Any

from avisa.core.shapes import LONGEST_TEXT, listed, missing


def to_text(value: Any) -> str:
    """Return texts and numbers as themselves, a list as what it holds, and nothing for an object, which nobody wants
    to read. What is missing raises UndefinedError."""
    if value.__class__ is str:
        return cut(value)
    if value.__class__ is list:
        return join(value, ", ")
    return "" if value.__class__ is dict else str(value)


def join(value: list[Any], between: str) -> str:
    """Return the texts and numbers of a list in one, up to the length of a text; `…` stands for what was cut."""
    texts: list[str] = []
    length = 0
    for item in listed(value):
        if item.__class__ not in (list, dict):
            texts.append(str(item))
            length += len(texts[-1]) + len(between)
            if length > LONGEST_TEXT + len(between):
                break
    if texts and missing(value):
        texts.append("…")
    return cut(between.join(texts))


def cut(text: str) -> str:
    """Return the text, cut at the length that the text of a value may have."""
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1].rstrip() + "…"
