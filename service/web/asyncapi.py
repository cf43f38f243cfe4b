"""The AsyncAPI document: what Avisa reads from Kafka, for machines and for people.

FastStream's own page loads scripts from elsewhere and can offer to publish to the real broker, without asking
who is there; this one only shows the document.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from avisa.web.page import page

Describe = Callable[[], Mapping[str, Any]]


def routes(describe: Describe) -> list[Route]:
    async def document(_request: Request) -> Response:
        return JSONResponse(dict(describe()))

    async def shown(_request: Request) -> Response:
        known = describe()
        components = known.get("components", {})
        return page(
            "asyncapi.html",
            title=known.get("info", {}).get("title", "Avisa"),
            description=known.get("info", {}).get("description", ""),
            version=known.get("asyncapi", ""),
            channels={name: channel.get("address", name) for name, channel in known.get("channels", {}).items()},
            operations={name: operation.get("action", "") for name, operation in known.get("operations", {}).items()},
            schemas={name: _pretty(schema) for name, schema in components.get("schemas", {}).items()},
        )

    return [Route("/asyncapi", shown, methods=["GET"]), Route("/asyncapi.json", document, methods=["GET"])]


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
