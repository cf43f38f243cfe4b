"""The wheel carries every package of the folder `service`, under the name `avisa`."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_package_of_the_folder_is_in_the_wheel() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"]
    folders = {path.parent.relative_to(ROOT) for path in (ROOT / "service").rglob("__init__.py")}
    assert set(listed) == {".".join(("avisa", *folder.parts[1:])) for folder in folders}
