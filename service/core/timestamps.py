"""Moments as text."""

from datetime import UTC, datetime


def rfc3339(at: datetime) -> str:
    """Return the moment in RFC 3339, in UTC with a `Z`: `2026-03-02T10:15:00Z`."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
