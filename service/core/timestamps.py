"""Moments as text, and moments and days that are counted from the beginning of 1970."""

from datetime import UTC, datetime, timedelta

# The first and the last moment there is, for what has none of its own.
BEGINNING = datetime.min.replace(tzinfo=UTC)
END = datetime.max.replace(tzinfo=UTC)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def rfc3339(at: datetime) -> str:
    """Return the moment in RFC 3339, in UTC with a `Z`: `2026-03-02T10:15:00Z`."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def since_1970(units: int, per_second: int) -> datetime:
    """Return the moment so many units after the beginning of 1970, UTC. Raises OverflowError beyond the calendar."""
    seconds, rest = divmod(units, per_second)
    return _EPOCH + timedelta(seconds=seconds, microseconds=rest * 10**6 // per_second)


def day_since_1970(days: int) -> str:
    """Return the day so many days after 1970-01-01. Raises OverflowError beyond the calendar."""
    return (_EPOCH.date() + timedelta(days=days)).isoformat()
