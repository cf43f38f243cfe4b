"""What the machine says of processes: processor time and memory (proc(5), clock_gettime(2))."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_MB = 1024 * 1024


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used, with its threads and with children, those that have ended too.

    The process itself by its clock, to the nanosecond: the ticks of proc(5) are 1 % of a turn of ours.
    """
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ended = sum(map(int, stat[13:15])) / _TICKS
    total = time.clock_gettime((~pid << 3) | 2) + ended  # the clock of another process: clock_getcpuclockid(3)
    for child in _children(pid):
        try:
            total += cpu_seconds(child)
        except OSError:  # it has ended since
            continue
    return total


def family(pid: int) -> Iterator[int]:
    """A process and all that it has started and that still run."""
    yield pid
    for child in _children(pid):
        yield from family(child)


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with suppress(OSError):  # the process, or a thread of it, has ended
        for thread in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (thread / "children").read_text().split())
    return found


def resident_mb(pids: Iterable[int], *, peak: bool = False) -> float:
    """Memory in use by the processes together, or at most so far by each."""
    word = "VmHWM:" if peak else "VmRSS:"
    kib = 0
    for pid in pids:
        kib += int(Path(f"/proc/{pid}/status").read_text().partition(word)[2].split()[0])
    return kib * 1024 / _MB


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
