"""The orders with the newest events, status by status. What live events bring is counted over them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection

from avisa.core.model import Order, Purpose, Reason
from avisa.core.notification_key import key_of
from avisa.ports import Entry, RecentOrders
from avisa.store import drafts
from avisa.store.sql.dialect import as_rows
from avisa.store.sql.rows import entry_of, order_of
from avisa.store.sql.statements import query

_LOOK_BACK = 50_000  # entries of timelines
_PAGE = 2_000
_EMPTY_PAGES = 5  # after so many pages in a row without a new order the search ends

_NEWEST = query("newest_entries")
_ORDERS = query("load_orders")


@dataclass(slots=True)
class _Found:
    """What was found of one status so far."""

    present: list[Order] = field(default_factory=list)
    drafts: list[bytes] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.present) + len(self.drafts)


def by_status(conn: Connection, *, each: int) -> dict[str, RecentOrders]:
    """Up to `each` orders of every status, those with the newest events first.

    An order that is still in the status is returned itself, one that has left it by the draft of the update that told
    the customer of it.
    """
    found: defaultdict[str, _Found] = defaultdict(_Found)
    seen: set[tuple[str, int]] = set()  # order and episode
    empty_pages = 0
    for page in newest_events(conn):
        entries = [entry for entry in page if entry.status is not None and len(found[entry.status]) < each]
        empty_pages = 0 if entries else empty_pages + 1
        if empty_pages == _EMPTY_PAGES:
            break
        known = _orders(conn, {entry.order_id for entry in entries})
        frozen = drafts.read(conn, [_update_key(entry) for entry in entries if entry.reason is Reason.ENTERED])
        for entry in entries:
            order = known.get(entry.order_id)
            episode = (entry.order_id, entry.episode or 0)
            here = found[entry.status or ""]
            if order is None or episode in seen or len(here) == each:
                continue
            if order.status == entry.status and order.episode == entry.episode:
                here.present.append(order)
                seen.add(episode)
            elif (draft := frozen.get(_update_key(entry))) is not None:
                here.drafts.append(draft)
                seen.add(episode)
    return {status: RecentOrders(present=it.present, drafts=it.drafts) for status, it in found.items() if len(it)}


def _update_key(entry: Entry) -> str:
    """The key of the update that tells the customer of an order's new status."""
    return key_of(entry.order_id, entry.episode or 0, Purpose.UPDATE, 1, "customer")


def _orders(conn: Connection, ids: set[str]) -> Mapping[str, Order]:
    rows = as_rows("order_id", sorted(ids))
    return {row[0]: order_of(row, ()) for row in _ORDERS.fetch(conn, rows)} if rows else {}


def newest_events(conn: Connection) -> Iterator[list[Entry]]:
    """The events of all orders, newest first, page by page."""
    before = 2**63 - 1
    for _ in range(_LOOK_BACK // _PAGE):
        rows = _NEWEST.fetch(conn, before=before, limit=_PAGE)
        entries = (entry_of((order_id, line)) for _id, order_id, line in rows)
        yield [entry for entry in entries if entry.kind == "event"]
        if len(rows) < _PAGE:
            return
        before = rows[-1][0]
