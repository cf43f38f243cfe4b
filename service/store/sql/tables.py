"""The tables, in one schema for SQLite and PostgreSQL.

Moments are microseconds since 1970 UTC; those named `…_real` run on the real clock. What no statement looks
at lies in one JSON text (`orders.state`, `notifications.decided`, `entries.line`), written by `rows`: text,
not `jsonb`, because a publisher's text may hold U+0000, which PostgreSQL takes only escaped. `packing` says which
states are packed.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData()

# Byte order in both: a range over keys means the same, and no locale decides how an index is sorted.
Word = Text().with_variant(Text(collation="C"), "postgresql")
Serial = BigInteger().with_variant(Integer(), "sqlite")

orders = Table(
    "orders",
    metadata,
    Column("order_id", Word, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("feed", Word, nullable=False),
    Column("wake_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("final", Integer, nullable=False),
    Column("stuck", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("last_word_at", BigInteger),
    Column("promise", Word),  # the state of its newest promise
)

notifications = Table(
    "notifications",
    metadata,
    Column("key", Word, nullable=False),
    Column("order_id", Word, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("recipient", Word, nullable=False),
    Column("channel", Word, nullable=False),
    Column("decided", Text, nullable=False),
    Column("decided_at", BigInteger, nullable=False),
    Column("state", Word, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("revision", Integer, nullable=False, server_default=text("0")),
    Column("first_attempt_real", BigInteger),
    Column("next_update", BigInteger),
    Column("not_before", BigInteger),
    Column("gate", Word),  # the last word on it while it is not settled
    # When to look at it next, and while it is leased the end of the lease. None: it waits for an earlier one of
    # its queue (order, recipient, channel), or it is settled.
    Column("due_real", BigInteger),
    Column("lease_token", Word),
    Column("draft", Text),  # as earlier versions kept it: this one reads it, and keeps drafts by themselves
    Column("catalog", Word),
    Column("message", Word),
    Column("locale", Word),
    Column("message_id", Word),
    Column("address_hash", Word),
    Column("settled_at", BigInteger),
    Column("reason", Word),  # of the settlement
    Column("alert", Word),  # of an owner's alert its kind and owner, as in `stuck/owner:care`
    Column("told_by", Word),  # the key of the alert whose mail tells this one too, from that mail's first attempt on
    PrimaryKeyConstraint("order_id", "key"),
)

# Frozen by the first attempt, and only ever inserted.
drafts = Table(
    "drafts",
    metadata,
    Column("order_id", Word, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("day", Integer, nullable=False),  # of the attempt, real, since 1970
    Column("content", LargeBinary, nullable=False),  # compressed with the dictionary of its catalog and message
)

# Kept for good, as catalogs are.
dictionaries = Table(
    "dictionaries",
    metadata,
    Column("catalog", Word, primary_key=True),
    Column("message", Word, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

entries = Table(
    "entries",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("order_id", Word, nullable=False),
    Column("line", Text, nullable=False),
)

# Numbers that outlive the rows they count, each split over shards so that two writers seldom meet.
counts = Table(
    "counts",
    metadata,
    Column("kind", Word, primary_key=True),  # event, order, retired, doubt
    Column("word", Word, primary_key=True),
    Column("shard", Word, primary_key=True),
    Column("n", BigInteger, nullable=False),
)

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("topic", Word, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("timestamp_real", BigInteger, nullable=False),
    Column("key", LargeBinary),
    Column("headers", Text, nullable=False),
    Column("value", LargeBinary),
    Column("size", BigInteger, nullable=False),
    Column("whole", Integer, nullable=False),
    Column("stage", Word, nullable=False),
    Column("reason", Word, nullable=False),
    Column("message", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("state", Word, nullable=False),
    Column("copied", Integer, nullable=False),
    # The same record, read again after a crash, is set aside once.
    UniqueConstraint("topic", "partition", "offset", "sha256", name="dead_letters_record"),
)

unsubscribed = Table(
    "unsubscribed",
    metadata,
    Column("address_hash", Word, primary_key=True),
    Column("at", BigInteger, nullable=False),
)

# Which question a signed link is about.
questions = Table(
    "questions",
    metadata,
    Column("link", Word, nullable=False),
    Column("key", Word, nullable=False),  # of its notification
    Column("order_id", Word, nullable=False),
    PrimaryKeyConstraint("order_id", "link"),
)

snoozes = Table(
    "snoozes",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("of", Word, nullable=False),  # order, status, brand, owner
    Column("name", Word, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)

flags = Table(
    "flags",
    metadata,
    Column("name", Word, primary_key=True),  # pause, secret_key
    Column("value", Text, nullable=False),
)

catalogs = Table(
    "catalogs",
    metadata,
    Column("version", Word, primary_key=True),
    Column("content", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
)

# Only ever added to. Two who want the same number race for the key.
versions = Table(
    "versions",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("content", Word, nullable=False),
    Column("catalog", Word, nullable=False),
    Column("parent", Word),
    Column("origin", Word, nullable=False),
    Column("author", Text, nullable=False),
    Column("note", Text),
    Column("at", BigInteger, nullable=False),
    Column("at_real", BigInteger, nullable=False),  # by the shared clock
)

folders = Table(
    "folders",
    metadata,
    Column("place", Text, primary_key=True),  # host:path
    Column("version", BigInteger, nullable=False),
    Column("at_real", BigInteger, nullable=False),
)

replicas = Table(
    "replicas",
    metadata,
    Column("name", Text, primary_key=True),  # host:port
    Column("version", BigInteger, nullable=False),
    Column("at_real", BigInteger, nullable=False),
)


def _partial(name: str, where: str, *columns: Column[int] | Column[str]) -> Index:
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


_partial("orders_wake", "wake_at IS NOT NULL", orders.c.feed, orders.c.wake_at)
# Of an order that is to be woken something is still to be said. So an order enters this index when it ends or gets
# stuck, and not with every event.
_partial("orders_quiet", "wake_at IS NULL", orders.c.last_word_at)
# Neither is keyed by what only says "not settled": no plan can take them for a short way to all that waits.
_partial("orders_promise", "promise IS NOT NULL", orders.c.promise, orders.c.final)
_partial("notifications_due", "due_real IS NOT NULL", notifications.c.due_real)
_partial("notifications_waiting", "due_real IS NULL AND settled_at IS NULL", notifications.c.order_id)
_partial("dead_letters_uncopied", "copied = 0", dead_letters.c.id)
_partial("dead_letters_kept", "value IS NOT NULL", dead_letters.c.id, dead_letters.c.size, dead_letters.c.whole)
# For the flood budget, which asks for the newest attempts at an address.
Index("notifications_address", notifications.c.address_hash, notifications.c.first_attempt_real)
_partial("notifications_alerts", "alert IS NOT NULL AND settled_at IS NULL", notifications.c.alert)
_partial("notifications_told_by", "told_by IS NOT NULL AND settled_at IS NULL", notifications.c.told_by)
_partial("notifications_drafts", "draft IS NOT NULL", notifications.c.first_attempt_real)
Index("drafts_day", drafts.c.day)
Index("questions_link", questions.c.link)
# On SQLite, where `id` is the row's own number, an index over orders has it too. On PostgreSQL the two are the key.
Index("entries_order", entries.c.order_id).ddl_if(dialect="sqlite")
Index("entries_id", entries.c.id).ddl_if(dialect="postgresql")
Index("versions_content", versions.c.content, versions.c.at_real)
