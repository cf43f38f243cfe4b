"""The first mails of a simulation as their readers would get them: one of each kind."""

from __future__ import annotations

from collections.abc import Iterator

from avisa.catalog import Catalog
from avisa.core.model import Json
from avisa.core.timestamps import rfc3339
from avisa.ports import CannotRender, NoAddress
from avisa.simulate.figures import Figures


def first_mails(figures: Figures, catalog: Catalog, count: int) -> Iterator[dict[str, Json]]:
    """The first mail of each touchpoint and purpose, up to `count`, the earliest first, as the JSON of `avisa
    simulate`. Where a message cannot be written, `problem` says why."""
    for sent in sorted(figures.first_mails.values(), key=lambda it: (it.at, it.notification.key))[:count]:
        notification = sent.notification
        mail: dict[str, Json] = {
            "at": rfc3339(sent.at),
            "order_id": notification.order_id,
            "status": notification.status,
            "purpose": str(notification.purpose),
            "subject": None,
            "text": None,
            "problem": None,
        }
        draft = catalog.draft(notification, sent.order, sent.at)
        rendered = draft if isinstance(draft, CannotRender | NoAddress) else catalog.render(draft)
        if isinstance(rendered, CannotRender):
            mail["problem"] = rendered.problem
        elif not isinstance(rendered, NoAddress):
            mail |= {"subject": rendered.subject, "text": rendered.text}
        yield mail
