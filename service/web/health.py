"""`/livez` and `/readyz`: the checks of the composition root, over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

PATIENCE = 2.0  # seconds for all checks; Kubernetes gives up after one by default


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """The result of one check. If it is not `required`, it is only reported: a restart would not mend it."""

    ok: bool
    detail: str = ""  # no address, no secret
    required: bool = True


Health = Mapping[str, Check]
Checks = Callable[[], Awaitable[Health]]


def routes(*, alive: Checks, ready: Checks) -> list[Route]:
    """Return `/livez`, which fails only if a restart would help, and `/readyz`."""

    def route(path: str, checks: Checks) -> Route:
        async def show(_request: Request) -> JSONResponse:
            return await _answer(checks)

        return Route(path, show)

    return [route("/livez", alive), route("/readyz", ready)]


async def _answer(checks: Checks) -> JSONResponse:
    try:
        async with asyncio.timeout(PATIENCE):
            health = await checks()
    except TimeoutError:
        health = {"checks": Check(ok=False, detail=f"no answer within {PATIENCE:g} s")}
    return JSONResponse(
        {
            "status": status(health),
            "checks": {name: asdict(check) for name, check in health.items()},
        },
        status_code=503 if status(health) == "unavailable" else 200,
    )


def status(health: Health) -> str:
    """Return `ok`, `degraded` (it works, but somebody should look) or `unavailable`."""
    if all(check.ok for check in health.values()):
        return "ok"
    return "unavailable" if any(not c.ok and c.required for c in health.values()) else "degraded"
