"""No module, class, function, attribute or parameter of the service bears a word that CONTRIBUTING.md rules out."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.readme import documents

_SERVICE = documents.ROOT / "service"
_SECTION = re.compile(r"^## Words not used\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)


# What the field, Python or a library calls so, by what its place and name look like.
_ALLOWED = {
    # of a version, as a merge has one; of a batch in Kafka's protocol
    "base": r" (set_base|data_base64|base_(offset|sequence))$",
    # of a CloudEvent, of SMTP, of asyncio's protocols, of Jinja's TemplateData
    "data": r"^events/|^smtp/|^ports/mail| handle_DATA$| data_received$|^templates/jinja/checker.* data$",
    "given": r"^events/(schema|ordinary).* given_name$",  # of a customer, as forms have it
    "info": r" exc_info$|^telemetry/logs",
    "letter": r"(?i) .*dead_?letter|^views.* letter$",  # the parameter of dead_letter_json
    "said": r"^core/observed.* said$",  # a key of check --live
    "service": r"^__init__.py:1 ",  # the folder; the import is avisa
    "tight": r"^templates/markdown/ast.* tight$",  # a list without blank lines, as CommonMark calls it
    "told": r"^core/model.* (told|promise_told)",  # a customer was
}


def _ruled_out() -> list[str]:
    found = _SECTION.search((documents.ROOT / "CONTRIBUTING.md").read_text("utf-8"))
    assert found is not None
    rows = re.findall(r"^- (.+)", found[1], re.MULTILINE)
    return [word for row in rows for word in re.findall(r"`(\w+)`", row.partition(":")[0])]


def _named(module: Path) -> Iterator[tuple[str, int]]:
    """Each name that the module gives to a thing, and its line."""
    yield module.stem if module.stem != "__init__" else module.parent.name, 1
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name, node.lineno
            case ast.arg(arg=name) | ast.Attribute(attr=name, value=ast.Name(id="self"), ctx=ast.Store()):
                yield name, node.lineno
        if isinstance(node, ast.ClassDef):
            for each in node.body:
                if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
                    yield each.target.id, each.lineno


def _parts(name: str) -> str:
    """`_HeadOfLane` and `head_of_lane` as ` head of lane `."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|_", " ", name)
    return f" {' '.join(spaced.lower().split())} "


@cache
def _names() -> list[tuple[str, str]]:
    """The words of each name of the service, and its place; once for all words."""
    return [
        (_parts(name), f"{module.relative_to(_SERVICE)}:{line} {name}")
        for module in sorted(_SERVICE.rglob("*.py"))
        for name, line in _named(module)
    ]


@pytest.mark.parametrize("word", _ruled_out())
def test_a_word_not_used_names_nothing_in_the_service(word: str) -> None:
    looked_for = f" {word.replace('_', ' ')} "
    allowed = re.compile(_ALLOWED.get(word, "$^"))
    found = [place for parts, place in _names() if looked_for in parts]
    assert [place for place in found if not allowed.search(place)] == []


@pytest.mark.parametrize(
    ("name", "parts"), [("_HeadOfLane", "head of lane"), ("is_SMTPLane2", "is smtp lane2"), ("aside", "aside")]
)
def test_a_name_in_either_style_is_split_into_its_words(name: str, parts: str) -> None:
    assert _parts(name) == f" {parts} "
