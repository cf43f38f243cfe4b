"""What passes between this process and a sender process: frames of MessagePack, each after its length."""

from __future__ import annotations

from collections.abc import MutableMapping
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

import msgspec

from avisa.core.retry import Receipt
from avisa.smtp.relay import Relay

KEPT_RENDERERS = 4  # of a sender process: the catalog in force, and some that wrote what is tried again
_LENGTH = 4  # bytes of the length, the highest first


class Logging(msgspec.Struct, frozen=True):
    """How log lines are written, as in the settings."""

    format: Literal["console", "json"]
    level: str


class Setup(msgspec.Struct, frozen=True, tag=True):
    """The first frame. It does not travel on a command line, for the relay has a password."""

    relay: Relay
    logging: Logging
    parent: int  # the process that the mails belong to; without it none may leave


class NewRenderer(msgspec.Struct, frozen=True, tag=True):
    """The renderer of a catalog, before the first frame that needs it."""

    catalog: str
    pickled: bytes


class CompileAhead(msgspec.Struct, frozen=True, tag=True):
    """Messages to compile before a mail needs them; as `ports.Mailer.compile_ahead`."""

    catalog: str
    messages: list[str]


class BegunMail(msgspec.Struct, frozen=True, array_like=True):
    """A mail that is still to be written, of an attempt that was begun; as `ports.Outgoing`."""

    key: str
    catalog: str
    draft: bytes
    leased_until: datetime


class Mails(msgspec.Struct, frozen=True, tag=True):
    """Mails to write and to deliver."""

    mails: list[BegunMail]


class Leases(msgspec.Struct, frozen=True, tag=True):
    """Until when mails may leave, by key; as in `ports.Mailer.renew`."""

    until: dict[str, datetime]


class Stop(msgspec.Struct, frozen=True, tag=True):
    """Answer what can be answered within `grace` seconds, and end."""

    grace: float


ToSender = Setup | NewRenderer | CompileAhead | Mails | Leases | Stop


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """The receipt of a mail, and its notes."""

    key: str
    receipt: Receipt
    notes: list[str]


class Report(msgspec.Struct, frozen=True):
    """What a sender process answers, and how it is; at least once a second."""

    open: bool
    connections: int
    refusal: Receipt | None
    answers: list[Answer]
    log: bytes  # whole lines: one process writes the log, so that no line is torn


Kind = TypeVar("Kind")
Renderer = TypeVar("Renderer")


class Frames(Generic[Kind]):
    """Puts the frames of one kind together again from what a socket receives."""

    def __init__(self, kind: Any) -> None:
        self._decoder: msgspec.msgpack.Decoder[Kind] = msgspec.msgpack.Decoder(kind)
        self._received = bytearray()

    def feed(self, received: bytes) -> list[Kind]:
        """Return the frames that `received` completes."""
        buffer = self._received
        buffer += received
        frames, start = [], 0
        while len(buffer) - start >= _LENGTH:
            body = start + _LENGTH
            end = body + int.from_bytes(buffer[start:body], "big")
            if end > len(buffer):
                break
            frames.append(self._decoder.decode(bytes(buffer[body:end])))
            start = end
        del buffer[:start]
        return frames


_encode = msgspec.msgpack.Encoder().encode


def framed(frame: ToSender | Report) -> bytes:
    """Return a frame as it is sent."""
    body = _encode(frame)
    return len(body).to_bytes(_LENGTH, "big") + body


def keep(renderers: MutableMapping[str, Renderer], catalog: str, renderer: Renderer) -> None:
    """Add a renderer, and forget the oldest ones. Both processes do the same, so each knows what the other has."""
    renderers[catalog] = renderer
    while len(renderers) > KEPT_RENDERERS:
        del renderers[next(iter(renderers))]
