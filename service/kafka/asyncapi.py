"""The AsyncAPI document of the events that we read from Kafka, for those who publish them."""

from __future__ import annotations

from typing import Any

from faststream.kafka import KafkaBroker
from faststream.specification import AsyncAPI

from avisa.events.schema import PlainData
from avisa.kafka.cluster import Cluster

_ABOUT = """One record is one event: what became true of an order, and when. It may come as a CloudEvent 1.0,
structured or binary, or plain as shown here; `POST /events` takes the same by HTTP. Only `order_id` and `status` are
required; later events need only say what changed, and an explicit null clears."""


def asyncapi(cluster: Cluster, *, version: str) -> dict[str, Any]:
    """Return the document. Nothing connects: FastStream derives it from a broker that is never started."""
    broker = KafkaBroker(cluster.servers or "embedded", security=None)

    @broker.subscriber(*cluster.topics, title="OrderEvents", description=_ABOUT)
    async def order_events(event: PlainData) -> None:
        """An order's status changed, or something else about it."""

    document: dict[str, Any] = (
        AsyncAPI(broker, title="Avisa", version=version, description=_ABOUT).to_specification().to_jsonable()
    )
    return document
