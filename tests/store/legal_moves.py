"""Triggers that hold every statement of the store to the legal moves of a notification, whatever test executes it."""

from __future__ import annotations

from collections.abc import Iterator

from avisa.core.model import State
from avisa.core.notification_states import BORN, may_move

_ILLEGAL_MOVE = " OR ".join(
    f"(OLD.state = '{before}' AND NEW.state = '{after}')"
    for before in State
    for after in State
    if not may_move(before, after)
)
_ILLEGAL_BIRTH = " AND ".join(f"NEW.state <> '{state}'" for state in sorted(BORN))
_WHEN = (("UPDATE OF state", _ILLEGAL_MOVE), ("INSERT", _ILLEGAL_BIRTH))


def sqlite_triggers() -> Iterator[str]:
    """An illegal move fails with SQLITE_CONSTRAINT_TRIGGER."""
    for event, illegal in _WHEN:
        yield (
            f"CREATE TRIGGER IF NOT EXISTS legal_{event.split()[0].lower()} BEFORE {event} ON notifications"
            f" WHEN {illegal} BEGIN SELECT RAISE(ABORT, 'an illegal move'); END"
        )


def postgres_triggers() -> Iterator[str]:
    """An illegal move fails with P0001, and the server's log tells which it was."""
    yield (
        "CREATE FUNCTION illegal_move() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'an illegal move of % to %', NEW.key, NEW.state; END $$"
    )
    for event, illegal in _WHEN:
        yield (
            f"CREATE TRIGGER legal_{event.split()[0].lower()} BEFORE {event} ON notifications"
            f" FOR EACH ROW WHEN ({illegal}) EXECUTE FUNCTION illegal_move()"
        )
