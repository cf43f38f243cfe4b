"""Expressions and payloads that would take for ever, or all memory, were there no bounds.

`python -m tests.feeds.attacks` says how long the worst of them takes.
"""

from __future__ import annotations

import json
import time
from bisect import bisect_left
from collections.abc import Callable, Mapping
from typing import Any

from avisa import events
from avisa.core.model import OrderEvent
from avisa.feeds.expression import Fault, parse
from tests.feeds.plans import mapped, plan, record

_TWICE = "[@, @]"


def _longest(build: Callable[[int], str]) -> str:
    """The longest expression of its kind that a plan may have: of those up to some length, none is refused."""
    refused = bisect_left(range(1, 151), True, key=lambda n: isinstance(parse(build(n)), Fault))
    assert refused
    return build(refused)


EXPRESSIONS = {
    "doubled at every bar": _longest(lambda n: " | ".join([_TWICE] * n)),
    "doubled and flattened": _longest(lambda n: " | ".join([_TWICE, "[]"] * n)),
    "doubled and compared": _longest(lambda n: " | ".join([_TWICE] * n) + " | @[0] == @[1]"),
    "doubled and written": _longest(lambda n: f"to_string({' | '.join([_TWICE] * n)})"),
    "written again and again": _longest(lambda n: "to_string([" * n + "v" + "])" * n),
    "many at once": _longest(lambda n: "v | [" + ", ".join(["@"] * n) + "]" + " | []" * 10),
    "every pair of levels": _longest(lambda n: "v[]" + ".[@, @][]" * n),
    "wildcards of wildcards": _longest(lambda n: "v" + ".*" * n),
    "sorted by a sort": "sort_by(v, &to_string(sort_by([@, @], &to_string(@))))",
    "mapped in a map": "map(&map(&map(&map(&[@, @], [@, @]), [@, @]), [@, @]), v)",
    "joined by a long text": "join(long, v[*].to_string(@))",
    "reversed and joined": "join(v[0], map(&to_string(@), v))",
    "contained": "contains(v, v)",
    "contained many times": _longest(lambda n: "||".join(["contains(v,v)"] * n)),
    "filtered by all": "v[?contains(to_string(@), 'x') || contains(to_string(@), 'y')]",
    "merged": _longest(lambda n: "merge(" + ", ".join(["v[0]"] * n) + ")"),
    "flattened for ever": _longest(lambda n: "v" + "[]" * n),
    "copied for ever": _longest(lambda n: "v" + "[::-1]" * n),
}
LARGEST = 1024 * 1024


def payloads(size: int) -> Mapping[str, bytes]:
    """Records of about so many bytes."""
    long = {"id": 1, "state": "s", "v": ['"' * (size // 4)], "long": "y" * (size // 4)}
    return {
        "numbers": _filled("1", size),
        "lists": _filled("[[]]", size),
        "maps": _filled('{"a":{"b":1}}', size),
        "texts": _filled('"x"', size),
        "one long text": json.dumps(long).encode(),
        "deep": b'{"id": 1, "state": "s", "v": ' + b"[" * 31 + b"]" * 31 + b"}",
    }


def _filled(element: str, size: int) -> bytes:
    elements = ",".join([element] * ((size - 60) // (len(element) + 1)))
    return f'{{"id": 1, "state": "s", "v": [{elements}]}}'.encode()


def strike(expression: str, payload: bytes) -> Any:
    """What becomes of the record, where the expression makes a detail, and where it makes the status."""
    quoted = json.dumps(expression)
    feeds = (mapped(details__x=quoted), mapped(status=quoted), mapped() + f"only: {{{quoted}: x}}\n")
    return [events.read(record(payload), rules=plan(feed).events) for feed in feeds]


def _measure() -> None:
    worst = []
    for name, expression in EXPRESSIONS.items():
        for kind, payload in payloads(LARGEST).items():
            begin = time.process_time()
            outcomes = strike(expression, payload)
            took = (time.process_time() - begin) / len(outcomes)
            kinds = "/".join("event" if isinstance(each, OrderEvent) else each.reason.value for each in outcomes)
            worst.append((took, name, kind, kinds))
    for took, name, kind, kinds in sorted(worst, reverse=True)[:12]:
        print(f"{took * 1000:6.0f} ms  {name}, on {kind}: {kinds}")


if __name__ == "__main__":
    _measure()
