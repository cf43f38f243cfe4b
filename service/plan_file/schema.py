"""The plan as operators may write it: every key with its type, its default and its description.

Nothing is merged or looked up here; `model_fields_set` says which keys were written. The JSON Schema for editors is
generated from these models, and so is the list of keys in `templates/README.md`.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from avisa.plan_file import values
from avisa.plan_file.kinds import (
    COUNTRY,
    Address,
    Ask,
    Budget,
    Closed,
    Color,
    Country,
    Day,
    DayHours,
    Elapsed,
    Expression,
    FieldName,
    Gap,
    Host,
    Hours,
    Key,
    Link,
    Locale,
    Mailbox,
    Message,
    NameOrNone,
    Positive,
    Prose,
    Quiet,
    Silence,
    Status,
    Text,
    Topic,
    Window,
    Zone,
    default,
    one_or_more,
    or_empty,
    or_one,
)

Values = Annotated[list[Text], BeforeValidator(one_or_more), Field(json_schema_extra={"type": ["array", "string"]})]
_AS = (
    "What is made of it: a text of a number, a moment of seconds since 1970 (`epoch_s` …), a day of a time or of"
    " `days` since then, of a time without a zone that of a `zone`, of cents (`minor`) an amount."
)
Conversion = Literal["text", "number", "day", "days", "epoch_s", "epoch_ms", "epoch_us", "epoch_ns", "local", "minor"]


class PlanMap(BaseModel):
    """A map in the plan. `NOT_YET` are keys that are planned but not built: they are refused with that reason."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
    NOT_YET: ClassVar[frozenset[str]] = frozenset()

    _or_empty = model_validator(mode="before")(or_empty)


class Brand(PlanMap):
    """How you present yourself. One must be called `default`."""

    name: Text = Field(description="What your customers call you.")
    sender: Mailbox = Field(alias="from", description="The address mails come from, with or without a name.")
    reply_to: Mailbox | None = Field(None, description="Where answers go; else to the address mails come from.")
    locale: Locale = Field("en", description="The language where the customer's is unknown, and that of owners.")
    time_zone: Zone = default(values.zone, "UTC", "Where the customer's is unknown.")
    url: Link | None = Field(None, description="Your shop's address, for the foot of each mail.")
    links: list[Host] = Field([], max_length=200, description="Hosts for links of events, besides `url`; else any.")
    logo: Link | None = Field(None, description="The address of a picture instead of the name on top; it is fetched.")
    color: Color | None = Field(None, description="For buttons and bars. Letters on it are white or black.")
    most_words: int = Field(150, ge=1, le=10_000, description="`avisa check` warns of a message that has more.")
    forbidden_words: list[Text] = Field(
        [], max_length=200, description="Words that customers are not to read; `avisa check` warns of them."
    )


class Calendar(PlanMap):
    """When windows and gaps run: with a calendar, they count open hours only."""

    hours: Hours = Field(description="When it is open, in one or more pieces.")
    holidays: Annotated[list[Country], BeforeValidator(one_or_more)] = Field(
        [],
        max_length=20,
        description="A country or region whose holidays are closed, or a list. Weekends on which it works are open.",
        json_schema_extra=or_one(COUNTRY),
    )
    closed: list[Closed] = Field([], description="Further days without opening.")
    hours_on: Annotated[dict[Day, DayHours], BeforeValidator(or_empty)] = Field(
        {}, max_length=1000, description="Hours of single days, also of closed ones: `2026-12-24: 09:00-13:00`."
    )
    time_zone: Zone | None = Field(None, description="Default: that of the brand `default`.")


class Owner(PlanMap):
    """A person or team inside your firm, who looks after some of the orders."""

    name: Text = Field(description="How they are greeted.")
    email: Address = Field(description="Where they are written to.")
    locale: Locale | None = Field(None, description="Their language. Default: the brand's.")
    next: NameOrNone = Field(None, description="The owner who is asked next, if this one says that it is not theirs.")
    after: Positive | None = Field(
        None,
        description="After so long without word the next is asked, or told of a stuck order or a broken promise.",
    )


class Remind(PlanMap):
    """In a touchpoint: the gaps after the first reminder, and how many there are in all."""

    after: list[Gap] = Field([], max_length=100, description="Gaps to the 2nd, 3rd … reminder.")
    then_every: Gap | None = Field(None, description="Default: the window.")
    at_most: int = Field(3, ge=0, le=100, description="Reminders in all, for one stay in a status.")


class Promise(PlanMap):
    """In a touchpoint: when a promised date is news."""

    ask_owner_before: Silence = Field(
        None,
        description="So long before its end the owner is asked whether it will be kept, if the order is still here.",
    )
    warn_before: Silence = Field(None, description="So long before its end we warn, if the order is still here.")
    grace: Elapsed = default(values.elapsed, "12h", "So long after its end it is broken, if nothing fulfilled it.")
    ignore_moves_under: Elapsed = default(values.elapsed, "0s", "A date that moves by less is not told.")
    at_most_every: Elapsed = default(values.elapsed, "0s", "Moves within it are told together, or not at all.")


class Messages(PlanMap):
    """In a touchpoint: which message says what else there is to say."""

    NOT_YET = frozenset({"feedback"})

    reminder: Message = Field("still-in-progress", description="Nothing happened until the date that was told.")
    promise_moved: Message = Field("delayed", description="The promised date moved, later or earlier.")
    promise_at_risk: Message = Field("promise-at-risk", description="The promised date is near: `warn_before`.")
    promise_broken: Message = Field("promise-broken", description="The promised date passed, and `grace` with it.")
    promise_broken_owner: Message = Field("promise-broken-owner", description="To the owner: the same.")
    ask_owner: Message = Field("ask-owner", description="To the owner: is there news, or will the date be kept?")
    stuck: Message = Field("order-stuck", description="To the owner: the last reminder goes out.")
    unknown_status: Message = Field("unknown-status", description="To the owner: a status without a touchpoint.")
    unreachable: Message = Field("customer-unreachable", description="To the owner: no mail reaches the customer.")
    flood: Message = Field("too-many-mails", description="To the owner: more mails than `flood` allows.")
    several: Message = Field("several-orders", description="To the owner: more of the same kind within an hour.")


class Touchpoint(PlanMap):
    """A status that the customer lives through. `unknown_status` has the same keys, for all the others."""

    NOT_YET = frozenset({"feedback", "copy_to"})

    message: Message | None = Field(None, description="The message to send; each status must have one.")
    owner: NameOrNone = Field(None, description="Who is told if an order gets stuck or a customer cannot be reached.")
    window: Window = default(values.nonzero_duration, "48h", "How long without news before a reminder.")
    calendar: NameOrNone = Field(None, description="The calendar that window and gaps run on.")
    ask_owner_at: Ask = Field(None, description="The owner is asked so long, or so much of the window, without news.")
    playbook: Prose | None = Field(None, description="For the owner who is asked: what to do, and whom to call.")
    count_from: Literal["last_message", "last_event"] = Field(
        "last_message", description="When the window begins. With `last_event` no next date can be told."
    )
    remind: Remind = Field(default_factory=Remind, description="The reminders after the first.")
    final: bool = Field(False, description="The order ends here.")
    fulfils_promise: bool = Field(False, description="What was promised is done here: in time, or late.")
    always: bool = Field(False, description="Told even if a newer status comes before it was sent.")
    once: bool = Field(False, description="The message is sent once for an order, however often the status comes.")
    news: list[Text] = Field([], max_length=100, description="Details whose change is told, as in `[tracking, url]`.")
    quiet_hours: Quiet = Field(None, description="No mail between these hours of the customer's day.")
    burst_wait: Elapsed = default(values.elapsed, "0s", "Wait so long for more news before telling.")
    channels: list[Literal["email"]] = Field(
        ["email"], min_length=1, max_length=1, description="The ways to reach the customer; so far there is one."
    )
    messages: Messages = Field(default_factory=Messages, description="The messages besides the status's own.")
    promise: Promise = Field(default_factory=Promise, description="When a promised date is news.")


class Flood(PlanMap):
    """How many mails may leave within a while. What is over it waits, until then or until something newer says it."""

    per_order: Budget = default(values.allowance, "6/1h", "Mails to the customer about one order.")
    per_address: Budget = default(values.allowance, "12/1h", "Mails to the customers at one address.")


class Defaults(Touchpoint):
    """Any key of a touchpoint, for all that do not say otherwise, and:"""

    tell_within: Positive = default(values.nonzero_elapsed, "72h", "What is older when it arrives is not told.")
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

    blind_after: Positive = default(
        values.nonzero_elapsed, "5m", "Unread events older than this, and we cannot know."
    )
    hold_at_most: Positive = default(values.nonzero_elapsed, "4h", "After that, reminders go out all the same.")
    silent_after: Silence = Field(None, description="For a topic that is never silent: silence this long is a fault.")


class FeedField(PlanMap):
    """In a feed: where a field comes from. Instead of `{from: EXPRESSION}` the expression alone is enough."""

    model_config = ConfigDict(json_schema_extra={"type": ["object", "string"]})

    source: Expression | None = Field(None, alias="from", description="A path such as `after.id`, or any JMESPath.")
    convert: Conversion | None = Field(None, alias="as", description=_AS)
    values: Annotated[dict[Text, Text], BeforeValidator(or_empty)] = Field(
        {}, max_length=500, description="A table of its words and ours. What is not in it stays as it is."
    )
    default: Text | None = Field(None, description="What is said where there is nothing.")
    zone: Zone | None = Field(None, description="With `as: local`: the zone whose clocks show that time.")

    @model_validator(mode="before")
    @classmethod
    def _of_text(cls, written: object) -> object:
        if isinstance(written, list):
            raise values.invalid("wrong_type", "an expression that begins with [ needs quotes")
        return {"from": written} if isinstance(written, str) and written else written


class TopicFeed(PlanMap):
    """How the records of a topic are read that have another shape than Avisa's own."""

    fields: Annotated[dict[FieldName, FeedField], BeforeValidator(or_empty)] = Field(
        {},
        max_length=200,
        description="Where each field of an event, as `customer.email`, comes from; `order_id` and `status` must be.",
    )
    envelope: Literal["connect", "debezium", "registry"] | None = Field(
        None, description="What is wrapped around the record, to be taken off; `registry`: a schema registry's."
    )
    only: Annotated[dict[Expression, Values], BeforeValidator(or_empty)] = Field(
        {}, max_length=20, description="Expressions with the values to take; other records are skipped."
    )
    only_if_changed: Annotated[list[Expression], BeforeValidator(one_or_more)] = Field(
        [],
        max_length=20,
        description="With `debezium`: a change of the row that changes none of these, as `after.status`, is skipped.",
        json_schema_extra={"type": ["array", "string"]},
    )
    nulls: Literal["clear", "unknown"] | None = Field(None, description="As `events.nulls`, for this topic.")
    notify: bool = Field(True, description="With `false` all is recorded, and nothing is told.")


class Plan(PlanMap):
    """The operators' map of touchpoints."""

    brands: Annotated[dict[Key, Brand], BeforeValidator(or_empty), Field(max_length=100)]
    calendars: Annotated[dict[Key, Calendar], BeforeValidator(or_empty), Field(max_length=100)] = {}
    owners: Annotated[dict[Key, Owner], BeforeValidator(or_empty), Field(max_length=500)] = {}
    defaults: Defaults = Field(default_factory=Defaults)
    events: Events = Field(default_factory=Events)
    feeds: Annotated[dict[Topic, TopicFeed], BeforeValidator(or_empty), Field(max_length=100)] = {}
    feed: Feed = Field(default_factory=Feed)
    touchpoints: Annotated[dict[Status, Touchpoint], BeforeValidator(or_empty), Field(min_length=1, max_length=500)]
    unknown_status: Touchpoint = Field(default_factory=Touchpoint)
