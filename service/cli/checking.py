"""`avisa check`: everything that is wrong with plan and messages, for people and for the machines that ask."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from avisa import views
from avisa.cli.answer import answer
from avisa.cli.exits import Exit, not_there, usage
from avisa.cli.surroundings import inside_store, settings
from avisa.telemetry import printable

if TYPE_CHECKING:
    from avisa.core.model import Order
    from avisa.core.observed import ObservedVariables
    from avisa.diagnostics.diagnostic import Diagnostic
    from avisa.ports import Clock
    from avisa.settings import Settings
    from avisa.store import Store

_MOST_ORDERS = 5_000  # that ended, and as many that are open
_EACH = 500  # orders of one status, over which is counted what live events bring


class Format(StrEnum):
    """How problems are told."""

    TEXT = "text"
    GITHUB = "github"  # workflow commands, which become annotations
    GITLAB = "gitlab"  # a Code Quality report


def register(app: typer.Typer) -> None:
    app.command()(check)


def check(
    folder: Path | None = typer.Argument(None, metavar="[FOLDER]"),  # noqa: B008 -- how typer declares
    explain: str | None = typer.Option(None, "--explain", metavar="CODE", help="Say what a code means, and stop."),
    form: Format = typer.Option(Format.TEXT, "--format", help="For whom: you, or your forge."),  # noqa: B008
    live: bool = typer.Option(False, "--live", help="Hold the messages against what live events bring, and show it."),
) -> None:
    """Check plan and messages."""
    if explain is not None:
        _explain(explain)
        return
    if answer.as_json and form is not Format.TEXT:
        raise usage("--format and --json do not go together")
    from avisa.cli import diagnostics
    from avisa.templates import template_folder

    known = settings()
    folder = template_folder.locate(folder or known.templates)
    history = _live_history(known) if live else _history(known)
    found = _found(folder, known, history)
    ok = not any(problem.severity == "error" for problem in found)
    match form:
        case Format.GITHUB:
            answer.write(diagnostics.github(found, folder))
        case Format.GITLAB:
            answer.write(diagnostics.gitlab(found, folder))
        case Format.TEXT:
            document: dict[str, Any] = {"ok": ok, "problems": [_shape(problem) for problem in found]}
            if live:
                document["live"] = [views.variables_json(one) for one in history.observed]
            answer.give(document, lambda told: diagnostics.text(found, folder, told.get("live")))
    if not ok:
        raise typer.Exit(Exit.FINDINGS)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What the store says of real orders, and the moment by its clock."""

    now: datetime
    orders: Sequence[Order] = ()
    observed: Sequence[ObservedVariables] = ()


def _found(folder: Path, known: Settings, history: History) -> list[Diagnostic]:
    from avisa import plan_file
    from avisa.catalog import PLAN
    from avisa.lint import check as look

    read = partial(plan_file.read, file=PLAN, tell_from=known.kafka.tell_from)
    try:
        return look(folder, read, now=history.now, orders=history.orders, observed=history.observed)
    except OSError as error:
        raise not_there(f"{folder}: {error.strerror or 'is not a folder'}") from None


def _history(known: Settings) -> History:
    """Orders to hold the plan against, if there is a store yet; one that cannot be asked stops no check."""
    from avisa.clock import clock_of
    from avisa.store import StoreError, StoreNotFound

    async def look(store: Store, clock: Clock) -> History:
        return History(now=clock.now(), orders=await store.queries.newest_orders(_MOST_ORDERS))

    try:
        return inside_store(known, look)
    except StoreNotFound:
        pass
    except StoreError as error:
        sys.stderr.write(f"avisa: the plan was not held against real orders: {printable(str(error))}\n")
    return History(now=clock_of(known.clock).now())


def _live_history(known: Settings) -> History:
    """The same, and what live events bring. Without a store there is no answer to that."""

    async def look(store: Store, clock: Clock) -> History:
        return History(
            now=clock.now(),
            orders=await store.queries.newest_orders(_MOST_ORDERS),
            observed=await views.observed(store.queries, each=_EACH),
        )

    return inside_store(known, look)


def _explain(name: str) -> None:
    from avisa.cli.diagnostics import explanation
    from avisa.diagnostics.suggest import closest_match
    from avisa.lint.codes import codes

    code = codes().get(name)
    if code is None:
        near = closest_match(name, codes())
        meant = f"; did you mean {near}?" if near else ""
        raise not_there(f"there is no code {name!r}{meant}\nThe codes are: {', '.join(codes())}")
    told = {"code": code.code, "severity": code.severity, "means": code.means, "text": code.text}
    answer.give(told | {"wrong": code.wrong, "right": code.right}, lambda _: explanation(code))


def _shape(problem: Diagnostic) -> dict[str, Any]:
    return {
        "code": problem.code,
        "severity": problem.severity,
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "message": problem.message,
        "suggestion": problem.suggestion,
    }
