"""The `avisa` command. `avisa.cli.commands` lists its commands; each is a module named after it."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import typer

from avisa import __version__
from avisa.cli import not_yet, umask
from avisa.cli.answer import answer
from avisa.cli.commands import Commands
from avisa.cli.exits import Exit, Failure

app = typer.Typer(
    cls=Commands,
    name="avisa",
    help="Tells customers what happens to their orders, and speaks when nothing happens.",
    epilog="With --json, anywhere on the line, a command prints exactly one JSON document.",
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
not_yet.register(app)


@app.callback(invoke_without_command=True)
def avisa(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", help="Print the version."),
) -> None:
    if version:
        answer.give({"version": __version__}, lambda document: f"avisa {document['version']}")
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(Exit.USAGE)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code. What it writes is for its owner alone."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    answer.as_json = "--json" in words
    with umask.private():
        return _run(words)


def _run(words: Sequence[str]) -> int:
    try:
        code = app(args=[word for word in words if word != "--json"], standalone_mode=False)
        return int(code or Exit.DONE)
    except Failure as failure:
        answer.refuse(failure.error, failure.message)
        return failure.exit
    except typer.TyperException as error:
        answer.refuse("usage", _text(error))
        return Exit.USAGE
    except (KeyboardInterrupt, typer.Abort):
        return 130  # what a shell says of a command ended by SIGINT
    except BrokenPipeError:  # `avisa outbox | head`: the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.DONE
    except Exception as error:
        return _failed(error)


def _text(error: typer.TyperException) -> str:
    formatted = getattr(error, "format_message", None)
    return str(formatted() if formatted else error)


def _failed(error: Exception) -> Exit:
    """Print what failed: the store, or Avisa itself. A fault of Avisa is named by its place in the code, for the text
    of an exception may quote a secret."""
    from avisa.store import errors  # here, for it takes longer than the whole of `avisa --help`
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
