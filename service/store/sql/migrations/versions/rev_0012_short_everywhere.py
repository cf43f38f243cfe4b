"""PostgreSQL, too, gets the short rows of 0010, which version 0010 reads and did not write there yet.

A contract (see `schema.CONTRACTS`): it is applied when no process of an earlier version is left, and processes that
start from then on write short. What lies in the tables is read as it is.
"""

from __future__ import annotations

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Nothing to change."""
