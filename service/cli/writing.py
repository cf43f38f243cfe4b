"""The command for those who write plan and messages of their own: init."""

from __future__ import annotations

from pathlib import Path

import typer

from avisa.cli.answer import answer
from avisa.cli.exits import Exit, Failure


def register(app: typer.Typer) -> None:
    app.command("init")(init)


def init(folder: Path = typer.Argument(..., metavar="DIR")) -> None:  # noqa: B008 -- how typer declares
    """Copy the shipped plan and messages to a folder, to edit there."""
    from avisa.templates import template_folder

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
