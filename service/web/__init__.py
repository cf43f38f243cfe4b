"""HTTP: health, metrics, the AsyncAPI document, unsubscribing, owners' answers, the embedded inbox, events in.

`Guard` closes every route to scripts and frames, `KnownHosts` all but the public pages and what needs a key to other
host names. No GET changes anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from avisa import telemetry
from avisa.web import asyncapi, health, inbox, publish, question, stored_mail, unsubscribe
from avisa.web.guard import Guard, KnownHosts

__all__ = ["Site", "build"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What the pages need from the other rooms. `readings` returns even while the store does not answer."""

    alive: health.Checks
    ready: health.Checks
    readings: Callable[[], Awaitable[telemetry.Readings]]
    read_token: unsubscribe.ReadToken
    unsubscribe: unsubscribe.Unsubscribe
    answers: question.Answers
    asyncapi: asyncapi.Describe | None = None
    mailbox: stored_mail.Mailbox | None = None  # the embedded inbox, if there is one
    publishing: publish.Publishing | None = None
    public_url: str | None = None


def build(site: Site, *, public: bool = True, admin: bool = True) -> ASGIApp:
    """Return the ASGI application: the pages for customers, those for probes and operators, or both."""
    routes: list[Route] = []
    if admin:
        routes += [*health.routes(alive=site.alive, ready=site.ready), _metrics(site.readings)]
        routes += [] if site.asyncapi is None else asyncapi.routes(site.asyncapi)
        routes += [] if site.mailbox is None else inbox.routes(site.mailbox)
        routes += [] if site.publishing is None else publish.routes(site.publishing)
    if public:
        routes += unsubscribe.routes(site.read_token, site.unsubscribe)
        routes += question.routes(site.answers)
    app = Starlette(routes=routes)
    app.router.redirect_slashes = False  # it would redirect to any host that a request names
    name = urlsplit(site.public_url or "").hostname
    anybody = (unsubscribe.PREFIX, question.PREFIX, publish.PATH)
    return Guard(KnownHosts(app, [name] if name else [], for_anybody=anybody), unread=[publish.PATH])


def _metrics(readings: Callable[[], Awaitable[telemetry.Readings]]) -> Route:
    async def metrics(_request: Request) -> Response:
        try:
            async with asyncio.timeout(health.PATIENCE):
                now = await readings()
        except TimeoutError:  # the counters of this process are still worth showing
            now = telemetry.Readings()
        return Response(telemetry.exposition(now), media_type=telemetry.CONTENT_TYPE)

    return Route("/metrics", metrics)
