"""Commands that are still to come. They are refused by name, so that nobody takes them for a typing error."""

from __future__ import annotations

import typer

from avisa.cli.exits import Exit, Failure

NAMES = ("erase",)


def register(app: typer.Typer) -> None:
    for name in NAMES:
        app.command(
            name,
            hidden=True,
            context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
        )(_refuse)


def _refuse(context: typer.Context) -> None:
    raise Failure(Exit.USAGE, "not_supported_yet", f"{context.info_name}: not supported yet")
