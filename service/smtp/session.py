"""Opening a session: connect, TLS, EHLO, AUTH by aiosmtplib, whose transport is then ours."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import socket
import ssl
import struct
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

import aiosmtplib

from avisa.core.retry import Receipt, Verdict
from avisa.smtp.delivery import Delivery
from avisa.smtp.relay import Relay

_NO_LINGER = struct.pack("ii", 1, 0)  # SO_LINGER on, for 0 seconds: closing resets the connection
_MECHANISMS = ("plain", "login", "cram-md5")
_OTHER_MECHANISM = (504, 534)  # RFC 4954 sections 4 and 6: the mechanism is unknown or too weak; another may do


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A connection that is ready for mail, and the extensions that the relay offers."""

    transport: asyncio.Transport
    pipelining: bool = False
    eight_bit: bool = False
    utf8: bool = False
    tells_size: bool = False
    largest: int | None = None  # bytes; None if it names no limit

    def objection(self, delivery: Delivery) -> Receipt | None:
        """Return why this relay cannot take `delivery`, as its EHLO says; None if it can."""
        if self.largest is not None and len(delivery.data) > self.largest:
            why = "larger than the relay takes"  # RFC 1870
        elif delivery.utf8 and not self.utf8:
            why = "the relay takes no such address: it does not offer SMTPUTF8"  # RFC 6531
            return Receipt(verdict=Verdict.PERMANENT, stage="mail", text=why, address_unknown=True)
        elif delivery.eight_bit and not self.eight_bit:
            why = "the relay does not offer 8BITMIME"  # RFC 6152
        else:
            return None
        return Receipt(verdict=Verdict.PERMANENT, stage="mail", text=why)

    def envelope(self, delivery: Delivery) -> bytes:
        """Return MAIL, RCPT and DATA as one group."""
        return b"%bRCPT TO:<%b>\r\nDATA\r\n" % (self.mail(delivery), delivery.recipient.encoded)

    def mail(self, delivery: Delivery) -> bytes:
        """Return the MAIL command, with the parameters that the relay's extensions want."""
        size = b" SIZE=%d" % len(delivery.data) if self.tells_size else b""
        body = b" BODY=8BITMIME" if delivery.eight_bit else b""
        utf8 = b" SMTPUTF8" if delivery.utf8 else b""
        return b"MAIL FROM:<%b>%b%b%b\r\n" % (delivery.sender.encoded, size, body, utf8)

    def reset(self) -> None:
        """End the connection at once and throw away what has not left. An orderly close would go on sending what is
        in our buffers and the kernel's."""
        sock = self.transport.get_extra_info("socket")
        if sock is not None:
            with suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self.transport.abort()


def tls_context(relay: Relay) -> ssl.SSLContext:
    """Return a context that always verifies certificate and name, and takes nothing older than TLS 1.2."""
    context = ssl.create_default_context(cafile=relay.ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


async def open_session(relay: Relay, context: ssl.SSLContext | None) -> Session | Receipt:
    """Open a session. If it fails, returns a receipt with the stage and the cause. Raises only CancelledError."""
    opening = _Opening(relay, context)
    try:
        return await opening.session()
    except aiosmtplib.SMTPAuthenticationError as refusal:
        verdict = Verdict.TEMPORARY if 400 <= refusal.code < 500 else Verdict.REFUSED_US
        return opening.failed(verdict, refusal.code)
    except aiosmtplib.SMTPResponseException as refusal:
        return opening.failed(Verdict.TEMPORARY, refusal.code)
    except Exception as problem:  # whatever a strange server provokes must not end our attempts to connect
        return opening.failed(Verdict.TEMPORARY, None, _cause(problem))


class _Opening:
    def __init__(self, relay: Relay, context: ssl.SSLContext | None) -> None:
        self._relay = relay
        self._context = context
        self._stage = "connect"

    def failed(self, verdict: Verdict, code: int | None, text: str = "") -> Receipt:
        known = code if code is not None and code > 0 else None
        return Receipt(verdict=verdict, stage=self._stage, code=known, text=text)

    async def session(self) -> Session:
        relay, patience = self._relay, self._relay.patience
        sock = await _dial(relay.host, relay.port, patience.connect)
        client = aiosmtplib.SMTP(
            hostname=relay.host,
            local_hostname=relay.helo or _address_literal(sock),
            sock=sock,
            timeout=patience.opening,
            use_tls=relay.tls == "tls",
            start_tls=False,  # not None, which would mean "if the relay happens to offer it"
            tls_context=self._context,
        )
        try:
            self._stage = "tls" if relay.tls == "tls" else "greeting"
            await client.connect()
            await self._greet(client)
            if relay.tls == "starttls":
                self._stage = "tls"
                await client.starttls()
                await self._greet(client)
            if relay.username is not None:
                self._stage = "auth"
                await self._authenticate(client, relay.username, relay.password or "")
            return _take_over(client)
        except BaseException:
            client.close()
            raise

    async def _greet(self, client: aiosmtplib.SMTP) -> None:
        self._stage = "ehlo"
        try:
            await client.ehlo()
        except aiosmtplib.SMTPHeloError as refusal:
            if refusal.code < 500:
                raise
            await client.helo()

    async def _authenticate(self, client: aiosmtplib.SMTP, username: str, password: str) -> None:
        offered = [name for name in _MECHANISMS if name in client.server_auth_methods]
        if not offered:
            raise aiosmtplib.SMTPAuthenticationError(_OTHER_MECHANISM[0], "no mechanism we know")
        for name in offered:
            try:
                await getattr(client, f"auth_{name.replace('-', '')}")(username, password)
            except aiosmtplib.SMTPAuthenticationError as refusal:
                # One wrong password is one try: going through all mechanisms would lock the account.
                if refusal.code not in _OTHER_MECHANISM or name == offered[-1]:
                    raise
            else:
                return


async def _dial(host: str, port: int, patience: float) -> socket.socket:
    """Return a connected socket. Each address of the host gets an equal part of the time, so that a dead IPv6 route
    does not use up the time of an IPv4 route that works. Raises OSError."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(patience):
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        problem: OSError = OSError("no address")
        for family, kind, protocol, _, address in found:
            sock = socket.socket(family, kind, protocol)
            try:
                sock.setblocking(False)
                async with asyncio.timeout(patience / len(found)):
                    await loop.sock_connect(sock, address)
            except OSError as failure:
                sock.close()
                problem = failure
            except BaseException:
                sock.close()
                raise
            else:
                return sock
        raise problem


def _address_literal(sock: socket.socket) -> str:
    address = ipaddress.ip_address(sock.getsockname()[0].partition("%")[0])
    return f"[{address}]" if address.version == 4 else f"[IPv6:{address}]"


def _take_over(client: aiosmtplib.SMTP) -> Session:
    transport = client.transport
    if transport is None or transport.is_closing():
        raise aiosmtplib.SMTPServerDisconnected("connection lost")
    # From here on the client must not touch the transport, and nothing may be awaited before the
    # conversation is the transport's protocol: what came in between would be lost.
    client.transport = client.protocol = None
    offered = client.esmtp_extensions
    size = offered.get("size", "")
    return Session(
        transport=cast(asyncio.Transport, transport),  # uvloop's is no subclass of it, but has all its methods
        pipelining="pipelining" in offered,
        eight_bit="8bitmime" in offered,
        utf8="smtputf8" in offered,
        tells_size="size" in offered,
        largest=int(size) or None if size.isdecimal() else None,  # RFC 1870 section 4: 0 is no limit
    )


def _cause(problem: Exception) -> str:
    cause = problem.__cause__ or problem
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"certificate not trusted: {cause.verify_message}"
    if isinstance(cause, ssl.SSLError):
        return f"TLS failed: {cause.reason or 'unknown reason'}"
    if isinstance(cause, TimeoutError):
        return "no answer in time"
    if isinstance(cause, socket.gaierror):
        return "host name not found"
    if isinstance(cause, OSError):
        return os.strerror(cause.errno).lower() if cause.errno else "connection lost"
    if isinstance(problem, aiosmtplib.SMTPException) and "STARTTLS" in str(problem):
        return "STARTTLS is not offered"
    return "not understood"
