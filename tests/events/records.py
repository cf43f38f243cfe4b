"""Records as a test writes them: the value as JSON or bytes, headers as pairs."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from avisa.core.model import Position
from avisa.ports import Record

AT = datetime(2026, 3, 2, 10, 15, tzinfo=UTC)
CONTENT_TYPE = ("content-type", b"application/cloudevents+json; charset=utf-8")


def record(value: Any, *headers: tuple[str, bytes | None], partition: int = 1, offset: int = 7) -> Record:
    data = value if value is None or isinstance(value, bytes) else json.dumps(value).encode()
    return Record(
        position=Position(topic="orders.status", partition=partition, offset=offset),
        timestamp=AT,
        key=None,
        headers=headers,
        value=data,
    )


def plain(**fields: Any) -> dict[str, Any]:
    return {"order_id": "A-1042", "status": "in_production", **fields}


def envelope(**changed: Any) -> dict[str, Any]:
    """A CloudEvent; an attribute given as None is left out."""
    event = {
        "specversion": "1.0",
        "id": "01J9",
        "source": "/shop/oms",
        "type": "order.status",
        "time": "2026-03-02T10:15:00Z",
        "datacontenttype": "application/json",
        "data": plain(),
        **changed,
    }
    return {key: value for key, value in event.items() if value is not None}


def attributes(**changed: bytes | None) -> tuple[tuple[str, bytes | None], ...]:
    """The headers of the binary mode."""
    given = {"specversion": b"1.0", "id": b"01J9", "source": b"/shop/oms", "type": b"order.status", **changed}
    return tuple((f"ce_{name}", value) for name, value in given.items())
