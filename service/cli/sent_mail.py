"""A mail again as it was sent: written anew from its draft and the catalog that it was drafted by."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from avisa import views
from avisa.app.catalogs import catalog_cache
from avisa.cli.answer import answer, legible
from avisa.cli.exits import Exit, Failure, not_there
from avisa.cli.session import load_settings, use_store
from avisa.cli.views.timeline import moment
from avisa.ports import CannotRender, Clock, Sent, render_input_of
from avisa.preview.render import Preview, write
from avisa.settings import Settings
from avisa.store import Store


def show(order: str, key: str, out: Path | None) -> None:
    """The body of `avisa timeline ORDER --mail KEY`."""
    settings = load_settings()

    async def look(store: Store, _clock: Clock) -> tuple[dict[str, Any], Preview]:
        chosen = _chosen(
            await store.queries.sent(order), order, key, known=await store.queries.history(order) is not None
        )
        return await _again(settings, store, order, chosen)

    document, previewed = use_store(settings, look)
    if out is not None:
        try:
            document["files"] = [str(path) for path in write(previewed, out)]
        except OSError as error:
            raise Failure(Exit.STORAGE, "storage", f"{out}: {error.strerror}") from None
    answer.give(document, _shown)


def _chosen(sent: list[Sent], order: str, key: str, *, known: bool) -> Sent:
    """The one with that key, or that rest of it after the order. Raises Failure."""
    if not known:
        raise not_there("no such order is known")
    wanted = {key, f"{order}/{key}"}
    for one in sent:
        if one.row.notification.key in wanted:
            return one
    keys = ", ".join(one.row.notification.key for one in sent)
    raise not_there(
        f"no mail of this order has that key; it has: {keys}" if keys else "no mail was sent for this order"
    )


async def _again(settings: Settings, store: Store, order: str, sent: Sent) -> tuple[dict[str, Any], Preview]:
    row, draft = sent.row, sent.draft
    if draft is None:
        raise not_there("its words are not kept any longer: they are for AVISA_STORE__KEEP_MAILS")
    cache = catalog_cache(settings, store)
    catalog = await cache.version(draft.catalog)
    if catalog is None:
        raise not_there(f"version {row.version} cannot be read by this release")
    rendered, mail = catalog.render(draft), catalog.compose(row.notification, draft)
    if isinstance(rendered, CannotRender):
        raise Failure(Exit.FINDINGS, "cannot_render", rendered.problem)
    if isinstance(mail, CannotRender):
        raise Failure(Exit.FINDINGS, "cannot_render", mail.problem)
    document: dict[str, Any] = {
        "order_id": order,
        "key": row.notification.key,
        "at": views.moment(row.settled_at),
        "state": row.notification.state,
        "message": row.message,
        "locale": row.locale,
        "version": row.version,
        "template_version": row.template_version,
        "message_id": row.message_id,
        "exact": cache.renders(draft.catalog),
        "subject": rendered.subject,
        "short": rendered.short,
        "text": rendered.text,
        "html": rendered.html,
        "files": [],
    }
    return document, Preview(
        key=row.notification.key, render_input=render_input_of(draft), rendered=rendered, mail=mail
    )


def _shown(document: dict[str, Any]) -> str:
    written = f"{document['message']} in {document['locale']}, version {document['version'] or 'unknown'}"
    head = f"{document['state'].replace('_', ' ')} {moment(document['at'])}, {written}"
    if not document["exact"]:
        head += "\nOther releases of our libraries wrote it: its words are these, its octets may differ."
    files = "\n\n" + "  ".join(document["files"]) if document["files"] else ""
    return legible(f"{head}\n\n{document['subject']}\n\n{document['text']}{files}")
