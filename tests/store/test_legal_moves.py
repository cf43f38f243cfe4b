"""Every test of the store is held to the legal moves of a notification (`legal_moves`); this one shows it."""

from __future__ import annotations

import pytest

from avisa.core.model import State
from avisa.store import Store, StoreError
from avisa.store.sql.dialect import Statement, as_rows
from tests.builders import NOW, notification
from tests.store.harness import change, lease_all, send

_SET_STATE = Statement("UPDATE notifications SET state = :state WHERE key IN (SELECT r.key FROM {rows})", "key text")


async def test_a_sent_notification_cannot_be_moved(store: Store) -> None:
    await store.orders.commit([change(seqs=(1,))], now=NOW)
    await lease_all(store)
    await send(store, notification().key)
    for state in State:
        if state is State.SENT:
            continue
        with pytest.raises(StoreError, match=r"TRIGGER|P0001"):
            await store.database.write(
                lambda conn, state=state: _SET_STATE.execute(conn, as_rows("key", [notification().key]), state=state)
            )
    (row,) = await store.queries.outbox()
    assert row.notification.state is State.SENT
