"""A second look at an event whose strict reading failed, or that holds what only a machine can have written.

Only what decides about the news makes a record a dead letter. Of the other fields numbers are taken for texts, texts
for numbers and booleans, and `[]` for an empty map, where the field asks for that; what cannot be used is left out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from functools import reduce
from operator import getitem
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import to_json

from avisa.core.facts import is_field
from avisa.core.model import Json, Reason
from avisa.core.plan import Events
from avisa.core.shapes import MOST_ITEMS
from avisa.events.details import name_of
from avisa.events.flatten import is_blank
from avisa.events.schema import Data, DecodeError
from avisa.feeds.envelopes import UNAVAILABLE

_DECIDES = frozenset({"order_id", "status", "occurred_at", "notify"})
_REQUIRED = (("order_id", Reason.NO_ORDER_ID), ("status", Reason.NO_STATUS))
_OF_PART = frozenset({"part", "part.id"})
_NUMBER = re.compile(r"[+-]?\d{1,19}(?:\.0+)?", re.ASCII)
_TRIED = frozenset({"str", "int", "float"})  # what pydantic appends to the place of a fault in a union
_PLACEHOLDERS = frozenset({*UNAVAILABLE, "[object Object]"})
_MARKS = tuple(text.encode() for text in _PLACEHOLDERS)
_MANY = 10_000  # commas, and so as many faults at most
_ESCAPED = re.compile(rb"\\u00([2-7][0-9A-Fa-f])")  # a character of ASCII, as some writers have `=` and `<`

_Shape = TypeVar("_Shape", bound=Data)
_Path = tuple[str | int, ...]


def may_hold_placeholders(value: bytes) -> bool:
    """True if a record may hold a text that stands for a value that its writer did not have."""
    if b"\\" in value and b"\\u00" in value:  # one byte is found sooner than several
        value = _ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), value)
    return any(map(value.__contains__, _MARKS))


def needs_care(value: bytes) -> bool:
    """True if a record is not to be read strictly first: it may hold placeholders, or so many faults that only to
    name them would keep everybody waiting."""
    return (len(value) > _MANY and value.count(b",") > _MANY) or may_hold_placeholders(value)


def mended(content: Json, shape: type[_Shape], pointer: str, rules: Events) -> tuple[_Shape, tuple[str, ...]]:
    """Return the data, as far as they can be used, and the names of the fields that were left out.

    `content` is changed on the way. Raises DecodeError if something that decides cannot be used; what an event cannot
    do without comes before any word on what it has.
    """
    left_out: list[str] = []
    content = {} if content == [] and pointer else content
    if not isinstance(content, dict):
        raise DecodeError("data", Reason.WRONG_TYPE, f"{pointer or 'the value'}: must be an object")
    _leave_out_placeholders(content, (), left_out)
    part = next((name for name in left_out if name in _OF_PART), None)
    left_out = [name for name in left_out if is_field(name)]
    _only_count_the_rest(content, left_out)
    for name, missing in _REQUIRED:
        if is_blank(content.get(name)):
            raise DecodeError("data", missing, f"{pointer}/{name}: is missing or empty")
    if part is not None:  # without it the event would speak of the whole order
        where = f"{pointer}/{part.replace('.', '/')}"
        raise DecodeError("data", Reason.WRONG_TYPE, f"{where}: holds a placeholder, not a value")
    while True:
        try:
            return shape.model_validate_json(to_json(content)), tuple(dict.fromkeys(left_out))
        except ValidationError as error:
            for path, fault in _faults(error):
                _mend(content, path, fault, pointer, rules, left_out)


def _faults(error: ValidationError) -> Iterator[tuple[_Path, str]]:
    """The places of what is wrong, each once, those behind first, so that a list can be shortened on the way."""
    found: dict[_Path, str] = {}
    for fault in error.errors(include_url=False, include_input=False, include_context=False):
        path = fault["loc"]
        if len(path) > 1 and path[0] == "promised_at":  # neither a text nor a whole slot
            found[path[:1]] = "union"
        elif len(path) > 1 and path[-1] in _TRIED:
            found[path[:-1]] = "union"
        else:
            found[path] = fault["type"]
    yield from reversed(found.items())


def _mend(content: Json, path: _Path, fault: str, pointer: str, rules: Events, left_out: list[str]) -> None:
    """Make what is wrong there right, or leave it out. Raises DecodeError if it decides."""
    *way, last = path
    holder = reduce(getitem, way, content)
    value = holder[last]
    is_item = isinstance(last, int) and fault == "dict_type"  # one of the things ordered, for its name is text
    mend = _named if is_item else _MENDS.get(fault)
    right = mend(value) if mend is not None else None
    if right is not None and path != ("occurred_at",):  # a number there is no moment of RFC 3339
        holder[last] = right
        return
    says_nothing = is_blank(value) or (value in ([], {}) and fault in _OF_MANY)
    if not says_nothing:
        name = _name(path)
        if name in _DECIDES or (name == "sequence" and rules.rank_by == "sequence"):
            where = pointer + "".join(f"/{step}" for step in path)
            raise DecodeError("data", Reason.WRONG_TYPE, f"{where}: {_MUST.get(fault, 'has the wrong type')}")
        left_out.append(name)
        if is_item:
            holder[last] = {}  # so that it is counted
            return
    del holder[last]
    if isinstance(last, int) and not holder:  # a list of nothing but nulls says nothing, and replaces none
        del reduce(getitem, way[:-1], content)[way[-1]]


def _only_count_the_rest(content: dict[str, Any], left_out: list[str]) -> None:
    """Of a long list of things ordered mend only those that can be shown: of the others the number counts."""
    details = content.get("details")
    items = details.get("items") if isinstance(details, dict) else None
    if not isinstance(details, dict) or not isinstance(items, list) or len(items) <= MOST_ITEMS:
        return
    said = [item for item in items if not is_blank(item)]
    rest = said[MOST_ITEMS:]
    if any(not _is_item(item) and type(item) not in _NAMES and item != [] for item in rest):
        left_out.append("details.items")
    items[:] = said[:MOST_ITEMS] + [item if _is_item(item) else {} for item in rest]
    if not items:
        del details["items"]


def _is_item(value: Json) -> bool:
    return isinstance(value, dict) and type(value.get("name")) in _TEXTS and type(value.get("quantity")) in _NUMBERS


_NAMES = (str, int, float)
_TEXTS = (str, type(None))
_NUMBERS = (str, int, float, type(None))


def _leave_out_placeholders(content: Json, path: _Path, left_out: list[str]) -> None:
    steps = list(content.items() if isinstance(content, dict) else enumerate(content))
    for step, value in reversed(steps):
        kind = value.__class__
        if kind is dict or kind is list:
            if value:
                _leave_out_placeholders(value, (*path, step), left_out)
        elif kind is str and value.strip() in _PLACEHOLDERS:
            del content[step]
            left_out.append(_name((*path, step)))


def _name(path: _Path) -> str:
    """`details.items.name` for the name of whichever item."""
    top, *inside = (step for step in path if isinstance(step, str))
    return name_of(*inside) if top == "details" else ".".join((top, *inside))


# ---------------------------------------------------------------- what is taken for what


def text(value: Json) -> Json:
    """The value, a number as text."""
    written = _text(value)
    return value if written is None else written


def _text(value: Json) -> str | None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if whole or (isinstance(value, float) and math.isfinite(value)) else None


def _whole_number(value: Json) -> int | None:
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    text = value.strip() if isinstance(value, str) else ""
    return int(text.partition(".")[0]) if _NUMBER.fullmatch(text) else None


def _boolean(value: Json) -> bool | None:
    return {"true": True, "false": False}.get(value.strip().lower()) if isinstance(value, str) else None


def _named(value: Json) -> dict[str, Any] | None:
    """An item of which only the name is given."""
    name = value if isinstance(value, str) else _text(value)
    return _map(value) if name is None or is_blank(name) else {"name": name}


def _map(value: Json) -> dict[str, Any] | None:
    return {} if value == [] else None


_OF_MANY = frozenset({"model_type", "dict_type", "list_type"})
_MENDS: Mapping[str, Callable[[Json], Json]] = {
    "string_type": _text,
    "int_type": _whole_number,
    "bool_type": _boolean,
    "model_type": _map,
    "dict_type": _map,
}
_MUST = {
    "string_type": "must be text",
    "union": "must be text or a number",
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
    "greater_than_equal": "is too small",
    "less_than_equal": "is too large",
}
