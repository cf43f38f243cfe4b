"""Lists that may be long: people get the newest page, and the command for the page before it.

Programs get all, unless they ask for a page, for an array has no place to say that it is not all.
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
    """Print the newest that `read` finds; it is given how many at most.

    `command`, with `--before` and what the first line has under `cursor`, shows the page before.
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
