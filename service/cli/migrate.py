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
    contract: bool = typer.Option(
        False, "--contract", help="Also do what no older process could go on with. Stop the older ones before."
    ),
) -> None:
    url = load_settings().store.url.get_secret_value()
    if check:
        found = asyncio.run(status(url))
        document = {"from": found.current, "to": found.head, "applied": [], "missing": list(found.needed)}
        answer.give(document | {"contracts": list(found.contracts)}, _status)
        if found.later or (found.missing if contract else found.needed):
            raise typer.Exit(Exit.FINDINGS)
        return
    done = asyncio.run(upgrade(url, contract=contract))
    document = {"from": done.before, "to": done.after, "applied": list(done.applied)}
    answer.give(document | {"contracts": list(done.contracts)}, _migrated)


def _status(document: dict[str, Any]) -> str:
    current, head, missing, contracts = (document[name] for name in ("from", "to", "missing", "contracts"))
    if missing:
        return f"The schema is at {current or 'nothing'}; {missing[-1]} is needed: run `avisa migrate`."
    if current == head or contracts:
        return f"The schema is up to date ({current}).{_left(contracts)}"
    return f"The schema is at {current}, which a later version made: run that one, this one knows {head}."


def _migrated(document: dict[str, Any]) -> str:
    left = _left(document["contracts"])
    if not document["applied"]:
        return f"The schema is up to date ({document['to']}).{left}"
    return f"The schema was brought from {document['from'] or 'nothing'} to {document['to']}.{left}"


def _left(contracts: list[str]) -> str:
    if not contracts:
        return ""
    return f" When no older process runs any more, `avisa migrate --contract` brings it to {contracts[-1]}."
