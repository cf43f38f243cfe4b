"""Where a schema registry is, and one question to it: a GET over HTTP/1.1, bounded in size and in time.

It follows no redirect and uses no proxy: the password goes where the settings say, and nowhere else.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from base64 import b64encode
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import urlsplit

import h11

SECONDS = 5.0  # for a whole answer
LARGEST = 1024 * 1024  # bytes of an answer's body
_MEDIA_TYPES = "application/vnd.schemaregistry.v1+json, application/json"
_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Response:
    """What was answered. A body that is larger than LARGEST is None."""

    status: int
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Silence:
    """No answer that is one; `detail` says to an operator why, without a secret."""

    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where the registry is, and as whom we ask."""

    url: str  # http or https, perhaps with a path, without a `/` at its end
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: str | None = None  # None: the authorities that this machine trusts

    def problem(self) -> str | None:
        """Return what is wrong with the file of authorities, which no retry can mend; None if nothing is."""
        try:
            self._tls()
        except ssl.SSLError:
            return f"{self.ca_file}: is no usable certificate"
        except OSError as error:
            return f"{self.ca_file}: {error.strerror}"
        return None

    async def get(self, path: str) -> Response | Silence:
        """Ask for `path` below the URL."""
        try:
            async with asyncio.timeout(SECONDS):
                return await self._get(path)
        except TimeoutError:
            return Silence(f"no whole answer within {SECONDS:g} s")
        except ssl.SSLCertVerificationError as error:
            return Silence(f"its certificate is not trusted: {error.verify_message}")
        except ssl.SSLError as error:
            return Silence(f"no TLS with it: {error.reason or 'handshake failed'}")
        except socket.gaierror:
            return Silence("its host is not known")
        except ConnectionRefusedError:
            return Silence("nobody listens there")
        except OSError as error:
            return Silence(f"it cannot be reached ({type(error).__name__})")
        except h11.RemoteProtocolError:
            return Silence("what answers does not speak HTTP/1.1 to its end")

    async def _get(self, path: str) -> Response:
        url = urlsplit(self.url)
        tls = self._tls()
        port = url.port or (80 if tls is None else 443)
        reader, writer = await asyncio.open_connection(url.hostname, port, ssl=tls)
        try:
            connection = h11.Connection(h11.CLIENT)
            request = h11.Request(method="GET", target=f"{url.path}{path}", headers=self._headers(url.netloc))
            for event in (request, h11.EndOfMessage()):
                writer.write(connection.send(event) or b"")
            await writer.drain()
            return await _response(connection, reader)
        finally:
            with suppress(RuntimeError):  # the loop may be closing
                writer.transport.abort()

    def _headers(self, host: str) -> list[tuple[str, str]]:
        headers = [
            ("Host", host),
            ("Accept", _MEDIA_TYPES),
            ("Accept-Encoding", "identity"),
            ("User-Agent", "avisa"),
            ("Connection", "close"),
        ]
        if self.username is not None:  # RFC 7617
            pair = f"{self.username}:{self.password or ''}".encode()
            headers.append(("Authorization", f"Basic {b64encode(pair).decode()}"))
        return headers

    def _tls(self) -> ssl.SSLContext | None:
        """Raises OSError if the file of authorities cannot be used."""
        return _context(self.ca_file) if self.url.startswith("https:") else None


@lru_cache(maxsize=8)  # to read all authorities of a machine takes 30 ms
def _context(ca_file: str | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_file)


async def _response(connection: h11.Connection, reader: asyncio.StreamReader) -> Response:
    """Read until the answer ends, or is too large. Raises h11.RemoteProtocolError, OSError."""
    status, body = 0, bytearray()
    while True:
        match connection.next_event():
            case h11.NEED_DATA:
                connection.receive_data(await reader.read(_CHUNK))
            case h11.Response(status_code=status):
                pass
            case h11.Data(data=some):
                body += some
                if len(body) > LARGEST:
                    return Response(status, None)
            case h11.EndOfMessage():
                return Response(status, bytes(body))
            case h11.ConnectionClosed():
                raise h11.RemoteProtocolError("closed before an answer")
