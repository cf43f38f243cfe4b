"""Whoever writes schemas and records makes a registry's feed neither fall, nor fill the memory, nor wait for ever."""

from __future__ import annotations

import asyncio
import gc
import json
import tracemalloc
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from avisa.core.model import OrderEvent, Reason
from avisa.events import read, wire
from avisa.ports import NoSchema, Taken, Unreadable, WriterSchema
from avisa.registry import Endpoint, Registry, registry
from tests.avro.test_avro import written
from tests.feeds.plans import plan, record
from tests.feeds.test_registry import wire as numbered
from tests.registry.harness import http, small_registry

MIB = 1 << 20
FEED = "envelope: registry"
MAPPED = FEED + "\nfields: {order_id: order_id, status: status, details.x: to_string(details)}"


def _fields(**types: Any) -> list[dict[str, Any]]:
    return [{"name": name, "type": type_} for name, type_ in types.items()]


def event(details: Any, **more: Any) -> dict[str, Any]:
    """The schema of an event with these details."""
    types = {"order_id": "string", "status": "string", "details": {"type": "map", "values": details}} | more
    return {"type": "record", "name": "Event", "fields": _fields(**types)}


def _many(items: Any) -> Any:
    return {"type": "array", "items": items}


def _content(*, number: int, item: bytes = b"\0") -> bytes:
    """An event with one detail, a list of so many items."""
    return b"\2a\2s" + written("long", 1) + b"\2x" + written("long", number) + item * number + b"\0\0"


def _nested(depth: int, inner: Any) -> Any:
    for _ in range(depth):
        inner = [inner]
    return inner


def _taken(schema: Any, content: bytes, feed: str = FEED) -> Taken:
    known = {1: WriterSchema("AVRO", json.dumps(schema))}
    return read(record(numbered(1, content)), rules=plan(feed).events, schemas=known)


SYMBOL = {"type": "enum", "name": "S", "symbols": ["y" * MIB]}
NAMED = {"type": "record", "name": "S", "fields": _fields(**{"k" * MIB: "null"})}
UNIONS = {"type": "record", "name": "R", "fields": _fields(order_id=_nested(58, ["null", "R"]))}
HALF = {"type": "enum", "name": "S", "symbols": ["\ud800"]}
# schema, record, why it is set aside
RECORDS: dict[str, tuple[Any, bytes, Reason]] = {
    "unions in unions in a record that holds itself": (UNIONS, (b"\0" * 58 + b"\2") * 31, Reason.TOO_DEEP),
    "a symbol of 1 MiB, 1,000 times": (event(_many(SYMBOL)), _content(number=1_000), Reason.TOO_LARGE),
    "a field of 1 MiB, 1,000 times": (event(_many(NAMED)), _content(number=1_000), Reason.TOO_LARGE),
    "half a character as order": (event("int", order_id=HALF), b"\0\2s\0", Reason.NO_SCHEMA),
    "half a character as status": (event("int", status=HALF), b"\2a\0\0", Reason.NO_SCHEMA),
    "half a character as detail": (event(HALF), b"\2a\2s\2\2x\0\0", Reason.NO_SCHEMA),
    "half a character as name": (
        event({"type": "record", "name": "D", "fields": _fields(**{"\ud800": "string"})}),
        b"\2a\2s\2\2x\2y\0",
        Reason.NO_SCHEMA,
    ),
}  # fmt: skip


@pytest.mark.parametrize("feed", [FEED, MAPPED], ids=["own names", "mapped"])
@pytest.mark.parametrize("name", RECORDS)
def test_a_record_that_its_schema_makes_dangerous_is_a_dead_letter(name: str, feed: str) -> None:
    schema, content, reason = RECORDS[name]
    tracemalloc.start()
    found = _taken(schema, content, feed)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert isinstance(found, Unreadable), found
    assert found.reason is reason
    assert peak < 16 * MIB


@pytest.mark.parametrize("feed", [FEED, MAPPED], ids=["own names", "mapped"])
def test_long_names_and_symbols_are_no_attack(feed: str) -> None:
    items = {"type": "record", "name": "Item", "fields": _fields(**{"a_rather_long_name_of_a_field" * 4: "null"})}
    found = _taken(event(_many(items)), _content(number=300, item=b""), feed)
    assert isinstance(found, OrderEvent), found
    assert (found.left_out, len(orjson.dumps(found.facts)) > 30_000) == ((), True)


def test_what_is_made_of_a_schema_is_kept_no_longer_than_the_schema() -> None:
    kept = [WriterSchema("AVRO", json.dumps(f"R{number}")) for number in range(50)]
    before = len(wire._made)
    for schema in kept:
        read(record(numbered(1, b"")), rules=plan(FEED).events, schemas={1: schema})
    assert len(wire._made) == before + 50
    del schema, kept
    gc.collect()
    assert len(wire._made) == before


# ---------------------------------------------------------------- the registry itself


def _references(*subjects: str) -> list[dict[str, Any]]:
    return [{"name": subject, "subject": subject, "version": 1} for subject in subjects]


LONG = {"schema": " " * 400_000}
TALKATIVE: dict[str, dict[str, Any]] = {  # what each subject is answered with
    "fifty references of 400 kB": {},
    "fifty in a row": {f"s{n}": {**LONG, "references": _references(f"s{n + 1}")} for n in range(50)},
    "each refers to all behind it": {
        f"s{n}": {**LONG, "references": _references(*(f"s{m}" for m in range(n + 1, 50)))} for n in range(50)
    },
}


@pytest.mark.parametrize("name", TALKATIVE)
async def test_references_together_are_no_larger_than_a_schema(name: str) -> None:
    async with small_registry() as small:
        small.has(1, "{}", references=_references(*(f"s{n}" for n in range(50))))
        for n in range(50):
            small.documents[f"/subjects/s{n}/versions/1"] = TALKATIVE[name].get(f"s{n}", LONG)
        known = await Registry(Endpoint(url=small.url)).find([1])
    assert known.found == {1: NoSchema("it has more than 1024 KiB")}
    assert len(small.asked) == 4


async def test_a_registry_that_is_slow_with_each_reference_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "LONGEST_ASK", 0.5)
    async with small_registry() as small:
        slow = http(200, {"schema": "{}", "references": _references(*(f"s{n}" for n in range(40)))})

        async def answer(writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(0.2)
            writer.write(slow)

        small.answer = answer
        asking = Registry(Endpoint(url=small.url))
        assert (await asking.find([1])).missing == {1}
    assert asking.trouble == "no whole schema within 0.5 s"
    assert len(small.asked) < 5


@pytest.mark.parametrize("order", [sorted, lambda ids: sorted(ids, reverse=True)], ids=["rising", "falling"])
async def test_of_more_schemas_than_there_is_memory_those_needed_first_come(
    order: Callable[[Any], list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "MOST_CHARACTERS", 1_000)
    async with small_registry() as small:
        for id_ in range(100):
            small.has(id_, " " * 500)
        asking = Registry(Endpoint(url=small.url))
        needed, polls = order(range(100)), 0
        while needed:
            known = await asking.find(needed)
            assert needed[0] in known.found
            assert sum(len(schema.text) for schema in known.found.values()) <= 8 * 500 + 1_000  # eight at once
            needed, polls = [id_ for id_ in needed if id_ in known.missing], polls + 1
    assert polls == 13
