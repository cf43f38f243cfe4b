"""`avisa promises`: the promised dates, what became of them, and who looks after the orders."""

from __future__ import annotations

import typer

from avisa import plan_file, views
from avisa.catalog import PLAN, KeptCatalog
from avisa.cli.answer import answer
from avisa.cli.exits import usage
from avisa.cli.folder_catalog import folder_plan
from avisa.cli.pages import PAGE
from avisa.cli.session import load_settings, use_store
from avisa.cli.views import tables
from avisa.core.plan import Plan
from avisa.core.promise import PromiseState
from avisa.ports import Clock
from avisa.settings import Settings
from avisa.store import Store


def promises(
    state: str | None = typer.Option(None, "--state", help="Only those in this state, of orders that ended too."),
    owner: str | None = typer.Option(None, "--owner", help="Only those that this owner looks after."),
    limit: int | None = typer.Option(
        None, "--limit", min=1, metavar="N", help=f"No more than the first N. [default: {PAGE}, with --json all]"
    ),
) -> None:
    if state is not None and state not in set(PromiseState):
        raise usage(f"--state: {state!r} is none of {', '.join(PromiseState)}")
    settings = load_settings()
    chosen = None if state is None else PromiseState(state)

    async def look(store: Store, _clock: Clock) -> list[views.Shape]:
        plan = await _plan(store, settings)
        if owner is not None and owner not in plan.owners:
            raise usage(f"--owner: {owner!r} is none of {', '.join(plan.owners) or 'the plan, which has no owners'}")
        return await views.promises(store.queries, plan, state=chosen, owner=owner)

    found = use_store(settings, look)
    shown = found[: limit or (len(found) if answer.as_json else PAGE)]
    answer.give(shown, lambda rows: tables.promises(rows, more=len(found) - len(rows)))


async def _plan(store: Store, settings: Settings) -> Plan:
    """The plan of the newest version; where none can be read, that of the folder."""
    lineage = await store.versions.versions()
    content = await store.versions.kept_catalog(lineage[0].catalog) if lineage else None
    if content is None:
        return folder_plan(settings)
    kept = KeptCatalog.read(content)
    plan = plan_file.read(kept.files[PLAN], kept.holidays, file=PLAN)
    return folder_plan(settings) if isinstance(plan, list) else plan
