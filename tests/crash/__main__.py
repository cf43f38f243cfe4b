"""`make crash`: killed at every step, then at random instants, on both stores; and two wrong builds are caught."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.crash.campaign import Blow, Campaign, Outcome, instants, parts
from tests.crash.steps import all_steps, smtp_blows, wrong_builds
from tests.tools.kafka import ApacheKafka
from tests.tools.postgres import Postgres, running


class Sweep:
    """Campaign after campaign against one Kafka, each with a topic, a group and a store of its own."""

    def __init__(self, folder: Path, kafka: ApacheKafka, postgres: Postgres | None, seed: int) -> None:
        self._folder, self._kafka, self._postgres = folder, kafka, postgres
        self.rng = random.Random(seed)
        self._number = 0

    def campaign(self, blows: Sequence[Blow], *, store: str, build: str = "") -> Outcome:
        """Run one, and tell how it went."""
        self._number += 1
        topic = f"orders.{self._number}"
        asyncio.run(self._kafka.create_topic(topic, partitions=2))
        folder = self._folder / str(self._number)
        url = f"sqlite:///{folder / 'avisa.db'}"
        if store == "postgres":
            assert self._postgres is not None
            url = self._postgres.database()
        seed = self.rng.randrange(1_000_000)
        begin = time.monotonic()
        outcome = Campaign(
            folder=folder,
            servers=self._kafka.bootstrap_servers,
            topic=topic,
            store_url=url,
            seed=seed,
            build=build,
        ).run(blows)
        found = outcome.verdict
        print(
            f"campaign {self._number} on {store}{' ' + build if build else ''}, orders of seed {seed}:"
            f" {len(outcome.struck)} blows, {sum(found.mails.values())} mails, {found.excused} allowed doubles,"
            f" {len(found.violations)} violations, {time.monotonic() - begin:.0f} s",
            flush=True,
        )
        return outcome


@contextlib.contextmanager
def sweep(seed: int, *, postgres: bool) -> Iterator[Sweep]:
    """With a Kafka, and a PostgreSQL if it is wanted."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="avisa-crash-")))
        kafka = ApacheKafka(folder=folder / "kafka")
        kafka.start()
        stack.callback(kafka.stop)
        server = stack.enter_context(contextlib.contextmanager(running)()) if postgres else None
        yield Sweep(folder, kafka, server, seed)


def main() -> int:
    """0 if nothing was found, every step was reached, and the wrong builds were caught."""
    asked = _arguments()
    stores = ("sqlite", "postgres") if asked.store == "both" else (asked.store,)
    print(f"seed {asked.seed}")
    wrong: list[str] = []
    with sweep(asked.seed, postgres="postgres" in stores) as swept:
        for store in stores:
            counted = swept.campaign([], store=store)
            wrong += map(str, counted.verdict.violations)
            blows: list[Blow] = [*all_steps(counted.reached), *smtp_blows()]
            print(
                f"{store}: {len(counted.reached)} kinds of step, {len(blows)} blows, {asked.random} random instants"
            )
            blows += instants(asked.random, swept.rng)
            for part in parts(blows, asked.size, swept.rng):
                outcome = swept.campaign(part, store=store)
                wrong += [f"{store}: {violation}" for violation in outcome.verdict.violations]
                wrong += [f"{store}: never reached {blow}" for blow in outcome.missed]
        for build, deadly in wrong_builds().items():
            outcome = swept.campaign(deadly, store=stores[0], build=build)
            if outcome.verdict.clean:
                wrong.append(f"the build {build} was not caught")
    print("\n".join(wrong) or "clean")
    return 1 if wrong else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--store", choices=("sqlite", "postgres", "both"), default="both")
    parser.add_argument("--random", type=int, default=100, help="random instants for each store")
    parser.add_argument("--size", type=int, default=12, help="blows in a campaign")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
