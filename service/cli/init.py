"""`avisa init`: a plan and messages of one's own."""

from __future__ import annotations

from pathlib import Path

import typer

from avisa.cli import umask
from avisa.cli.answer import answer
from avisa.cli.exits import Exit, Failure
from avisa.templates import template_folder


def init(folder: Path = typer.Argument(..., metavar="DIR")) -> None:  # noqa: B008 -- how typer declares
    try:
        with umask.of_the_user():
            files = template_folder.init(folder)
    except FileExistsError:
        raise Failure(Exit.FINDINGS, "exists", f"{folder}: something is there already; nothing was written") from None
    except OSError as error:
        raise Failure(Exit.STORAGE, "storage", f"{folder}: {error.strerror}") from None
    answer.give(
        {"folder": str(folder), "files": [str(file) for file in files]},
        lambda document: f"{len(document['files'])} files written. To use them, run with AVISA_TEMPLATES={folder}",
    )
