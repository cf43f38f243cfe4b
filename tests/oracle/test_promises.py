"""Promises that moved to and fro before the customer heard of it."""

from __future__ import annotations

from tests.oracle import Kind, Plan
from tests.oracle.test_judge import event, found, mail, plan

__all__ = ["plan"]  # the fixture

SECOND = 1 / 3600


def test_a_promise_that_is_back_where_it_was_is_no_news(plan: Plan) -> None:
    """The move away was overtaken by the order's end, and that by its reopening, before a mail went out."""
    events = [
        event(0, "confirmed", promised_at="2026-03-20"),
        event(10, "in_production", promised_at="2026-03-25"),
        event(10 + SECOND, "delivered"),
        event(10 + 2 * SECOND, "shipped", notify=False),
        event(10 + 3 * SECOND, "shipped", promised_at="2026-03-20"),
    ]
    mails = [
        mail(0, "1/update/1/customer"),
        mail(58, "4/reminder/1/customer", soon=5),
        mail(106, "4/reminder/2/customer", soon=8),
    ]
    assert not found(plan, mails, events)
    elsewhere = [*events[:-1], event(10 + 3 * SECOND, "shipped", promised_at="2026-03-23")]
    assert Kind.LOST in found(plan, mails, elsewhere)
