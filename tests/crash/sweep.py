"""Campaign after campaign against one Kafka, each with a topic, a group and a store of its own."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from pathlib import Path

from tests.crash.campaign import Blow, Campaign, Outcome
from tests.tools.kafka import ApacheKafka
from tests.tools.postgres import Postgres


class Sweep:
    """Where campaigns are run."""

    def __init__(self, folder: Path, kafka: ApacheKafka, postgres: Postgres | None, seed: int) -> None:
        self._folder, self._kafka, self._postgres, self._seed = folder, kafka, postgres, seed
        self.rng = random.Random(seed)
        self._number = 0

    async def campaign(self, blows: Sequence[Blow], *, store: str, build: str = "", senders: int = 0) -> Outcome:
        """Run one, and tell how it went."""
        self._number += 1
        topic = f"crash.{self._seed}.{self._number}"
        await self._kafka.create_topic(topic, partitions=2)
        folder = self._folder / str(self._number)
        url = f"sqlite:///{folder / 'avisa.db'}"
        if store == "postgres":
            assert self._postgres is not None
            url = self._postgres.database()
        seed = self.rng.randrange(1_000_000)
        begin = time.monotonic()
        campaign = Campaign(
            folder=folder,
            servers=self._kafka.bootstrap_servers,
            topic=topic,
            store_url=url,
            seed=seed,
            build=build,
            senders=senders,
        )
        outcome = await asyncio.to_thread(campaign.run, blows)
        found = outcome.verdict
        print(
            f"campaign {self._number} on {store}{' ' + build if build else ''}, {senders} senders,"
            f" orders of seed {seed}: {len(outcome.struck)} blows, {sum(found.mails.values())} mails,"
            f" {found.excused} allowed doubles,"
            f" {found.answers} answers ({found.unplaced} unplaced),"
            f" {len(found.violations)} violations, {time.monotonic() - begin:.0f} s",
            flush=True,
        )
        for violation in found.violations[:20]:
            print(f"    {violation}", flush=True)
        return outcome
