"""`avisa preview`: a message as its reader would get it, on a sample order."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from service.catalog import Catalog
from service.core import samples
from service.core.model import Fact
from service.ports import CannotRender, Mail, NoAddress, Words

MAIL, HTML, TEXT, SHORT = "mail.eml", "mail.html", "mail.txt", "short.txt"


def preview(
    catalog: Catalog, message: str, *, now: datetime, locale: str | None = None, sample: str = "full"
) -> tuple[Words, Mail] | CannotRender:
    """What a message says and the mail that carries it. Raises LookupError, with the names there are, for a
    message or sample that is not there."""
    there = sorted(catalog.press.locales(message))
    if not there:
        raise LookupError(f"there is no message {message}")
    if locale is not None and locale not in there:
        raise LookupError(f"{message} is written in {', '.join(there)}")
    made = samples.samples(message, catalog.plan, now)
    if sample not in made:
        raise LookupError(f"{message} has the samples {', '.join(made)}")
    order, notification = made[sample]
    if locale is not None:
        facts = {**order.facts, "customer.locale": Fact(rank=order.status_rank, value=locale)}
        order = replace(order, facts=facts)
    draft = catalog.draft(notification, order, now)
    if isinstance(draft, NoAddress):
        return CannotRender("plan.yaml names no owner to write to")
    if isinstance(draft, CannotRender):
        return draft
    words, mail = catalog.words(draft), catalog.compose(notification, draft)
    if isinstance(words, CannotRender):
        return words
    return mail if isinstance(mail, CannotRender) else (words, mail)


def write(words: Words, mail: Mail, folder: Path) -> list[Path]:
    """Write the four files of a preview; answers their paths. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {HTML: words.html, TEXT: words.text, SHORT: words.short + "\n"}
    (folder / MAIL).write_bytes(mail.data)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in (MAIL, *texts)]
