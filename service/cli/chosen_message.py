"""The message that `preview` and `send-test` are about, on a made-up order or a real one."""

from __future__ import annotations

from datetime import datetime

import typer

from avisa.catalog import Catalog
from avisa.cli.exits import Exit, Failure, not_there, usage
from avisa.cli.session import use_store
from avisa.clock import clock_of
from avisa.core.model import Order
from avisa.lint.sample_events import SAMPLES
from avisa.ports import CannotRender, Clock
from avisa.preview import render
from avisa.preview.render import Preview
from avisa.settings import Settings
from avisa.store import Store
from avisa.templates import template_folder

LOCALE = typer.Option(None, "--locale", help="Such as pt-BR; else the language of the order, or of the brand.")
SAMPLE = typer.Option(
    None, "--sample", help="full (if left out), bare, odd; for reminders also last; or an order of samples.jsonl."
)
ORDER = typer.Option(None, "--order", metavar="ID", help="A real order of the store instead of a sample.")


def chosen_message(
    catalog: Catalog, settings: Settings, message: str, locale: str | None, sample: str | None, order: str | None
) -> Preview:
    """The message about the order or sample asked for. Raises Failure if there is none, or it cannot be rendered."""
    if order is not None and sample is not None:
        raise usage("give --sample or --order, not both")
    about, now = (None, clock_of(settings.clock).now()) if order is None else _kept_order(settings, order)
    own = render.NONE
    if sample is not None:
        text = template_folder.beside(template_folder.locate(settings.templates), SAMPLES)
        own = render.own_samples(text, catalog.plan, now)
    try:
        previewed = render.preview(
            catalog, message, now=now, locale=locale, sample=sample or "full", own=own, order=about
        )
    except LookupError as error:
        raise not_there(str(error.args[0])) from None
    if isinstance(previewed, CannotRender):
        raise Failure(Exit.FINDINGS, "cannot_render", previewed.problem)
    return previewed


def _kept_order(settings: Settings, order_id: str) -> tuple[Order, datetime]:
    """The order as the store has it, and now by the service's clock. Raises Failure if no such order is known."""

    async def look(store: Store, clock: Clock) -> tuple[Order | None, datetime]:
        history = await store.queries.history(order_id)
        return (None if history is None else history.order), clock.now()

    order, now = use_store(settings, look)
    if order is None:
        raise not_there("no such order is known")
    return order, now
