"""A small registry over a real socket, which can also be slow, huge, wrong or away."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class SmallRegistry:
    """Answers `GET` with what is in `documents` by path, after `answer` if there is one."""

    documents: dict[str, Any] = field(default_factory=dict)
    credentials: str | None = None  # what `Authorization` must be
    answer: Answer | None = None  # in place of the documents
    asked: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    port: int = 0
    _server: asyncio.Server | None = None

    async def start(self, tls: ssl.SSLContext | None = None) -> None:
        """Listen, on the same port as before if there was one."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def has(self, id_: int, schema: Any, **more: Any) -> None:
        """From now on there is this schema."""
        text = schema if isinstance(schema, str) else json.dumps(schema)
        self.documents[f"/schemas/ids/{id_}"] = {"schema": text, **more}

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            path = head[0].split()[1]
            self.asked.append(path)
            self.headers.append(
                {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
            )
            if self.answer is not None:
                await self.answer(writer)
            elif self.credentials is not None and self.headers[-1].get("authorization") != self.credentials:
                writer.write(http(401, {"error_code": 401, "message": "Unauthorized"}))
            elif path in self.documents:
                writer.write(http(200, self.documents[path]))
            else:
                writer.write(http(404, {"error_code": 40403, "message": "Schema not found"}))
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


def http(status: int, body: Any, **headers: str) -> bytes:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(content)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + content


def answers(content: bytes) -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(content)

    return answer


@asynccontextmanager
async def small_registry(tls: ssl.SSLContext | None = None) -> AsyncIterator[SmallRegistry]:
    registry = SmallRegistry()
    await registry.start(tls)
    try:
        yield registry
    finally:
        await registry.stop()
