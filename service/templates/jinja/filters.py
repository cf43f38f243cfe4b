"""What the function of a message can reach: the filters of its language, and what is missing.

What a template may say is decided before, on its syntax tree (`allow`); this is the second wall. Beside the filters
there is nothing to call, and attributes are keys of plain dicts and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from typing import Any
from urllib.parse import quote

from jinja2 import Undefined
from jinja2.exceptions import UndefinedError

from avisa.core.context import LONGEST_NAME
from avisa.templates.jinja.comparison import compared, same
from avisa.templates.jinja.formats import Formats
from avisa.templates.jinja.render_limits import Spent, each, made
from avisa.templates.jinja.to_text import cut, joined, said
from avisa.templates.links import safe_link

_SPECIAL = re.compile("[&<>\"']").search  # most values have none of these, and looking is cheaper than replacing


class Missing(Undefined):
    """Something the order does not have. It can be asked for, compared and iterated (over nothing); said it
    cannot be."""

    __slots__ = ()

    def __str__(self) -> str:
        raise UndefinedError(f"there is no `{self._undefined_name}` here, and it is said all the same")


def functions(locale: str, stages: Mapping[str, str]) -> dict[str, Any]:
    """All that the function of a message can call: the filters of its language, and what `program` needs. `stages`
    are the layout's own words for statuses."""
    formats = Formats(locale)
    dates = {name: getattr(formats, name) for name in ("day", "date", "time", "datetime", "money", "number")}
    filters = {**PLAIN_FILTERS, **dates, "_stage": lambda status: _stage(stages, status)}
    called = {
        "str": str,
        "said": _said,
        "escape": _escaped,
        "each": each,
        "made": made,
        "dict": dict,
        "part": _part_of,
        "parts": _parts_of,
    }
    return called | {f"f_{name}": filter for name, filter in filters.items()}


def _part_of(of: Any, key: str) -> Any:
    """A part of a value, or what is missing of it; of what is missing itself, that."""
    if of.__class__ is dict and key in of:
        return of[key]
    return of if isinstance(of, Missing) else Missing(obj=of, name=key)


def _parts_of(of: Any, *keys: str) -> list[Any]:
    return [_part_of(of, key) for key in keys]


def _stage(named: Mapping[str, str], status: Any) -> str:
    told = said(status)[:LONGEST_NAME]
    return named.get(told) or told.replace("_", " ").capitalize()


def _said(value: Any, spent: Spent) -> str:
    text = said(value)
    return text if text is value else made(text, spent)


def _escaped(value: Any, spent: Spent) -> str:
    text = value if value.__class__ is str else _said(value, spent)
    return made(escape(text), spent) if _SPECIAL(text) else text


def _default(value: Any, instead: Any = "") -> Any:
    return value if value or value == 0 else instead


def _join(value: Any, between: str = "") -> str:
    return joined(value, said(between)) if value.__class__ is list else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _part(value: Any) -> str:
    """A part of an address; never one that leads out of where it stands."""
    text = said(value)
    return "" if text in (".", "..") else quote(text, safe="")


def _length(value: Any) -> int:
    return len(value) if isinstance(value, list | str | dict) else 0


PLAIN_FILTERS: dict[str, Any] = {
    "default": _default,
    "lower": lambda value: cut(said(value).lower()),
    "upper": lambda value: cut(said(value).upper()),
    "capitalize": lambda value: said(value)[:1].upper() + said(value)[1:],
    "trim": lambda value: said(value).strip(),
    "join": _join,
    "length": _length,
    # Ours alone; no template can name them, because a name with an underscore is refused.
    "_list": _list,
    "_link": safe_link,
    "_part": _part,
    "_compared": compared,
    "_same": same,
}
