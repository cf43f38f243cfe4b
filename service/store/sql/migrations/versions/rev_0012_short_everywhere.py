"""PostgreSQL, too, gets the short rows of 0010, and the states of orders packed.

Version 0010 reads short rows there, and no packed states. So this is a contract (see `schema.CONTRACTS`): processes
that start from then on write short. What lies in the tables is read as it is.
"""

from __future__ import annotations

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Nothing to change."""
