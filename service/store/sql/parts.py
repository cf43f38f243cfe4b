"""The parts of an order as JSON, and back."""

from __future__ import annotations

from typing import Any

from avisa.core.part import Part, Parts, Word


def written(parts: Parts) -> list[Any]:
    """What is stored of them."""
    of = None if parts.of is None else [*parts.of[0], parts.of[1]]
    return [parts.named, of, _word(parts.word), *(_written(part) for part in parts.known)]


def read(stored: list[Any]) -> Parts:
    """The parts that were stored so."""
    named, of, word, *known = stored
    return Parts(
        known=tuple(_read(row) for row in known),
        named=named,
        of=None if of is None else ((of[0], of[1], of[2]), of[3]),
        word=Word(*word),
    )


def _word(word: Word) -> list[Any]:
    return [word.status, word.before, word.seq]


def _written(part: Part) -> list[Any]:
    statuses = [[*rank, status] for rank, status in part.statuses]
    facts = {name: [*rank, value] for name, (rank, value) in part.facts.items()}
    return [part.id, part.number, statuses, facts, _word(part.word), *([True] if part.stays else [])]


def _read(row: list[Any]) -> Part:
    part_id, number, statuses, facts, word, *stays = row
    return Part(
        id=part_id,
        number=number,
        statuses=tuple(((a, b, c), status) for a, b, c, status in statuses),
        facts={name: ((a, b, c), value) for name, (a, b, c, value) in facts.items()},
        word=Word(*word),
        stays=bool(stays),
    )
