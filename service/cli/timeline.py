"""`avisa timeline`: what happened to one order; with `--mail` one of its mails again."""

from __future__ import annotations

from pathlib import Path

import typer

from avisa import views
from avisa.cli import sent_mail
from avisa.cli.answer import answer
from avisa.cli.exits import not_there, usage
from avisa.cli.session import read_store
from avisa.cli.views.timeline import timeline as shown
from avisa.ports import Queries


def timeline(
    order: str = typer.Argument(..., help="The order's id, as published."),
    mail: str | None = typer.Option(
        None, "--mail", metavar="KEY", help="Show the mail with this key, as it was sent."
    ),
    out: Path | None = typer.Option(  # noqa: B008 -- how typer declares
        None, "--out", metavar="DIR", help="With --mail: also write mail.eml, mail.html, mail.txt and short.txt."
    ),
) -> None:
    if mail is not None:
        sent_mail.show(order, mail, out)
        return
    if out is not None:
        raise usage("--out goes with --mail")

    async def look(store: Queries) -> views.Shape | None:
        return await views.timeline(store, order)

    document = read_store(look)
    if document is None:
        raise not_there("no such order is known")
    answer.give(document, shown)
