"""A message on a real order as if it were told now, and marked as a test."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy

import pytest

from avisa.catalog import Catalog, Installation
from avisa.core import decide, samples
from avisa.core.model import Json, Order, OrderEvent, Purpose
from avisa.core.plan import Plan
from avisa.ports import CannotRender
from avisa.preview.render import Preview, as_test, preview
from avisa.templates import template_folder
from avisa.templates.compile_folder import compile_folder
from tests import builders
from tests.templates import harness

SHIPPED = template_folder.shipped()
KNOWN = {
    "customer__name": "Rita Lopes",
    "customer__email": "rita@example.pt",
    "details__number": "77",
    "promised_at": "2026-03-09",
}


def event(status: str, number: int, **more: Json) -> OrderEvent:
    facts = KNOWN | more
    return builders.event(status, harness.NOW - timedelta(hours=9 - number), number, "A-77", **facts)


def real(*statuses: str, plan: Plan, **said: Json) -> Order:
    """An order with such a past, decided as the service decides."""
    order = None
    for number, status in enumerate(statuses):
        order = decide.on_event(order, event(status, number, **said), plan, harness.NOW).order
    assert order is not None
    return order


def shown(message: str, order: Order | None = None, **wanted: str) -> Preview:
    made = preview(harness.usual(), message, now=harness.NOW, order=order, **wanted)  # type: ignore[arg-type]
    assert isinstance(made, Preview), made
    return made


def test_an_order_in_that_status_is_shown_as_it_would_be_told() -> None:
    """Byte for byte what the service itself would send."""
    catalog = harness.usual()
    before = real("confirmed", plan=catalog.plan)
    decision = decide.on_event(before, event("shipped", 5, reason="Rain."), catalog.plan, harness.NOW)
    draft = catalog.draft(decision.notifications[0], decision.order, harness.NOW)
    sent = catalog.compose(decision.notifications[0], draft)  # type: ignore[arg-type]
    made = shown("shown", real("confirmed", "shipped", plan=catalog.plan, reason="Rain."))
    assert made.rendered.text.count("Rain.") == 1
    assert made.rendered == catalog.render(draft)  # type: ignore[arg-type]
    assert made.mail.recipient == sent.recipient == "rita@example.pt"  # type: ignore[union-attr]


def test_an_order_elsewhere_has_just_come_there() -> None:
    """The reason it gave for its own status is not told as the reason of another."""
    plan = harness.usual().plan
    made = shown("shown", real("confirmed", plan=plan, reason="It waits for glaze."))
    assert made.render_input.values["status"] == "shipped"
    assert "glaze" not in made.rendered.text
    assert "77" in made.rendered.subject
    stages = {step["status"]: step["state"] for step in made.render_input.values["progress"]}
    assert stages == {"confirmed": "done", "shipped": "now", "delivered": "next"}


def test_a_reminder_is_the_one_that_would_come_next_and_the_last_for_ever() -> None:
    plan = harness.usual().plan
    order = real("confirmed", plan=plan)
    for reminders, number, last in ((0, 1, False), (1, 2, False), (2, 3, True), (3, 3, True)):
        occasion = samples.occasion("still-in-progress", replace(order, reminders=reminders), plan, harness.NOW)
        assert occasion is not None
        notification = occasion[1]
        assert notification.purpose is Purpose.REMINDER
        made = shown("still-in-progress", replace(order, reminders=reminders))
        assert made.render_input.values["reminder"]["last"] is last
        assert ("next_update" in made.render_input.values) is not last
        assert number in (1, 2, 3)


def test_an_owner_is_told_of_a_real_order_too() -> None:
    made = shown("order-stuck", real("confirmed", plan=harness.usual().plan))
    assert made.mail.recipient == "care@example.com"
    assert made.render_input.values["order"]["customer_name"] == "Rita Lopes"


def test_an_order_without_an_address_is_shown_and_says_so() -> None:
    made = shown("shown", real("shipped", plan=harness.usual().plan, customer__email="nonsense"))
    assert "no address" in made.notes[0]
    assert made.mail.recipient == "nobody@example.com"


def test_the_order_itself_stays_as_it_is() -> None:
    order = real("confirmed", plan=harness.usual().plan)
    before = repr(order)
    shown("shown", order)
    assert repr(order) == before


def test_a_language_is_chosen_for_owners_too() -> None:
    folder = harness.files()
    folder["messages/order-stuck/pt.md"] = harness.PLAIN.replace("Order {{ order.number }}.", "Parada.")
    catalog = harness.catalog_of(folder)
    made = preview(catalog, "order-stuck", now=harness.NOW, locale="pt")
    assert isinstance(made, Preview)
    assert "Parada." in made.rendered.text
    with pytest.raises(LookupError, match="is written in en, pt"):
        preview(catalog, "order-stuck", now=harness.NOW, locale="es")
    with pytest.raises(LookupError, match="there are ask-owner, customer-unreachable, delayed"):
        preview(catalog, "nope", now=harness.NOW)


# ---------------------------------------------------------------- as a test


def test_a_test_says_so_in_subject_and_header_and_joins_no_conversation() -> None:
    usual = shown("still-in-progress")
    test = as_test(harness.usual(), usual, to="me@example.org", name="abc")
    mail = message_from_bytes(test.mail.data, policy=policy.default)
    as_usual = message_from_bytes(usual.mail.data, policy=policy.default)
    assert test.mail.recipient == mail["To"] == "me@example.org"
    assert mail["Subject"] == f"[Test] {as_usual['Subject']}"
    assert mail["X-Avisa-Test"].startswith("this is a test")
    assert mail["Feedback-ID"] == "test:still-in-progress:default:avisa"
    assert {mail["Message-ID"], mail["References"]} & {as_usual["Message-ID"], as_usual["References"]} == set()
    for part in ("plain", "html"):
        assert mail.get_body((part,)).get_content() == as_usual.get_body((part,)).get_content()
    assert not mail.defects


def test_a_test_is_redirected_like_everything_else() -> None:
    catalog = harness.catalog_of(redirect_to="staging@example.org")
    made = preview(catalog, "shown", now=harness.NOW)
    assert not isinstance(made, CannotRender)
    test = as_test(catalog, made, to="me@example.org", name="abc")
    assert test.mail.recipient == "staging@example.org"
    assert b"X-Avisa-Intended-To: me@example.org\r\n" in test.mail.data


def test_an_owner_who_is_not_there_gets_no_preview() -> None:
    plan = replace(harness.usual().plan, owners={})
    order = real("confirmed", plan=harness.usual().plan)
    assert preview(replace(harness.usual(), plan=plan), "order-stuck", now=harness.NOW, order=order) == CannotRender(
        "plan.yaml names no owner to write to"
    )


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        ("en", "The glaze needs"),
        ("pt-PT", "O vidrado precisa"),
        ("pt-BR", "O esmalte precisa"),
        ("es", "necesita"),
        ("ca", "necessita"),
    ],
)
def test_the_full_sample_speaks_the_language_of_the_message(locale: str, said: str) -> None:
    plan = harness.read_plan((SHIPPED / "plan.yaml").read_text("utf-8"))
    files, _ = template_folder.read(SHIPPED)
    renderer, problems = compile_folder(files, plan)
    assert renderer is not None, problems
    shipped = Catalog(version="v", plan=plan, renderer=renderer, installation=Installation(secret=harness.SECRET))
    made = preview(shipped, "delayed", now=harness.NOW, locale=locale)
    assert isinstance(made, Preview)
    assert said in made.rendered.text
