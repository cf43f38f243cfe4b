"""`make crash`: killed at every step, then at random instants, on both stores; and two wrong builds are caught.

All of it without and with a sender process, which is killed and frozen, too.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import pickle
import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.crash.campaign import TESTIMONY, Blow, instants, parts
from tests.crash.steps import all_steps, sender_blows, smtp_blows, wrong_builds
from tests.crash.sweep import Sweep
from tests.oracle import Kind, judge
from tests.tools.kafka import ApacheKafka
from tests.tools.postgres import running


@contextlib.contextmanager
def sweep(seed: int, *, postgres: bool, keep: Path | None = None) -> Iterator[Sweep]:
    """With a Kafka, and a PostgreSQL if it is wanted; `keep` is where logs, mails and stores stay."""
    with contextlib.ExitStack() as stack:
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="avisa-crash-")))
        kafka = ApacheKafka(folder=folder / "kafka")
        kafka.start()
        stack.callback(kafka.stop)
        server = stack.enter_context(contextlib.contextmanager(running)()) if postgres else None
        yield Sweep(folder, kafka, server, seed)


def main() -> int:
    """0 if nothing was found, every step was reached, and the wrong builds were caught."""
    asked = _arguments()
    if asked.again is not None:
        print(verdict := judge(*pickle.loads((asked.again / TESTIMONY).read_bytes())))
        return 0 if verdict.clean else 1
    stores = ("sqlite", "postgres") if asked.store == "both" else (asked.store,)
    print(f"seed {asked.seed}")
    with sweep(asked.seed, postgres="postgres" in stores, keep=asked.keep) as swept:
        wrong = asyncio.run(_sweep(swept, stores, asked))
    print("\n".join(wrong) or "clean")
    return 1 if wrong else 0


async def _sweep(swept: Sweep, stores: Sequence[str], asked: argparse.Namespace) -> list[str]:
    """Everything that is wrong."""
    wrong: list[str] = []
    for store, senders in itertools.product(stores, asked.senders):
        where = f"{store}, {senders} senders"
        counted = await swept.campaign([], store=store, senders=senders)
        wrong += [f"{where}: {violation}" for violation in counted.verdict.violations]
        blows: list[Blow] = [*all_steps(counted.reached), *smtp_blows(), *instants(asked.random, swept.rng)]
        if senders:
            blows += sender_blows(asked.random, swept.rng)
        print(f"{where}: {len(counted.reached)} kinds of step, {len(blows)} blows, {asked.random} at random")
        for part in parts(blows, asked.size, swept.rng):
            outcome = await swept.campaign(part, store=store, senders=senders)
            wrong += [f"{where}: {violation}" for violation in outcome.verdict.violations]
            wrong += [f"{where}: never reached {blow}" for blow in outcome.missed]
    for build, deadly in wrong_builds().items():
        outcome = await swept.campaign(deadly, store=stores[0], build=build)
        if not outcome.verdict.count(Kind.LOST):
            wrong.append(f"the build {build} was not caught")
    return wrong


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--store", choices=("sqlite", "postgres", "both"), default="both")
    parser.add_argument("--senders", type=int, nargs="+", choices=(0, 1), default=(0, 1), help="sender processes")
    parser.add_argument("--random", type=int, default=100, help="random instants for each store")
    parser.add_argument("--size", type=int, default=12, help="blows in a campaign")
    parser.add_argument("--keep", type=Path, default=None, help="an empty folder for what each campaign leaves")
    parser.add_argument("--again", type=Path, default=None, help="only judge a campaign anew, by its kept folder")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
