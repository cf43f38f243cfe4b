"""What `avisa simulate` prints for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from avisa.cli.answer import legible
from avisa.cli.views.phrases import phrase
from avisa.cli.views.tables import table
from avisa.core.characters import printable

_DAY = 24.0


def simulation(document: dict[str, Any]) -> RenderableType:
    """The figures, what differs under the other plan, the first mails, and the silences that are too long."""
    parts: list[RenderableType] = [_touchpoints(document), _summary(document)]
    if any(row["promises"]["kept"] or row["promises"]["late"] for row in document["touchpoints"].values()):
        parts += [_promises(document), _warn_before(document)]
    if document["differences"]:
        parts.append(_differences(document))
    parts += [_mail(mail) for mail in document["mails"]]
    parts += [Text(f"{file} is drawn.") for file in document["files"]]
    parts += [
        Text(f"{printable(one['status'])}: a silence of {duration(one['hours'])} is longer than allowed", style="red")
        for one in document["too_long"]
    ]
    return Group(*parts)


def unread(by_reason: Mapping[Any, int]) -> str:
    """Why records could not be used: `; 3 not_json`."""
    return "".join(f"; {n} {reason}" for reason, n in sorted(by_reason.items()))


def duration(hours: float | None) -> str:
    """`7.5 h`, or `4.2 d` from two days on."""
    if hours is None:
        return ""
    return f"{hours:.1f} h" if hours < 2 * _DAY else f"{hours / _DAY:.1f} d"


def _spread(silence: dict[str, float | None]) -> str:
    median, most, longest = (duration(silence[which]) for which in ("median", "p95", "max"))
    return f"{median} at the median, {most} for 95 %, {longest} at most"


def _touchpoints(document: dict[str, Any]) -> RenderableType:
    heads = ("touchpoint", "orders", "updates", "reminded", "stuck", "median", "longest", "before")
    rows = []
    for status, row in document["touchpoints"].items():
        silence, before = row["silence_h"], row["silence_before_h"]
        updates = sum(row["messages"].get(purpose, 0) for purpose in ("update", "promise_moved"))
        lasted = (duration(silence[which]) for which in ("median", "max"))
        rows.append(
            (status, row["orders"], updates, row["reminders"], row["stuck"], *lasted, duration(before["median"]))
        )
    return table(heads, rows, numbers=heads[1:])


def _summary(document: dict[str, Any]) -> RenderableType:
    told, silence, before = document["messages_per_order"], document["silence_h"], document["silence_before_h"]
    lines = [
        "silences: median and longest; before: the median if only events were told",
        f"{document['orders']} orders with {document['events']} events{unread(document['unread'])}",
        f"messages an order: {told['median']} at the median, {told['p95']} for 95 %, {told['max']} at most",
        f"longest silence of an order: {_spread(silence)}",
        f"the same if only events were told: {_spread(before)}",
        f"next dates told and not kept: {document['over_told_date']}",
    ]
    if longest := document["longest_silence"]:
        lines.append(f"the longest silence was that of order {printable(longest['order_id'])}")
    lines += [f"not sent: {n}, {phrase(reason)}" for reason, n in document["dropped"].items()]
    return Text("\n".join(lines) + "\n")


def _promises(document: dict[str, Any]) -> RenderableType:
    heads = ("touchpoint", "kept", "late", "broken", "warned", "falsely", "missed", "95 % by")
    rows = []
    for status, row in document["touchpoints"].items():
        figures = row["promises"]
        if figures["kept"] or figures["late"]:
            right, by = figures["late_and_warned"], row["catches_95_h"]
            falsely, missed = figures["warned"] - right, figures["late"] - right
            counted = (figures[which] for which in ("kept", "late", "broken", "warned"))
            rows.append((status, *counted, falsely, missed, "" if by is None else f"{by} h"))
    early = document["announced_h"]["p95"]
    words = (
        "fewer than 95 % of the late orders were warned of"
        if early is None
        else (f"95 % of the late orders were warned of {duration(early)} or more before the end")
    )
    return Group(table(heads, rows, numbers=heads[1:]), Text(words))


def _warn_before(document: dict[str, Any]) -> RenderableType:
    """For each length, what it would have done as the `warn_before` of all touchpoints."""
    heads = ("warn_before", "warned", "late", "right", "missed")
    rows = [
        (f"{row['hours']}h", row["warned"], row["late"], f"{row['late'] / row['warned']:.0%}", row["missed"])
        for row in document["warn_before"]
        if row["warned"]
    ]
    return table(heads, rows, numbers=heads[1:])


def _differences(document: dict[str, Any]) -> RenderableType:
    heads = ("touchpoint", "figure", "old", "new")
    rows = [
        (one["status"], one["figure"].replace("_", " "), one["old"], one["new"]) for one in document["differences"]
    ]
    told = Text(f"Customers of {document['told_differently']} orders get other messages, or at other moments.")
    return Group(table(heads, rows, numbers=heads[2:]), told, Text())


def _mail(mail: dict[str, Any]) -> RenderableType:
    about = f"{mail['at'][:16].replace('T', ' ')} UTC  {mail['status']}: {mail['purpose'].replace('_', ' ')}"
    if mail["subject"] is None:
        return Text(printable(f"{about}: {mail['problem'] or phrase('no_address')}\n"), style="red")
    words = legible(mail["text"].strip())
    return Group(
        Text(printable(about), style="cyan"),
        Text(printable(mail["subject"]), style="bold"),
        Text(),
        Text(words),
        Text(),
    )
