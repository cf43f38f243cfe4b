"""All that the function of a message can call besides the formats of its filling: filters, and what stands for a
missing value.

What a template may say is decided before, on its syntax tree (`checker`); this is the second wall. Besides the
filters there is nothing to call, and attributes are keys of plain dicts and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache, lru_cache, partial
from html import escape
from typing import Any
from urllib.parse import quote

from jinja2 import Undefined
from jinja2.exceptions import UndefinedError

from avisa.core import shapes
from avisa.core.hosts import without_links
from avisa.templates.jinja.comparison import compared, same
from avisa.templates.jinja.direction import Direction
from avisa.templates.jinja.filling import link
from avisa.templates.jinja.to_text import cut, join, to_text
from avisa.templates.limits import Budget, counted, each
from avisa.templates.quoted_printable import HALF, quoted

# Most values are short, and have nothing that HTML or quoted-printable write otherwise, or that may have to be
# isolated, as all but ASCII may; in a message from right to left anything may.
_USUAL = re.compile(rf"(?!\.)[ !#-%(-;?-~]{{0,{HALF}}}\Z").match
# The same, of which mail programs make no links either: a host has a dot, a scheme ends with a colon, and a share of
# Windows begins with backslashes.
_HARMLESS = re.compile(rf"[ !#-%(-\-/-9;?-\[\]-~]{{0,{HALF}}}\Z").match
_FIGURES = frozenset(map(str, range(1000)))  # most quantities: usual texts, of which no pattern has to be asked
_NOTHING = re.compile(r"\Z").match
# Characters of values that are likely to come again: dates, amounts, names of goods. What is written of so few is no
# longer than the text of a value may be, and need not be counted.
REMEMBERED = 70

_NUMBERS = frozenset({int, float})
_FROM_LEFT = Direction(right_to_left=False)


class Missing(Undefined):
    """Stands for what the order does not have. It can be asked for, compared and iterated (over nothing), but not
    written."""

    __slots__ = ()

    def __str__(self) -> str:
        raise UndefinedError(f"there is no `{self._undefined_name}` here, and it is said all the same")


def functions(stages: Mapping[str, str], direction: Direction = _FROM_LEFT) -> dict[str, Any]:
    """Return all that the function of a message can call, by name: the filters, and what generated code needs.
    `stages` are the layout's words for statuses, in the language of the message, and `direction` is the message's."""
    filters = {**PLAIN_FILTERS, "_stage": partial(_stage, stages)}
    disturbs = direction.disturbs

    def isolated(text: str, budget: Budget) -> str:
        """Return a value for plain text, isolated if it has to be."""
        return counted(direction.in_line(text), budget) if disturbs(text) else text

    def indented(value: Any, indent: str, budget: Budget) -> str:
        """Return prose for plain text. No line of it but the first begins where the lines of the message do."""
        text = _write(value, budget)
        if disturbs(text):
            text = "\n".join(isolated(line, budget) for line in text.split("\n"))
        return text.replace("\n", f"\n{indent}")

    called = {
        "str": str,
        "write": _write,
        "typed_write": _typed_write,
        "disturbs": disturbs,
        "isolated": isolated,
        "each": each,
        "counted": counted,
        "dict": dict,
        "missing": _missing,
        "missing_in": _missing_in,
        "indented": indented,
        "numbers": _NUMBERS,
    }
    return called | _for_html(direction) | {f"f_{name}": filter for name, filter in filters.items()}


@cache
def _for_html(direction: Direction) -> dict[str, Any]:
    """Return the functions that write a value into the HTML, each for the places that its name says; those for what
    somebody outside the shop may have typed begin with `typed_`."""

    def shown(text: str) -> str:
        return direction.in_html(text) if direction.disturbs(text) else escape(text)

    def in_line(text: str) -> str:  # where no element can stand
        return escape(direction.in_line(text) if direction.disturbs(text) else text)

    def lines(text: str) -> str:  # each is isolated for itself: a line end ends an isolate
        return "<br>".join(map(shown, text.split("\n")))

    ways: dict[str, Callable[[str], str]] = {"escape": escape, "shown": shown, "in_line": in_line, "lines": lines}
    writers = {name: _writer(html_of, str) for name, html_of in ways.items()}
    typed = {f"typed_{name}": _writer(html_of, without_links) for name, html_of in ways.items()}
    if direction.right_to_left:
        return {**writers, **typed, "usual": _NOTHING, "typed_usual": _NOTHING, "figures": frozenset()}
    return {**writers, **typed, "usual": _USUAL, "typed_usual": _HARMLESS, "figures": _FIGURES}


def _writer(html_of: Callable[[str], str], shape: Callable[[str], str]) -> Callable[[Any, Budget], str]:
    """Return what writes a value in its shape as HTML in quoted-printable, isolated if it has to be."""

    def written(text: str) -> str:
        return quoted(html_of(shape(text)))[0]

    remembered = lru_cache(512)(written)

    def write(value: Any, budget: Budget) -> str:
        text = value if value.__class__ is str else _write(value, budget)
        return remembered(text) if len(text) <= REMEMBERED else counted(written(text), budget)

    return write


@lru_cache(1024)  # the names are those that templates write
def _missing(key: str) -> Missing:
    """Return what stands for a missing value."""
    return Missing(name=key)


def _missing_in(of: Any, key: str) -> Missing:
    """Return what stands for a missing part of a value. A part of what is missing is missing too."""
    return of if of.__class__ is Missing else _missing(key)


def _stage(named: Mapping[str, str], status: Any) -> str:
    """Return the layout's word for a status, or what a reader can make of the publisher's, without links."""
    if status.__class__ is str and (name := named.get(status)):
        return name
    name = to_text(status)[: shapes.LONGEST_LINE]
    return named.get(name) or without_links(name.replace("_", " ").capitalize())


def _write(value: Any, budget: Budget) -> str:
    if value.__class__ is str and len(value) <= shapes.LONGEST_TEXT:  # most are, and need no call
        return value
    text = to_text(value)
    return text if text is value else counted(text, budget)


def _typed_write(value: Any, budget: Budget) -> str:
    """Return what somebody outside the shop may have typed, without words that mail programs make links of."""
    if value.__class__ is str:
        return value if _HARMLESS(value) else _write(without_links(value), budget)
    return _write(without_links(to_text(value)) if value.__class__ is list else value, budget)


def _default(value: Any, instead: Any = "") -> Any:
    return value if value or value.__class__ in _NUMBERS else instead


def _join(value: Any, between: str = "") -> str:
    return join(value, to_text(between)) if value.__class__ is list else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _more(value: Any) -> int:
    """Return how many items of a list a reader does not see: what was cut, and what has no name."""
    if value.__class__ is not list:
        return 0
    items = shapes.listed(value)
    unnamed = [item for item in items if item.__class__ is not dict or not item.get("name")]
    return shapes.missing(value) + len(unnamed)


def _flat(value: Any) -> str:
    return to_text(value).replace("\n", " ")


def _part(value: Any) -> str:
    """Return the value as one part of an address, never as `.` or `..`, which would lead out of its place."""
    text = to_text(value)
    return "" if text in (".", "..") else quote(text, safe="")


def _length(value: Any) -> int:
    if value.__class__ is list:
        return shapes.length(value)
    return len(value) if isinstance(value, str | dict) else 0


PLAIN_FILTERS: dict[str, Any] = {
    "default": _default,
    "lower": lambda value: cut(to_text(value).lower()),
    "upper": lambda value: cut(to_text(value).upper()),
    "capitalize": lambda value: to_text(value)[:1].upper() + to_text(value)[1:],
    "trim": lambda value: to_text(value).strip(),
    "join": _join,
    "length": _length,
    # For generated code only: no template can name them, because a name with an underscore is refused.
    "_list": _list,
    "_more": _more,
    "_flat": _flat,
    "_link": link,
    "_part": _part,
    "_compared": compared,
    "_same": same,
}
