"""The reminder about a status that is not in the plan is the generic message, unless its own entry says otherwise."""

from __future__ import annotations

import pytest

from avisa.core.model import Purpose
from tests.plan_file.test_plan_file import plan

SHOP = "brands: {default: {name: A, from: a@example.com}}\ntouchpoints: {x: {message: m}}\n"
REMINDERS = {
    "": "generic",
    "unknown_status: {window: 24h}\n": "generic",
    "unknown_status: {message: odd}\n": "odd",
    "unknown_status: {messages: {stuck: s}}\n": "generic",
    "unknown_status: {messages: {reminder: waiting}}\n": "waiting",
    "defaults: {messages: {reminder: r}}\n": "generic",
    "defaults: {messages: {stuck: s}}\n": "generic",
    "defaults: {messages: {reminder: r}}\nunknown_status: {messages: {reminder: waiting}}\n": "waiting",
}


@pytest.mark.parametrize(("written", "reminder"), REMINDERS.items())
def test_the_reminder_is_generic(written: str, reminder: str) -> None:
    meant = plan(SHOP + written)
    assert meant.touchpoint("never planned").message_for(Purpose.REMINDER, "1") == reminder
