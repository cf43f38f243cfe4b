"""`avisa check`: everything that is wrong with plan and messages, for people and for forges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from avisa import lint, plan_file, views
from avisa.catalog import PLAN, ReadPlan
from avisa.cli.answer import answer
from avisa.cli.exits import Exit, not_there, usage
from avisa.cli.session import load_settings, use_store
from avisa.cli.views import problems, warn_before
from avisa.clock import clock_of
from avisa.core.model import Order, Reason
from avisa.core.observed import ObservedVariables
from avisa.core.plan import Plan
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.diagnostics.suggest import closest_match
from avisa.intake import UNREADABLE_RUN
from avisa.lint.codes import codes
from avisa.lint.past_warnings import PastWarning, past_warnings
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
    found = _found(folder, settings, history, _topics(settings, live=live))
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
                document["warn_before"] = [_warning_json(one) for one in _past_warnings(folder, settings, history)]
            answer.give(document, lambda document: _shown(document, found, folder))
    if not ok:
        raise typer.Exit(Exit.FINDINGS)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What the store knows of real orders and of records that could not be read, and now by its clock."""

    now: datetime
    orders: Sequence[Order] = ()
    observed: Sequence[ObservedVariables] = ()
    unreadable: Mapping[str, Reason] = field(default_factory=dict)


def _shown(document: dict[str, Any], found: Sequence[Diagnostic], folder: Path) -> RenderableType:
    """For people: what live events bring, and what warnings would have done, if asked for; then the problems."""
    parts: list[RenderableType] = []
    if "live" in document:
        parts += [problems.observed_variables(document["live"]), Text()]
    if any(row["orders"] for row in document.get("warn_before", ())):
        parts += [warn_before.text(document["warn_before"]), Text()]
    return Group(*parts, problems.text(found, folder))


def _topics(settings: Settings, *, live: bool) -> Sequence[str] | None:
    """The topics that the service reads, if these are its settings."""
    return settings.kafka.topics if live or "topics" in settings.kafka.model_fields_set else None


def _found(folder: Path, settings: Settings, history: History, topics: Sequence[str] | None) -> list[Diagnostic]:
    try:
        return lint.check(
            folder,
            _reading(settings),
            now=history.now,
            orders=history.orders,
            observed=history.observed,
            unreadable=history.unreadable,
            topics=topics,
        )
    except OSError as error:
        raise not_there(f"{folder}: {error.strerror or 'is not a folder'}") from None


def _reading(settings: Settings) -> ReadPlan:
    return partial(plan_file.read, file=PLAN, tell_from=settings.kafka.tell_from)


def _past_warnings(folder: Path, settings: Settings, history: History) -> list[PastWarning]:
    """What each `warn_before` would have done with the orders of the store; nothing of a plan that cannot be read."""
    text = template_folder.read(folder)[0].get(PLAN)
    plan = None if text is None else _reading(settings)(text)
    return past_warnings(plan, history.orders, history.now) if isinstance(plan, Plan) else []


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


def _warning_json(past: PastWarning) -> dict[str, Any]:
    tried = past.warnings.tried(past.warn_before)
    return {
        "status": past.status,
        "hours": past.warn_before / timedelta(hours=1),
        "orders": past.warnings.orders,
        "warned": tried.warned,
        "late": tried.late,
        "missed": tried.missed,
        "catches_95_h": past.warnings.catching(),
    }


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
