"""No expression of a plan, on whatever record, makes more than a few MiB on the way to its result."""

from __future__ import annotations

import json
import tracemalloc

import pytest

from tests.depth import some
from tests.feeds.attacks import strike

MIB = 1 << 20
DOUBLED = " | ".join(["[@, @]"] * 9)
LITERAL = "`[[" + ",".join(["{}"] * 150) + "]]`"


def _one(value: object) -> bytes:
    return json.dumps({"id": 1, "state": "s", "v": value}).encode()


ELEMENTS = _one([1] * 40_000)

ATTACKS = {  # expression and record
    "a long name, doubled and written": (f"v | {DOUBLED} | to_string(@)", _one({"k" * 400_000: 1})),
    "long names, doubled and written": (
        f"v | {DOUBLED} | to_string(@)",
        _one({f"{n:04}" * 900: n for n in range(200)}),
    ),
    "a long name inside": (f"v | {DOUBLED} | to_string(@)", _one([[{"a": {"k" * 400_000: None}}]])),
    "a long text, doubled and written": (f"v | {DOUBLED} | to_string(@)", _one("y" * 400_000)),
    "a name of the plan's, many times": (f"to_string(v[*].{{{'k' * 800}: @}})", ELEMENTS),
    "names, joined": (f"join(',', v | {DOUBLED} | [].keys(@)[])", _one({"k" * 400_000: 1})),
    "a name as text that joins": (
        "join(keys(v[0])[0], v[1:].to_string(@))",
        _one([{"k" * 900_000: 1}, *[1] * 400]),
    ),
    "a literal for each element": (f"v[*].{{a: {LITERAL}}}", ELEMENTS),
    "a literal for each element, mapped": (f"map(&{LITERAL}, v)", ELEMENTS),
    "a literal for each element, compared": (f"v[?{LITERAL} == {LITERAL}]", ELEMENTS),
    "a literal, doubled": (f"{LITERAL} | {DOUBLED} | {DOUBLED}", ELEMENTS),
    "deep literals": (f"map(&`{'[' * 25}{']' * 25}`, v)", ELEMENTS),
}


@pytest.mark.parametrize("name", some(ATTACKS))
def test_what_is_made_on_the_way_is_bounded(name: str) -> None:
    expression, content = ATTACKS[name]
    tracemalloc.start()
    strike(expression, content)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    print(f"{peak / MIB:.0f} MiB")
    assert peak < 16 * MIB
