"""The index by which the flood budget finds the newest attempts at an address."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_index("notifications_address", "notifications", ["address_hash", "first_attempt_real"])
