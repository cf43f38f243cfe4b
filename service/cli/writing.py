"""Commands for those who write plan and messages: init, check, preview."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from service.cli.answer import answer
from service.cli.exits import Exit, Failure, not_there
from service.cli.surroundings import catalog, settings

if TYPE_CHECKING:
    from service.ports import Problem


def register(app: typer.Typer) -> None:
    app.command("init")(init)
    app.command()(check)
    app.command()(preview)


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


def preview(
    message: str = typer.Argument(..., help="Its name, such as `shipped`."),
    locale: str | None = typer.Option(None, "--locale", help="Such as pt-BR; else the language of the brand."),
    sample: str = typer.Option("full", "--sample", help="full, bare, odd; for reminders also last."),
    out: Path = typer.Option(Path(), "--out", metavar="DIR"),  # noqa: B008 -- how typer declares
) -> None:
    """Write a message as a customer would get it: mail.eml, mail.html, mail.txt and short.txt."""
    from service.app.clock import clock_of
    from service.ports import CannotRender
    from service.rendering import preview as previews

    known = settings()
    try:
        made = previews.preview(
            catalog(known), message, now=clock_of(known.clock).now(), locale=locale, sample=sample
        )
    except LookupError as error:
        raise not_there(str(error.args[0])) from None
    if isinstance(made, CannotRender):
        raise Failure(Exit.FINDINGS, "cannot_render", made.problem)
    words, mail = made
    try:
        files = previews.write(words, mail, out)
    except OSError as error:
        raise Failure(Exit.STORAGE, "storage", f"{out}: {error.strerror}") from None
    told = {"subject": words.subject, "files": [str(file) for file in files]}
    answer.give(told, lambda _: f"{words.subject}\n\n{words.text}\n{'  '.join(told['files'])}")


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
