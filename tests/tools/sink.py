"""A mail server that keeps everything and can be made to misbehave, in a process of its own.

`python -m tests.tools.sink FOLDER PORT` appends each accepted mail to `FOLDER/spool` and a line about it to
`FOLDER/mails.jsonl`, both handed to the kernel before the 250 is written: whatever happens to us afterwards,
what was acknowledged is on record. Faults are asked for by JSON lines on its standard input, and what was
done is told in `FOLDER/faults.jsonl`.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import IO, Any, Literal

STAGES = ("connect", "ehlo", "mail", "rcpt", "data", "body", "dot")
Stage = Literal["connect", "ehlo", "mail", "rcpt", "data", "body", "dot"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """At the `nth` time from now that `stage` is reached, before or after it is done, do something once.

    `after` means: the server did its part, and the answer is not written; a `body` has only a before. `cut`
    closes the connection, `kill` ends the process `pid` by SIGKILL, `delay` keeps the answer back for `seconds`.
    """

    stage: Stage
    when: Literal["before", "after"] = "before"
    do: Literal["cut", "kill", "delay"] = "cut"
    nth: int = 1
    pid: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Spooled:
    """A mail on record."""

    at: datetime  # real
    sender: str
    to: str
    digest: str
    data: bytes


@dataclass(slots=True)
class _Record:
    """The files, written without a buffer of our own."""

    folder: Path
    spool: int = field(init=False)
    mails: int = field(init=False)
    faults: int = field(init=False)
    offset: int = field(init=False)

    def __post_init__(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self.spool, self.mails, self.faults = (
            os.open(self.folder / name, flags, 0o644) for name in ("spool", "mails.jsonl", "faults.jsonl")
        )
        self.offset = os.fstat(self.spool).st_size

    def keep(self, sender: str, recipients: list[str], data: bytes) -> None:
        os.write(self.spool, data)
        line = {
            "at": time.time(),
            "from": sender,
            "to": recipients,
            "sha256": hashlib.sha256(data).hexdigest(),
            "offset": self.offset,
            "size": len(data),
        }
        self.offset += len(data)
        os.write(self.mails, json.dumps(line).encode() + b"\n")

    def tell(self, fault: Fault) -> None:
        os.write(self.faults, json.dumps({"at": time.time(), **asdict(fault)}).encode() + b"\n")


class _Faults:
    """What is still to be done."""

    def __init__(self, record: _Record) -> None:
        self._record = record
        self._pending: list[tuple[Fault, list[int]]] = []

    def add(self, fault: Fault) -> None:
        self._pending.append((fault, [fault.nth]))

    def clear(self) -> None:
        self._pending.clear()

    def at(self, stage: str, when: str) -> Fault | None:
        """The fault that strikes now, told and used up."""
        for entry in self._pending:
            fault, left = entry
            if fault.stage == stage and fault.when == when:
                left[0] -= 1
                if left[0] == 0:
                    self._pending.remove(entry)
                    self._record.tell(fault)
                    return fault
        return None


class _Session(asyncio.Protocol):
    """One connection. Commands may come many at once (RFC 2920); their answers go out in one write."""

    def __init__(self, record: _Record, faults: _Faults) -> None:
        self._record, self._faults = record, faults
        self._buffer = bytearray()
        self._in_data = self._body_came = False
        self._sender, self._recipients = "", list[str]()
        self._out: list[bytes] = []
        self._gone = False
        self._waits = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._do("connect", lambda: b"220 sink ESMTP\r\n")
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self._gone = True

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._advance()

    def _advance(self) -> None:
        while not self._gone and not self._waits:
            end = self._buffer.find(b"\r\n.\r\n" if self._in_data else b"\r\n")
            if self._in_data:
                if self._buffer and not self._body_came:
                    self._body_came = True
                    if self._strike("body", "before"):
                        return
                    continue
                if end < 0 and not self._buffer.startswith(b".\r\n"):
                    break
                start = self._buffer.startswith(b".\r\n")
                body = b"" if start else bytes(self._buffer[: end + 2])
                del self._buffer[: 3 if start else end + 5]
                self._in_data = False
                self._do("dot", partial(self._take, body))
            else:
                if end < 0:
                    break
                line = bytes(self._buffer[:end])
                del self._buffer[: end + 2]
                self._command(line)
        self._flush()

    def _command(self, line: bytes) -> None:
        verb = line[:4].upper()
        if verb in (b"EHLO", b"HELO"):
            self._do("ehlo", lambda: b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 33554432\r\n")
        elif verb == b"MAIL":
            self._do("mail", lambda: self._begin(_address(line)))
        elif verb == b"RCPT":
            self._do("rcpt", lambda: self._add(_address(line)))
        elif verb == b"DATA":
            self._do("data", self._open)
        elif verb == b"RSET":
            self._begin("")
            self._out.append(b"250 reset\r\n")
        elif verb == b"NOOP":
            self._out.append(b"250 fine\r\n")
        elif verb == b"QUIT":
            self._out.append(b"221 bye\r\n")
            self._flush()
            self._gone = True
            self._transport.close()
        else:
            self._out.append(b"502 not here\r\n")

    def _begin(self, sender: str) -> bytes:
        self._sender, self._recipients = sender, []
        return b"250 sender\r\n"

    def _add(self, recipient: str) -> bytes:
        self._recipients.append(recipient)
        return b"250 recipient\r\n"

    def _open(self) -> bytes:
        if not self._recipients:
            return b"503 no recipients\r\n"
        self._in_data, self._body_came = True, False
        return b"354 go on\r\n"

    def _take(self, body: bytes) -> bytes:
        if body.startswith(b"."):
            body = body[1:]
        self._record.keep(self._sender, self._recipients, body.replace(b"\r\n..", b"\r\n."))
        self._begin("")
        return b"250 taken\r\n"

    def _do(self, stage: str, act: Callable[[], bytes]) -> None:
        if self._strike(stage, "before"):
            return
        answer = act()
        if not self._strike(stage, "after"):
            self._out.append(answer)

    def _strike(self, stage: str, when: str) -> bool:
        """Do what was asked for here; true if the connection is gone."""
        fault = self._faults.at(stage, when)
        if fault is None:
            return False
        if fault.do == "delay":
            self._waits = True
            asyncio.get_running_loop().call_later(fault.seconds, self._resume)
            return False
        self._flush()
        if fault.do == "kill":
            with contextlib.suppress(ProcessLookupError):
                os.kill(fault.pid, signal.SIGKILL)
        self._gone = True
        self._transport.abort()
        return True

    def _resume(self) -> None:
        self._waits = False
        self._flush()
        self._advance()

    def _flush(self) -> None:
        if self._out and not self._gone and not self._waits:
            self._transport.write(b"".join(self._out))
            self._out.clear()


def _address(line: bytes) -> str:
    return line.partition(b"<")[2].partition(b">")[0].decode("utf-8", "replace")


async def _serve(folder: Path, port: int) -> None:
    loop = asyncio.get_running_loop()
    record = _Record(folder)
    faults = _Faults(record)
    server = await loop.create_server(lambda: _Session(record, faults), "127.0.0.1", port, backlog=512)
    commands = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        while line := await commands.readline():  # until whoever started us is gone
            asked = json.loads(line)
            faults.clear() if asked is None else faults.add(Fault(**asked))
            print("ok", flush=True)


@dataclass(slots=True)
class Sink:
    """The process, from outside. Stopped and started it keeps its port and its record."""

    folder: Path
    port: int = 0
    _process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.tools.sink", str(self.folder), str(self.port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        self.port = int(_pipe(self._process.stdout).readline())

    def stop(self) -> None:
        """Gone at once, connections and all."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                _pipe(pipe).close()
            self._process = None

    def ask(self, fault: Fault | None) -> None:
        """Have a fault done; None forgets those that did not strike."""
        assert self._process is not None
        _pipe(self._process.stdin).write(json.dumps(fault and asdict(fault)) + "\n")
        _pipe(self._process.stdin).flush()
        _pipe(self._process.stdout).readline()

    def count(self) -> int:
        """Mails taken so far."""
        path = self.folder / "mails.jsonl"
        return path.read_bytes().count(b"\n") if path.exists() else 0

    def mails(self, *, after: int = 0) -> Iterator[Spooled]:
        """What was taken, in the order of taking, after so many."""
        path = self.folder / "mails.jsonl"
        if not path.exists():
            return
        with (self.folder / "spool").open("rb") as spool:
            for line in path.read_text("utf-8").splitlines()[after:]:
                row: dict[str, Any] = json.loads(line)
                spool.seek(row["offset"])
                yield Spooled(
                    at=datetime.fromtimestamp(row["at"], UTC),
                    sender=row["from"],
                    to=row["to"][0],
                    digest=row["sha256"],
                    data=spool.read(row["size"]),
                )

    def faults(self) -> list[tuple[datetime, Fault]]:
        """What was done, and when."""
        path = self.folder / "faults.jsonl"
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []
        return [(datetime.fromtimestamp(row.pop("at"), UTC), Fault(**row)) for row in rows]

    def __enter__(self) -> Sink:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(Path(sys.argv[1]), int(sys.argv[2])))
