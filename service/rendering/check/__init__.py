"""`avisa check`: everything that is wrong with a template folder, without putting it in force."""

from __future__ import annotations

from pathlib import Path

from service import template_folder
from service.catalog import ReadPlan, examine
from service.ports import Problem
from service.rendering.press import make_press


def check(folder: Path, read_plan: ReadPlan) -> list[Problem]:
    """All problems of a folder, by file and line. Raises OSError if it cannot be read at all."""
    files, problems = template_folder.read(folder)
    _, _, found = examine(files, read_plan, make_press)
    return sorted(problems + found, key=lambda it: (it.file, it.line or 0, it.column or 0, it.code))
