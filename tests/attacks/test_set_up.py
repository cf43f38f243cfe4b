"""Nothing is installed but what was pinned with its hash; not even what builds the package."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_INSTALLS = re.compile(r"\bpip3?(?: --python \S+)? (?:install|wheel|download)\b[^\n#&;|]*")
_HASHED = re.compile(r"(?=.*--require-hashes).*(?:-r|--requirement) \S+\.(?:lock|txt)")
_OURS = re.compile(r"(?=.*--no-deps).*(?:--no-build-isolation|/wheels/)")
FILES = ["Makefile", "deploy/Dockerfile", "docker-compose.yml", *map(str, sorted((ROOT / ".ci").glob("*")))]


@pytest.mark.parametrize("file", FILES)
def test_what_is_installed_is_pinned_with_its_hash(file: str) -> None:
    text = (ROOT / file).read_text("utf-8").replace("\\\n", " ")
    for line in _INSTALLS.findall(text):
        assert _HASHED.match(line) or _OURS.match(line), line


def test_there_is_something_to_be_held() -> None:
    assert len(_INSTALLS.findall((ROOT / "Makefile").read_text("utf-8"))) >= 5


@pytest.mark.parametrize("lock", ["requirements.lock", "tests/requirements.lock", "deploy/build.lock"])
def test_every_requirement_has_a_version_and_a_hash(lock: str) -> None:
    text = re.sub(r"#.*", "", (ROOT / lock).read_text("utf-8")).replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip()]
    assert lines
    for line in lines:
        assert re.match(r"[\w.\[\],-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", line), line
