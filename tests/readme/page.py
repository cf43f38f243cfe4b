"""The README, taken apart: its tables, and its blocks of code with the mark before each."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text("utf-8")

_BLOCK = re.compile(r"^ *<!-- ([\w: ]+) -->\n *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def blocks(mark: str) -> list[str]:
    """The code that stands behind `<!-- mark -->`."""
    found = [dedent(code) for its_mark, _language, code in _BLOCK.findall(TEXT) if its_mark == mark]
    assert found, f"the README has no block marked {mark!r}"
    return found


def table(heading: str) -> list[list[str]]:
    """The rows of the first table below a heading, without its head; cells as they are written."""
    _, found, rest = TEXT.partition(f"\n### {heading}\n")
    assert found, f"the README has no heading {heading!r}"
    lines = [line for line in rest.partition("\n### ")[0].partition("\n## ")[0].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def words(cell: str) -> list[str]:
    """What stands between backticks."""
    return re.findall(r"`([^`]+)`", cell)
