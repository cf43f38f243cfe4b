"""The `avisa` command.

Each command imports what it needs when it runs, so that `avisa --help` answers at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import typer

from avisa import __version__
from avisa.cli import checking, later, looking, operating, previewing, running, templates, writing
from avisa.cli.answer import answer
from avisa.cli.exits import Exit, Failure

app = typer.Typer(
    name="avisa",
    help="Tells customers what happens to their orders, and speaks when nothing happens.",
    epilog="With --json, anywhere on the line, a command prints exactly one JSON document.",
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for room in (running, writing, checking, previewing, templates, looking, operating, later):
    room.register(app)


@app.callback(invoke_without_command=True)
def avisa(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", help="Print the version."),
) -> None:
    if version:
        answer.give({"version": __version__}, lambda told: f"avisa {told['version']}")
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(Exit.USAGE)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and answer its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    answer.as_json = "--json" in given
    try:
        code = app(args=[word for word in given if word != "--json"], standalone_mode=False)
        return int(code or Exit.DONE)
    except Failure as failure:
        answer.refuse(failure.error, failure.message)
        return failure.exit
    except typer.TyperException as error:
        answer.refuse("usage", _said(error))
        return Exit.USAGE
    except (KeyboardInterrupt, typer.Abort):
        return 130  # what a shell says of a command ended by SIGINT
    except BrokenPipeError:  # `avisa outbox | head`: the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.DONE
    except Exception as error:
        return _failed(error)


def _said(error: typer.TyperException) -> str:
    formatted = getattr(error, "format_message", None)
    return str(formatted() if formatted else error)


def _failed(error: Exception) -> Exit:
    """Storage's fault or ours. Ours is told by its place, not by its text, which may quote a secret."""
    from avisa.store import errors
    from avisa.telemetry import place

    match error:
        case errors.StoreInUse() | errors.StoreMisconfigured():
            answer.refuse("configuration", f"AVISA_STORE__URL: {error}")
            return Exit.CONFIGURATION
        case errors.StoreError():
            answer.refuse("storage", str(error))
            return Exit.STORAGE
        case _:
            answer.refuse("fault", f"this is a fault of Avisa itself: {type(error).__name__} at {place(error)}")
            return Exit.FAULT
