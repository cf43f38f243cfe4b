"""A message as its reader would get it, about a made-up order or a real one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from avisa import private_file
from avisa.catalog import Catalog
from avisa.core import samples
from avisa.core.model import Fact, Order, Purpose
from avisa.core.plan import Plan
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.lint import sample_events
from avisa.ports import CannotRender, Mail, NoAddress, RenderedMessage, RenderInput, render_input_of

MAIL, HTML, TEXT, SHORT = "mail.eml", "mail.html", "mail.txt", "short.txt"

NONE: Mapping[str, Order] = {}
FULL = "full"
# What a publisher would say to customers of other languages than the sample's own English.
_REASONS = {
    "ca": ("L'esmalt necessita un dia més per assecar-se.", "L'embalarem tan bon punt sigui sec."),
    "es": ("El esmalte necesita un día más para secarse.", "Lo empaquetamos en cuanto esté seco."),
    "pt": ("O vidrado precisa de mais um dia para secar.", "Embalamos assim que estiver seco."),
    "pt-BR": ("O esmalte precisa de mais um dia para secar.", "Embalamos assim que secar."),
}
_NOBODY = "nobody@example.com"
_MARK = b"X-Avisa-Test: this is a test; no order was told by it\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """One message as it would be sent. `notes` say how it differs from that."""

    key: str
    render_input: RenderInput
    rendered: RenderedMessage
    mail: Mail
    notes: tuple[str, ...] = ()


def preview(
    catalog: Catalog,
    message: str,
    *,
    now: datetime,
    locale: str | None = None,
    sample: str = FULL,
    own: Mapping[str, Order] = NONE,
    order: Order | None = None,
) -> Preview | CannotRender:
    """The message about `order`, as it would be written now; without an order, about the sample of that name, which
    may be among the operator's `own`.

    Raises LookupError, with the names there are, for a message, a locale or a sample that is not there.
    """
    renderer = catalog.renderer
    there = sorted(renderer.locales(message))
    if not there:
        raise LookupError(f"there is no message {message}; there are {', '.join(sorted(renderer.names()))}")
    occasion = (
        _sample(message, sample, own, catalog, now)
        if order is None
        else samples.occasion(message, order, catalog.plan, now)
    )
    if occasion is None:
        return CannotRender("plan.yaml names no owner to write to")
    about, notification = occasion
    notes: tuple[str, ...] = ()
    draft = catalog.draft(notification, about, now)
    if isinstance(draft, NoAddress) and notification.to_customer:
        notes = ("this order has no address that mail can be sent to: it would not be told by e-mail",)
        draft = catalog.draft(notification, _reachable(about), now)
    if isinstance(draft, NoAddress):
        return CannotRender("plan.yaml names no owner to write to")
    if isinstance(draft, CannotRender):
        return draft
    render_input = render_input_of(draft)
    if locale is not None:
        translated = catalog.in_locale(render_input, locale)
        if translated is None:
            raise LookupError(f"{message} is written in {', '.join(there)}")
        render_input = translated
    if order is None and sample == FULL:
        render_input = _in_its_language(render_input)
    rendered = renderer.render(render_input)
    if isinstance(rendered, CannotRender):
        return rendered
    return Preview(
        key=notification.key,
        render_input=render_input,
        rendered=rendered,
        mail=renderer.to_mime(render_input, rendered, notification.key),
        notes=notes,
    )


def as_test(catalog: Catalog, previewed: Preview, *, to: str, name: str) -> Preview:
    """The preview addressed to `to`, marked as a test in its subject and its header, and in no thread of mails.
    `name` makes its Message-ID; each test has another."""
    domain = previewed.mail.sender.rpartition("@")[2]
    render_input = replace(
        previewed.render_input,
        to=to,
        name="",
        purpose=Purpose.TEST,
        message_id=f"<test.{name}@{domain}>",
        references=f"<test.{name}.alone@{domain}>",
    )
    rendered = replace(previewed.rendered, subject=f"[Test] {previewed.rendered.subject}")
    mail = catalog.renderer.to_mime(render_input, rendered, f"test/{name}")
    return replace(
        previewed,
        key=mail.key,
        render_input=render_input,
        rendered=rendered,
        mail=replace(mail, data=_MARK + mail.data),
    )


def write(previewed: Preview, folder: Path) -> list[Path]:
    """Write the four files of a preview. Return their paths. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    rendered = previewed.rendered
    texts = {HTML: rendered.html, TEXT: rendered.text, SHORT: rendered.short + "\n"}
    contents = {MAIL: previewed.mail.data} | {name: text.encode() for name, text in texts.items()}
    for name, content in contents.items():
        private_file.write(folder / name, content)
    return [folder / name for name in contents]


def own_samples(text: str | Diagnostic | None, plan: Plan, now: datetime) -> dict[str, Order]:
    """The orders of the operator's `samples.jsonl`, by id. A wrong line is left out; `avisa check` names it."""
    if not isinstance(text, str):
        return {}
    return {one.order.order_id: one.order for one in sample_events.read(text, plan, now)[0]}


def _sample(
    message: str, sample: str, own: Mapping[str, Order], catalog: Catalog, now: datetime
) -> samples.Sample | None:
    made = samples.samples(message, catalog.plan, now)
    if sample in made:
        return made[sample]
    if sample in own:
        return samples.occasion(message, own[sample], catalog.plan, now)
    raise LookupError(f"{message} has the samples {', '.join([*made, *own])}")


def _in_its_language(render_input: RenderInput) -> RenderInput:
    texts = _REASONS.get(render_input.locale) or _REASONS.get(render_input.locale.partition("-")[0])
    if texts is None:
        return render_input
    return replace(render_input, values={**render_input.values, "reason": texts[0], "next_step": texts[1]})


def _reachable(order: Order) -> Order:
    """The order with an address that belongs to nobody."""
    return replace(order, facts={**order.facts, "customer.email": Fact(rank=order.status_rank, value=_NOBODY)})
