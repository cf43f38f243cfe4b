"""The documents, taken apart: their tables, their links, and their blocks of code with the mark before each."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
REFERENCE = ROOT / "docs" / "reference.md"
DOCUMENTS = (README, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md")))
MANUAL = ROOT / "templates" / "README.md"

_BLOCK = re.compile(r"^ *<!-- ([\w: ]+) -->\n *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_FENCED = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
_PATH = re.compile(r"(?:service|tests|docs|deploy|templates)/[a-z0-9_./-]*")


def blocks(mark: str) -> list[str]:
    """The code that stands behind `<!-- mark -->`, in whichever document."""
    texts = [document.read_text("utf-8") for document in DOCUMENTS]
    found = [dedent(code) for text in texts for its_mark, _, code in _BLOCK.findall(text) if its_mark == mark]
    assert found, f"no document has a block marked {mark!r}"
    return found


def section(heading: str) -> str:
    """What the reference says below a heading of the second level."""
    _, found, rest = REFERENCE.read_text("utf-8").partition(f"\n## {heading}\n")
    assert found, f"the reference has no heading {heading!r}"
    return rest.partition("\n## ")[0]


def table(heading: str) -> list[list[str]]:
    """The rows of the reference's table below a heading, without its head; cells as they are written."""
    lines = [line for line in section(heading).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def words(cell: str) -> list[str]:
    """What stands between backticks."""
    return re.findall(r"`([^`]+)`", cell)


def links(document: Path) -> list[str]:
    """Where its links and pictures lead, but for those to other sites."""
    text = _FENCED.sub("", document.read_text("utf-8"))
    targets = [one or other for one, other in re.findall(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"", text)]
    return [target for target in targets if not re.match(r"https?://|mailto:", target)]


def paths(document: Path) -> list[str]:
    """The files and folders of the project that it names in backticks."""
    text = _FENCED.sub("", document.read_text("utf-8"))
    return [word for word in words(text) if _PATH.fullmatch(word)]


def anchors(document: Path) -> set[str]:
    """The names by which its headings can be linked to, made as GitHub makes them."""
    heads = re.findall(r"^#+ (.+)$", _FENCED.sub("", document.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head).lower().replace(" ", "-") for head in heads}
