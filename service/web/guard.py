"""What binds every route, whoever writes it: security headers, and a limit on what is sent to us.

It wraps the whole application, so an error page has the headers too.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import ipaddress
from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_MOST = 64 * 1024  # octets; nothing that we take is larger than a form with one field
DRAIN_MOST = 1024 * 1024  # octets read and thrown away, because who is cut off in the middle sees no answer
BODY_SECONDS = 5.0  # for all of it to arrive

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "X-Robots-Tag": "noindex, nofollow",
}

_NONE = "'none'"


def content_policy(
    *styles: str, script: str | None = None, frame: str = "'none'", frame_ancestors: str = "'none'"
) -> str:
    """A Content-Security-Policy that loads nothing, and knows our style sheets by their hashes. It runs no script
    but one of our own, if it is given, which may ask this server and no other."""
    scripted = () if script is None else (f"script-src {_known(script)}", "connect-src 'self'")
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src {' '.join(map(_known, styles)) or _NONE}",
            *scripted,
            "img-src 'self' data:",
            f"frame-src {frame}",
            "form-action 'self'",
            f"frame-ancestors {frame_ancestors}",
            "base-uri 'none'",
        )
    )


def _known(text: str) -> str:
    """A source expression for what stands in the page itself, by its hash."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"


NOTHING = content_policy()


class Guard:
    """The outermost layer. A route may set its own Content-Security-Policy; the rest is the same for all."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Content-Security-Policy", NOTHING)
            await send(message)

        body = await _read(scope, receive)
        if isinstance(body, int):
            await PlainTextResponse("", status_code=body, headers={"Connection": "close"})(
                scope, receive, send_guarded
            )
            return

        unread = [body]

        async def receive_read() -> Message:
            if unread:
                return {"type": "http.request", "body": unread.pop(), "more_body": False}
            return await receive()

        await self._app(scope, receive_read, send_guarded)


async def _read(scope: Scope, receive: Receive) -> bytes | int:
    """The whole body, or the status that refuses it: 400, 408 or 413."""
    length = Headers(scope=scope).get("content-length", "0")
    if not length.isascii() or not length.isdigit():
        return 400
    if int(length) > DRAIN_MOST:
        return 413
    body, size = b"", 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return 400
                piece: bytes = message.get("body", b"")
                size += len(piece)
                if size <= BODY_MOST:
                    body += piece
                if not message.get("more_body") or size > DRAIN_MOST:
                    return body if size <= BODY_MOST else 413
    except TimeoutError:
        return 408


class KnownHosts:
    """Shuts a room to requests that name a host we do not go by, so that a web page elsewhere cannot read it by
    pointing its own name at our loopback address (DNS rebinding). A bare IP address cannot be such a name."""

    def __init__(self, app: ASGIApp, names: Collection[str] = ()) -> None:
        self._app = app
        self._names = {"localhost", *names}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._known(Headers(scope=scope).get("host", "")):
            await PlainTextResponse("Not a host of ours.\n", status_code=421)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _known(self, host: str) -> bool:
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
        if name.lower() in self._names:
            return True
        try:
            ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return False
        return True
