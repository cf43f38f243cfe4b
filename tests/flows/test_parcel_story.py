"""Three parcels of one order: Apache Kafka, a real mail server, and a topic that was there already beside our own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.faults.harness import together, until
from tests.flows.story import Mail, Story, staged
from tests.tools.kafka import ApacheKafka

pytestmark = pytest.mark.long  # much of it is the silence after a parcel

OWN, MAPPED = "parcels.own", "parcels.mapped"
FEED = f"""
feeds:
  {MAPPED}:
    fields:
      order_id: {{from: ref, as: text}}
      status:
        from: state
        values: {{making: in_production, sent: shipped, arrived: delivered, stopped: cancelled}}
      occurred_at: {{from: at, as: epoch_ms}}
      part: {{from: "parcel.{{id: no, of: count}}"}}
      promised_at: eta
      reason: why
      customer.email: buyer
      details.tracking: parcel.code
"""
WORDS = {
    "in_production": "in production", "shipped": "on its way", "delivered": "delivered", "cancelled": "cancelled",
}  # fmt: skip
THEIRS = {"in_production": "making", "shipped": "sent", "delivered": "arrived", "cancelled": "stopped"}


def plan(shipped: str) -> str:
    """The shipped one, without nights, with a promise that is judged soon, and a feed."""
    text = re.sub(r"  quiet_hours:.*\n", "", shipped)
    text = text.replace("promise: {ignore_moves_under: 4h}", "promise: {ignore_moves_under: 4h, grace: 1h}")
    text = text.replace("promise: {ask_owner_before: 72h, warn_before: 48h}", "promise: {warn_before: 2h}")
    return text + FEED


def news(mail: Mail) -> tuple[str, str | None]:
    """The status of which its subject speaks, and of which parcel of how many."""
    (status,) = (status for status, words in WORDS.items() if words in mail.subject)
    found = re.search(r"\bparcel (\d of \d)\b", mail.subject)
    return status, found and found[1]


@dataclass(slots=True)
class Order:
    """One order, the topic that tells of it, and its customer's mailbox."""

    story: Story
    topic: str
    number: str
    read: int = 0  # updates

    @property
    def address(self) -> str:
        return f"{self.number.lower()}@customers.example"

    def now(self) -> datetime:
        return self.story.now()

    def happens(self, status: str, parcel: str | None = None, *, at: datetime | None = None, **said: Any) -> None:
        self.story.publish(self.topic, self.number, self._record(status, parcel, at or self.now(), said))

    def _record(self, status: str, parcel: str | None, at: datetime, said: dict[str, Any]) -> dict[str, Any]:
        code = f"RR-{parcel}"
        if self.topic == OWN:
            part = {"part": {"id": parcel, "of": 3}, "details": {"tracking": code}} if parcel else {}
            customer = {"email": self.address}
            return {"order_id": self.number, "status": status, "occurred_at": at.isoformat(), "customer": customer,
                    **part, **said}  # fmt: skip
        names = {"promised_at": "eta", "reason": "why"}
        return {
            "ref": self.number,
            "state": THEIRS[status],
            "at": int(at.timestamp() * 1000),
            "buyer": self.address,
            "parcel": {"no": parcel, "count": 3, "code": code} if parcel else None,
            **{names[name]: value for name, value in said.items()},
        }

    def mails(self) -> list[Mail]:
        return self.story.mails(self.address)

    def updates(self) -> list[Mail]:
        return [mail for mail in self.mails() if mail.purpose == "update"]

    def reads(self, status: str, parcel: str | None = None) -> Mail:
        """Wait for the next update; it tells that."""
        self.read += 1
        until(lambda: len(self.updates()) >= self.read, f"{status} {parcel}")
        assert [news(mail) for mail in self.updates()][self.read - 1 :] == [(status, parcel)]
        return self.updates()[-1]

    def timeline(self) -> dict[str, Any]:
        return self.story.timeline(self.number)


def test_three_parcels_are_told_one_by_one_and_an_order_is_cancelled_as_a_whole(
    tmp_path: Path, apache_kafka: ApacheKafka
) -> None:
    with staged(tmp_path, apache_kafka, OWN, plan, MAPPED) as story:
        together(
            lambda: three_parcels(Order(story, OWN, "O-1")),
            lambda: three_parcels(Order(story, MAPPED, "M-1")),
            lambda: cancelled_as_a_whole(Order(story, OWN, "O-2")),
            lambda: cancelled_as_a_whole(Order(story, MAPPED, "M-2")),
        )


def three_parcels(order: Order) -> None:
    promised = order.now() + timedelta(hours=16)
    order.happens("in_production", promised_at=promised.isoformat())
    assert "last message" not in order.reads("in_production").text
    before = order.now()
    order.happens("shipped", "A")
    assert "RR-A" in order.reads("shipped", "1 of 3").text
    order.happens("delivered", "A")
    assert "You will hear from us about the rest" in order.reads("delivered", "1 of 3").text
    order.happens("shipped", "A", at=before)  # it comes late, and the customer has the parcel
    order.happens("in_production", "B", reason="The blue glaze is fired again.")
    late = order.reads("in_production", "2 of 3")
    assert "The blue glaze is fired again." in late.text
    order.happens("cancelled", "C", reason="The cup broke.")
    cancelled = order.reads("cancelled", "3 of 3")
    assert "The cup broke." in cancelled.text
    assert "glaze" not in cancelled.text, "that is another parcel's"
    assert "The rest of your order goes on" in cancelled.text
    assert not order.timeline()["final"]

    until(lambda: "promise_broken" in {mail.purpose for mail in order.mails()}, "the apology")
    order.happens("shipped", "B")
    text = order.reads("shipped", "2 of 3").text
    assert "RR-B" in text
    assert "glaze" not in text, "that was before"
    order.happens("delivered", "B")
    last = order.reads("delivered", "2 of 3")
    assert "It came later than we had promised" in last.text
    assert "this is our last message about this order" in last.text
    timeline = order.timeline()
    assert (timeline["status"], timeline["final"], timeline["promise"]["state"]) == ("delivered", True, "broken")
    assert [(part["number"], part["status"]) for part in timeline["parts"]] == [
        (1, "delivered"), (2, "delivered"), (3, "cancelled"),
    ]  # fmt: skip
    assert [news(mail) for mail in order.updates()] == [
        ("in_production", None),
        ("shipped", "1 of 3"),
        ("delivered", "1 of 3"),
        ("in_production", "2 of 3"),
        ("cancelled", "3 of 3"),
        ("shipped", "2 of 3"),
        ("delivered", "2 of 3"),
    ]


def cancelled_as_a_whole(order: Order) -> None:
    order.happens("in_production")
    order.reads("in_production")
    order.happens("shipped", "A")
    order.reads("shipped", "1 of 3")
    order.happens("cancelled")
    assert "has been cancelled and will not be delivered" in order.reads("cancelled").text
    assert order.timeline()["final"]
    order.happens("cancelled", "B")  # what was named too late is no news
    order.happens("cancelled", "C")
    until(lambda: len(order.timeline()["parts"]) == 3, "all three")
    assert len(order.updates()) == 3
