"""A Kafka cluster: how to reach it, and which topics it has."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field
from typing import Any, Literal

from aiokafka import AIOKafkaProducer
from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import KafkaConnectionError, KafkaError
from aiokafka.helpers import create_ssl_context
from aiokafka.protocol.metadata import MetadataRequest
from faststream.kafka.security import parse_security
from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

CLIENT_ID = "avisa"
REQUEST_TIMEOUT_MS = 10_000  # a frozen broker may not hold us longer, at work or while stopping
LARGEST_BATCH = 128 * 1024  # bytes
LARGEST_REQUEST = 2 * 1024 * 1024  # bytes: a record of 1 MiB with its headers

_SASL = {"plain": SASLPlaintext, "scram-sha-256": SASLScram256, "scram-sha-512": SASLScram512}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Where the brokers are, which topics we read there, and as which user."""

    bootstrap_servers: str  # `host:port`, comma separated
    topics: tuple[str, ...] = ("orders.status",)
    group_id: str = "avisa"
    security: Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"] = "plaintext"
    sasl: Literal["plain", "scram-sha-256", "scram-sha-512"] = "plain"
    username: str = ""
    password: str = field(default="", repr=False)
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    fetch_wait_ms: int = 500  # how long the broker may hold back an empty answer; a new record ends the wait

    @property
    def servers(self) -> list[str]:
        return [server.strip() for server in self.bootstrap_servers.split(",") if server.strip()]

    def problem(self) -> str | None:
        """Return what is wrong with a certificate or key, which no retry can mend; None if nothing is."""
        try:
            self.secured()
        except OSError as error:
            files = ", ".join(name for name in (self.ca_file, self.cert_file, self.key_file) if name)
            return f"{files}: {error.strerror or 'is no usable certificate or key'}"
        return None

    def secured(self) -> BaseSecurity:
        """Return the options of FastStream. Raises OSError if a certificate or key cannot be used."""
        tls = self.security in ("ssl", "sasl_ssl")
        files = {"cafile": self.ca_file, "certfile": self.cert_file, "keyfile": self.key_file}
        context = create_ssl_context(**files) if tls else None
        if not self.security.startswith("sasl"):
            return BaseSecurity(ssl_context=context, use_ssl=tls)
        return _SASL[self.sasl](self.username, self.password, ssl_context=context, use_ssl=tls)

    def options(self) -> dict[str, Any]:
        """Return the options of aiokafka. Raises as `secured` does."""
        return {
            "bootstrap_servers": self.servers,
            "client_id": CLIENT_ID,
            "request_timeout_ms": REQUEST_TIMEOUT_MS,
            **parse_security(self.secured()),
        }

    def producer(self, *, idempotent: bool = True) -> AIOKafkaProducer:
        """Return a producer that waits until all replicas have a record, and sends nothing twice if it is idempotent.

        An idempotent one is of no use any more once the broker has refused a record: aiokafka counts it all the same,
        and for the broker one is missing from then on.
        """
        return AIOKafkaProducer(
            **self.options(),
            acks="all",
            enable_idempotence=idempotent,
            linger_ms=5,
            max_batch_size=LARGEST_BATCH,
            max_request_size=LARGEST_REQUEST,
        )

    async def known_topics(self) -> frozenset[str]:
        """Return the topics that exist and that we may see. Raises `UnreachableError`.

        This takes a connection of its own: aiokafka's clients swallow why a broker refused them, and they ask for
        topics by name, which makes some brokers create them.
        """
        trouble: Exception = KafkaConnectionError("no server is named")
        options = self.options()
        options.pop("bootstrap_servers")
        for host, port, _family in collect_hosts(self.servers):
            try:
                connection = await create_conn(host, port, **options)
            except (KafkaError, OSError, TimeoutError, ValueError, AssertionError) as error:
                trouble = error  # AssertionError and ValueError: an unexpected answer to our credentials
                continue
            try:
                answer = await connection.send(MetadataRequest(None))
                return frozenset(topic[1] for topic in answer.topics)
            except (KafkaError, TimeoutError) as error:
                trouble = error
            finally:
                connection.close()
        raise UnreachableError(_cause(trouble)) from trouble


class UnreachableError(ConnectionError):
    """No broker lets us in; the text says why, for an operator, without a secret."""


def _cause(error: Exception) -> str:
    cause = error.__cause__ if isinstance(error.__cause__, OSError) else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"the broker's certificate is not trusted: {cause.verify_message}"
    if isinstance(cause, ssl.SSLError):
        return f"no TLS with the broker: {cause.reason or 'handshake failed'}"
    if "Sasl" in type(error).__name__ or "Authentication" in type(error).__name__:
        return "the broker refuses our user name, password or mechanism"
    if isinstance(error, TimeoutError | asyncio.TimeoutError):
        return "the broker does not answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "nobody listens there"
    return f"the broker cannot be reached ({type(error).__name__})"
