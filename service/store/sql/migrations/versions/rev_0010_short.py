"""Orders that have ended, notifications and entries may lie shorter: see `packing`, and `coding.shortened`.

The tables stay as they are, and what lies in them is read as it is. On SQLite the number of this revision keeps a
version from the file that could not read it any more. On PostgreSQL such a version may go on beside this one; see
`dialect.writes_short`.
"""

from __future__ import annotations

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Nothing to change."""
