"""`python -m tests.bench.render [--against COMMIT]`: what a mail's words cost, step by step, in processor time.

Each shipped message is compiled, in one language; mails are those that follow from the same events in every status
and language. A process of its own measures (`words`); with `--against`, one with Avisa of another commit takes turns
with it, which finds in its own `tests.templates.harness` how its catalog is put together.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.bench.checkout import TODAY, Checkout, checkout
from tests.bench.numbers import FEWEST, figure, paired, table
from tests.bench.orders import event

ORDERS = 5  # in each status and language
STATUSES = ("confirmed", "in_production", "shipped", "out_for_delivery", "delivered", "cancelled")
LOCALES = ("en", "es", "ca", "pt-PT", "pt-BR")


def main() -> None:
    """Measure and print."""
    words = argparse.ArgumentParser(prog="python -m tests.bench.render", description=__doc__)
    words.add_argument("--rounds", type=int, default=40)
    words.add_argument("--against", metavar="COMMIT", help="a commit, or the path of a worktree")
    asked = words.parse_args()
    if asked.rounds < FEWEST:
        words.error(f"fewer than {FEWEST} rounds tell no interval")
    with ExitStack() as living:
        them = {"now": living.enter_context(_alive(TODAY))}
        if asked.against:
            them["then"] = living.enter_context(_alive(living.enter_context(checkout(asked.against))))
        rounds: list[dict[str, dict[str, float]]] = []
        for number in range(asked.rounds):
            turns = list(them.items())
            rounds.append({name: turn() for name, turn in (turns if number % 2 == 0 else turns[::-1])})
    rows = []
    for step in rounds[0]["now"]:
        costs = {name: [turns[name][step] for turns in rounds] for name in them}
        row = [step, *(figure(min(each)) for each in costs.values())]
        if asked.against:
            ratio = paired(costs["now"], costs["then"])
            row += [str(ratio), ratio.verdict]
        rows.append(row)
    print(table(["CPU µs, best round", *them, *(["now / then", "by more than 3 %"] if asked.against else [])], rows))


@contextmanager
def _alive(avisa: Checkout) -> Iterator[Callable[[], dict[str, float]]]:
    """A process that waits for its turns. A turn returns the cost of each step in µs."""
    command = [sys.executable, "-P", str(Path(__file__).with_name("words.py"))]
    environ = {"PYTHONPATH": avisa.python_path}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ) as process:
        to, back = process.stdin, process.stdout
        assert to is not None
        assert back is not None

        def say(line: str) -> None:
            to.write(f"{line}\n".encode())
            to.flush()

        def turn() -> dict[str, float]:
            say("once more")
            answer: dict[str, float] = json.loads(back.readline())
            return answer

        try:
            say(json.dumps(list(_events())))
            yield turn
        finally:
            process.kill()


def _events() -> Iterator[str]:
    """The values of records, each of an order of its own."""
    for number in range(ORDERS):
        for status in STATUSES:
            for locale in LOCALES:
                told = event(number)
                customer = told["customer"]
                assert isinstance(customer, dict)
                changed = {"order_id": f"A-{number}-{status}-{locale}", "status": status}
                yield json.dumps(told | changed | {"customer": customer | {"locale": locale}}, ensure_ascii=False)


if __name__ == "__main__":
    main()
