"""A YAML text as plain values, each with its place in the file.

The reader works on the events of PyYAML's parser rather than on its objects. So every scalar stays the text that was
written (`no`, `on`, `21:00` and `2026-12-24` are texts, and only the plan's own types decide what they mean), a key
given twice is noticed, and neither tags nor aliases can build anything. Depth and size are bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from avisa.diagnostics.diagnostic import Place
from avisa.diagnostics.yaml_errors import DocumentError, explain

Value = str | list["Value"] | dict[str, "Value"]  # null and a missing value are the empty text
Path = tuple[str | int, ...]  # keys of maps and indexes of lists, from the outside in

KEY = "[key]"  # at the end of a path: the key itself, not its value. pydantic writes so, too
LONGEST = 256 * 1024  # characters; the plan of a large firm has about 30,000
DEEPEST = 12
_KEY_LINE = re.compile(r"\n[ ]*(?:- )?[\w-]+:(?=\s)")
_NOT_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")  # written as an escape
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})


@dataclass(frozen=True, slots=True)
class Document:
    """The value of a file, and where each key and value in it begins."""

    value: Value
    keys: dict[Path, Place] = field(default_factory=dict)
    values: dict[Path, Place] = field(default_factory=dict)
    texts: dict[Path, Place] = field(default_factory=dict)  # of texts in one line, as they are: inside quotes

    def key(self, path: Path) -> Place:
        """Return where the key stands; if it is not there, where the innermost map or list around it begins."""
        return self.keys.get(path) or (self.key(path[:-1]) if path else Place(1, 1))

    def at(self, path: Path) -> Place:
        """Return where the value stands; if it is not there, the place of its key, as `key` finds it."""
        return self.values.get(path) or self.key(path)

    def within(self, path: Path, offset: int) -> Place:
        """Return the place of a character of a value, or of a key, whose path ends with `KEY`. Of one that is written
        with escapes or in several lines it is the place where it begins."""
        is_key = path[-1:] == (KEY,)
        found = self.texts.get(path) or (None if is_key else self.texts.get(path[:-1]))
        if found is not None:
            return Place(found.line, found.column + offset)
        return self.key(path[:-1]) if is_key else self.at(path)


@lru_cache(4)  # a check asks for the plan and for the words of a layout several times
def parse(text: str) -> Document:
    """Return the document in `text`, which nobody changes. Raises DocumentError at the first mistake: what follows
    one may be misread."""
    if len(text) > LONGEST:
        raise DocumentError("too_large", f"the file is longer than {LONGEST // 1024} KiB", Place(1, 1))
    text = text.removeprefix("\ufeff")
    document = Document(value="")
    try:
        events = yaml.parse(text, Loader=yaml.SafeLoader)
        value = _documents(events, document)
    except yaml.MarkedYAMLError as error:
        raise explain(error, text) from error
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        place = Place(before.count("\n") + 1, len(before) - before.rfind("\n"))
        message = f"the character U+{ord(text[error.position]):04X} is not allowed in YAML"
        raise DocumentError("not_yaml", message, place) from error
    except (ValueError, OverflowError) as error:
        message = "an escape or a number in it means nothing"
        raise DocumentError("not_yaml", message, Place(1, 1)) from error
    return Document(value, document.keys, document.values, document.texts)


def _documents(events: Iterator[Event], document: Document) -> Value:
    value: Value = ""
    count = 0
    for event in events:
        if isinstance(event, DocumentStartEvent):
            count += 1
            if count > 1:
                message = "a file holds one document, and here a second begins"
                raise DocumentError("not_allowed", message, _place(event.start_mark))
        elif isinstance(event, NodeEvent):
            value = _value(event, events, (), document)
    return value


def _value(event: Event, events: Iterator[Event], path: Path, document: Document) -> Value:
    place = _place(event.start_mark)
    document.values[path] = place
    if isinstance(event, AliasEvent):
        meant = "write it out, or put what is shared under defaults"
        raise DocumentError("not_allowed", "aliases (*name) are not read", place, meant)
    if getattr(event, "tag", None) not in (None, "!"):
        meant = "leave it out, or quotes around the text"
        raise DocumentError("not_allowed", "tags (!name) are not read", place, meant)
    if len(path) > DEEPEST:
        raise DocumentError("too_deep", f"nested more than {DEEPEST} deep", place)
    if isinstance(event, ScalarEvent):
        _refuse_unclosed_quotes(event, place)
        _refuse_control_characters(event, place)
        if (begin := _text_begin(event, place)) is not None:
            document.texts[path] = begin
        return "" if event.implicit[0] and event.value in _NULLS else event.value
    if isinstance(event, SequenceStartEvent):
        return _list(events, path, document)
    assert isinstance(event, MappingStartEvent)
    return _map(events, path, document)


def _text_begin(event: ScalarEvent, place: Place) -> Place | None:
    """Where the first character of a text stands; None if it is not written as it is."""
    begin, end = event.start_mark, event.end_mark
    quotes = event.style in ("'", '"')
    if begin is None or end is None or begin.line != end.line or event.style in ("|", ">"):
        return None
    if end.column - begin.column != len(event.value) + 2 * quotes:
        return None
    return Place(place.line, place.column + quotes)


def _refuse_unclosed_quotes(event: ScalarEvent, place: Place) -> None:
    """A text in quotes may go on in the next line, but one that holds a line with a key lacks its closing quotes."""
    begin, end = event.start_mark, event.end_mark
    if event.style not in ("'", '"') or begin is None or end is None or begin.buffer is None:
        return
    if _KEY_LINE.search(begin.buffer, begin.pointer, end.pointer):
        message = f"the quotes that begin here are closed only in line {end.line + 1}"
        raise DocumentError("not_yaml", message, place)


def _refuse_control_characters(event: ScalarEvent, place: Place) -> None:
    if found := _NOT_TEXT.search(event.value):
        raise DocumentError("not_allowed", f"U+{ord(found[0]):04X} stands in no text", place)


def _list(events: Iterator[Event], path: Path, document: Document) -> Value:
    items: list[Value] = []
    while not isinstance(event := next(events), SequenceEndEvent):
        items.append(_value(event, events, (*path, len(items)), document))
    return items


def _map(events: Iterator[Event], path: Path, document: Document) -> Value:
    items: dict[str, Value] = {}
    while not isinstance(event := next(events), MappingEndEvent):
        place = _place(event.start_mark)
        if not isinstance(event, ScalarEvent):
            message = "a key must be a plain word, and a text that begins with { needs quotes"
            raise DocumentError("not_allowed", message, place)
        _refuse_control_characters(event, place)
        key = event.value
        if (begin := _text_begin(event, place)) is not None:
            document.texts[(*path, key, KEY)] = begin
        if key in items:
            first = document.keys[(*path, key)].line
            raise DocumentError("given_twice", f"{key} is given twice, first in line {first}", place)
        document.keys[(*path, key)] = place
        items[key] = _value(next(events), events, (*path, key), document)
    return items


class _Mark(Protocol):
    line: int
    column: int


def _place(mark: _Mark | None) -> Place:
    return Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)
