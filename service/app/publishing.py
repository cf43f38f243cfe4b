"""Events in by HTTP: read as the subscription will read them, then written to its topics."""

from __future__ import annotations

from avisa import events
from avisa.catalog import CatalogCache
from avisa.core.model import Position
from avisa.kafka import Publisher
from avisa.ports import Clock, NewRecord, Record, Taken
from avisa.settings import Settings
from avisa.web.publish import Publishing


def publishing(settings: Settings, publisher: Publisher, catalogs: CatalogCache, clock: Clock) -> Publishing:
    """What the page of the web needs for it."""

    def read(topic: str, record: NewRecord) -> Taken:
        would_be = Record(
            position=Position(topic=topic, partition=0, offset=0),
            timestamp=clock.real(),
            key=None,
            headers=record.headers,
            value=record.value,
        )
        return events.read(would_be, rules=catalogs.in_force.plan.events, types=settings.kafka.types or ())

    key = settings.http.api_key
    return Publishing(
        topics=settings.kafka.topics,
        api_key=None if key is None else key.get_secret_value(),
        read=read,
        feed=lambda topic: catalogs.in_force.plan.events.feeds.get(topic),
        write=publisher.write,
    )
