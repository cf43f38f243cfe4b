"""Topics of which nothing can be read any more, by what the store holds of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime

from sqlalchemy import Connection

from avisa.core.model import Reason
from avisa.store import recent_orders
from avisa.store.sql.dialect import as_rows
from avisa.store.sql.moments import moment
from avisa.store.sql.statements import query

_NEWEST = query("newest_dead_letters")
_FEEDS = query("feeds_of_orders")


def by_topic(conn: Connection, *, run: int) -> dict[str, Reason]:
    """The topics of whose last `run` records none could be read, each with the commonest reason.

    An event and a dead letter of one batch have one moment. So while the oldest of those records shares its batch
    with an event, nobody knows which came first, and the topic is left out.
    """
    reasons: defaultdict[str, list[Reason]] = defaultdict(list)
    since: dict[str, datetime] = {}
    for topic, reason, at in _NEWEST.fetch(conn, run=run):
        reasons[topic].append(Reason(reason))
        since[topic] = moment(at)
    unread = {topic: Counter(found).most_common(1)[0][0] for topic, found in reasons.items() if len(found) == run}
    for page in recent_orders.newest_events(conn) if unread else ():
        oldest = min(since[topic] for topic in unread)
        newer = [entry for entry in page if entry.at >= oldest]
        feeds = _feeds(conn, {entry.order_id for entry in newer})
        for entry in newer:
            topic = feeds.get(entry.order_id, "").rpartition("/")[0]
            if topic in unread and entry.at >= since[topic]:
                del unread[topic]
        if not unread or len(newer) < len(page):
            break
    return unread


def _feeds(conn: Connection, ids: set[str]) -> dict[str, str]:
    found = _FEEDS.fetch(conn, as_rows("order_id", sorted(ids))) if ids else ()
    return {row[0]: row[1] for row in found}
