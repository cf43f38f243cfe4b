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
    sizes = {name: _size(value) for name, value in order.items() if name not in _NEVER_LEFT_OUT}
    notes = list(render_input.notes)
    for name in sorted(sizes, key=lambda name: (-sizes[name], name)):
        if size <= largest:
            break
        room = sizes[name] - (size - largest)
        value = order.pop(name)
        kept = shapes.shortened(value, room - _MARK, _size) if value.__class__ is list else []
        notes = [note for note in notes if not note.startswith(f"order.{name}: ")]
        if kept:
            order[name] = kept
            missing, length = shapes.missing(kept), shapes.length(kept)
            notes.append(f"order.{name}: {missing} of {length} left out, as the mail would be too large")
        else:
            notes.append(f"order.{name}: left out, as the mail would be too large")
        size -= sizes[name] - (_size(kept) if kept else 0)
    return replace(render_input, values={**render_input.values, "order": order}, notes=notes)


def _size(value: Json) -> int:
    return len(orjson.dumps(value))
