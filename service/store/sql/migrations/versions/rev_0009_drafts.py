"""Drafts in a table of their own, and the dictionaries that they are compressed with.

Drafts that an earlier version froze stay in the rows of their notifications and are read there, so a mail in doubt
goes out as it was begun.

Processes of the version before this one may go on beside new ones on one PostgreSQL. They know nothing of the new
table. What a new process has begun they would write anew when they take it over, and perhaps with other bytes. So
they do not get it: whoever leases such a mail with a token as short as theirs is sent away, and for a second nobody
gets it. A new process does after that.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Text, text

revision = "0009"
down_revision = "0008"

_WORD = Text().with_variant(Text(collation="C"), "postgresql")
_TOKEN = 16  # characters of a lease's token until now; new ones are longer

_KEEP_FROM_OLD = """
CREATE FUNCTION avisa_keep_from_old() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.lease_token := NULL;
    NEW.due_real := CAST(extract(epoch FROM clock_timestamp() + interval '1 second') * 1000000 AS bigint);
    RETURN NEW;
END $$
"""
_WHEN_LEASED = f"""
CREATE TRIGGER keep_from_old BEFORE UPDATE OF lease_token ON notifications FOR EACH ROW
WHEN (
    length(NEW.lease_token) = {_TOKEN} AND NEW.lease_token IS DISTINCT FROM OLD.lease_token
    AND OLD.first_attempt_real IS NOT NULL AND OLD.draft IS NULL
)
EXECUTE FUNCTION avisa_keep_from_old()
"""


def upgrade() -> None:
    op.create_table(
        "drafts",
        Column("order_id", _WORD, primary_key=True),
        Column("seq", BigInteger, primary_key=True, autoincrement=False),
        Column("day", Integer, nullable=False),
        Column("content", LargeBinary, nullable=False),
    )
    op.create_table(
        "dictionaries",
        Column("catalog", _WORD, primary_key=True),
        Column("message", _WORD, primary_key=True),
        Column("content", LargeBinary, nullable=False),
    )
    op.create_index("drafts_day", "drafts", ["day"])
    kept = text("draft IS NOT NULL")
    op.create_index(
        "notifications_drafts", "notifications", ["first_attempt_real"], sqlite_where=kept, postgresql_where=kept
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE drafts ALTER COLUMN content SET STORAGE EXTERNAL")  # it is compressed already
        # A settlement writes its row anew, but into the index too, so room on the same page is of no use to it.
        op.execute("ALTER TABLE notifications SET (fillfactor = 100)")
        op.execute(_KEEP_FROM_OLD)
        op.execute(_WHEN_LEASED)
