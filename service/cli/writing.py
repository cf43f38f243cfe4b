"""Commands for those who write plan and messages: init, check, preview."""

from __future__ import annotations

from pathlib import Path

import typer

from service.cli.answer import answer
from service.cli.exits import Exit, Failure


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
        raise Failure(Exit.FINDINGS, "exists", f"{folder}: there is something already; nothing was written") from None
    except OSError as error:
        raise Failure(Exit.STORAGE, "storage", f"{folder}: {error.strerror}") from None
    answer.give(
        {"folder": str(folder), "files": [str(file) for file in files]},
        lambda told: f"{len(told['files'])} files written to {folder}. Run the service with AVISA_TEMPLATES={folder}",
    )


def check(folder: Path | None = typer.Argument(None, metavar="[FOLDER]")) -> None:  # noqa: B008 -- how typer declares
    """Check plan and messages."""
    raise NotImplementedError


def preview(
    message: str = typer.Argument(..., help="Its name, such as `shipped`."),
    locale: str | None = typer.Option(None, "--locale"),
    sample: str | None = typer.Option(None, "--sample"),
    out: Path = typer.Option(Path("."), "--out", metavar="DIR"),  # noqa: B008 -- how typer declares
) -> None:
    """Write a message as a customer would get it: mail.eml, mail.html, mail.txt, short.txt."""
    raise NotImplementedError
