"""The flood budget as the store knows it: it is looked at in the transaction that stores an attempt as begun.

So it holds for all replicas and survives a restart, and nothing is kept for it but the index over the hashes of
addresses. One statement asks for a whole batch. Usually it finds nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from avisa.core import alert_list
from avisa.core.flood import Budgets, Ledger, Scope
from avisa.core.model import Purpose
from avisa.core.plan import Allowance
from avisa.ports import Attempt
from avisa.store.sql.dialect import as_rows, lock_hashes
from avisa.store.sql.moments import micros, moment
from avisa.store.sql.statements import query

_TO_ADDRESSES = query("attempts_at_addresses")
_ON_ORDERS = query("attempts_on_orders")
_ALERTS_WAITING = query("alerts_waiting")

# An address that gets more mails than this, those of the batch and those that count, is locked. So replicas that
# write to it at the same moment see each other's attempts. A usual mail needs no lock, and on SQLite none
# does: nobody else writes meanwhile.
_UNLOCKED = 2

_Wanted = Sequence[tuple[Attempt, Mapping[Scope, Allowance]]]


def waits(conn: Connection, attempts: Sequence[Attempt], budgets: Budgets) -> dict[str, datetime]:
    """The attempts, by key, for which a budget has no room now, each with the real moment at which it may have.

    Only a first attempt spends a budget. The caller has locked orders, if any, and no notifications yet.
    """
    wanted = [
        (attempt, scopes)
        for attempt in attempts
        if not attempt.claimed.notification.begun
        and (scopes := budgets.scopes(attempt.claimed.notification, attempt.draft.address_hash))
    ]
    if not wanted:
        return {}
    now = max(attempt.at_real for attempt, _ in wanted)
    since = micros(now - budgets.longest)
    hashes = sorted({attempt.draft.address_hash for attempt, _ in wanted})
    ledger = _ledger(conn, hashes, wanted, since)
    if conn.dialect.name == "postgresql" and lock_hashes(conn, _crowded(ledger, wanted)):
        ledger = _ledger(conn, hashes, wanted, since)
    waiting = _alerts_waiting(conn, wanted)
    placed = {attempt.key: _place(attempt, scopes, ledger, waiting, now) for attempt, scopes in wanted}
    return {key: at for key, at in placed.items() if at > now}


def _place(
    attempt: Attempt, scopes: Mapping[Scope, Allowance], ledger: Ledger, waiting: frozenset[str], now: datetime
) -> datetime:
    notification = attempt.claimed.notification
    if (alert := alert_list.kind_and_owner(notification)) is None:
        return ledger.place(scopes, now)
    ((scope, allowance),) = scopes.items()
    joins = alert in waiting and not alert_list.may_lead(notification)
    return ledger.gather(scope, allowance.per, now, others_wait=joins)


def _alerts_waiting(conn: Connection, wanted: _Wanted) -> frozenset[str]:
    """The kinds and owners of those alerts of which others wait to be told, and no attempt at them was made."""
    alerts = {scope.name for _, scopes in wanted for scope in scopes if scope.kind == "alert"}
    rows = _ALERTS_WAITING.fetch(conn, as_rows("alert", sorted(alerts))) if alerts else ()
    return frozenset(alert for (alert,) in rows)


def _ledger(conn: Connection, hashes: Sequence[bytes], wanted: _Wanted, since: int) -> Ledger:
    ledger = Ledger()
    rows = _TO_ADDRESSES.fetch(conn, as_rows("address_hash", [each.hex() for each in hashes]), since=since)
    for address_hash, alert, at in rows:
        scope = Scope.of_address(bytes.fromhex(address_hash)) if alert is None else Scope.of_alert(alert)
        ledger.enter(scope, [moment(at)])
    orders = sorted({scope.name for _, scopes in wanted for scope in scopes if scope.kind == "order"})
    if orders:
        for order_id, at in _ON_ORDERS.fetch(conn, as_rows("order_id", orders), since=since):
            ledger.enter(Scope.of_order(order_id), [moment(at)])
    return ledger


def _crowded(ledger: Ledger, wanted: _Wanted) -> list[bytes]:
    """The addresses that would get several mails, and those of owners who are alerted."""
    mails: Counter[bytes] = Counter()
    for attempt, _ in wanted:
        alert = attempt.claimed.notification.purpose is Purpose.OWNER_ALERT
        mails[attempt.draft.address_hash] += _UNLOCKED + 1 if alert else 1
    return sorted(
        address_hash
        for address_hash, n in mails.items()
        if n + len(ledger.made.get(Scope.of_address(address_hash), ())) > _UNLOCKED
    )
