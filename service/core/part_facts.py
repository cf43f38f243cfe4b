"""What an order keeps of the facts that the events of its parts gave."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace

from avisa.core.model import Json, Rank
from avisa.core.part import Part

MOST_BYTES = 128 * 1024  # of all parts of an order: 650 of each, if it has as many as it may
OF_STAY = ("reason", "next_step")

_MOST_DETAILS = 20  # of a part
_LONGEST = 500  # characters of such a detail

_written = json.JSONEncoder(ensure_ascii=False).encode  # json.dumps would make an encoder for each fact

_Facts = Mapping[str, tuple[Rank, Json]]


def merged(known: _Facts, news: Mapping[str, Json], rank: Rank) -> _Facts:
    """What a part keeps of the facts of its events: reason, next step, and the newest short details."""
    merged = dict(known)
    for key, value in news.items():
        keeps = key in OF_STAY or (key.startswith("details.") and _is_short(value))
        if keeps and (key not in merged or merged[key][0] < rank):
            merged[key] = (rank, value)
    details = sorted((fact[0], key) for key, fact in merged.items() if key not in OF_STAY)
    for _, key in details[:-_MOST_DETAILS]:
        del merged[key]
    return merged


def within_bounds(parts: Iterable[Part]) -> tuple[Part, ...]:
    """The parts with as many of their newest facts as fit into 128 KiB, and none that is older than the first that
    does not fit. So an order of many facts does not make each small event slow."""
    kept = tuple(parts)
    newest = sorted(
        ((fact[0], place, key) for place, part in enumerate(kept) for key, fact in part.facts.items()), reverse=True
    )
    room = MOST_BYTES
    left_out: dict[int, set[str]] = {}
    for _, place, key in newest:
        if room >= 0:
            written = _written(kept[place].facts[key][1])
            room -= len(key) + len(written.encode("utf-8", "replace"))
        if room < 0:
            left_out.setdefault(place, set()).add(key)
    return tuple(
        replace(part, facts={key: fact for key, fact in part.facts.items() if key not in left_out[place]})
        if place in left_out
        else part
        for place, part in enumerate(kept)
    )


def _is_short(value: Json) -> bool:
    return not isinstance(value, list | dict) and (not isinstance(value, str) or len(value) <= _LONGEST)
