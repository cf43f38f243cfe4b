"""`python -m tests.hostile [CASES] [--seed N]`: messages by hostile authors, told to hostile publishers.

Writes how many were accepted, what was wrong with the others, and the worst cases. Exit 1 if anything was found.
"""

from __future__ import annotations

import argparse
import faulthandler
import sys
from collections import Counter
from random import Random

from avisa.templates import template_folder
from tests.hostile.attacks import ATTACKS, struck
from tests.hostile.grammar import Author
from tests.hostile.mutation import mutated
from tests.hostile.trial import Verdict, tried, warm
from tests.hostile.values import occasions
from tests.templates.harness import SHIPPED

_PATIENCE = 20  # seconds for one case, before it counts as a hang
_SHOWN = 300  # characters of a case with a fault


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile")
    parser.add_argument("cases", nargs="?", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=None)
    asked = parser.parse_args()
    seed = Random().randrange(2**32) if asked.seed is None else asked.seed
    print(f"seed {seed}, {asked.cases} cases")
    warm()
    tally = Tally()
    for attack in ATTACKS:
        print(_told(attack.name, struck(attack)))
    for number in range(asked.cases):
        text, random = case(seed, number)
        faulthandler.dump_traceback_later(_PATIENCE, exit=True)
        tally.add(number, text, tried(text, occasions(random)))
        faulthandler.cancel_dump_traceback_later()
    print(tally)
    return 1 if tally.faults else 0


def case(seed: int, number: int) -> tuple[str, Random]:
    """The text of a case, and the chance that goes on from it."""
    random = Random(f"{seed}/{number}")
    author = Author(random)
    if random.random() < 0.3:
        return mutated(_shipped(), random, author), random
    return author.message(), random


def _shipped() -> list[str]:
    if not _texts:
        files, _ = template_folder.read(SHIPPED)
        _texts.extend(text for name, text in sorted(files.items()) if name.endswith(".md"))
    return _texts


_texts: list[str] = []


def _told(name: str, verdict: Verdict) -> str:
    """What came of an attack, in a line."""
    compiled = f"compiled in {verdict.compile_s * 1000:4.1f} ms"
    filled = f"filled in {verdict.fill_s * 1000:4.1f} ms"
    came = filled if verdict.accepted else "refused: " + ", ".join(verdict.codes)
    return "\n".join([f"{name + ':':36} {compiled}; {came}", *verdict.faults])


class Tally:
    """What came of all cases."""

    def __init__(self) -> None:
        self.accepted = self.refused = self.too_large = 0
        self.codes: Counter[str] = Counter()
        self.faults: dict[str, tuple[int, str]] = {}  # kind -> the first case, and its text
        self.kinds: Counter[str] = Counter()
        self.worst: dict[str, tuple[float, int]] = {}

    def add(self, number: int, text: str, verdict: Verdict) -> None:
        self.accepted += verdict.accepted
        self.refused += not verdict.accepted
        self.too_large += verdict.too_large
        if not verdict.accepted:
            self.codes.update(verdict.codes)
        for fault in dict.fromkeys(verdict.faults):
            kind = fault[:110]
            self.kinds[kind] += 1
            if kind not in self.faults or len(text) < len(self.faults[kind][1]):
                self.faults[kind] = (number, text)
        for name in ("compile_s", "draft_s", "fill_s", "mail_bytes"):
            self.worst[name] = max(self.worst.get(name, (0.0, 0)), (getattr(verdict, name), number))

    def __str__(self) -> str:
        lines = [
            f"{self.accepted} accepted, {self.refused} refused",
            f"{self.too_large} times a hostile order would have made too large a mail, and made none",
            "refused for: " + ", ".join(f"{code} {count}" for code, count in self.codes.most_common()),
            f"most time to compile: {self._seconds('compile_s')}; to fill: {self._seconds('fill_s')};"
            f" to freeze what an order says: {self._seconds('draft_s')}",
            f"largest mail: {self._bytes('mail_bytes')}",
            f"{sum(self.kinds.values())} faults of {len(self.kinds)} kinds",
        ]
        for kind, count in self.kinds.most_common(25):
            number, text = self.faults[kind]
            lines += [f"--- {count} × {kind}", f"case {number}:", text[:_SHOWN]]
        return "\n".join(lines)

    def _seconds(self, name: str) -> str:
        worst, number = self.worst[name]
        return f"{worst * 1000:.1f} ms (case {number})"

    def _bytes(self, name: str) -> str:
        worst, number = self.worst[name]
        return f"{worst / 1024:.0f} KiB (case {number})"


if __name__ == "__main__":
    sys.exit(main())
