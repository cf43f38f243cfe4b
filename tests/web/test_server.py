"""The HTTP server at its end: what is under way is answered, or cut if it takes too long."""

from __future__ import annotations

import asyncio
import socket

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from avisa.web.server import Server, listen
from tests.tools.waiting import PATIENCE


class Slow:
    """Answers when it may."""

    def __init__(self) -> None:
        self.asked, self.may = asyncio.Event(), asyncio.Event()
        self.cut = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked.set()
        try:
            await self.may.wait()
        except asyncio.CancelledError:
            self.cut = True
            raise
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})


async def asked(app: Slow) -> tuple[Server, asyncio.Task[httpx.Response]]:
    """A server that is asked something, and the answer to come."""
    listener = listen("127.0.0.1", 0)
    assert isinstance(listener, socket.socket)
    server = Server(app, listener)
    await server.start()
    answer = asyncio.create_task(_answer(server.port))
    await app.asked.wait()
    return server, answer


async def _answer(port: int) -> httpx.Response:
    async with httpx.AsyncClient(timeout=PATIENCE, verify=False) as client:
        return await client.get(f"http://127.0.0.1:{port}/")


async def test_a_request_under_way_is_answered_before_the_server_has_stopped() -> None:
    app = Slow()
    server, answer = await asked(app)
    port, stop = server.port, asyncio.create_task(server.stop())
    stopped, _ = await asyncio.wait({stop}, timeout=0.05)
    assert not stopped
    with pytest.raises(httpx.ConnectError):
        await _answer(port)
    app.may.set()
    assert (await answer).text == "done"
    await stop


async def test_a_request_without_end_is_cut() -> None:
    app = Slow()
    server, answer = await asked(app)
    server._uvicorn.config.timeout_graceful_shutdown = 0
    await server.stop()
    assert (await answer).status_code == 500
    assert app.cut
