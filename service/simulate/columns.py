"""The mapping of a CSV file's columns to events.

There are two shapes of files. Either a row is one event, with a column for `status` and one for `occurred_at`. Or a
row is one order with a column for each moment, and each moment that is filled in makes an event. For example, this
makes two events, `confirmed` and `shipped`, of a row in which both `ordered` and `sent` are filled in:

    fields: {order_id: number, promised_at: due}
    moments: {ordered: confirmed, sent: shipped}
    values: {customer.locale: pt-BR}
    time_zone: America/Sao_Paulo
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from avisa.core import facts
from avisa.diagnostics.yaml_errors import DocumentError
from avisa.diagnostics.yaml_reader import parse

_OF_EVENT = frozenset({"order_id", "status", "occurred_at", "notify"})
_TIMES = frozenset({"occurred_at", "promised_at", "time"})
_DAY = len("2026-03-09")
_NOWHERE = "customer@example.com"  # for files without addresses: else no customer could be reached


class Columns(BaseModel):
    """The mapping: which column holds which field of an event. Times without a zone are in `time_zone`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fields: dict[str, str] = Field(description="field of an event: the column that has it")
    moments: dict[str, str] = Field(default={}, description="column with a moment: the status that began then")
    values: dict[str, str] = Field(default={}, description="field of an event: what it says in every row")
    time_zone: str = Field(default="UTC", description="of times that are written without one")

    @classmethod
    def of_header(cls, header: Sequence[str]) -> Columns:
        """The mapping of a file whose columns are named as the fields of events; other columns are ignored."""
        return cls(fields={name: name for name in header if _is_field(name)})

    @field_validator("fields", "values")
    @classmethod
    def _known(cls, named: dict[str, str]) -> dict[str, str]:
        unknown = [name for name in named if not _is_field(name)]
        if unknown:
            raise ValueError(f"events have no field {unknown[0]}")
        return named

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"{name} is no time zone") from None
        return name

    @model_validator(mode="after")
    def _whole(self) -> Columns:
        named = {*self.fields, *self.values}
        if "order_id" not in self.fields:
            raise ValueError("no column has the order_id")
        if not self.moments and not {"status", "occurred_at"} <= named:
            raise ValueError("either columns have status and occurred_at, or moments has a column for each status")
        if self.moments and {"status", "occurred_at"} & named:
            raise ValueError("moments says status and occurred_at; no other column can")
        return self

    def check(self, header: Sequence[str]) -> None:
        """Raise ValueError if a column of the mapping is not in the `header` of the file."""
        missing = [column for column in (*self.fields.values(), *self.moments) if column not in header]
        if missing:
            raise ValueError(f"there is no column {', '.join(missing)}; there are {', '.join(header)}")

    def events(self, row: Mapping[str, str | None]) -> Iterator[bytes]:
        """The events of a row, each as the JSON that a record would have."""
        zone = ZoneInfo(self.time_zone)
        has_address = "customer.email" in self.fields or "customer.email" in self.values
        flat: dict[str, Any] = {} if has_address else {"customer.email": _NOWHERE}
        flat |= self.values
        flat |= {name: row[column] for name, column in self.fields.items() if row[column]}
        for name in _TIMES & flat.keys():
            flat[name] = _zoned(flat[name], zone)
        if not self.moments:
            yield orjson.dumps(_nested(flat))
            return
        for column, status in self.moments.items():
            if at := row[column]:
                yield orjson.dumps(_nested(flat | {"status": status, "occurred_at": _zoned(at, zone)}))


def _is_field(name: str) -> bool:
    return name in _OF_EVENT or (facts.is_field(name) and name not in {"customer", "details", "timestamp"})


def _zoned(written: str, zone: ZoneInfo) -> str:
    """A time as RFC 3339, in its own zone or else in `zone`. A day, and text that is no time, is returned
    unchanged."""
    if len(written) <= _DAY:
        return written
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        return written
    return (at if at.tzinfo else at.replace(tzinfo=zone)).isoformat()


def _nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """The fields as an event has them: `customer.name` becomes the `name` in a map `customer`."""
    nested: dict[str, Any] = {}
    for name, value in flat.items():
        group, dot, key = name.partition(".")
        if dot:
            nested.setdefault(group, {})[key] = value
        else:
            nested[name] = value
    return nested


def read(text: str) -> Columns:
    """The mapping in a YAML text. Raises ValueError if there is something wrong; `problem` says what, in one line."""
    try:
        return Columns.model_validate(parse(text).value)
    except DocumentError as error:
        wrong = error.diagnostic("")
        raise ValueError(f"line {wrong.line}: {wrong.summary}") from None


def problem(error: ValueError) -> str:
    """What is wrong with a mapping, in one line, by the error of `read` or of `Columns.check`."""
    if not isinstance(error, ValidationError):
        return str(error)
    return "; ".join(_mistake(each) for each in error.errors(include_url=False, include_input=False))


def _mistake(error: Any) -> str:
    where = ".".join(map(str, error["loc"]))
    text = error["msg"].removeprefix("Value error, ")
    return f"{where}: {text}" if where else text
