"""`python -m tests.events.differential --events 1000000`: what the quick reader reads, the careful one reads so, too.

First each odd value stands at each place of an ordinary event, then events are made odd by chance, in several places.
Each is read as it is, and again with so many blanks behind it that the quick reader declines it. Both readings must
agree in whatever does not count the bytes.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

from avisa.core.model import OrderEvent
from avisa.core.plan import Events
from avisa.events import ordinary, read
from avisa.events.schema import Customer, Details, Envelope, Item, PlainData
from avisa.ports import Taken, Unreadable
from tests.events.records import CONTENT_TYPE, attributes, envelope, record

BLANKS = b" " * 4096
RULES = [Events(), *(Events(nulls=nulls) for nulls in ("clear", "unknown"))]
RULES += [Events(promised_at="day"), Events(rank_by="sequence")]
TEXTS = [
    "Ana", "", " ", "é€😀", "a\tb", "\0", "\u2028", "\xa0", "x" * 600, "O&#39;Neill", "&nbsp;", "null", "2026-03-09",
    "2026-03-09T10:00:00Z", "2026-03-09T10:00", "1970-01-01", "9999-12-31", "true", "12", "[object Object]", "[[[[",
    "NaN", "Infinity", "\\", '"', "\ud800", "\ud83d\ude00", "\x7f", "__debezium_unavailable_value", "UTC+2",
]  # fmt: skip
NUMBERS = [
    "0", "-0", "-0.0", "1", "-1", "1.0", "1.5", "1e2", "1E400", "-1e999", "0.1e-400", "9007199254740993", "5e-324",
    "9223372036854775807", "9223372036854775808", "18446744073709551615", "18446744073709551616",
    "-9223372036854775809", "123456789012345678901234567890", "0.1", "129.90", "1e-7", "1e23",
    "1.7976931348623157e308", "9" * 400, "123456789.123456789123456789",
]  # fmt: skip
TOKENS = [
    "null", "true", "false", "[]", "{}", "[null]", '{"name": null}', "[[]]", '["Vase"]', '[{"name": "Vase"}, "Cup"]',
    "NaN", "Infinity", "-Infinity", "01", "1.", "+1", "'x'", "", '"\\ud800"', '"\\udfff x"', '"\\ud83d\\ude00"',
    '"\\u0000"', '"\\u00e9"', '"\\x"', '"a\nb"', '"\\/"', "[" * 40 + "]" * 40, '["email", "email"]', "[1]", '["a",]',
    '{"from": "2026-03-09T10:00:00Z", "until": "2026-03-09T12:00:00Z"}',
]  # fmt: skip
KEYS = [*PlainData.model_fields, *Customer.model_fields, *Details.__annotations__, *Item.__annotations__]
KEYS += ["from", "until", "time", "x", "é", "", "a b", "k" * 300]
BYTES = [b"", b'"', b"\xff", b"\xc3", b"9", b"-", b",", b"}", b"\\u", b"\x00", b"e9"]

Headers = tuple[tuple[str, bytes | None], ...]
Pairs = list[tuple[str, Any]]  # of an object, so that a key can come twice


class Raw(str):
    """A piece of JSON, or of what is none, as it is to be written."""


ODD = [*map(Raw, NUMBERS), *map(Raw, TOKENS), *TEXTS]


def whole() -> Pairs:
    """An ordinary event with all that it can have."""
    customer = [(name, "UTC" if name == "time_zone" else f"{name} é") for name in Customer.model_fields]
    customer[-1] = ("channels", ["email"])
    items = [[("name", "Vase"), ("quantity", quantity), ("sku", "V")] for quantity in (1, "2", 1.5)]
    details = [("number", "1042"), ("url", "https://shop.example/o/1042"), ("items", items), ("total", "129.90")]
    event: Pairs = [("id", "01J9"), ("source", "/shop/oms"), ("order_id", "A-1042"), ("status", "in_production")]
    event += [("occurred_at", "2026-03-02T10:14:58Z"), ("sequence", 7), ("customer", customer)]
    event += [("promised_at", "2026-03-09"), ("reason", "glaze"), ("next_step", "we fire it"), ("brand", "default")]
    event += [
        ("owner", "production"),
        ("notify", True),
        ("details", [*details, ("currency", "EUR"), ("gift", "yes")]),
    ]
    return [*event, ("unknown", "to us")]


def by_chance(dice: Random) -> Pairs:
    """An ordinary event with a part of it."""
    return [pair for pair in whole() if pair[0] in ("order_id", "status") or dice.random() < 0.7]


def odd(dice: Random, depth: int = 0) -> Any:
    """A value that may stand anywhere."""
    match dice.randrange(5 if depth == 2 else 7):
        case 0:
            return Raw(dice.choice(NUMBERS))
        case 1:
            return Raw(f"{dice.randrange(10 ** dice.randrange(1, 25))}.{dice.randrange(10 ** dice.randrange(1, 25))}")
        case 2 | 3:
            return dice.choice(TEXTS)
        case 4:
            return Raw(dice.choice(TOKENS))
        case 5:
            return [odd(dice, depth + 1) for _ in range(dice.choice([0, 1, 2, 25]))]
    return [(dice.choice(KEYS), odd(dice, depth + 1)) for _ in range(dice.choice([1, 2, 3]))]


def is_object(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], tuple)


def objects(event: Pairs) -> Iterator[Pairs]:
    """The event and all objects in it."""
    yield event
    for _, value in event:
        for inner in [value] if is_object(value) else value if isinstance(value, list) else ():
            if is_object(inner):
                yield from objects(inner)


def change(event: Pairs, dice: Random) -> None:
    """Make one place of an object, or of one within it, odd."""
    there = dice.choice(list(objects(event)))
    at = dice.randrange(len(there))
    match dice.randrange(4):
        case 0:
            there[at] = (there[at][0], odd(dice))
        case 1:
            there.insert(at, (dice.choice(KEYS), odd(dice)))
        case 2:
            there.insert(at, (there[dice.randrange(len(there))][0], odd(dice)))
        case _:
            there[at] = (dice.choice(KEYS), there[at][1])


# json.dumps would make an encoder for each value.
_WRITTEN = {ascii_only: json.JSONEncoder(ensure_ascii=ascii_only).encode for ascii_only in (True, False)}


def written(value: Any, *, ascii_only: bool = False, gap: str = "") -> str:
    """The value as JSON, or nearly."""
    if isinstance(value, Raw):
        return str(value)
    if is_object(value):
        pairs = (
            f"{_WRITTEN[ascii_only](key)}:{gap}{written(inner, ascii_only=ascii_only, gap=gap)}"
            for key, inner in value
        )
        return "{" + f",{gap}".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + f",{gap}".join(written(inner, ascii_only=ascii_only, gap=gap) for inner in value) + "]"
    return _WRITTEN[ascii_only](value)


def torn(value: bytes, dice: Random) -> bytes:
    """The value with a few of its bytes changed, doubled or left out."""
    content = bytearray(value)
    for _ in range(dice.randrange(1, 4)):
        at = dice.randrange(len(content) + 1)
        content[at : at + dice.randrange(3)] = dice.choice(BYTES)
    return bytes(content)


def enveloped(event: Pairs) -> Pairs:
    return [("data", event) if name == "data" else (name, value) for name, value in envelope().items()]


def value_and_headers(dice: Random) -> tuple[bytes, Headers]:
    """A record's value, and headers for one of the three encodings."""
    event = by_chance(dice)
    for _ in range(dice.randrange(5)):
        change(event, dice)
    headers: Headers = ()
    encoding = dice.randrange(4)
    if encoding == 0:
        headers = attributes()
    elif encoding == 1:
        event = enveloped(event)
        headers = (CONTENT_TYPE,) if dice.random() < 0.8 else ()
        if dice.random() < 0.2:
            event[dice.randrange(len(event))] = (dice.choice([*Envelope.model_fields]), odd(dice))
    text = written(event, ascii_only=dice.random() < 0.5, gap=dice.choice(["", " ", "\n"]))
    value = text.encode("utf-8", "surrogatepass")
    return torn(value, dice) if dice.random() < 0.1 else value, headers


def each_odd_value_at_each_place() -> Iterator[tuple[bytes, Headers]]:
    for headers in ((), attributes(), (CONTENT_TYPE,)):
        is_structured = headers == (CONTENT_TYPE,)
        for number, there in enumerate(objects(enveloped(whole()) if is_structured else whole())):
            for at, (key, _) in enumerate(there):
                for value in ODD:
                    event = enveloped(whole()) if is_structured else whole()
                    [*objects(event)][number][at] = (key, value)
                    yield written(event).encode("utf-8", "surrogatepass"), headers


def compared(value: bytes, headers: Headers, rules: Events) -> str:
    """How a record was read; raises AssertionError if the two readings differ."""
    one = read(record(value, *headers), rules=rules)
    other = read(record(value + BLANKS, *headers), rules=rules)
    quick = ordinary.envelope(value) if b'"specversion"' in value else ordinary.data(value)
    if quick is not None or isinstance(one, OrderEvent) or isinstance(other, OrderEvent):
        assert exact(one, value) == exact(other, value), (value, headers, rules)
    if not isinstance(one, OrderEvent):
        return "neither reads it"
    return "only the careful one reads it" if quick is None else "both read it"


def exact(taken: Taken, value: bytes) -> str:
    """All of an event but what counts its bytes, with the types of its values; else why it is none. Facts are a map:
    their order says nothing."""
    if isinstance(taken, Unreadable):
        return f"{taken.stage} {taken.reason} {taken.message}"
    if not isinstance(taken, OrderEvent):
        return repr(taken)
    identity = taken.identity if taken.event_id else b""
    facts = {key: _ordered(taken.facts[key]) for key in sorted(taken.facts)}
    return repr(replace(taken, size=len(value), identity=identity, facts=facts))


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _ordered(value[key]) for key in sorted(value)}
    return [_ordered(inner) for inner in value] if isinstance(value, list) else value


def readings(events: int, dice: Random) -> Counter[str]:
    """How so many events by chance were read, each in the two ways."""
    return Counter(compared(*value_and_headers(dice), dice.choice(RULES)) for _ in range(events))


def main() -> None:
    """Compare, and say how the events were read."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    by_rule = Counter(compared(*event, rules) for rules in RULES for event in each_odd_value_at_each_place())
    for how, many in (by_rule + readings(arguments.events, Random(arguments.seed))).most_common():
        print(f"{many:>9,}  {how}")


if __name__ == "__main__":
    main()
