"""Security headers and a limit on request bodies, for every route.

The guard wraps the whole application, so error pages have the headers too.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import ipaddress
import re
from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_MOST = 64 * 1024  # bytes; a form with one field is the largest body that most routes take
DRAIN_MOST = 1024 * 1024  # bytes read and thrown away, because a client that is cut off midway sees no answer
BODY_SECONDS = 5.0  # for the whole body to arrive

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

# A name without a dot, such as a container's, or under a domain that is kept for private use: RFC 6761, 6762, 8375,
# and ICANN's `internal`.
_NOT_PUBLIC = re.compile(r"[a-z0-9_-]+|[a-z0-9._-]+\.(?:localhost|local|internal|home\.arpa)")
_NONE = "'none'"


def content_policy(*styles: str, script: str | None = None, frame: str = _NONE) -> str:
    """Return a Content-Security-Policy that loads nothing and allows our style sheets by their hashes. It allows one
    script, `script`, which may connect to this server alone."""
    scripted = () if script is None else (f"script-src {_hash_source(script)}", "connect-src 'self'")
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src {' '.join(map(_hash_source, styles)) or _NONE}",
            *scripted,
            "img-src 'self' data:",
            f"frame-src {frame}",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        )
    )


def _hash_source(text: str) -> str:
    """Return the source expression for an inline style or script: its hash."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"


LOAD_NOTHING = content_policy()


class Guard:
    """The outermost layer. A route may set a Content-Security-Policy of its own; all other headers are fixed."""

    def __init__(self, app: ASGIApp, *, unread: Collection[str] = ()) -> None:
        """`unread` are the paths whose routes read the body themselves, with a limit of their own, once they know
        who asks."""
        self._app = app
        self._unread = frozenset(unread)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Content-Security-Policy", LOAD_NOTHING)
            await send(message)

        if scope["path"] in self._unread:
            await self._app(scope, receive, send_guarded)
            return
        body = await read_body(scope, receive)
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


async def read_body(
    scope: Scope, receive: Receive, *, most: int = BODY_MOST, seconds: float = BODY_SECONDS
) -> bytes | int:
    """Return the whole body, of at most `most` bytes and within `seconds`; or the status code to refuse it with: 400,
    408 or 413."""
    headers = Headers(scope=scope)
    if "transfer-encoding" in headers and "content-length" in headers:
        return 400  # a proxy before us may have gone by the other one (RFC 9112 section 6.3)
    length = headers.get("content-length", "0")
    if not length.isascii() or not length.isdigit():
        return 400
    drained = max(2 * most, DRAIN_MOST)
    if int(length) > drained:
        return 413
    body, size = bytearray(), 0
    try:
        async with asyncio.timeout(seconds):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return 400
                piece: bytes = message.get("body", b"")
                size += len(piece)
                if size <= most:
                    body += piece
                if not message.get("more_body") or size > drained:
                    return bytes(body) if size <= most else 413
    except TimeoutError:
        return 408


class KnownHosts:
    """Refuses requests for other host names than ours (421), but for the pages that are for anybody. Else a web page
    elsewhere could read ours by pointing its own name at our loopback address (DNS rebinding). An IP address is no
    such name, and neither is one that nobody can have on the Internet."""

    def __init__(self, app: ASGIApp, names: Collection[str] = (), *, for_anybody: tuple[str, ...] = ()) -> None:
        """`for_anybody` is what the paths of those pages begin with."""
        self._app = app
        self._names = {name.lower() for name in names}
        self._for_anybody = for_anybody

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        for_anybody = scope.get("path", "").startswith(self._for_anybody)
        if scope["type"] == "http" and not for_anybody:
            host = Headers(scope=scope).get("host", "")
            if not self._known(host):
                await PlainTextResponse("Not a host of ours.\n", status_code=421)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _known(self, host: str) -> bool:
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
        name = name.lower().removesuffix(".")
        if name in self._names or _NOT_PUBLIC.fullmatch(name):
            return True
        try:
            ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return False
        return True
