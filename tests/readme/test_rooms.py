"""Small rooms: no module is longer than a few screens (CONTRIBUTING.md, Taste), and nothing lies about at the top."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.readme import documents

_SERVICE = documents.ROOT / "service"
_LONGEST = 300  # lines
_TOP = {
    "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "README.md", "deploy", "docker-compose.yml", "docs",
    "pyproject.toml", "requirements.lock", "service", "templates", "tests",
}  # fmt: skip


def test_no_module_is_longer_than_a_few_screens() -> None:
    modules = sorted(_SERVICE.rglob("*.py"))
    assert len(modules) > 100  # it looks in the right place
    lines = {path.relative_to(_SERVICE).as_posix(): path.read_text("utf-8").count("\n") for path in modules}
    assert {name: count for name, count in lines.items() if count > _LONGEST} == {}


def test_the_top_level_holds_what_it_is_meant_to_and_nothing_else() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=documents.ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("this is no checkout of git")
    assert {file.partition("/")[0] for file in listed.stdout.splitlines() if not file.startswith(".")} == _TOP


def test_only_what_a_machine_lacks_skips_a_test() -> None:
    """CI takes every other skip for a missing part, and fails. What a test has no use for, it does not ask."""
    tests = documents.ROOT / "tests"
    skipping = re.compile(r"\bpytest\.(?:skip|importorskip|mark\.skip)")
    skip = {str(file.relative_to(tests)) for file in tests.rglob("*.py") if skipping.search(file.read_text("utf-8"))}
    of_history = {"readme/test_rooms.py", "store/test_upgrade.py"}  # an archive has none
    assert skip == {"tools/parts.py", "tools/time_left.py"} | of_history
