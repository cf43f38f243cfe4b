"""Log events are named `room.what_happened`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

SERVICE = Path(__file__).parents[2] / "service"
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
LOOPS = {"keep_going", "keep_trying"}


def test_each_log_event_names_its_room_and_what_happened() -> None:
    names = dict(_names())
    assert len(names) > 30, "it looks in the right places"
    assert {name: place for name, place in names.items() if not _is_named_well(name, place)} == {}


def _is_named_well(name: str, place: str) -> bool:
    room = place.split("/")[0].removesuffix(".py")
    return re.fullmatch(rf"{room}\.[a-z0-9]+(_[a-z0-9]+)*", name) is not None


def _names() -> Iterator[tuple[str, str]]:
    for path in sorted(SERVICE.rglob("*.py")):
        place = path.relative_to(SERVICE).as_posix()
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                yield from ((name, place) for name in _events(node))


def _events(call: ast.Call) -> Iterator[str]:
    """The names in a call of a logger, of `telemetry.log_entries`, or of a loop that logs its trouble."""
    match call.func:
        case ast.Attribute(value=ast.Name(id="log" | "_log"), attr=level) if level in LEVELS:
            named = call.args[:1]
        case ast.Attribute(attr="log_entries"):
            named = call.args[:1]
        case ast.Name(id=function) if function in LOOPS:
            named = [keyword.value for keyword in call.keywords if keyword.arg == "event"]
        case _:
            return
    for name in named:
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            yield name.value
