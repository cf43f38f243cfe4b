"""Every code is explained, no other is, and `--explain` says what it means and how to mend it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from avisa.lint.codes import codes, table

SERVICE = Path(__file__).parents[2] / "service"
# Functions and classes that take a code as their first argument.
_TAKE_A_CODE = {
    "wrong",
    "invalid",
    "_add",
    "Mistake",
    "DocumentError",
    "MarkdownProblem",
    "error",
    "warning",
    "diagnostic",
    "_problem",
}
# Codes composed from a word.
_COMPOSED = {"unknown_filter", "unknown_component", "missing_subject", "missing_short"}
_ROOMS = ("templates", "lint", "preview", "diagnostics", "plan_file", "catalog", "app/catalogs.py")


def used() -> set[str]:
    return {code for file in _files() for code in _codes(ast.parse(file.read_text()))} | _COMPOSED


def _files() -> Iterator[Path]:
    for room in _ROOMS:
        place = SERVICE / room
        yield from [place] if place.is_file() else place.rglob("*.py")


def _codes(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="log"))):
                pass  # it warns of other things
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="Diagnostic"), attr="at"),
                args=[_, ast.Constant(value=str(code)), *_],
            ):
                yield code
            case ast.Call(
                func=ast.Name(id=name) | ast.Attribute(attr=name), args=[ast.Constant(value=str(code)), *_]
            ):
                if name in _TAKE_A_CODE and code.isidentifier():
                    yield code
            case ast.Assign(targets=[ast.Tuple(elts=[ast.Name(id="code"), *_])], value=ast.Tuple(elts=[first, *_])):
                if isinstance(first, ast.Constant):
                    yield str(first.value)
            case ast.Assign(targets=[ast.Name(id="code")], value=ast.Constant(value=str(code))):
                yield code
            case ast.Assign(
                targets=[ast.Name(id="code")],
                value=ast.IfExp(body=ast.Constant(value=str(one)), orelse=ast.Constant(value=str(other))),
            ):
                yield from (one, other)
            case ast.keyword(arg="code", value=ast.Constant(value=str(code))):
                yield code
            case ast.Tuple(elts=[ast.Constant(value=str(code)), ast.Constant(value=str(words))]):
                if words.startswith(("must be ", "must have ")):  # a sentence for pydantic's error
                    yield code


def test_every_code_in_use_is_explained_and_no_other() -> None:
    assert set(codes()) == used()


@pytest.mark.parametrize("code", codes().values(), ids=codes())
def test_an_explanation_of_a_code_has_its_meaning_and_an_example_that_differs(code) -> None:
    assert code.severity in ("error", "warning")
    assert code.means.endswith(".")
    assert len(code.text) > 20
    assert code.wrong is None or code.wrong != code.right


def test_the_manual_of_operators_has_the_table_of_codes() -> None:
    """`python -m avisa.lint` prints it."""
    manual = (SERVICE.parent / "templates" / "README.md").read_text()
    assert manual.partition("<!-- codes -->\n")[2].partition("<!-- end of codes -->")[0] == table()
