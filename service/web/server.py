"""The HTTP server: uvicorn in the event loop of the process, without its signal handling."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

SILENT_MOST = 20.0  # seconds from connecting, or from an answer, to a whole request line with its headers
_LOOKS = 0.01  # seconds between looks whether all have gone, at the end


@dataclass(frozen=True, slots=True)
class CannotListen:
    """The address cannot be bound; `problem` is a line for the operator."""

    problem: str


def listen(host: str, port: int, *, settings: str = "AVISA_HTTP_") -> socket.socket | CannotListen:
    """Bind the address, which `settings` give, followed by `_HOST` and `_PORT`. This comes before anything is started
    that would have to be stopped again."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return CannotListen(f"{settings}_PORT: port {port} on {host} is taken by another program; choose another")
        reason = error.strerror or os.strerror(error.errno or errno.EINVAL)
        return CannotListen(f"{settings}_HOST, {settings}_PORT: cannot listen on {host}:{port}: {reason}")


class _Prompt(H11Protocol):
    """Cuts a connection whose client asks nothing, or asks letter by letter, which uvicorn would keep for ever."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._await_request()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._await_request()

    def _await_request(self) -> None:
        self.loop.call_later(SILENT_MOST, self._cut_if_silent, self.cycle)

    def _cut_if_silent(self, last: RequestResponseCycle | None) -> None:
        answered = last is None or last.response_complete
        if self.cycle is last and answered and not self.transport.is_closing():
            self.transport.close()


class _Uvicorn(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.serving = asyncio.Event()
        self._ending = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.serving.set()

    async def main_loop(self) -> None:
        """Set the date of answers each second until `end`. uvicorn would look ten times a second whether to end."""
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await self._ending.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the listener, and let what is under way finish. uvicorn would wait a tenth of a second for nobody."""
        for server in self.servers:
            server.close()
        for each in sockets or ():
            each.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        with suppress(TimeoutError):
            async with asyncio.timeout(self.config.timeout_graceful_shutdown):
                while self.server_state.connections or self.server_state.tasks:  # noqa: ASYNC110 -- no event tells
                    await asyncio.sleep(_LOOKS)
        for task in self.server_state.tasks:
            task.cancel()

    def end(self) -> None:
        self.should_exit = True
        self._ending.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none: the composition root decides what SIGTERM means."""
        yield


class Server:
    """Serves `app` on `listener` from `start` to `stop`."""

    def __init__(self, app: ASGIApp, listener: socket.socket) -> None:
        self._listener = listener
        self._uvicorn = _Uvicorn(
            uvicorn.Config(
                app,
                http=_Prompt,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                limit_concurrency=100,
                timeout_keep_alive=5,
                timeout_graceful_shutdown=8,
                h11_max_incomplete_event_size=32 * 1024,
            )
        )
        self._task: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    async def start(self) -> None:
        self._task = asyncio.create_task(self._uvicorn.serve([self._listener]), name="web")
        await self._uvicorn.serving.wait()

    async def stop(self) -> None:
        """Let the requests under way finish, within 10 s."""
        if self._task is None:
            self._listener.close()
            return
        self._uvicorn.end()
        await self._task
