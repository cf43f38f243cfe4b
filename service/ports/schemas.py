"""Schemas by which others wrote records, as a schema registry keeps them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, weakref_slot=True)
class WriterSchema:
    """A schema as the registry has it; it never changes. What is made of it is kept as long as it is."""

    kind: str  # AVRO, JSON, PROTOBUF, or what the registry will know in years
    text: str = ""  # of AVRO; of others we need no more than to know of them
    references: tuple[str, ...] = ()  # the schemas that it names, each after those that it names itself


@dataclass(frozen=True, slots=True)
class NoSchema:
    """The registry answers, but has no such schema, or none that can be used; `detail` says so to a person."""

    detail: str


KnownSchemas = Mapping[int, WriterSchema | NoSchema]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schemas:
    """What the registry said of some ids; of the `missing` ones it said nothing, and may be asked again later."""

    found: KnownSchemas = field(default_factory=dict)
    missing: frozenset[int] = frozenset()
    again_in: float = 0.0  # seconds until it is worth to ask again for what is missing


FindSchemas = Callable[[Collection[int]], Awaitable[Schemas]]
"""Find the schemas of these ids; if they are too much for once, at least the first that is not known yet."""


ASK_AGAIN = 30.0  # seconds


async def no_registry(ids: Collection[int]) -> Schemas:
    """Where the settings name no registry: nothing is known of any schema, and may be after a restart."""
    return Schemas(missing=frozenset(ids), again_in=ASK_AGAIN)
