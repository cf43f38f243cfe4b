"""What `avisa explain` prints for people."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from avisa.cli.answer import legible
from avisa.cli.views.phrases import phrase
from avisa.cli.views.timeline import moment
from avisa.core.characters import printable

_SIGNS = {True: ("●", "green"), False: ("○", "white"), None: (" ", "bright_black")}


def explanation(document: dict[str, Any]) -> RenderableType:
    """The guards as they are asked, what becomes of the order, and what is told."""
    heading = Text(f"Order {printable(document['order_id'])}, “{printable(document['status'])}”", style="bold")
    grid = Table.grid(padding=(0, 1))
    for guard in document["guards"]:
        sign, style = _SIGNS[guard["applies"]]
        grid.add_row(Text(sign, style=style), Text(guard["guard"], style=style), Text(printable(guard["text"])))
    parts: list[RenderableType] = [Text(), heading, Text(), grid, Text(), Text(_outcome(document))]
    parts += [_notification(each) for each in document["notifications"]]
    return Group(*parts, Text())


def _outcome(document: dict[str, Any]) -> str:
    lines = [f"So: {document['reason']}, {phrase(document['reason'])}."]
    if not document["notifications"] and document["absorbed_by"] is None:
        lines.append("Nobody is told.")
    if document["absorbed_by"] is not None:
        lines.append(f"The message that waits says it: {printable(document['absorbed_by'])}.")
    lines += [f"No longer sent: {printable(key)}." for key in document["superseded"]]
    order = document["order"]
    if order["next_update"]:
        lines.append(f"The customer hears again by {moment(order['next_update'])}.")
    elif order["wake_at"]:
        lines.append(f"If nothing comes, a reminder is due on {moment(order['wake_at'])}.")
    return "\n".join(lines)


def _notification(each: dict[str, Any]) -> RenderableType:
    what = f"{each['purpose'].replace('_', ' ')} → {each['recipient']}"
    match each["gate"]:
        case "send":
            now = "sent at once"
        case "hold":
            now = f"held until {moment(each['until'])}: {phrase(each['gate_reason'])}"
        case _:
            now = f"dropped: {phrase(each['gate_reason'])}"
    lines = [Text(), Text(printable(f"{what}: {now}"), style="cyan")]
    if each["problem"]:
        lines.append(Text(printable(f"it cannot be written: {each['problem']}"), style="red"))
    if each["subject"]:
        lines += [Text(printable(each["subject"]), style="bold"), Text(), Text(legible(each["text"].strip()))]
    return Group(*lines)
