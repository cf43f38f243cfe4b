"""The JSON shapes of the contract, from the port's values."""

from __future__ import annotations

from datetime import timedelta, timezone

from avisa import views
from avisa.core.model import Reason, State
from avisa.ports import Counts, Promised
from tests.builders import plan, touchpoint
from tests.cli.histories import a_history, at

ENTRY_KEYS = {
    "at", "kind", "reason", "status", "episode", "event_id", "key", "purpose", "channel", "state", "message",
    "locale", "template_version", "message_id",
}  # fmt: skip
OUTBOX_KEYS = {
    "key", "order_id", "episode", "purpose", "ordinal", "channel", "recipient", "state", "reason", "attempts",
    "not_before", "expires_at", "next_update", "message_id",
}  # fmt: skip


def test_a_timeline_tells_the_order_and_each_line_in_the_order_it_happened() -> None:
    document = views.timeline_json(a_history())
    assert {k: v for k, v in document.items() if k != "entries"} == {
        "order_id": "A-1042",
        "status": "in_production",
        "episode": 2,
        "final": False,
        "wake_at": "2026-03-10T09:00:00Z",
        "next_update": "2026-03-10T09:00:00Z",
        "promise": {"date": "2026-03-09", "state": "open"},
        "parts": None,
    }
    assert [(e["kind"], e["purpose"], e["state"], e["reason"]) for e in document["entries"]] == [
        ("event", None, None, "entered"),
        ("decision", "update", "queued", "entered"),
        ("settled", "update", "sent", "accepted"),
        ("event", None, None, "repeated"),
        ("event", None, None, "entered"),
        ("decision", "update", "queued", "entered"),
        ("attempt", "update", None, "refused"),
        ("settled", "update", "sent", "accepted"),
        ("decision", "reminder", "queued", "window_passed"),
        ("settled", "reminder", "sent", "accepted"),
        ("decision", "reminder", "queued", "window_passed"),
        ("decision", "owner_alert", "queued", "reminders_spent"),
        ("gate", "reminder", "held", "quiet_hours"),
        ("settled", "owner_alert", "failed", "no_address"),
    ]
    assert all(set(entry) >= ENTRY_KEYS for entry in document["entries"])
    assert document["entries"][2] | {"key": ""} == {
        "at": "2026-03-02T10:01:00Z", "kind": "settled", "reason": "accepted", "status": "confirmed", "episode": 1,
        "event_id": None, "key": "", "purpose": "update", "channel": "email", "state": "sent",
        "message": "confirmed", "locale": "pt-PT", "template_version": "c0ffee", "version": 7,
        "message_id": "<1@example.com>", "note": None, "author": None, "part": None,
    }  # fmt: skip


def test_a_promise_tells_its_state_and_who_looks_after_it() -> None:
    stands = Promised(order=a_history().order, sent_at=at(2, 11))
    assert views.promise_json(stands, plan(touchpoint("in_production"))) == {
        "order_id": "A-1042",
        "date": "2026-03-09",
        "state": "open",
        "since": "2026-03-02T10:00:00Z",
        "owner": "production",
        "told_at": "2026-03-02T11:00:00Z",
    }


def test_an_outbox_row_has_every_key() -> None:
    rows = [views.outbox_json(row, lambda decided: decided + timedelta(hours=72)) for row in a_history().outbox]
    assert all(set(row) >= OUTBOX_KEYS for row in rows)
    assert rows[-1]["recipient"] == "owner:production"


def test_counts_have_every_total_of_the_reference() -> None:
    counted = Counts(
        read=3,
        by_reason={Reason.ENTERED: 2},
        dead_letters=1,
        decided=2,
        by_state={State.SENT: 1, State.QUEUED: 1},
    )
    document = views.counts_json(counted)
    assert document["events"] == {"read": 3, "by_reason": {"entered": 2}, "dead_letters": 1}
    assert sum(document["notifications"]["by_state"].values()) == document["notifications"]["decided"]
    assert document["notifications"]["by_state"]["in_doubt"] == 0


def test_moments_are_told_in_utc() -> None:
    lisbon_summer = at(2, 10).astimezone(timezone(timedelta(hours=1)))
    assert views.moment(lisbon_summer) == "2026-03-02T10:00:00Z"
    assert views.moment(None) is None
