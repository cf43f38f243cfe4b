"""The operators' plan as frozen values: what is told at each status, by when, and by whom.

`plan_file` reads and checks it; here every name has been resolved and every default filled in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from avisa.core.model import Alert, Notification, Purpose
from avisa.core.topic_feed import TopicFeed


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    """How the firm presents itself; `locale` and `time_zone` stand in where the customer's are unknown."""

    key: str
    name: str
    sender: str  # an RFC 5322 mailbox: `Loja Azul <avisos@example.com>`
    reply_to: str | None = None
    locale: str = "en"
    time_zone: str = "UTC"
    url: str | None = None
    links: tuple[str, ...] = ()  # hosts that links of events may lead to, besides that of `url`; none: any host
    logo: str | None = None
    color: str | None = None
    most_words: int = 150  # of a message, before the check calls it long
    forbidden_words: tuple[str, ...] = ()  # that its customers are not to read


class Holidays(NamedTuple):
    """Days on which a country or region is closed, and days of weekends on which it works by decree."""

    country: str  # as the plan names it: `PT`, `ES-CT`
    closed: frozenset[date]
    working: frozenset[date]


Shift = tuple[time, time]  # opening and closing; a closing that is not later than its opening is on the next day


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """When windows run. `hours` has the shifts of each weekday, Monday first. A shift belongs to the day on which it
    begins."""

    key: str
    hours: tuple[tuple[Shift, ...], ...]
    closed: frozenset[date] = frozenset()  # holidays and closures, as plain dates
    hours_on: Mapping[date, tuple[Shift, ...]] = field(default_factory=dict, hash=False)  # of single days
    zone: ZoneInfo

    def shifts(self, day: date) -> tuple[Shift, ...]:
        """The shifts that begin on `day`, in order. Hours of the very day outrank a closure."""
        own = self.hours_on.get(day)
        if own is not None:
            return own
        return () if day in self.closed else self.hours[day.weekday()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A person or team inside the firm."""

    key: str
    name: str
    email: str
    locale: str | None = None  # None: the brand's
    next: str | None = None  # who is asked instead, and after this one
    after: timedelta | None = None  # how long a question may stay unanswered before `next` is asked; None: for ever


@dataclass(frozen=True, slots=True)
class Span:
    """A duration of the plan: either elapsed time, or `days` working days (`3bd`).

    `elapsed` counts only open hours when the touchpoint has a calendar.
    """

    elapsed: timedelta | None = None
    days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """Local wall-clock times between which customers are not mailed; `begin > end` spans midnight."""

    begin: time
    end: time


@dataclass(frozen=True, slots=True, kw_only=True)
class Remind:
    """The gaps after the first reminder, and how many there are in all."""

    after: tuple[Span, ...] = ()
    then_every: Span
    at_most: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Touchpoint:
    """A status the customer lives through."""

    status: str
    message: str
    owner: str | None = None
    window: Span | None  # None: `window: none`
    calendar: Calendar | None = None
    count_from: Literal["last_message", "last_event"] = "last_message"
    remind: Remind
    final: bool = False
    always: bool = False
    quiet_hours: QuietHours | None = None
    burst_wait: timedelta = timedelta(0)
    channels: tuple[str, ...] = ("email",)
    messages: Mapping[Purpose, str] = field(default_factory=dict)
    owner_messages: Mapping[Alert, str] = field(default_factory=dict)
    ignore_moves_under: timedelta = timedelta(0)
    moves_at_most_every: timedelta = timedelta(0)
    ask_owner_at: Span | int | None = None  # so long without news, or so many percent of the window
    playbook: str | None = None  # what an owner who is asked is to do
    ask_owner_before: timedelta | None = None  # the end of the promise
    warn_before: timedelta | None = None  # the end of the promise
    grace: timedelta = timedelta(hours=12)  # after the end of the promise, before it counts as broken
    fulfils_promise: bool = False
    news: tuple[str, ...] = ()  # names of details whose change is told
    once: bool = False

    def besides(self) -> Iterator[tuple[str, Purpose, str, str]]:
        """What may be sent at this touchpoint besides its own message: the plan's key for it, purpose, ordinal and
        message."""
        for purpose, message in self.messages.items():
            yield purpose.value, purpose, "1", message
        for alert, message in self.owner_messages.items():
            yield key_of(alert), Purpose.OWNER_ALERT, alert.value, message

    def message_for(self, purpose: Purpose, ordinal: str) -> str:
        """The name of the message that says `purpose`; an owner alert's ordinal is its kind."""
        if purpose is Purpose.UPDATE:
            return self.message
        if purpose is Purpose.OWNER_ALERT:
            return self.owner_messages[Alert(ordinal)]
        return self.messages[purpose]


def key_of(alert: Alert) -> str:
    """The plan's key for what an owner is told. A broken promise is told to the customer, too, by the usual key."""
    return "promise_broken_owner" if alert is Alert.PROMISE_BROKEN else alert.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """At most `count` within any `per`."""

    count: int
    per: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Flood:
    """How many mails an order and an address may get; None: as many as there are. What is over it waits."""

    per_order: Allowance | None = Allowance(count=6, per=timedelta(hours=1))
    per_address: Allowance | None = Allowance(count=12, per=timedelta(hours=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """When Avisa counts as blind; all in real time."""

    blind_after: timedelta = timedelta(minutes=5)
    hold_at_most: timedelta = timedelta(hours=4)
    silent_after: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """How events are read and ranked."""

    rank_by: Literal["occurred_at", "sequence"] = "occurred_at"
    promised_at: Literal["moment", "day"] = "moment"  # day: of a promised moment only the date that is written counts
    nulls: Literal["clear", "unknown"] | None = None  # None: null clears, but never who the customer is
    feeds: Mapping[str, TopicFeed] = field(default_factory=dict, hash=False)  # by topic, where it has another shape


USUAL_EVENTS = Events()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The whole map: one touchpoint per status, and one for statuses nobody planned for."""

    brands: Mapping[str, Brand]
    owners: Mapping[str, Owner] = field(default_factory=dict)
    touchpoints: Mapping[str, Touchpoint]
    unknown: Touchpoint  # for a status without a touchpoint; its `message` is the generic one
    feed: Feed = Feed()
    flood: Flood = Flood()
    tell_within: timedelta = timedelta(hours=72)
    events: Events = USUAL_EVENTS
    holidays: Mapping[str, Holidays] = field(default_factory=dict, hash=False)  # by country, of all calendars
    longest_silence: timedelta | None = None  # the longest window or gap that the check accepts
    tell_from: datetime | None = None  # AVISA_KAFKA__TELL_FROM
    # True if some status fulfils a promise; else nobody can say of any that it was broken.
    judges_promises: bool = field(init=False)
    way: tuple[str, ...] = field(init=False)  # the statuses up to the first final one: what an order passes as a rule

    def __post_init__(self) -> None:
        fulfils = any(touchpoint.fulfils_promise for touchpoint in self.touchpoints.values())
        object.__setattr__(self, "judges_promises", fulfils)
        ends = [place for place, touchpoint in enumerate(self.touchpoints.values(), 1) if touchpoint.final]
        object.__setattr__(self, "way", tuple(self.touchpoints)[: min(ends, default=None)])

    def touchpoint(self, status: str) -> Touchpoint:
        """The touchpoint of a status; for an unknown status the one that the plan has for those."""
        return self.touchpoints.get(status, self.unknown)

    def knows(self, status: str) -> bool:
        """True if the plan has a touchpoint for this very status."""
        return status in self.touchpoints

    def exempts(self, notification: Notification) -> bool:
        """True for an update that is told even if a newer status comes before it was sent."""
        return notification.purpose is Purpose.UPDATE and self.touchpoint(notification.status).always

    def besides(self, touchpoint: Touchpoint) -> Iterator[tuple[str, Purpose, str, str]]:
        """As `Touchpoint.besides`, without what this plan never tells, such as a warning where it asks for none."""
        never = set() if self.judges_promises and not touchpoint.final else {Purpose.PROMISE_BROKEN.value}
        if touchpoint.warn_before is None or touchpoint.final:
            never.add(Purpose.PROMISE_AT_RISK.value)
        if touchpoint.final or (touchpoint.ask_owner_at is None and touchpoint.ask_owner_before is None):
            never.add(Purpose.ASK_OWNER.value)
        return (it for it in touchpoint.besides() if not never & {it[1].value, it[2]})

    def brand(self, key: object) -> Brand:
        """The brand of this name, else the default one."""
        return self.brands.get(key, self.brands["default"]) if isinstance(key, str) else self.brands["default"]

    def stages(self) -> tuple[str, ...]:
        """The statuses in the order of the plan, for the picture of an order's progress."""
        return tuple(self.touchpoints)
