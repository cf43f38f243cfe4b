"""An order with a past, as the store would answer it."""

from __future__ import annotations

from datetime import UTC, datetime

from avisa.core.model import Fact, Purpose, Reason, State
from avisa.core.promise import Promise, PromiseState
from avisa.ports import Entry, History, OutboxRow
from tests import builders


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


def a_row(
    purpose: Purpose,
    *,
    episode: int,
    seq: int,
    status: str,
    decided: datetime,
    reason: Reason,
    settled: datetime | None = None,
    state: State = State.QUEUED,
    why: Reason | None = None,
    ordinal: str = "1",
    recipient: str = "customer",
) -> OutboxRow:
    return OutboxRow(
        notification=builders.notification(
            "A-1042",
            seq,
            recipient,
            episode=episode,
            status=status,
            purpose=purpose,
            ordinal=ordinal,
            reason=reason,
            decided_at=decided,
            state=state,
            attempts=int(state is State.SENT),
        ),
        settled_at=settled,
        reason=why,
        message=status.replace("_", "-") if state is State.SENT else None,
        locale="pt-PT" if state is State.SENT else None,
        template_version="c0ffee" if state is State.SENT else None,
        version=7 if state is State.SENT else None,
        message_id="<1@example.com>" if state is State.SENT else None,
    )


def a_history() -> History:
    """Confirmed and told, in production and told, silent, reminded; the last reminder is held."""
    order = builders.order(
        "A-1042",
        status="in_production",
        status_rank=(1, 1, 1),
        episode=2,
        entered_at=at(3, 9),
        facts={"promised_at": Fact(rank=(1, 1, 1), value="2026-03-09")},
        promise=Promise(date="2026-03-09", state=PromiseState.OPEN, since=at(2, 10)),
        told_until=at(10, 9),
        wake_at=at(10, 9),
    )
    entries = (
        Entry(
            order_id="A-1042",
            at=at(2, 10),
            kind="event",
            reason=Reason.ENTERED,
            status="confirmed",
            episode=1,
            event_id="e1",
        ),
        Entry(
            order_id="A-1042",
            at=at(2, 11),
            kind="event",
            reason=Reason.REPEATED,
            status="confirmed",
            episode=1,
            event_id="e2",
        ),
        Entry(
            order_id="A-1042",
            at=at(3, 9),
            kind="event",
            reason=Reason.ENTERED,
            status="in_production",
            episode=2,
            event_id="e3",
        ),
        Entry(
            order_id="A-1042",
            at=at(3, 9, 1),
            kind="attempt",
            reason=Reason.REFUSED,
            status="in_production",
            episode=2,
            key="A-1042/2/update/1/customer",
            note="rcpt 451",
        ),
        Entry(
            order_id="A-1042",
            at=at(7, 22),
            kind="gate",
            reason=Reason.QUIET_HOURS,
            status="in_production",
            episode=2,
            key="A-1042/2/reminder/2/customer",
        ),
    )
    rows = (
        a_row(
            Purpose.UPDATE,
            episode=1,
            seq=1,
            status="confirmed",
            decided=at(2, 10),
            reason=Reason.ENTERED,
            settled=at(2, 10, 1),
            state=State.SENT,
            why=Reason.ACCEPTED,
        ),
        a_row(
            Purpose.UPDATE,
            episode=2,
            seq=2,
            status="in_production",
            decided=at(3, 9),
            reason=Reason.ENTERED,
            settled=at(3, 9, 6),
            state=State.SENT,
            why=Reason.ACCEPTED,
        ),
        a_row(
            Purpose.REMINDER,
            episode=2,
            seq=3,
            status="in_production",
            decided=at(5, 9),
            reason=Reason.WINDOW_PASSED,
            settled=at(5, 9),
            state=State.SENT,
            why=Reason.ACCEPTED,
        ),
        a_row(
            Purpose.REMINDER,
            episode=2,
            seq=4,
            status="in_production",
            decided=at(7, 22),
            reason=Reason.WINDOW_PASSED,
            state=State.HELD,
            why=Reason.QUIET_HOURS,
            ordinal="2",
        ),
        a_row(
            Purpose.OWNER_ALERT,
            episode=2,
            seq=5,
            status="in_production",
            decided=at(7, 22),
            reason=Reason.REMINDERS_SPENT,
            state=State.FAILED,
            settled=at(7, 22),
            why=Reason.NO_ADDRESS,
            ordinal="stuck",
            recipient="owner:production",
        ),
    )
    return History(order=order, entries=entries, outbox=rows)
