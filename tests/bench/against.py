"""Whether Avisa has become slower: today's takes turns with that of another commit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tests.bench.checkout import checkout
from tests.bench.numbers import Ratio, document, table
from tests.bench.turns import take_turns
from tests.bench.variants import Avisa, Ground


def measure(ground: Ground, variants: Sequence[Avisa], commit: str, rounds: int) -> dict[str, object]:
    """Print each variant in multiples of what it was then; return what `bench.json` holds."""
    with checkout(commit) as other:
        then = {one.name: replace(one, name=f"{one.name}_then", checkout=other) for one in variants}
        turns = take_turns(ground, [each for one in variants for each in (one, then[one.name])], rounds)
    print(f"\nMedians; `_then` is {commit}\n")
    print(turns.table())
    ratios: dict[str, float | Ratio | None] = {}
    rows = []
    for name, old in then.items():
        cpu, rate = turns.cpu(name, old.name), turns.rate(name, old.name)
        assert cpu is not None
        ratios |= {f"{name}_cpu_to_then": cpu, f"{name}_to_then": rate}
        rows.append([name, str(cpu), str(rate), cpu.verdict])
    print("\nToday in multiples of then: the median and where it would lie in 19 of 20 benches\n")
    print(table(["", "CPU a mail", "mails/s", "by more than 3 %"], rows))
    return document(turns.numbers({}), ratios)
