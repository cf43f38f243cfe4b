"""The orders that were heard of last, status by status: what live events bring is counted over them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from avisa.core.model import Order, Reason
from avisa.ports import Entry, RecentOrders
from avisa.store.sql.dialect import as_rows
from avisa.store.sql.rows import entry_of, order_of
from avisa.store.sql.statements import query

_LOOK_BACK = 50_000  # lines of timelines
_AT_ONCE = 2_000
_IN_VAIN = 5  # pages in a row that brought nothing: the rest will be like them

_NEWEST = query("newest_entries")
_ORDERS = query("load_orders")
_DRAFTS = query("drafts")


@dataclass(slots=True)
class _Found:
    """Of one status, so far."""

    present: list[Order] = field(default_factory=list)
    drafts: list[bytes] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.present) + len(self.drafts)


def heard_of(conn: Connection, *, each: int) -> dict[str, RecentOrders]:
    """By status, up to `each` of the orders that are in it, or were and were told so; the newest events first."""
    found: defaultdict[str, _Found] = defaultdict(_Found)
    looked_at: set[tuple[str, int]] = set()  # stays, by order and episode
    in_vain = 0
    for page in _pages(conn):
        lines = [line for line in page if line.status is not None and len(found[line.status]) < each]
        in_vain = 0 if lines else in_vain + 1
        if in_vain == _IN_VAIN:
            break
        known = _orders(conn, {line.order_id for line in lines})
        drafts = _drafts(conn, [_told(line) for line in lines if line.reason is Reason.ENTERED])
        for line in lines:
            order = known.get(line.order_id)
            stay = (line.order_id, line.episode or 0)
            here = found[line.status or ""]
            if order is None or stay in looked_at or len(here) == each:
                continue
            if order.status == line.status and order.episode == line.episode:
                here.present.append(order)
                looked_at.add(stay)
            elif (draft := drafts.get(_told(line))) is not None:
                here.drafts.append(draft)
                looked_at.add(stay)
    return {status: RecentOrders(present=it.present, drafts=it.drafts) for status, it in found.items() if len(it)}


def _told(line: Entry) -> str:
    """The key of what the customer is told when an order comes into a status."""
    return f"{line.order_id}/{line.episode}/update/1/customer"


def _orders(conn: Connection, ids: set[str]) -> Mapping[str, Order]:
    rows = as_rows("order_id", sorted(ids))
    return {row[0]: order_of(row, ()) for row in _ORDERS.fetch(conn, rows)} if rows else {}


def _drafts(conn: Connection, keys: Sequence[str]) -> Mapping[str, bytes]:
    rows = as_rows("key", keys)
    return {key: draft.encode() for key, draft in _DRAFTS.fetch(conn, rows)} if rows else {}


def _pages(conn: Connection) -> Iterator[list[Entry]]:
    """The events of all orders, page by page into the past, the newest first."""
    before = 2**63 - 1
    for _ in range(_LOOK_BACK // _AT_ONCE):
        rows = _NEWEST.fetch(conn, before=before, limit=_AT_ONCE)
        lines = (entry_of((order_id, line)) for _id, order_id, line in rows)
        yield [line for line in lines if line.kind == "event"]
        if len(rows) < _AT_ONCE:
            return
        before = rows[-1][0]
