"""The plan as operators may write it: every key with its type, its default and its description.

Nothing is merged or looked up here; `model_fields_set` says which keys were written. The JSON Schema for editors is
generated from these models, and so is the list of keys in `templates/README.md`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Annotated, Any, ClassVar, Literal, TypeVar
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)

from avisa.core.plan import Allowance, QuietHours, Shift
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


def _default(read: Callable[[str], object], text: str, description: str | None = None) -> Any:
    """A default in the form in which operators would write it, as the JSON Schema shows it."""
    return Field(default_factory=lambda: read(text), description=description, json_schema_extra={"default": text})


def _or_empty(written: object) -> object:
    """A key with nothing under it is an empty map."""
    return {} if written == "" else written


def _one_or_more(written: object) -> object:
    """A list of one may be written as that one."""
    return [written] if isinstance(written, str) and written else written


def _or_one(pattern: str) -> dict[str, Any]:
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


_TIME = r"\d\d?:\d\d"
_DURATION = r"\d+ ?(s|m|h|bd|d)"
_PLAIN = r"\d+ ?(s|m|h|d)"

Text = Annotated[str, _read_by(values.name), WithJsonSchema({"type": "string"})]
Status = Annotated[str, AfterValidator(_key)]
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
_COUNTRY = "^[A-Z]{2,3}(-.+)?$"
Holidays = Annotated[opening_hours.Holidays, _read_by(opening_hours.holidays), _hint(_COUNTRY, "PT", "ES-CT")]
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
Elapsed = Annotated[timedelta, _read_by(values.elapsed), _hint(f"^{_PLAIN}$", "0s", "4h")]
Positive = Annotated[timedelta, _read_by(values.nonzero_elapsed), _hint(f"^{_PLAIN}$", "5m", "72h")]
Silence = Annotated[
    timedelta | None, _read_by(values.nonzero_elapsed, none=True), _hint(f"^({_PLAIN}|none)$", "2h", none=True)
]

Budget = Annotated[
    Allowance | None, _read_by(values.allowance, none=True), _hint(rf"^(\d+ ?/ ?{_PLAIN}|none)$", "6/1h", none=True)
]


class PlanMap(BaseModel):
    """A map in the plan. `NOT_YET` are keys that are planned but not built: they are refused with that reason."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
    NOT_YET: ClassVar[frozenset[str]] = frozenset()

    _or_empty = model_validator(mode="before")(_or_empty)


class Brand(PlanMap):
    """How you present yourself. One must be called `default`."""

    name: Text = Field(description="What your customers call you.")
    sender: Mailbox = Field(alias="from", description="The address mails come from, with or without a name.")
    reply_to: Mailbox | None = Field(None, description="Where answers go; else to the address mails come from.")
    locale: Locale = Field("en", description="The language where the customer's is unknown, and that of owners.")
    time_zone: Zone = _default(values.zone, "UTC", "Where the customer's is unknown.")
    url: Link | None = Field(None, description="Your shop's address, for the foot of each mail.")
    links: list[Host] = Field(
        [], max_length=200, description="Hosts that links of events may lead to, besides that of `url`. Default: any."
    )
    logo: Link | None = Field(None, description="The address of a picture instead of the name on top; it is fetched.")
    color: Color | None = Field(
        None, description="For buttons and bars. Letters on it are white or black, as it needs."
    )
    most_words: int = Field(150, ge=1, le=10_000, description="`avisa check` warns of a message that has more.")
    forbidden_words: list[Text] = Field(
        [], max_length=200, description="Words that customers are not to read; `avisa check` warns of them."
    )


class Calendar(PlanMap):
    """When windows and gaps run: with a calendar, they count open hours only."""

    hours: Hours = Field(description="When it is open, in one or more pieces.")
    holidays: Annotated[list[Holidays], BeforeValidator(_one_or_more)] = Field(
        [],
        max_length=20,
        description="A country or region whose holidays are closed, or a list. Weekends on which it works are open.",
        json_schema_extra=_or_one(_COUNTRY),
    )
    closed: list[Closed] = Field([], description="Further days without opening.")
    hours_on: Annotated[dict[Day, DayHours], BeforeValidator(_or_empty)] = Field(
        {}, max_length=1000, description="Hours of single days, also of closed ones: `2026-12-24: 09:00-13:00`."
    )
    time_zone: Zone | None = Field(None, description="Default: that of the brand `default`.")


class Owner(PlanMap):
    """A person or team inside your firm, who looks after some of the orders."""

    NOT_YET = frozenset({"next", "after"})

    name: Text = Field(description="How they are greeted.")
    email: Address = Field(description="Where they are written to.")


class Remind(PlanMap):
    """In a touchpoint: the gaps after the first reminder, and how many there are in all."""

    after: list[Gap] = Field([], max_length=100, description="Gaps to the 2nd, 3rd … reminder.")
    then_every: Gap | None = Field(None, description="Default: the window.")
    at_most: int = Field(3, ge=0, le=100, description="Reminders in all, for one stay in a status.")


class Promise(PlanMap):
    """In a touchpoint: when a promised date that moved is news."""

    NOT_YET = frozenset({"warn_before", "grace"})

    ignore_moves_under: Elapsed = _default(values.elapsed, "0s", "A date that moves by less is not told.")
    at_most_every: Elapsed = _default(values.elapsed, "0s", "Moves within it are told together, or not at all.")


class Messages(PlanMap):
    """In a touchpoint: which message says what else there is to say."""

    NOT_YET = frozenset({"promise_at_risk", "promise_broken", "ask_owner", "feedback"})

    reminder: Message = Field("still-in-progress", description="Nothing happened until the date that was told.")
    promise_moved: Message = Field("delayed", description="The promised date moved, later or earlier.")
    stuck: Message = Field("order-stuck", description="To the owner: the last reminder goes out.")
    unknown_status: Message = Field("unknown-status", description="To the owner: a status without a touchpoint.")
    unreachable: Message = Field("customer-unreachable", description="To the owner: no mail reaches the customer.")
    flood: Message = Field("too-many-mails", description="To the owner: more mails than `flood` allows.")
    several: Message = Field("several-orders", description="To the owner: more of the same kind within an hour.")


class Touchpoint(PlanMap):
    """A status that the customer lives through. `unknown_status` has the same keys, for all the others."""

    NOT_YET = frozenset({"ask_owner_at", "fulfils_promise", "feedback", "copy_to", "playbook"})

    message: Message | None = Field(None, description="The message to send; each status must have one.")
    owner: NameOrNone = Field(None, description="Who is told if an order gets stuck or a customer cannot be reached.")
    window: Window = _default(values.nonzero_duration, "48h", "How long without news before a reminder.")
    calendar: NameOrNone = Field(None, description="The calendar that window and gaps run on.")
    count_from: Literal["last_message", "last_event"] = Field(
        "last_message", description="When the window begins. With `last_event` no next date can be told."
    )
    remind: Remind = Field(default_factory=Remind, description="The reminders after the first.")
    final: bool = Field(False, description="The order ends here.")
    always: bool = Field(False, description="Told even if a newer status comes before it was sent.")
    once: bool = Field(False, description="The message is sent once for an order, however often the status comes.")
    news: list[Text] = Field([], max_length=100, description="Details whose change is told, as in `[tracking, url]`.")
    quiet_hours: Quiet = Field(None, description="No mail between these hours of the customer's day.")
    burst_wait: Elapsed = _default(values.elapsed, "0s", "Wait so long for more news before telling.")
    channels: list[Literal["email"]] = Field(
        ["email"], min_length=1, max_length=1, description="The ways to reach the customer; so far there is one."
    )
    messages: Messages = Field(default_factory=Messages, description="The messages besides the status's own.")
    promise: Promise = Field(default_factory=Promise, description="When a promised date is news.")


class Flood(PlanMap):
    """How many mails may leave within a while. What is over it waits, until then or until something newer says it."""

    per_order: Budget = _default(values.allowance, "6/1h", "Mails to the customer about one order.")
    per_address: Budget = _default(values.allowance, "12/1h", "Mails to the customers at one address.")


class Defaults(Touchpoint):
    """Any key of a touchpoint, for all that do not say otherwise, and:"""

    tell_within: Positive = _default(values.nonzero_elapsed, "72h", "What is older when it arrives is not told.")
    flood: Flood = Field(default_factory=Flood, description="The most mails for one order and for one address.")
    longest_silence: Silence = Field(None, description="`avisa check` warns where it may be silent for longer.")


class Events(PlanMap):
    """How events are read and ranked."""

    rank_by: Literal["occurred_at", "sequence"] = Field(
        "occurred_at", description="What puts events in order. With `sequence` each event must have one."
    )
    promised_at: Literal["moment", "day"] = Field(
        "moment", description="With `day` only the date that is written counts: for days sent as midnight."
    )
    nulls: Literal["clear", "unknown"] | None = Field(
        None,
        description="Null clears a promise, a reason, a detail; with `clear` also who the customer is, with `unknown`"
        " nothing.",
    )


class Feed(PlanMap):
    """When we may have missed events, and hold reminders back."""

    blind_after: Positive = _default(
        values.nonzero_elapsed, "5m", "Unread events older than this, and we cannot know."
    )
    hold_at_most: Positive = _default(values.nonzero_elapsed, "4h", "After that, reminders go out all the same.")
    silent_after: Silence = Field(None, description="For a topic that is never silent: silence this long is a fault.")


class Plan(PlanMap):
    """The operators' map of touchpoints."""

    brands: Annotated[dict[Key, Brand], BeforeValidator(_or_empty), Field(max_length=100)]
    calendars: Annotated[dict[Key, Calendar], BeforeValidator(_or_empty), Field(max_length=100)] = {}
    owners: Annotated[dict[Key, Owner], BeforeValidator(_or_empty), Field(max_length=500)] = {}
    defaults: Defaults = Field(default_factory=Defaults)
    events: Events = Field(default_factory=Events)
    feed: Feed = Field(default_factory=Feed)
    touchpoints: Annotated[dict[Status, Touchpoint], BeforeValidator(_or_empty), Field(min_length=1, max_length=500)]
    unknown_status: Touchpoint = Field(default_factory=Touchpoint)
