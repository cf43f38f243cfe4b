"""A PostgreSQL of our own: made in a folder, started on a free port, stopped and thrown away.

The server refuses to run as root, so for root it runs as the user `postgres` or, without one, `nobody`.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.tools.parts import needs

# Speed, not safety: what these would protect from is the machine's end, not the server's.
_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "max_connections": "60",
    "max_wal_size": "512MB",
    "deadlock_timeout": "100ms",
    "log_line_prefix": "'%m [%p] '",
}


class Postgres:
    """One server, and as many fresh databases as are asked for."""

    def __init__(self, folder: Path, **settings: str) -> None:
        bindir = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True, check=True)
        self._bin = Path(bindir.stdout.strip())
        self._folder = folder
        self._data = folder / "data"
        self._settings = _SETTINGS | settings
        self._user = _other_user() if os.geteuid() == 0 else None
        self._names = (f"test_{n}" for n in count(1))
        self.port = _free_port()

    @property
    def url(self) -> str:
        """Of the database that every server has."""
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        return f"postgresql://avisa@127.0.0.1:{self.port}/{database}"

    @property
    def pid(self) -> int:
        """Of the running server; each session is a child of it."""
        return int((self._data / "postmaster.pid").read_text().split()[0])

    def create(self) -> None:
        """Make the server's folder."""
        if self._user is not None:
            os.chown(self._folder, self._user.pw_uid, self._user.pw_gid)
        self._run("initdb", "-D", self._data, "-U", "avisa", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
        lines = [f"{name} = {value}" for name, value in self._settings.items()]
        lines += [
            "listen_addresses = '127.0.0.1'",
            f"port = {self.port}",
            f"unix_socket_directories = '{self._folder}'",
        ]
        with (self._data / "postgresql.conf").open("a") as conf:
            conf.write("\n".join(lines) + "\n")

    def start(self) -> None:
        """Start and wait until it answers."""
        self._run("pg_ctl", "-D", self._data, "-l", self._folder / "log", "-w", "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop; `immediate` is its kill -9."""
        self._run("pg_ctl", "-D", self._data, "-m", mode, "-w", "stop")

    def pause(self) -> None:
        """Freeze it with all its sessions: connections stay open and nobody answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        first = int((self._data / "postmaster.pid").read_text().split()[0])
        others = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        for process in (first, *map(int, others)):
            with suppress(ProcessLookupError):
                os.kill(process, number)

    def database(self, template: str = "template1") -> str:
        """The url of a fresh database, a copy of `template`."""
        name = next(self._names)
        self.sql(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url_of(name)

    def sql(self, statement: str, database: str = "postgres") -> str:
        """What psql prints for a statement."""
        return self._run(
            "psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", "avisa", "-d", database, "-AtqX", "-v",
            "ON_ERROR_STOP=1", "-c", statement,
        )  # fmt: skip

    def _run(self, program: str, *arguments: str | Path) -> str:
        """Through a file, not a pipe: the server inherits our output, and would hold a pipe open for ever."""
        user: dict[str, Any] = {}
        if self._user is not None:
            user = {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}
        with tempfile.TemporaryFile("w+") as output:
            command = [str(self._bin / program), *map(str, arguments)]
            ended = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/", **user)
            output.seek(0)
            text = output.read()
        if ended.returncode:
            raise RuntimeError(f"{program} ended with {ended.returncode}:\n{text}")
        return text.strip()


def _other_user() -> pwd.struct_passwd:
    with suppress(KeyError):
        return pwd.getpwnam("postgres")
    return pwd.getpwnam("nobody")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def running(**settings: str) -> Iterator[Postgres]:
    """A server for as long as the generator lives; the caller has made sure of the part."""
    # Not pytest's own tmp_path: its parents are closed to every other user.
    folder = Path(tempfile.mkdtemp(prefix="avisa-pg-"))
    server = Postgres(folder, **settings)
    try:
        server.create()
        server.start()
        yield server
    finally:
        with suppress(RuntimeError):
            server.stop("immediate")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
@needs("postgres")
def postgres() -> Iterator[Postgres]:
    """The session's PostgreSQL. Whoever stops it starts it again."""
    yield from running()
