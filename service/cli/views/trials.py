"""What `avisa feed try` prints for people."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from avisa.cli.views.phrases import phrase
from avisa.core.characters import printable


def trials(documents: Sequence[dict[str, Any]]) -> RenderableType:
    """What came out of each record, and how many events, skipped records and dead letters there were."""
    parts = [_trial(document) for document in documents]
    events = sum(document["event"] is not None for document in documents)
    skipped = sum(document["skipped"] is not None for document in documents)
    bad = len(documents) - events - skipped
    return Group(*parts, Text(f"{len(documents)} records: {events} events, {skipped} skipped, {bad} dead letters."))


def _trial(document: dict[str, Any]) -> RenderableType:
    heading = f"Line {document['line']}: "
    if document["skipped"]:
        return Group(Text(f"{heading}skipped, {phrase(document['skipped'])}", style="bright_black"), Text())
    grid = Table.grid(padding=(0, 2))
    if document["error"]:
        lines = [Text(printable(f"{heading}a dead letter, {document['error']['message']}"), style="red")]
    else:
        event = document["event"]
        lines = [Text(printable(f"{heading}order {event['order_id']}, “{event['status']}”"), style="bold")]
        if not document["planned"]:
            lines.append(Text("  the plan has no touchpoint for this status", style="yellow"))
        shown = {name: value for name, value in event.items() if name not in ("order_id", "status", "facts")}
        for name, value in {**shown, **event["facts"]}.items():
            if value is not None or name in event["facts"]:
                grid.add_row("", printable(name), printable(_value(value)))
    for each in document["missing"]:
        near = f"; perhaps: {each['suggestion']}" if each["suggestion"] else ""
        grid.add_row("", printable(each["field"]), Text(printable(f"`{each['from']}` finds nothing{near}"), "yellow"))
    for name in document["left_out"]:
        grid.add_row("", printable(name), Text("left out, as it cannot be used", style="yellow"))
    return Group(*lines, grid, Text())


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
