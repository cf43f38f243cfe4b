"""What a process may use, by its control group."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from avisa import machine
from avisa.app import mailing

MIB = 1 << 20


@pytest.fixture(autouse=True)
def _four_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3})


def group(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(f"{text}\n", "ascii")
    return folder


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({}, 4),
        ({"cpu.max": "max 100000"}, 4),
        ({"cpu.max": "250000 100000"}, 2),
        ({"cpu.max": "800000 100000"}, 4),
        ({"cpu.max": "50000 100000"}, 1),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 4),
        ({"cpu/cpu.cfs_quota_us": "100000", "cpu/cpu.cfs_period_us": "100000"}, 1),
    ],
)
def test_cores_are_those_of_the_process_and_no_more_than_its_container_has(
    tmp_path: Path, files: Mapping[str, str], cores: int
) -> None:
    assert machine.cores(group(tmp_path, files)) == cores


@pytest.mark.parametrize(
    ("files", "memory"),
    [
        ({}, None),
        ({"memory.max": "max"}, None),
        ({"memory.max": str(256 * MIB)}, 256 * MIB),
        ({"memory/memory.limit_in_bytes": str(256 * MIB)}, 256 * MIB),
        ({"memory/memory.limit_in_bytes": "9223372036854771712"}, 9223372036854771712),
    ],
)
def test_memory_is_what_the_container_may_take(tmp_path: Path, files: Mapping[str, str], memory: int | None) -> None:
    assert machine.memory(group(tmp_path, files)) == memory


@pytest.mark.parametrize(
    ("cores", "memory", "senders"),
    [(1, None, 0), (2, None, 1), (8, None, 1), (2, 256 * MIB, 0), (2, 383 * MIB, 0), (2, 384 * MIB, 1)],
)
def test_a_sender_process_runs_where_there_is_a_core_and_memory_for_it(
    monkeypatch: pytest.MonkeyPatch, cores: int, memory: int | None, senders: int
) -> None:
    monkeypatch.setattr(machine, "cores", lambda: cores)
    monkeypatch.setattr(machine, "memory", lambda: memory)
    assert mailing._usual_senders() == senders
