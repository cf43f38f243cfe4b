"""The shape that each value has when a message shows it.

A person's name, a number, a status, an item and a currency are one line; so is every other detail. Only a reason and
a next step are prose, and keep their lines. Every text has an end, and one that is cut ends with `…`. What is cut or
left out is noted, so that the timeline can tell.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import islice
from math import isfinite
from unicodedata import category

from avisa.core.characters import is_plain_line, one_line, visible
from avisa.core.hosts import has_host
from avisa.core.model import Json

LONGEST_TEXT = 2_000  # characters of prose, and of a detail
LONGEST_LINE = 120  # of a number, a status, an item, a currency
LONGEST_NAME = 60
MOST_WORDS = 4  # of a name
MOST_ITEMS = 100  # of one list or object
DEEPEST = 5

# The last item of a list that was cut, with how many are missing. No template can name it, because names with an
# underscore before them are left out, and no event can forge it, because `without_mark` takes it for an item.
MORE = "_more"
_LARGEST = 2**63
_LINES = frozenset({"number", "currency", "currency_code"})
_STANDS_FOR_A_NAME = ("title", "description", "sku")

# What a name is nearly always made of, and what else may stand in one: hyphens, apostrophes, the middle dots of
# Catalan and Japanese, the stop behind an initial or an abbreviation, and a comma if the family name comes first.
_USUAL_NAME = re.compile("[A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f' -]*")
_IN_NAMES = frozenset(" -\u2010\u2011\u2013'’‘´`·・.,")
_STOP = re.compile(r"\w{5}\.|(?<!\w)\.|,.*,")
_PARTICLES = frozenset(
    "da das de del della der di do dos du des e el i la las le los van von den zu ter ten bin ibn al y af".split()
)


class Notes(list[str]):
    """What was cut of a value, or left out, without the value itself."""


def text_of(value: str, longest: int, notes: Notes, *, lines: bool = False) -> str:
    """Return the text as it may be shown, no longer than `longest`: in one line, or with its lines."""
    if len(value) <= longest and value.isascii() and value.isprintable():  # most are
        return value.strip()
    begin = value[: 2 * longest]  # it may have a million characters, and they are looked at one by one
    if lines:
        begin = "\n".join(line for each in visible(begin).split("\n") if (line := each.strip()))
    elif not (begin.isascii() and begin.isprintable()):
        begin = one_line(begin)
    begin = begin.strip()
    if len(begin) <= longest and len(value) <= 2 * longest:
        return begin
    notes.append(f"cut after {longest} characters")
    return begin[: longest - 1].rstrip(" \n\u200c\u200d") + "…"


def person(name: str) -> str:
    """Return a person's name of one line; empty if it has not the shape of a name.

    Of a name with more words or characters than a name has here, the first and the last word stay, as forms in
    Portugal and Brazil have it. Particles such as `da` and `van` are not counted.
    """
    if not _USUAL_NAME.fullmatch(name) and not _may_be_name(name):
        return ""
    words = name.split()
    own = [word for word in words if word not in _PARTICLES]
    if len(own) <= MOST_WORDS and len(name) <= LONGEST_NAME:
        return name
    short = f"{own[0]} {own[-1]}" if len(own) > 1 and not any(map(str.islower, own)) else ""
    return short if len(short) <= LONGEST_NAME else ""


def _may_be_name(name: str) -> bool:
    sound = all(c.isalpha() or c in _IN_NAMES or category(c)[0] == "M" for c in name)
    return sound and not _STOP.search(name) and not has_host(name)


def detail(value: Json, notes: Notes, longest: int = LONGEST_TEXT, depth: int = 0) -> Json:
    """A detail as a template may see it; None for what says nothing, or is nested too deep."""
    kind = value.__class__
    if kind is str:
        return text_of(value, longest, notes) or None
    if kind is int:
        return value if -_LARGEST <= value < _LARGEST else str(value)[:LONGEST_LINE]
    if kind is bool:
        return value
    if kind is float:
        return value if isfinite(value) else None  # 1e999 is JSON, and nothing that can be shown
    if kind not in (list, dict):
        return None
    if depth == DEEPEST:
        notes.append(f"left out what is nested more than {DEEPEST} deep")
        return None
    if kind is list:
        known = value if depth else listed(value)
        items = [kept for item in known[:MOST_ITEMS] if (kept := detail(item, notes, longest, depth + 1)) is not None]
        total = len(value) if depth else length(value)
        if total <= len(known) <= MOST_ITEMS:
            return items
        absent = total - min(len(known), MOST_ITEMS)
        notes.append(f"{absent} of {total} left out")
        return cut(items, absent)
    if len(value) > MOST_ITEMS:
        notes.append(f"{len(value) - MOST_ITEMS} of {len(value)} names left out")
    shown = {}
    for key, item in value.items() if len(value) <= MOST_ITEMS else islice(value.items(), MOST_ITEMS):
        if key[:1] == "_":
            continue
        kind = item.__class__  # of most items these two are all that there is, and need no call
        if kind is str and item and len(item) <= longest and item.isascii() and item.isprintable():
            if text := item.strip():
                shown[key] = text
        elif kind is int and -_LARGEST <= item < _LARGEST:
            shown[key] = item
        elif (kept := detail(item, notes, longest, depth + 1)) is not None:
            shown[key] = kept
    return shown


def order_detail(name: str, value: Json, notes: Notes) -> Json:
    """A detail of an order, as `detail`; an item that has no name takes its title, its description or its number."""
    if name != "items" or value.__class__ is not list:
        return detail(value, notes, LONGEST_LINE if name in _LINES else LONGEST_TEXT)
    return value if are_plain(value) else [_item(item, notes) for item in detail(value, notes)]


def are_plain(items: list[Json]) -> bool:
    """Return whether nothing has to be done for these items to be shown: named ones, with nothing but short texts of
    the usual characters and whole numbers. Most are, and their texts are looked at all at once."""
    if len(items) > MOST_ITEMS:
        return False
    texts: list[str] = []
    for item in items:
        if item.__class__ is not dict or len(item) > MOST_ITEMS:
            return False
        name = item.get("name")
        if name.__class__ is not str or len(name) > LONGEST_LINE:
            return False
        for key, value in item.items():
            if value.__class__ is str:
                texts.append(value)
            elif value.__class__ is not int or not -_LARGEST <= value < _LARGEST:
                return False
            if key[:1] == "_":
                return False
    text = " ".join(texts)
    return 0 < len(text) <= LONGEST_TEXT and is_plain_line(text)


def _item(item: Json, notes: Notes) -> Json:
    if item.__class__ is str:
        item = {"name": item}
    if item.__class__ is not dict or MORE in item:
        return item
    name = item.get("name")
    if name.__class__ is str and len(name) <= LONGEST_LINE:
        return item
    if name.__class__ not in (str, int, float):
        name = next((text for key in _STANDS_FOR_A_NAME if (text := item.get(key)).__class__ in (str, int)), None)
    if name is None:
        return {key: value for key, value in item.items() if key != "name"}
    return {**item, "name": text_of(str(name), LONGEST_LINE, notes)}


def cut(items: list[Json], missing: int) -> list[Json]:
    """The items of a list of which so many more are missing."""
    return [*items, {MORE: missing}]


def shortened(items: Sequence[Json], room: int, size: Callable[[Json], int]) -> list[Json]:
    """As many of the first 100 items as fit into so many bytes, and how many are missing; nothing if none fits."""
    kept: list[Json] = []
    for item in listed(items)[:MOST_ITEMS]:
        room -= size(item) + 1
        if room < 0:
            break
        kept.append(item)
    return cut(kept, length(items) - len(kept)) if kept else []


def without_mark(items: list[Json]) -> list[Json]:
    """A list of an event in which nothing can be taken for the mark of a list that was cut."""
    last = items[-1] if items else None
    return [*items[:-1], {}] if last.__class__ is dict and MORE in last else items


def missing(items: Sequence[Json]) -> int:
    """How many items of a list were left out."""
    last = items[-1] if items else None
    return int(last[MORE]) if last.__class__ is dict and MORE in last else 0


def listed(items: Sequence[Json]) -> Sequence[Json]:
    """The items of a list that are shown."""
    return items[:-1] if missing(items) else items


def length(items: Sequence[Json]) -> int:
    """How many items a list had before it was cut."""
    return len(listed(items)) + missing(items)
