"""Another Avisa is found by its commit or its path, runs as itself, and leaves nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.checkout import TODAY, Checkout, checkout


def test_a_commit_is_taken_out_and_thrown_away() -> None:
    with checkout("HEAD") as other:
        package = imported(other)
        assert package != imported(TODAY)
        assert (package / "shipped" / "plan.yaml").exists()
    assert not package.exists()


def test_a_worktree_is_used_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "service").mkdir()
    (tmp_path / "service" / "__init__.py").touch()
    (tmp_path / "pyproject.toml").write_text('[project.scripts]\navisa = "service.cli:main"\n')
    with checkout(str(tmp_path)) as other:
        assert imported(other) == tmp_path / "service"
        assert other.module == "service.cli"
    assert (tmp_path / "service").exists()


def test_a_name_that_nobody_knows_is_an_error() -> None:
    with pytest.raises(FileNotFoundError, match="nowhere is neither a folder nor a commit"), checkout("nowhere"):
        pass


def imported(avisa: Checkout) -> Path:
    """The folder of the package that a process imports."""
    command = [sys.executable, "-c", "import avisa; print(avisa.__path__[0])"]
    environ = os.environ | {"PYTHONPATH": avisa.python_path}
    return Path(
        subprocess.run(command, env=environ, capture_output=True, text=True, check=True).stdout.strip()
    ).resolve()
