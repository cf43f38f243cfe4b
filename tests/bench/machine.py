"""What the machine says of processes: processor time and memory (proc(5))."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_MB = 1024 * 1024


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used, with its threads and with children that have ended."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, after_name[11:15])) / _TICKS


def cpu_of_family(pid: int) -> float:
    """That of a process and of the children it has now."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    total = cpu_seconds(pid)
    for child in children:
        try:
            total += cpu_seconds(int(child))
        except FileNotFoundError:  # it has ended since
            continue
    return total


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
