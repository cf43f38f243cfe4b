"""Three dates promised: Apache Kafka, a real mail server, and the owner's page, on a clock of an hour a second.

Owners are asked forty hours before a date ends, customers are warned ten hours before.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from babel.dates import format_skeleton

from avisa.preview.screenshots import Look
from avisa.web.question import TEXTS
from tests.flows.story import Story, double_click, staged
from tests.tools import chromium
from tests.tools.chromium import Tab
from tests.tools.kafka import ApacheKafka
from tests.tools.parts import needs

pytestmark = pytest.mark.long

PHONE = Look(width=375, phone=True)
OWNERS = "".join(
    f"  {name}: {{name: Ana, email: {name}@example.com, locale: ca}}\n" for name in ("one", "two", "three")
)
TEXT = TEXTS["ca"]
HOUR = timedelta(hours=1)
TAKES, WARNED, GRACE = 50 * HOUR, 10 * HOUR, 2 * HOUR


def plan(shipped: str) -> str:
    """The shipped one, without nights; in `in_production` it is about dates only."""
    text = re.sub(r"  quiet_hours:.*\n", "", shipped)
    text = text.replace("owners:\n", f"owners:\n{OWNERS}")
    text = text.replace("    calendar: workshop\n    window: 3bd", "    window: 9d")
    text = re.sub(r"    (?:ask_owner_at: 60%|remind: {after: \[4bd\]).*\n", "", text)
    promise = "promise: {ask_owner_before: 40h, warn_before: 10h, grace: 2h}"
    return text.replace("promise: {ask_owner_before: 72h, warn_before: 48h}", promise)


@needs("chromium")
def test_a_date_is_kept_moved_or_broken_and_the_customer_hears_in_time(
    tmp_path: Path, apache_kafka: ApacheKafka
) -> None:
    with staged(tmp_path, apache_kafka, "promise.story", plan) as story, chromium.opened(PHONE, scripts=False) as tab:
        end = story.now() + TAKES
        for number, owner, locale in (("P-1", "one", "en"), ("P-2", "two", "es"), ("P-3", "three", "pt-BR")):
            customer = {"email": address(number), "locale": locale}
            promised_at = end.isoformat()
            story.happens(number, "in_production", owner=owner, customer=customer, promised_at=promised_at)
        story.stage.avisa("note", "P-2", "It stands in the kiln.", "--author", "rui")
        until_then = (end - WARNED + 3 * HOUR).isoformat()
        story.stage.avisa("snooze", "--order", "P-3", "--until", until_then, "--author", "rui")

        says_that_it_will_be_kept(story, tab)
        gives_another_date(story, tab)
        says_nothing(story, end)
        assert {row["order_id"] for row in story.stage.avisa("promises", "--state", "kept")} == {"P-1", "P-2"}
        assert {row["order_id"] for row in story.stage.avisa("promises", "--state", "broken")} == {"P-3"}


def address(number: str) -> str:
    return f"{number.lower()}@customers.example"


def says_that_it_will_be_kept(story: Story, tab: Tab) -> None:
    question = story.reads("one@example.com", 1, "the question")
    assert "Complirem la data?" in question.text
    tab.open(question.link)
    tab.shows(TEXT["kept"])
    double_click(tab, "on_track")
    tab.shows(TEXT["answered_on_track"].partition("{")[0])


def gives_another_date(story: Story, tab: Tab) -> None:
    day = (story.now() + timedelta(days=9)).date()
    tab.open(story.reads("two@example.com", 1, "the question").link)
    tab.shows("It stands in the kiln.")
    tab.asked(f"document.querySelector('#promised_at').value = '{day}'")  # as the browser's calendar does
    tab.click("[value=tell]")
    tab.shows(TEXT["acted_facts_changed"])
    moved = story.reads(address("P-2"), 2, "the date")
    assert moved.purpose == "promise_moved"
    assert format_skeleton("MMMMd", day, locale="es") in moved.text
    story.happens("P-2", "delivered")
    story.reads(address("P-2"), 3, "the delivery")


def says_nothing(story: Story, end: datetime) -> None:
    """The customer is warned, once the order is no longer snoozed; then hears sorry, and the owner hears of it."""
    warning = story.reads(address("P-3"), 2, "the warning")
    assert warning.purpose == "promise_at_risk"
    assert end - WARNED + 3 * HOUR <= warning.at < end
    story.happens("P-1", "delivered")
    assert "kept" in story.timeline("P-1")["promise"]["state"]
    assert [mail.purpose for mail in story.mails(address("P-1"))] == ["update", "update"], "and no warning"

    apology = story.reads(address("P-3"), 3, "the apology")
    assert apology.purpose == "promise_broken"
    assert apology.at >= end + GRACE
    assert story.reads("three@example.com", 2, "the alert").purpose == "owner_alert"
    story.happens("P-3", "delivered")
    assert "chegou depois da data" in story.reads(address("P-3"), 4, "the delivery").text
