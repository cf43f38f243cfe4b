"""`avisa check`: everything that is wrong with plan and messages, for people and for forges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

import typer

from avisa import lint, plan_file, views
from avisa.catalog import PLAN
from avisa.cli.answer import answer
from avisa.cli.exits import Exit, not_there, usage
from avisa.cli.session import load_settings, use_store
from avisa.cli.views import problems
from avisa.clock import clock_of
from avisa.core.model import Order, Reason
from avisa.core.observed import ObservedVariables
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.diagnostics.suggest import closest_match
from avisa.intake import UNREADABLE_RUN
from avisa.lint.codes import codes
from avisa.ports import Clock
from avisa.settings import Settings
from avisa.store import Store
from avisa.templates import template_folder

_MOST_ORDERS = 5_000  # that ended, and as many that are open
_EACH = 500  # orders of one status in which the variables of live events are counted


class Format(StrEnum):
    """How problems are printed."""

    TEXT = "text"
    GITHUB = "github"  # workflow commands, which become annotations
    GITLAB = "gitlab"  # a Code Quality report


def check(
    folder: Path | None = typer.Argument(None, metavar="[FOLDER]"),  # noqa: B008 -- how typer declares
    explain: str | None = typer.Option(None, "--explain", metavar="CODE", help="Say what a code means, and stop."),
    form: Format = typer.Option(Format.TEXT, "--format", help="For whom: you, or your forge."),  # noqa: B008
    live: bool = typer.Option(
        False,
        "--live",
        help="Hold them against the store, and show what live events bring.",
    ),
) -> None:
    if explain is not None:
        _explain(explain)
        return
    if answer.as_json and form is not Format.TEXT:
        raise usage("--format and --json do not go together")
    settings = load_settings(dotenv=live)
    folder = template_folder.locate(folder or settings.templates)
    history = _live_history(settings) if live else History(now=clock_of(settings.clock).now())
    found = _found(folder, settings, history)
    ok = not any(problem.severity == "error" for problem in found)
    match form:
        case Format.GITHUB:
            answer.write(problems.github(found, folder))
        case Format.GITLAB:
            answer.write(problems.gitlab(found, folder))
        case Format.TEXT:
            document: dict[str, Any] = {"ok": ok, "problems": [_problem_json(problem) for problem in found]}
            if live:
                document["live"] = [views.variables_json(one) for one in history.observed]
            answer.give(document, lambda document: problems.text(found, folder, document.get("live")))
    if not ok:
        raise typer.Exit(Exit.FINDINGS)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What the store knows of real orders and of records that could not be read, and now by its clock."""

    now: datetime
    orders: Sequence[Order] = ()
    observed: Sequence[ObservedVariables] = ()
    unreadable: Mapping[str, Reason] = field(default_factory=dict)


def _found(folder: Path, settings: Settings, history: History) -> list[Diagnostic]:
    read = partial(plan_file.read, file=PLAN, tell_from=settings.kafka.tell_from)
    try:
        return lint.check(
            folder,
            read,
            now=history.now,
            orders=history.orders,
            observed=history.observed,
            unreadable=history.unreadable,
        )
    except OSError as error:
        raise not_there(f"{folder}: {error.strerror or 'is not a folder'}") from None


def _live_history(settings: Settings) -> History:
    """The orders to check the plan against, which variables live events bring, and of which topics nothing can be
    read. Raises StoreError."""

    async def look(store: Store, clock: Clock) -> History:
        return History(
            now=clock.now(),
            orders=await store.queries.newest_orders(_MOST_ORDERS),
            observed=await views.observed(store.queries, each=_EACH),
            unreadable=await store.queries.unreadable_topics(run=UNREADABLE_RUN),
        )

    return use_store(settings, look)


def _explain(name: str) -> None:
    code = codes().get(name)
    if code is None:
        near = closest_match(name, codes())
        meant = f"; did you mean {near}?" if near else ""
        raise not_there(f"there is no code {name!r}{meant}\nThe codes are: {', '.join(codes())}")
    document = {"code": code.code, "severity": code.severity, "means": code.means, "text": code.text}
    answer.give(document | {"wrong": code.wrong, "right": code.right}, lambda _: problems.explanation(code))


def _problem_json(problem: Diagnostic) -> dict[str, Any]:
    return {
        "code": problem.code,
        "severity": problem.severity,
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "message": problem.message,
        "suggestion": problem.suggestion,
    }
