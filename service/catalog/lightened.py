"""What a message may show, made small enough to be kept: lists become shorter, then details are left out."""

from __future__ import annotations

from dataclasses import replace

import orjson

from avisa.core import shapes
from avisa.core.model import Json
from avisa.ports import RenderInput

_NEVER_LEFT_OUT = ("id", "number")
_MARK = 24  # bytes of what stands for the missing items of a list


def lightened(render_input: RenderInput, size: int, largest: int) -> RenderInput:
    """The input in no more than `largest` bytes of JSON instead of `size`, with a note of each detail of the order
    that became shorter or was left out. The largest go first. Templates ask for details, since any may be missing."""
    order: dict[str, Json] = dict(render_input.values["order"])
    sizes = {name: len(orjson.dumps(value)) for name, value in order.items() if name not in _NEVER_LEFT_OUT}
    notes = list(render_input.notes)
    for name in sorted(sizes, key=lambda name: (-sizes[name], name)):
        if size <= largest:
            break
        room = sizes[name] - (size - largest)
        value = order.pop(name)
        kept = _shortened(value, room - _MARK) if value.__class__ is list else []
        notes = [note for note in notes if not note.startswith(f"order.{name}: ")]
        if kept:
            order[name] = kept
            missing, length = shapes.missing(kept), shapes.length(kept)
            notes.append(f"order.{name}: {missing} of {length} left out, as the mail would be too large")
        else:
            notes.append(f"order.{name}: left out, as the mail would be too large")
        size -= sizes[name] - (len(orjson.dumps(kept)) if kept else 0)
    return replace(render_input, values={**render_input.values, "order": order}, notes=notes)


def _shortened(items: list[Json], room: int) -> list[Json]:
    """As many of the items as fit into so many bytes; nothing if none does."""
    kept: list[Json] = []
    for item in shapes.listed(items):
        room -= len(orjson.dumps(item)) + 1
        if room < 0:
            break
        kept.append(item)
    return shapes.cut(kept, shapes.length(items) - len(kept)) if kept else []
