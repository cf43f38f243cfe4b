"""Each mistake is reported at its place, with a suggestion; and the shipped folder has none."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from avisa.diagnostics.diagnostic import Diagnostic
from avisa.lint import check
from avisa.lint.codes import codes
from tests.lint.planted import BRIEF, LAYOUT, MISTAKES, Planted
from tests.templates.harness import files, read_plan, shipped
from tests.templates.test_folder import laid_out

SOME_DAY = datetime(2026, 3, 30, 12, tzinfo=UTC)


@pytest.mark.parametrize("mistake", MISTAKES, ids=[mistake.kind for mistake in MISTAKES])
def test_a_planted_mistake_is_reported_at_its_place(mistake: Planted, tmp_path: Path) -> None:
    texts = shipped()
    planted, at = mistake.in_texts(texts)
    problems = check(laid_out(tmp_path, planted), read_plan, now=SOME_DAY, orders=mistake.orders)
    named = [problem for problem in problems if problem.code == mistake.code and problem.file == mistake.file]
    assert [(problem.line, problem.column) for problem in named][:1] == [at], problems
    assert mistake.suggestion in (None, named[0].suggestion)
    assert any(mistake.says in problem.message for problem in named)
    assert named[0].severity == codes()[mistake.code].severity


def test_every_planted_mistake_is_of_another_kind() -> None:
    assert len(MISTAKES) >= 30
    assert len({mistake.kind for mistake in MISTAKES}) == len(MISTAKES)


def test_a_mistake_in_the_plan_hides_none_in_a_message(tmp_path: Path) -> None:
    texts = shipped("en")
    texts["plan.yaml"] += "nonsense: 1\n"
    texts["messages/shipped/en.md"] += "{{ custmer.name }}\n"
    found = {(it.code, it.file) for it in check(laid_out(tmp_path, texts), read_plan)}
    assert found == {("unknown_key", "plan.yaml"), ("unknown_name", "messages/shipped/en.md")}


def test_an_xml_namespace_is_not_taken_for_an_insecure_link(tmp_path: Path) -> None:
    texts = {file: BRIEF if file.startswith("messages/") else text for file, text in shipped("en").items()}

    def found(layout: str, folder: Path) -> list[Diagnostic]:
        problems = check(laid_out(folder, texts | {LAYOUT: layout}), read_plan)
        return [problem for problem in problems if problem.file == LAYOUT]

    layout = texts[LAYOUT]
    assert found(layout.replace("<html ", '<html xmlns="http://www.w3.org/1999/xhtml" '), tmp_path / "a") == []
    with_picture = layout.replace("<body", '<body background="http://x.example/y.png"')
    remote, insecure = found(with_picture, tmp_path / "b")
    assert remote.code == "remote_picture"
    assert (insecure.code, insecure.suggestion) == ("insecure_link", "https://x.example/y.png")


@pytest.mark.parametrize(
    "body",
    [
        "{% if " + " and ".join(["reason"] * 1_500) + " %}x{% endif %}",
        "{{ order" + ".a" * 3_000 + " }}",
        "{{ 'a'" + " | upper" * 1_500 + " }}",
        "{% if reason %}" * 90 + "x" + "{% endif %}" * 90,
        "{{ " + "(" * 2_000 + "1" + ")" * 2_000 + " }}",
        "[a](http://" * 1_000,
        "![" * 3_000,
    ],
)
def test_an_absurd_message_is_reported_and_not_rendered(body: str, tmp_path: Path) -> None:
    texts = files(shown=f"---\nsubject: s\nshort: s\n---\n{body}\n")
    found = check(laid_out(tmp_path, texts), read_plan)
    assert [problem for problem in found if problem.file == "messages/shown/en.md"]
