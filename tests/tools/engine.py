"""A real Docker Engine with our image in it, confined as deploy/ says."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
TAG = "avisa:test"
MEMORY = 256 << 20  # bytes, without swap; as in docker-compose.yml
CONFINED = (
    "--read-only",
    "--tmpfs=/tmp",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    f"--memory={MEMORY}",
    f"--memory-swap={MEMORY}",
)
GRACE = 50  # seconds a container has for its end; promise 9 says 45
# By the version of cgroups: of all in the container, its health checks and the files that the kernel caches for it.
_PEAK = "cd /sys/fs/cgroup; cat memory.peak 2>/dev/null || cat memory/memory.max_usage_in_bytes"


def answers() -> bool:
    """Whether there is an engine."""
    try:
        return subprocess.run(["docker", "info"], capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


def docker(*arguments: str, given: bytes | None = None, cwd: Path | None = None) -> str:
    """What the engine's client prints, standard error included where it fails."""
    done = subprocess.run(["docker", *arguments], input=given, capture_output=True, cwd=cwd)
    if done.returncode:
        shown = (done.stdout + done.stderr).decode(errors="replace")
        raise AssertionError(f"docker {' '.join(arguments[:2])} ended with {done.returncode}:\n{shown}")
    # A container's log comes back on the two streams it was written to.
    return (done.stdout + (done.stderr if arguments[0] == "logs" else b"")).decode()


def build() -> None:
    """Build the image. An engine that has built it from the same files has it at once."""
    docker("build", "--quiet", "--file=deploy/Dockerfile", f"--tag={TAG}", ".", cwd=ROOT)


@contextlib.contextmanager
def container(*options: str) -> Iterator[str]:
    """`avisa run`, confined; shown with its log if what is done with it fails."""
    name = docker("run", "--detach", *CONFINED, *options, TAG).strip()
    try:
        yield name
    except BaseException:
        print(docker("logs", name)[-8000:], file=sys.stderr)
        raise
    finally:
        docker("rm", "--force", "--volumes", name)


@contextlib.contextmanager
def volume() -> Iterator[str]:
    name = docker("volume", "create").strip()
    try:
        yield name
    finally:
        docker("volume", "rm", name)


def state(name: str) -> Mapping[str, Any]:
    """How the container is; it runs, or has ended well."""
    found: Mapping[str, Any] = json.loads(docker("inspect", name))[0]["State"]
    assert found["Status"] == "running" or found["ExitCode"] == 0, found
    assert not found["OOMKilled"], found
    return found


def peak(name: str) -> int:
    """The most bytes of memory that the running container has had."""
    return int(docker("exec", name, "sh", "-c", _PEAK))


def stops_with_zero(name: str) -> None:
    docker("stop", f"--time={GRACE}", name)
    assert state(name)["ExitCode"] == 0
