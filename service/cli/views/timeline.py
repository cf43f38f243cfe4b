"""A timeline for people: the days of an order, what came in, what went out, and why."""

from __future__ import annotations

from datetime import datetime
from itertools import groupby
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from avisa.cli.views.phrases import phrase
from avisa.core.characters import printable
from avisa.core.promise import PromiseState

# kind, or how it was settled -> sign, style
SIGNS = {
    "event": ("●", "cyan"),
    "answer": ("↩", "cyan"),
    "promise": ("◆", "magenta"),
    "decision": ("✎", "white"),
    "gate": ("◌", "yellow"),
    "attempt": ("↻", "yellow"),
    "note": ("✂", "yellow"),
    "sent": ("✓", "green"),
    "dropped": ("·", "bright_black"),
    "failed": ("✗", "red"),
    "in_doubt": ("?", "magenta"),
}


def timeline(document: dict[str, Any]) -> RenderableType:
    """What `avisa timeline` prints for people."""
    entries = document["entries"]
    width = max((len(columns(entry, "")[0]) for entry in entries), default=0)  # one edge for all days
    days = groupby(entries, key=lambda entry: str(entry["at"])[:10])
    parts: list[RenderableType] = [_heading(document)]
    for day, group in days:
        parts += [
            Text(),
            Text(datetime.fromisoformat(day).strftime("%A %-d %B %Y"), style="bold"),
            _day(list(group), width),
        ]
    return Group(*parts, Text())


def _heading(document: dict[str, Any]) -> RenderableType:
    line = Text.assemble(
        (f"Order {printable(document['order_id'])}", "bold"), "  ", (printable(document["status"]), "cyan")
    )
    if document["final"]:
        line.append("  final", "bright_black")
    facts = []
    if document["next_update"]:
        facts.append(f"the customer hears again by {moment(document['next_update'])}")
    if document["promise"]:
        facts.append(f"promised for {printable(str(document['promise']['date']))}{_so_far(document['promise'])}")
    lines = [Text("; ".join(facts), style="bright_black")] if facts else []
    if document["parts"]:
        known = (
            f"{part['number']} {printable(part['id'])} {printable(part['status'])}" for part in document["parts"]
        )
        lines.append(Text(f"parts: {', '.join(known)}", style="bright_black"))
    return Group(Text(), line, *lines)


def _so_far(promise: dict[str, Any]) -> str:
    """What became of the promise, unless it merely stands."""
    state = promise["state"]
    return "" if state in (None, PromiseState.OPEN) else f" ({state.replace('_', ' ')})"


def _day(entries: list[dict[str, Any]], width: int) -> Table:
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, min_width=min(width, 44))
    table.add_column(ratio=1)
    for entry in entries:
        sign, style = SIGNS[entry["state"] if entry["kind"] == "settled" else entry["kind"]]
        table.add_row(
            Text(f"  {entry['at'][11:19]}", style="bright_black"), Text(sign, style=style), *columns(entry, style)
        )
    return table


def columns(entry: dict[str, Any], style: str) -> tuple[Text, Text]:
    """The two columns of an entry: what it is about, and what came of it."""
    why = phrase(entry["reason"])
    if entry["note"]:
        why = f"{why} ({printable(entry['note'])})" if why else printable(entry["note"])
    match entry["kind"]:
        case "event":
            part = f" of {printable(entry['part'])}" if entry["part"] else ""
            return Text(f"{printable(entry['status'] or '')}{part}", style=style), Text(why)
        case "promise":
            return Text(f"promise {entry['state'].replace('_', ' ')}", style=style), Text(why)
        case "decision":
            return Text(_subject(entry)), Text(f"to be told: {why}" if entry["key"] else why, style="bright_black")
        case "settled":
            written = " in ".join(filter(None, (entry["message"], entry["locale"])))
            if written and entry["version"]:
                written += f", v{entry['version']}"
            return (
                Text(f"{_subject(entry)} {entry['state'].replace('_', ' ')}", style=style),
                Text.assemble(why, (f"  {written}" if written and entry["state"] == "sent" else "", "bright_black")),
            )
        case "gate":
            return Text(f"{_subject(entry)} held", style=style), Text(why)
        case "answer":
            by = f"  by {printable(entry['author'])}" if entry["author"] else ""
            return Text(f"{_subject(entry)} answered", style=style), Text.assemble(why, (by, "bright_black"))
        case "note":
            by = f"  {printable(entry['author'])}" if entry["author"] else ""
            return Text(_subject(entry), style=style), Text.assemble(why, (by, "bright_black"))
        case _:
            return Text(f"{_subject(entry)} tried", style=style), Text(why)


def _subject(entry: dict[str, Any]) -> str:
    """`reminder`, or `owner alert → owner:production`."""
    purpose = (entry["purpose"] or "order").replace("_", " ")
    recipient = (entry["key"] or "").rpartition("/")[2]
    return purpose if recipient in {"", "customer"} else f"{purpose} → {printable(recipient)}"


def moment(at: str | None) -> str:
    """A moment of a JSON document, to the minute."""
    return "" if at is None else datetime.fromisoformat(at).strftime("%-d %b %Y %H:%M UTC")
