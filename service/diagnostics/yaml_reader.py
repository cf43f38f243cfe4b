"""YAML text to plain values, each with its place in the file.

It reads the events of the YAML parser rather than its objects: every scalar stays the text that was written (so
`no`, `on`, `21:00` and `2026-12-24` mean what they say, and only the plan's own types decide what they are), a
key given twice is seen, and neither tags nor aliases can build anything. Depth and size are bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
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

from avisa.diagnostics.diagnostic import Diagnostic
from avisa.diagnostics.yaml_errors import slip_of

Value = str | list["Value"] | dict[str, "Value"]  # nothing at all (null) is the empty text
Path = tuple[str | int, ...]

LONGEST = 256 * 1024  # characters; the plan of a large firm has about 30,000
DEEPEST = 12
_SWALLOWED = re.compile(r"\n[ ]*(?:- )?[\w-]+:(?=\s)")
_ODD = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")  # spelt with an escape
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})


@dataclass(frozen=True, slots=True)
class Place:
    """Line and column, from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Document:
    """What was written, and where each key and value begins."""

    value: Value
    keys: dict[Path, Place] = field(default_factory=dict)
    values: dict[Path, Place] = field(default_factory=dict)

    def key(self, path: Path) -> Place:
        """Where the key stands; else where the nearest thing around it does."""
        return self.keys.get(path) or (self.key(path[:-1]) if path else Place(1, 1))

    def at(self, path: Path) -> Place:
        """Where the value stands; else its key, or the nearest thing around it."""
        return self.values.get(path) or self.key(path)


class CannotReadError(Exception):
    """The text is not a document; `problem` says why and where."""

    def __init__(self, code: str, message: str, place: Place, suggestion: str | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.place, self.suggestion = code, message, place, suggestion

    def problem(self, file: str) -> Diagnostic:
        return Diagnostic(
            code=self.code,
            file=file,
            line=self.place.line,
            column=self.place.column,
            message=self.message,
            suggestion=self.suggestion,
        )


def parse(text: str) -> Document:
    """The document in `text`. Raises CannotReadError at the first thing after which reading on makes no sense."""
    if len(text) > LONGEST:
        raise CannotReadError("too_large", f"the file is longer than {LONGEST // 1024} KiB", Place(1, 1))
    text = text.removeprefix("\ufeff")
    document = Document(value="")
    try:
        events = yaml.parse(text, Loader=yaml.SafeLoader)
        value = _documents(events, document)
    except yaml.MarkedYAMLError as error:
        slip = slip_of(error, text)
        place = Place(slip.line + 1, slip.column + 1)
        raise CannotReadError("not_yaml", slip.message, place, slip.suggestion) from error
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        place = Place(before.count("\n") + 1, len(before) - before.rfind("\n"))
        message = f"the character U+{ord(text[error.position]):04X} is not allowed in YAML"
        raise CannotReadError("not_yaml", message, place) from error
    except (ValueError, OverflowError) as error:
        message = "an escape or a number in it means nothing"
        raise CannotReadError("not_yaml", message, Place(1, 1)) from error
    return Document(value, document.keys, document.values)


def _documents(events: Iterator[Event], document: Document) -> Value:
    value: Value = ""
    count = 0
    for event in events:
        if isinstance(event, DocumentStartEvent):
            count += 1
            if count > 1:
                raise CannotReadError(
                    "not_allowed", "a file holds one document, and here a second begins", _place(event.start_mark)
                )
        elif isinstance(event, NodeEvent):
            value = _value(event, events, (), document)
    return value


def _value(event: Event, events: Iterator[Event], path: Path, document: Document) -> Value:
    place = _place(event.start_mark)
    document.values[path] = place
    if isinstance(event, AliasEvent):
        raise CannotReadError(
            "not_allowed", "aliases (*name) are not read", place, "write it out, or put what is shared under defaults"
        )
    if getattr(event, "tag", None) not in (None, "!"):
        raise CannotReadError(
            "not_allowed", "tags (!name) are not read", place, "leave it out, or quotes around the text"
        )
    if len(path) > DEEPEST:
        raise CannotReadError("too_deep", f"nested more than {DEEPEST} deep", place)
    if isinstance(event, ScalarEvent):
        _refuse_open_quotes(event, place)
        _refuse_odd(event, place)
        return "" if event.implicit[0] and event.value in _NULLS else event.value
    if isinstance(event, SequenceStartEvent):
        return _list(events, path, document)
    assert isinstance(event, MappingStartEvent)
    return _map(events, path, document)


def _refuse_open_quotes(event: ScalarEvent, place: Place) -> None:
    """A text in quotes may go on in the next line, but where it swallows a key, its own quotes are missing."""
    begin, end = event.start_mark, event.end_mark
    if event.style not in ("'", '"') or begin is None or end is None or begin.buffer is None:
        return
    if _SWALLOWED.search(begin.buffer, begin.pointer, end.pointer):
        message = f"the quotes that begin here are closed only in line {end.line + 1}"
        raise CannotReadError("not_yaml", message, place)


def _refuse_odd(event: ScalarEvent, place: Place) -> None:
    if odd := _ODD.search(event.value):
        raise CannotReadError("not_allowed", f"U+{ord(odd[0]):04X} stands in no text", place)


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
            raise CannotReadError(
                "not_allowed", "a key must be a plain word, and a text that begins with { needs quotes", place
            )
        _refuse_odd(event, place)
        key = event.value
        if key in items:
            first = document.keys[(*path, key)].line
            raise CannotReadError("given_twice", f"{key} is given twice, first in line {first}", place)
        document.keys[(*path, key)] = place
        items[key] = _value(next(events), events, (*path, key), document)
    return items


class _Mark(Protocol):
    line: int
    column: int


def _place(mark: _Mark | None) -> Place:
    return Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)
