"""Two mail servers that keep nothing: Debian's for speed, one of ours that notes when each mail came."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import uvloop

from tests.bench.machine import free_port

PROJECT = Path(__file__).parents[2]


def postfix(program: str) -> str:
    """Where `smtp-sink` or `smtp-source` is, which may not be on the path of users."""
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin")
    if found is None:
        raise FileNotFoundError(f"{program} is needed: apt install postfix")
    return found


@dataclass(frozen=True, slots=True)
class SmtpSink:
    """`smtp-sink` of postfix, a single thread in C."""

    port: int
    pid: int
    counter: Path

    def count(self) -> int:
        """Mails taken so far, as it counts them itself."""
        size = self.counter.stat().st_size
        with self.counter.open("rb") as file:
            file.seek(max(0, size - 120))
            lines = file.read().rpartition(b"\r")[0].split(b"\r")
        return int(lines[-1].rpartition(b"mesg=")[2]) if lines[-1] else 0


@contextmanager
def smtp_sink(folder: Path) -> Iterator[SmtpSink]:
    port = free_port()
    counter = folder / f"smtp-sink-{port}.count"
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    with counter.open("wb") as output:
        command = [postfix("smtp-sink"), "-c", *user, f"127.0.0.1:{port}", "512"]
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.DEVNULL)
    try:
        _await_port(port)
        yield SmtpSink(port, process.pid, counter)
    finally:
        process.kill()
        process.wait()


@dataclass(slots=True)
class ClockingSink:
    """Ours. What it noted can be read once it has ended."""

    port: int
    _process: subprocess.Popen[bytes]
    _notes: Path

    def count(self) -> int:
        """Mails taken so far, to within the last half a second."""
        return self._notes.read_bytes().count(b"\n")

    def accepted(self) -> list[tuple[str, float]]:
        """Recipient and moment (seconds since 1970) of each mail, in the order of acceptance."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(10)
        rows = (line.split() for line in self._notes.read_text().splitlines())
        return [(to, float(at)) for to, at in rows]


@contextmanager
def clocking_sink(folder: Path) -> Iterator[ClockingSink]:
    port, notes = free_port(), folder / f"accepted-{time.monotonic_ns()}"
    notes.touch()
    command = [sys.executable, "-m", "tests.bench.sinks", str(port), str(notes)]
    process = subprocess.Popen(command, cwd=PROJECT)
    try:
        _await_port(port)
        yield ClockingSink(port, process, notes)
    finally:
        process.kill()
        process.wait()


def _await_port(port: int) -> None:
    end = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return


class _Session(asyncio.Protocol):
    """A connection. Commands may come many at once (RFC 2920)."""

    def __init__(self, notes: list[bytes]) -> None:
        self._notes = notes
        self._buffer = bytearray()
        self._in_data = self._leaves = False
        self._to = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are not of its kind, but alike
        self._transport.write(b"220 sink ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        answers = []
        while True:
            mark = b"\r\n.\r\n" if self._in_data else b"\r\n"
            end = self._buffer.find(mark)
            if end < 0:
                break
            line = bytes(self._buffer[: 0 if self._in_data else end])
            del self._buffer[: end + len(mark)]
            answers.append(self._taken() if self._in_data else self._answer(line))
        if answers:
            self._transport.write(b"".join(answers))
        if self._leaves:
            self._transport.close()

    def _taken(self) -> bytes:
        self._in_data = False
        self._notes.append(b"%b %.6f\n" % (self._to, time.time()))
        return b"250 taken\r\n"

    def _answer(self, line: bytes) -> bytes:
        verb = line[:4].upper()
        if verb == b"RCPT":
            self._to = line.partition(b"<")[2].partition(b">")[0]
        elif verb == b"DATA":
            self._in_data = True
            return b"354 go on\r\n"
        elif verb == b"EHLO":
            return b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n"
        elif verb == b"QUIT":
            self._leaves = True
            return b"221 bye\r\n"
        return b"250 fine\r\n"


async def _serve(port: int, path: Path) -> None:
    """Until SIGTERM; the notes reach the file twice a second, not in the middle of the mails."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    notes: list[bytes] = []
    server = await loop.create_server(lambda: _Session(notes), "127.0.0.1", port, backlog=512)
    with path.open("ab", buffering=0) as file:
        async with server:
            while not stop.is_set():
                try:
                    async with asyncio.timeout(0.5):
                        await stop.wait()
                except TimeoutError:
                    pass
                file.write(b"".join(notes))
                notes.clear()
            os._exit(0)


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1]), Path(sys.argv[2])))
