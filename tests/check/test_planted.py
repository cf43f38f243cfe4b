"""Each mistake is found, at its place, and with the way out; and the shipped folder has none."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from service import template_folder
from service.rendering.check import check
from service.rendering.check.codes import codes
from tests.check.planted import MISTAKES, Planted
from tests.rendering.desk import SHIPPED, read_plan
from tests.rendering.test_folder import laid_out

SOME_DAY = datetime(2026, 3, 30, 12, tzinfo=UTC)


@pytest.mark.parametrize("mistake", MISTAKES, ids=[mistake.kind for mistake in MISTAKES])
def test_a_planted_mistake_is_found(mistake: Planted, tmp_path: Path) -> None:
    texts, _ = template_folder.read(SHIPPED)
    planted, at = mistake.in_texts(texts)
    problems = check(laid_out(tmp_path, planted), read_plan, now=SOME_DAY, orders=mistake.orders)
    named = [problem for problem in problems if problem.code == mistake.code and problem.file == mistake.file]
    assert [(problem.line, problem.column) for problem in named][:1] == [at], problems
    assert mistake.suggestion in (None, named[0].suggestion)
    assert any(mistake.says in problem.message for problem in named)
    assert named[0].severity == codes()[mistake.code].severity


def test_there_is_one_of_every_kind() -> None:
    assert len(MISTAKES) >= 30
    assert len({mistake.kind for mistake in MISTAKES}) == len(MISTAKES)
