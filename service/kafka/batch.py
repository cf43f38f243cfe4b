"""A batch, decoded: what can be taken, and in which partitions the rest waits for schemas that nobody knows yet."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from aiokafka import TopicPartition

from avisa import events
from avisa.core.plan import Events
from avisa.kafka.consumer import RawRecord, cut_record, to_record
from avisa.kafka.raw_record import CutValue
from avisa.ports import FindSchemas, KnownSchemas, Taken

SHORTEST_WAIT = 0.25  # seconds
BREATH = 0.05  # seconds of reading, after which others get their turn; a record that is made to last takes longer


@dataclass(frozen=True, slots=True)
class Batch:
    """What was read. A record whose schema is missing is no dead letter: it waits, and what lies behind it in its
    partition, too."""

    taken: list[Taken]
    waiting: Mapping[TopicPartition, int] = field(default_factory=dict)  # the first offset that waits
    again_in: float = 0.0  # seconds


@dataclass(frozen=True, slots=True)
class BatchReader:
    """Decodes batches. Only the question for schemas is awaited, and turns of others; reading itself is pure."""

    types: Collection[str]
    schemas: FindSchemas

    async def read(self, records: Sequence[RawRecord], rules: Events, now_real: datetime) -> Batch:
        """Return the batch as far as it can be read now."""
        wanted = [(raw, id_) for raw in records if (id_ := _schema_id(raw, rules)) is not None]
        if not wanted:
            return Batch(await self._all(records, rules, now_real, {}))
        schemas = await self.schemas(list(dict.fromkeys(id_ for _, id_ in wanted)))
        waiting: dict[TopicPartition, int] = {}
        for raw, id_ in wanted:
            if id_ in schemas.missing:
                waiting.setdefault(_partition(raw), raw.offset)
        ready = [raw for raw in records if raw.offset < waiting.get(_partition(raw), raw.offset + 1)]
        taken = await self._all(ready, rules, now_real, schemas.found)
        return Batch(taken, waiting, max(SHORTEST_WAIT, schemas.again_in))

    async def _all(
        self, records: Sequence[RawRecord], rules: Events, now_real: datetime, schemas: KnownSchemas
    ) -> list[Taken]:
        taken = []
        now = asyncio.get_running_loop().time
        breath = now() + BREATH
        for raw in records:
            taken.append(self._one(raw, rules, now_real, schemas))
            if now() > breath:
                await asyncio.sleep(0)
                breath = now() + BREATH
        return taken

    def _one(self, raw: RawRecord, rules: Events, now_real: datetime, schemas: KnownSchemas) -> Taken:
        record = to_record(raw, now_real)
        if isinstance(raw.value, CutValue):
            return cut_record(raw.value, record)
        return events.read(record, rules=rules, types=self.types, schemas=schemas)


def _schema_id(raw: RawRecord, rules: Events) -> int | None:
    return None if isinstance(raw.value, CutValue) else events.schema_id(raw.topic, raw.value, rules)


def _partition(raw: RawRecord) -> TopicPartition:
    return TopicPartition(raw.topic, raw.partition)
