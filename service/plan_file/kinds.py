"""The kinds of value that a key of the plan takes: how each is read, and what the JSON Schema says of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    Field,
    PlainValidator,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)

from avisa.core.plan import Allowance, Holidays, QuietHours, Shift
from avisa.diagnostics.suggest import closest_match
from avisa.feeds import field
from avisa.plan_file import opening_hours, values, web_addresses
from avisa.plan_file.values import Duration

T = TypeVar("T")


def _read_by(read: Callable[[str], T], *, none: bool = False) -> PlainValidator:
    """A key whose text `read` turns into a value; with `none`, the word none means None."""

    def validate(written: object) -> T | None:
        if written == "":
            message = "there is no value (a # begins a comment); leave the key out or write one"
            raise values.invalid("no_value", message)
        if not isinstance(written, str):
            raise values.invalid("wrong_type", "must be one value, not a list or a map")
        return None if none and written == "none" else read(written)

    return PlainValidator(validate)


def _hint(pattern: str, *examples: str, none: bool = False) -> WithJsonSchema:
    text: dict[str, Any] = {"type": "string", "pattern": pattern, "examples": [*examples, *["none"] * none]}
    return WithJsonSchema(text)


def default(read: Callable[[str], object], text: str, description: str | None = None) -> Any:
    """A default in the form in which operators would write it, as the JSON Schema shows it."""
    return Field(default_factory=lambda: read(text), description=description, json_schema_extra={"default": text})


def or_empty(written: object) -> object:
    """A key with nothing under it is an empty map."""
    return {} if written == "" else written


def one_or_more(written: object) -> object:
    """A list of one may be written as that one."""
    return [written] if isinstance(written, str) and written else written


def or_one(pattern: str) -> dict[str, Any]:
    """What the JSON Schema says of such a list."""
    return {"type": ["array", "string"], "pattern": pattern}


def _key(text: str) -> str:
    if not text.isprintable() or not text.strip() or len(text) > 200:
        raise values.invalid("bad_name", "a name has 1 to 200 characters in one line")
    return text


def _short_key(text: str) -> str:
    if "/" in text or len(text) > 64:
        raise values.invalid("bad_name", "a name has at most 64 characters, and no /")
    return _key(text)


def _topic(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,249}", text):
        raise values.invalid("bad_name", "a topic is called with letters, digits, `.`, `_` and `-`")
    return text


def _field(text: str) -> str:
    if not field.is_field(text):
        raise values.invalid(
            "unknown_name", f"there is no field {values.quoted(text)}", closest_match(text, field.KINDS)
        )
    return text


def _known_or_read(written: object, read: ValidatorFunctionWrapHandler, validation: ValidationInfo) -> Holidays:
    """Holidays by the name of their country: those that the validation knows, else as they are read now."""
    known: Mapping[str, Holidays] = validation.context or {}
    found = known.get(written) if isinstance(written, str) else None
    return found or read(written)


_TIME = r"\d\d?:\d\d"
_DURATION = r"\d+ ?(s|m|h|bd|d)"
_PLAIN = r"\d+ ?(s|m|h|d)"

Text = Annotated[str, _read_by(values.name), WithJsonSchema({"type": "string"})]
Status = Annotated[str, AfterValidator(_key)]
Topic = Annotated[str, AfterValidator(_topic)]
FieldName = Annotated[str, AfterValidator(_field)]
Key = Annotated[str, AfterValidator(_short_key)]
NameOrNone = Annotated[str | None, _read_by(str.strip, none=True), WithJsonSchema({"type": "string"})]
Message = Annotated[str, _read_by(values.message_name), _hint("^[a-z0-9][a-z0-9_-]*$", "order-confirmed")]
Mailbox = Annotated[str, _read_by(values.mailbox), _hint("@", "Loja Azul <avisos@example.com>")]
Address = Annotated[str, _read_by(values.address), _hint("@", "producao@example.com")]
Locale = Annotated[str, _read_by(values.locale), _hint("^[A-Za-z]{2,3}(-[A-Za-z0-9]+)*$", "pt-PT")]
Zone = Annotated[ZoneInfo, _read_by(values.zone), _hint("^[A-Za-z0-9_+/-]+$", "Europe/Lisbon")]
Link = Annotated[str, _read_by(web_addresses.link), _hint("^https?://", "https://shop.example/")]
Host = Annotated[str, _read_by(web_addresses.host), _hint(r"^[^/:@\s]+\.[^/:@\s]+$", "shop.example.com")]
Color = Annotated[str, _read_by(values.color), _hint("^#([0-9a-fA-F]{3}){1,2}$", "#00aa55")]
Hours = Annotated[
    opening_hours.Hours, _read_by(opening_hours.hours), _hint(_TIME, "mon-fri 09:00-18:00, sat 09:00-13:00")
]
COUNTRY = "^[A-Z]{2,3}(-.+)?$"
Country = Annotated[
    Holidays, _read_by(opening_hours.holidays), WrapValidator(_known_or_read), _hint(COUNTRY, "PT", "ES-CT")
]
Day = Annotated[date, _read_by(opening_hours.day)]
DayHours = Annotated[tuple[Shift, ...], _read_by(opening_hours.day_hours), _hint(_TIME, "09:00-13:00")]
Closed = Annotated[
    frozenset[date],
    _read_by(opening_hours.closed_days),
    _hint(r"^\d{4}-\d\d-\d\d", "2026-12-24", "2026-12-24..2027-01-02"),
]
Quiet = Annotated[
    QuietHours | None,
    _read_by(opening_hours.quiet_hours, none=True),
    _hint(rf"^({_TIME} ?- ?{_TIME}|none)$", "21:00-08:00", none=True),
]
Gap = Annotated[Duration, _read_by(values.nonzero_duration), _hint(f"^{_DURATION}$", "48h", "3bd")]
Window = Annotated[
    Duration | None,
    _read_by(values.nonzero_duration, none=True),
    _hint(f"^({_DURATION}|none)$", "48h", "3bd", none=True),
]
Ask = Annotated[
    int | Duration | None,
    _read_by(values.share_or_duration, none=True),
    _hint(rf"^(\d\d?%|{_DURATION}|none)$", "60%", "24h", none=True),
]
Expression = Annotated[str, _read_by(values.expression), WithJsonSchema({"type": "string"})]
Prose = Annotated[str, _read_by(values.prose), WithJsonSchema({"type": "string"})]
Elapsed = Annotated[timedelta, _read_by(values.elapsed), _hint(f"^{_PLAIN}$", "0s", "4h")]
Positive = Annotated[timedelta, _read_by(values.nonzero_elapsed), _hint(f"^{_PLAIN}$", "5m", "72h")]
Silence = Annotated[
    timedelta | None, _read_by(values.nonzero_elapsed, none=True), _hint(f"^({_PLAIN}|none)$", "2h", none=True)
]

Budget = Annotated[
    Allowance | None, _read_by(values.allowance, none=True), _hint(rf"^(\d+ ?/ ?{_PLAIN}|none)$", "6/1h", none=True)
]
