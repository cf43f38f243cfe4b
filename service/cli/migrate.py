"""`avisa migrate`: the store's schema."""

from __future__ import annotations

import asyncio
from typing import Any

import typer

from avisa.cli.answer import answer
from avisa.cli.exits import Exit
from avisa.cli.session import load_settings
from avisa.store.migrate import status, upgrade


def migrate(
    check: bool = typer.Option(False, "--check", help="Change nothing; exit 1 if there is something to do."),
) -> None:
    url = load_settings().store.url.get_secret_value()
    if check:
        found = asyncio.run(status(url))
        answer.give({"from": found.current, "to": found.head, "applied": [], "missing": list(found.missing)}, _status)
        if found.current != found.head:
            raise typer.Exit(Exit.FINDINGS)
        return
    done = asyncio.run(upgrade(url))
    answer.give({"from": done.before, "to": done.after, "applied": list(done.applied)}, _migrated)


def _status(document: dict[str, Any]) -> str:
    current, head = document["from"], document["to"]
    if current == head:
        return f"The schema is up to date ({head})."
    if document["missing"]:
        return f"The schema is at {current or 'nothing'}; {head} is needed: run `avisa migrate`."
    return f"The schema is at {current}, which a later version made; this one knows {head}."


def _migrated(document: dict[str, Any]) -> str:
    if not document["applied"]:
        return f"The schema is up to date ({document['to']})."
    return f"The schema was brought from {document['from'] or 'nothing'} to {document['to']}."
