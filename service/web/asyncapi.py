"""The AsyncAPI document of the events that Avisa reads from Kafka, as JSON and as a page.

FastStream's own page loads scripts from elsewhere, and can let anybody publish to the real broker. Ours only shows
the document.
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
    async def as_json(_request: Request) -> Response:
        return JSONResponse(dict(describe()))

    async def as_page(_request: Request) -> Response:
        document = describe()
        schemas = document["components"]["schemas"].items()
        pretty = {name: json.dumps(schema, indent=2, ensure_ascii=False) for name, schema in schemas}
        return page("asyncapi.html", document=document, schemas=pretty)

    return [Route("/asyncapi", as_page, methods=["GET"]), Route("/asyncapi.json", as_json, methods=["GET"])]
