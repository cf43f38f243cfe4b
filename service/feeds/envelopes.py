"""What other programs wrap around a record: Kafka Connect's `{schema, payload}`, and a change of Debezium."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence

from avisa.core.model import Json, Reason
from avisa.core.topic_feed import Unmapped
from avisa.feeds.expression import Path

_CONNECT = {"schema", "payload"}
_UNAVAILABLE = "__debezium_unavailable_value"
UNAVAILABLE = (_UNAVAILABLE, b64encode(_UNAVAILABLE.encode()).decode())
"""What Debezium writes of a column of text, and of bytes, that it was not shown."""
# The same of columns of lists and of maps, too.
_PLACEHOLDERS = (
    *UNAVAILABLE,
    [_UNAVAILABLE],
    {_UNAVAILABLE: _UNAVAILABLE},
)
_NO_CHANGE = "the value: must be a change of Debezium {before, after, op}; if it is flattened, leave out `envelope`"


def unwrapped(content: Json) -> Json:
    """The payload of what a JsonConverter wrote, with or without its schema."""
    return content["payload"] if isinstance(content, dict) and content.keys() == _CONNECT else content


def change(content: Json, only_if_changed: Sequence[Path]) -> dict[str, Json] | Unmapped:
    """Return a change of Debezium without the columns that it was not shown; `Unmapped` for one that leaves no row,
    or that changes none of the columns named.

    What was there before is not known of a table that logs only its keys, and then all counts as changed.
    """
    if not isinstance(content, dict) or not isinstance(content.get("op"), str):
        return Unmapped(Reason.WRONG_TYPE, _NO_CHANGE)
    op, after, before = content["op"], content.get("after"), content.get("before")
    if op in ("d", "t"):
        return Unmapped(Reason.DELETED)
    if op not in ("c", "u", "r") or not isinstance(after, dict):
        return Unmapped(Reason.WRONG_TYPE, _NO_CHANGE)
    known = op == "u" and isinstance(before, dict)
    if known and only_if_changed and not any(_changed(path, content) for path in only_if_changed):
        return Unmapped(Reason.UNCHANGED)
    return {**content, "after": {column: value for column, value in after.items() if value not in _PLACEHOLDERS}}


def _changed(path: Path, content: dict[str, Json]) -> bool:
    """True if a column, `after.status`, is another than before. What Debezium was not shown did not change."""
    new = path.find(content)
    return new not in _PLACEHOLDERS and new != path.find({"after": content["before"]})


def is_snapshot(content: Json) -> bool:
    """True for a row that was there before Debezium began to watch."""
    return isinstance(content, dict) and content.get("op") == "r"
