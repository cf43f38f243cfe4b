"""Lists that may be long. People get the newest page, and the command that shows the page before it.

With `--json` the whole list is printed, unless `--limit` asks for less: a JSON array has no place to say that more
would follow.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import typer

from avisa.cli.answer import answer
from avisa.cli.session import read_store
from avisa.cli.views import tables
from avisa.ports import Queries
from avisa.views import Shape

PAGE = 100  # lines

Read = Callable[[Queries, int | None], Coroutine[Any, Any, list[Shape]]]

limit_option = typer.Option(
    None, "--limit", min=1, metavar="N", help=f"No more than the newest N. [default: {PAGE}, with --json all]"
)


def give(
    read: Read, shown: Callable[[list[Shape]], Any], *, limit: int | None, command: Sequence[str], cursor: str
) -> None:
    """Print the newest rows that `read` returns. `read` takes the store, and the most rows to return; None: all.

    `command` is the command line without `avisa`. With `--before` and the value that the first row has under the key
    `cursor`, it shows the page before.
    """
    if answer.as_json:
        answer.give(read_store(lambda store: read(store, limit)))
        return
    most = limit or PAGE
    found = read_store(lambda store: read(store, most + 1))
    page, older = found[-most:], None
    if len(found) > most:
        chosen = [] if limit is None else ["--limit", str(limit)]
        older = shlex.join(["avisa", *command, *chosen, "--before", str(page[0][cursor])])
    answer.give(page, lambda rows: tables.page(shown(rows), older))
