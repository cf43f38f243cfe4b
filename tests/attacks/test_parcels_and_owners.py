"""What strangers write into names of parts, and people into notes and answers, is held to the same shapes as all else
that somebody typed."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from avisa.core import context, samples
from avisa.core.model import Notification, Order
from avisa.core.part import Part, Parts, Word
from avisa.ports import Draft, Mail, RenderedMessage
from tests.templates.harness import NOW, SHIPPED, SHOWN, catalog_of, files
from tests.templates.mail_parsing import parsed

PART = "\n{% if part %}Part {{ part.id }} of {{ part.of }} is {{ part.status }}.{% endif %}\n"
ALERTS = (SHIPPED / "messages/several-orders/en.md").read_text("utf-8")
CATALOG = catalog_of(files(shown=SHOWN + PART, generic=SHOWN + PART, **{"several-orders": ALERTS}))
LINKED = re.compile(r"\b(?:www\.\S|[a-z]+://\S|[\w-]+(?:\.[\w-]+)*\.(?:com|example|zip)\b)", re.IGNORECASE)

TYPED = [  # what is typed, and what it is in a mail
    ("www.evil.example/x", "www. evil. example/x"),
    ("RR-1 pay at evil.com/p", "RR-1 pay at evil. com/p"),
    ("https://evil.example", "https: //evil. example"),
    ("invoice.zip", "invoice. zip"),
    ("[a](https://evil.example)", "[a](https: //evil. example)"),
    ("<a href=//evil.example>a</a>", "<a href=//evil. example>a</a>"),
    ("evil\u200b.com", "evil. com"),
    ("R\u202eR", "RR"),
    ("{{ customer.email }}", "{{ customer. email }}"),
    ("{% for x in y %}", "{% for x in y %}"),
]


def _told(order: Order, notification: Notification) -> tuple[list[str], Mail]:
    """The texts of a mail, and its subject."""
    draft = CATALOG.draft(notification, order, NOW)
    assert isinstance(draft, Draft), draft
    rendered, mail = CATALOG.render(draft), CATALOG.compose(notification, draft)
    assert isinstance(rendered, RenderedMessage), rendered
    assert isinstance(mail, Mail), mail
    return [part.get_content() for part in parsed(mail).iter_parts()] + [rendered.subject, rendered.short], mail


def _in_parts(part_id: str, status: str, **details: str) -> tuple[Order, Notification]:
    order, notification = samples.samples("shown", CATALOG.plan, NOW)["full"]
    rank = order.status_rank
    told = replace(notification, status=status, parts=(part_id,))
    part = Part(
        id=part_id,
        number=1,
        statuses=((rank, status),),
        facts={f"details.{name}": (rank, value) for name, value in details.items()},
        word=Word(status, None, told.seq),
    )
    return replace(order, parts=Parts(known=(part,), named=1, of=(rank, 3))), told


def _unlinked(texts: list[str]) -> bool:
    """Whether nothing but what the shop itself wrote is a link."""
    own = re.compile(r"https://shop\.example\.com\S*|\S+@example\.com|https://www\.w3\.org\S*")
    text = re.sub(r"<[^>]*>", " ", texts[1])
    return not any(LINKED.search(own.sub("", each)) for each in (texts[0], text, *texts[2:]))


@pytest.mark.parametrize(("typed", "shown"), TYPED)
def test_the_name_the_status_and_the_details_of_a_part(typed: str, shown: str) -> None:
    texts, _ = _told(*_in_parts(typed, "shipped", number=typed, note=typed))
    assert texts[0].count(shown) == 4, texts[0]  # the footer has the number, too
    assert _unlinked(texts)
    texts, _ = _told(*_in_parts("A", typed))
    assert f"Part A of 3 is {shown}." in texts[0]
    assert _unlinked(texts)


def test_what_is_one_line_stays_one_line() -> None:
    texts, _ = _told(*_in_parts("A\n\nPay now\n" + "x" * 150, "shipped"))
    assert "Part A Pay now x" in texts[0]
    assert "x" * 120 not in texts[0]


@pytest.mark.parametrize(("typed", "shown"), TYPED)
def test_the_status_in_a_question_to_an_owner(typed: str, shown: str) -> None:
    order, notification = samples.samples("ask-owner", CATALOG.plan, NOW)["full"]
    texts, _ = _told(order, replace(notification, status=typed))
    assert shown in texts[0]
    assert _unlinked(texts)


@pytest.mark.parametrize(("typed", "shown"), TYPED)
def test_the_orders_in_a_list_of_alerts(typed: str, shown: str) -> None:
    order, notification = samples.samples("order-stuck", CATALOG.plan, NOW)["full"]
    facts = {**order.facts, "details.number": order.facts["details.number"]._replace(value=typed)}
    order = replace(order, facts=facts, status=typed)
    listed = context.alerts([(order, replace(notification, status="x"))] * 2, 2, CATALOG.plan)
    texts, _ = _told(order, replace(notification, alerts=listed))
    assert texts[0].count(shown) == 2, texts[0]
    assert _unlinked(texts)


def test_a_note_that_a_colleague_wrote_is_prose() -> None:
    order, notification = samples.samples("ask-owner", CATALOG.plan, NOW)["full"]
    texts, _ = _told(replace(order, notes=("on\u202e th\u200bis\x1b[2J kiln\nsecond line",)), notification)
    assert "on this[2J kiln\r\n" in texts[0]
    assert not {"\u202e", "\u200b", "\x1b"} & set(texts[0])
