"""What commands print as tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from avisa.cli.views.phrases import phrase
from avisa.cli.views.timeline import moment
from avisa.core.characters import printable

_STYLES = {
    "sent": "green",
    "failed": "red",
    "in_doubt": "magenta",
    "held": "yellow",
    "retrying": "yellow",
    "dropped": "bright_black",
    "replayed": "bright_black",
    "at_risk": "yellow",
    "moved": "yellow",
    "kept": "green",
    "broken": "red",
    "withdrawn": "bright_black",
}


def table(heads: Sequence[str], rows: Sequence[Sequence[object]], *, numbers: Sequence[str] = ()) -> Table:
    """A plain table; the columns in `numbers` are aligned right."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for head in heads:
        made.add_column(head, justify="right" if head in numbers else "left", overflow="fold")
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else Text(_plain(cell)) for cell in row))
    return made


def _plain(cell: object) -> str:
    return "" if cell is None else printable(str(cell))


def _state(state: str) -> Text:
    return Text(state, style=_STYLES.get(state, ""))


def page(shown: RenderableType, older: str | None) -> RenderableType:
    """The page, and the command that shows the one before it, if there is one: in one line, to be copied."""
    if older is None:
        return shown
    return Group(shown, Text(f"There are older ones: {printable(older)}", no_wrap=True, overflow="ignore"))


def outbox(rows: list[dict[str, Any]]) -> RenderableType:
    """What `avisa outbox` prints for people."""
    if not rows:
        return Text("Nothing here.", style="bright_black")
    return table(
        ("state", "key", "tries", "version", "why"),
        [(_state(row["state"]), row["key"], row["attempts"], row["version"], phrase(row["reason"])) for row in rows],
        numbers=("tries", "version"),
    )


def counts(counted: dict[str, Any]) -> RenderableType:
    """What `avisa counts` prints for people."""
    events, notifications = counted["events"], counted["notifications"]
    came = [(phrase(reason), reason, n) for reason, n in events["by_reason"].items()]
    return Group(
        table(
            (f"{events['read']} records read", "reason", "number"),
            [*came, ("could not be read", "dead letters", events["dead_letters"])],
            numbers=("number",),
        ),
        table(
            (f"{notifications['decided']} notifications decided", "number"),
            [(_state(state), n) for state, n in notifications["by_state"].items()],
            numbers=("number",),
        ),
    )


def promises(rows: list[dict[str, Any]], *, more: int) -> RenderableType:
    """What `avisa promises` prints for people; `more` come after these."""
    if not rows:
        return Text("Nothing was promised.", style="bright_black")
    listed = table(
        ("state", "order", "date", "since", "owner", "told"),
        [
            (
                Text(row["state"].replace("_", " "), style=_STYLES.get(row["state"], "")),
                row["order_id"],
                row["date"],
                moment(row["since"]),
                row["owner"],
                moment(row["told_at"]),
            )
            for row in rows
        ],
    )
    return Group(listed, Text(f"There are {more} more: --limit N")) if more else listed


def dead_letters(letters: list[dict[str, Any]]) -> RenderableType:
    """What `avisa dead-letters` prints for people."""
    if not letters:
        return Text("No record was set aside.", style="bright_black")
    return table(
        ("id", "state", "record", "reason", "what is wrong"),
        [
            (
                letter["id"],
                _state(letter["state"]),
                f"{letter['topic']}/{letter['partition']}@{letter['offset']}",
                letter["reason"],
                letter["message"],
            )
            for letter in letters
        ],
        numbers=("id",),
    )


def snoozes(rows: list[dict[str, Any]]) -> RenderableType:
    """What `avisa snoozes` prints for people."""
    if not rows:
        return Text("Nothing is snoozed.", style="bright_black")
    heads = ("id", "of", "name", "until", "author", "reason")
    return table(heads, [[row[head] or "" for head in heads] for row in rows], numbers=("id",))


def settings(document: dict[str, Any]) -> RenderableType:
    """What `avisa config` prints for people."""
    return table(
        ("setting", "value", "from"),
        [(name, one["value"], one["source"]) for name, one in document["settings"].items()],
    )
