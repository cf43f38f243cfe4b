"""What a value says: its text, whatever it is."""

from __future__ import annotations

from typing import Any

from avisa.core.context import LONGEST_TEXT


def said(value: Any) -> str:
    """Texts, numbers, and what is missing (which raises), as themselves; a list by what it holds; an object not at
    all, for nobody wants to read one."""
    if value.__class__ is str:
        return cut(value)
    if value.__class__ is list:
        return joined(value, ", ")
    return "" if value.__class__ is dict else str(value)


def joined(value: list[Any], between: str) -> str:
    """The texts and numbers of a list; no more of them are joined than will be said."""
    told: list[str] = []
    length = 0
    for item in value:
        if item.__class__ not in (list, dict):
            told.append(str(item))
            length += len(told[-1]) + len(between)
            if length > LONGEST_TEXT + len(between):
                break
    return cut(between.join(told))


def cut(text: str) -> str:
    """No longer than the text of a value may be."""
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1].rstrip() + "…"
