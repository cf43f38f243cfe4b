"""How much of the machine this process may use.

A container has the limits of its control group: of version 2, or of 1 where the system still has that one (Linux,
Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/).
"""

from __future__ import annotations

import os
from pathlib import Path

_GROUP = Path("/sys/fs/cgroup")


def cores(group: Path = _GROUP) -> int:
    """Return how many cores this process may keep busy at once, at least 1."""
    own = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limit = _numbers(group / "cpu.max") or [
        *_numbers(group / "cpu/cpu.cfs_quota_us"),
        *_numbers(group / "cpu/cpu.cfs_period_us"),
    ]
    if len(limit) != 2:
        return own
    quota, period = limit
    return max(1, min(own, quota // period))


def memory(group: Path = _GROUP) -> int | None:
    """Return how many bytes of memory the container of this process may take, None without such a limit."""
    limit = _numbers(group / "memory.max") or _numbers(group / "memory/memory.limit_in_bytes")
    return limit[0] if limit else None


def _numbers(file: Path) -> list[int]:
    """Return the numbers in a file of the control group; none if it is not there, or says that there is no limit."""
    try:
        words = file.read_text("ascii").split()
    except OSError:
        return []
    return [int(word) for word in words] if all(word.isdecimal() for word in words) else []
