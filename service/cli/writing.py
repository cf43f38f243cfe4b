"""Commands for those who write plan and messages: init, check."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from service.cli.answer import answer
from service.cli.exits import Exit, Failure, not_there
from service.cli.surroundings import settings

if TYPE_CHECKING:
    from service.ports import Problem


def register(app: typer.Typer) -> None:
    app.command("init")(init)
    app.command()(check)


def init(folder: Path = typer.Argument(..., metavar="DIR")) -> None:  # noqa: B008 -- how typer declares
    """Copy the shipped plan and messages to a folder, to edit there."""
    from service import template_folder

    try:
        files = template_folder.init(folder)
    except FileExistsError:
        raise Failure(Exit.FINDINGS, "exists", f"{folder}: something is there already; nothing was written") from None
    except OSError as error:
        raise Failure(Exit.STORAGE, "storage", f"{folder}: {error.strerror}") from None
    answer.give(
        {"folder": str(folder), "files": [str(file) for file in files]},
        lambda told: f"{len(told['files'])} files written. To use them, run with AVISA_TEMPLATES={folder}",
    )


def check(folder: Path | None = typer.Argument(None, metavar="[FOLDER]")) -> None:  # noqa: B008 -- how typer declares
    """Check plan and messages."""
    from service import plan_document, template_folder
    from service.catalog import PLAN
    from service.cli.tables import problems
    from service.rendering.check import check as look

    known = settings()
    folder = template_folder.locate(folder or known.templates)
    try:
        found = look(folder, partial(plan_document.read, file=PLAN, tell_from=known.kafka.tell_from))
    except OSError as error:
        raise not_there(f"{folder}: {error.strerror or 'is not a folder'}") from None
    ok = not any(problem.severity == "error" for problem in found)
    answer.give({"ok": ok, "problems": [_shape(problem) for problem in found]}, problems)
    if not ok:
        raise typer.Exit(Exit.FINDINGS)


def _shape(problem: Problem) -> dict[str, Any]:
    return {
        "code": problem.code,
        "severity": problem.severity,
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "message": problem.message,
        "suggestion": problem.suggestion,
    }
