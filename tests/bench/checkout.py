"""Avisa of another commit, to be compared with today's: its code and templates, with the libraries of this venv."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """A folder with Avisa in it, and how that is started."""

    python_path: str = str(PROJECT)
    module: str = "avisa.cli"  # of the command; it was service.cli once
    has_senders: bool = True  # whether it knows AVISA_SENDERS


TODAY = Checkout()


@contextmanager
def checkout(commit: str) -> Iterator[Checkout]:
    """What git knows by this name, or the worktree that is at this path. What is made for it goes at the end.

    Raises FileNotFoundError if it is neither.
    """
    with tempfile.TemporaryDirectory(prefix="avisa-bench-") as name:
        root, imports = Path(commit).absolute(), Path(name) / "import"
        if not root.is_dir():
            root = Path(name) / "avisa"
            _extract(commit, root)
        command = tomllib.loads((root / "pyproject.toml").read_text())["project"]["scripts"]["avisa"]
        imports.mkdir()
        (imports / "avisa").symlink_to(root / "service")  # a folder that is not called as its import
        yield Checkout(
            python_path=os.pathsep.join(map(str, (imports, root))),
            module=command.partition(":")[0],
            has_senders=(root / "service/senders").is_dir(),
        )


def _extract(commit: str, folder: Path) -> None:
    """An archive, because a worktree of git would stay on its list if we were killed."""
    archive = subprocess.run(["git", "archive", "--format=tar", commit], cwd=PROJECT, capture_output=True)
    if archive.returncode:
        raise FileNotFoundError(f"{commit} is neither a folder nor a commit: {archive.stderr.decode().strip()}")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")
