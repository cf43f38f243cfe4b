"""From what was written to what is meant: names looked up, defaults merged, the whole checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from avisa.core import working_time
from avisa.core.model import Alert, Purpose
from avisa.core.plan import Brand, Calendar, Feed, Owner, Plan, Remind, Span, Touchpoint
from avisa.diagnostics.suggest import closest_match
from avisa.diagnostics.yaml_reader import Path
from avisa.plan_file import schema
from avisa.plan_file.values import Duration, listed, shown

_MOST = timedelta(days=366)  # a window, or a closure, of more than a year is a mistake
_GENERIC = "generic"


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that does not hold together, and the key at which to mend it."""

    code: str
    path: Path
    message: str
    suggestion: str | None = None


@dataclass(frozen=True, slots=True)
class _Given:
    """A value and the key that gave it: the touchpoint's own, the defaults', or nobody's."""

    value: Any
    path: Path


@dataclass(slots=True)
class Resolver:
    """`named` are all names written under `calendars` and `owners`, also of those that could not be read."""

    plan: schema.Plan
    named: Mapping[str, Iterable[str]]
    faults: list[Fault] = field(default_factory=list)
    calendars: dict[str, Calendar] = field(default_factory=dict)

    def resolve(self, tell_from: datetime | None) -> Plan | None:
        """The plan that is meant; None if `faults` were found."""
        if "default" not in self.named["brands"]:
            self._fault("missing_key", ("brands",), "there must be a brand named default")
        default = self.plan.brands.get("default")
        zone = default.time_zone if default else ZoneInfo("UTC")
        for key, written in self.plan.calendars.items():
            self.calendars[key] = self._calendar(key, written, zone)
        plan = Plan(
            brands={key: _brand(key, brand) for key, brand in self.plan.brands.items()},
            owners={
                key: Owner(key=key, name=owner.name, email=owner.email) for key, owner in self.plan.owners.items()
            },
            touchpoints={
                status: self._touchpoint(status, own, ("touchpoints", status))
                for status, own in self.plan.touchpoints.items()
            },
            unknown=self._touchpoint("unknown_status", self.plan.unknown_status, ("unknown_status",), unknown=True),
            feed=Feed(
                blind_after=self.plan.feed.blind_after,
                hold_at_most=self.plan.feed.hold_at_most,
                silent_after=self.plan.feed.silent_after,
            ),
            tell_within=self.plan.defaults.tell_within,
            rank_by=self.plan.events.rank_by,
            tell_from=tell_from,
            longest_silence=self.plan.defaults.longest_silence,
        )
        return None if self.faults else plan

    def _calendar(self, key: str, written: schema.Calendar, zone: ZoneInfo) -> Calendar:
        calendar = Calendar(
            key=key,
            hours=written.hours,
            closed=written.holidays.union(*written.closed),
            zone=written.time_zone or zone,
        )
        days = working_time.longest_closure(calendar)
        if days == working_time.FARTHEST:
            self._fault("never_open", ("calendars", key), f"calendar {key} never opens")
        elif days > _MOST.days:
            self._fault("never_open", ("calendars", key), f"calendar {key} is closed for {days} days on end")
        return calendar

    def _touchpoint(self, status: str, own: schema.Touchpoint, path: Path, *, unknown: bool = False) -> Touchpoint:
        def given(*keys: str) -> _Given:
            """The own value, else the default one, else what CONTRACT 4 says; maps are merged key by key."""
            for written, base in ((own, path), (self.plan.defaults, ("defaults",))):
                if all(key in _get(written, keys[:n]).model_fields_set for n, key in enumerate(keys)):
                    return _Given(_get(written, keys), (*base, *keys))
            return _Given(_get(schema.Touchpoint(), keys), path)

        calendar = self._known_calendar(given("calendar"))
        spans = _Spans(self, status, calendar, unreadable=given("calendar").value is not None and not calendar)
        window = given("window")
        every = given("remind", "then_every")
        if every.value is None:
            every = window if window.value is not None else _Given(Duration(48, "h"), path)
        after = given("remind", "after")
        message, reminder = given("message"), given("messages", "reminder")
        if unknown:  # nothing but the generic message fits a status that nobody planned for
            message = _Given(own.message or _GENERIC, path)
            reminder = reminder if reminder.path[:1] == path else message
        if message.value is None and not any(fault.path[-1:] == ("message",) for fault in self.faults):
            self._fault("missing_key", path, f"touchpoint {status} needs a message")
        return Touchpoint(
            status=status,
            message=message.value or "",
            owner=self._known_owner(given("owner")),
            window=spans.read(window) if window.value is not None else None,
            calendar=calendar,
            count_from=given("count_from").value,
            remind=Remind(
                after=tuple(spans.read(_Given(gap, (*after.path, n))) for n, gap in enumerate(after.value)),
                then_every=spans.read(every),
                at_most=given("remind", "at_most").value,
            ),
            final=given("final").value,
            always=given("always").value,
            quiet_hours=given("quiet_hours").value,
            burst_wait=given("burst_wait").value,
            channels=tuple(given("channels").value),
            messages={
                Purpose.REMINDER: reminder.value,
                Purpose.PROMISE_MOVED: given("messages", "promise_moved").value,
                **{alert: given("messages", alert.value).value for alert in Alert},
            },
            ignore_moves_under=given("promise", "ignore_moves_under").value,
        )

    def _known_calendar(self, given: _Given) -> Calendar | None:
        self._must_be_named("calendars", given)
        return self.calendars.get(given.value) if given.value is not None else None

    def _known_owner(self, given: _Given) -> str | None:
        self._must_be_named("owners", given)
        owner: str | None = given.value
        return owner

    def _must_be_named(self, section: str, given: _Given) -> None:
        named = sorted(self.named[section])
        if given.value is not None and given.value not in named:
            allowed = listed(named) or f"none is written under {section}"
            message = f"there is no {section.removesuffix('s')} {shown(given.value, 'so called')}; allowed: {allowed}"
            self._fault("unknown_name", given.path, message, closest_match(given.value, named))

    def _fault(self, code: str, path: Path, message: str, suggestion: str | None = None) -> None:
        self.faults.append(Fault(code, path, message, suggestion))


@dataclass(frozen=True, slots=True)
class _Spans:
    """Reads the durations of one touchpoint, which mean what its calendar makes of them."""

    resolver: Resolver
    status: str
    calendar: Calendar | None
    unreadable: bool  # it has a calendar, but a wrong one, and that is fault enough

    def read(self, given: _Given) -> Span:
        amount: Duration = given.value
        code, message, suggestion = "not_allowed", None, None
        if amount.unit == "bd" and not self.calendar and not self.unreadable:
            code, message = "needs_calendar", f"{amount} needs a calendar, and touchpoint {self.status} has none"
            suggestion = "add calendar: NAME, or use d"
        elif amount.unit == "d" and self.calendar:
            message = f"{amount} is not possible with calendar {self.calendar.key} (touchpoint {self.status})"
            suggestion = f"use bd: {amount.count}bd"
        elif self.calendar and any(self.calendar.hours) and (days := _days(amount, self.calendar)) > _MOST.days:
            code = "too_long"
            message = f"{amount} take about {days:.0f} days with calendar {self.calendar.key}; at most {_MOST.days}"
        if message:
            self.resolver._fault(code, given.path, message, suggestion)
        return amount.span


def _days(amount: Duration, calendar: Calendar) -> float:
    """About how many days `amount` takes on `calendar`, holidays aside."""
    if amount.unit == "bd":
        return 7 * amount.count / sum(map(bool, calendar.hours))
    minutes = sum(
        ((closing.hour * 60 + closing.minute) or 1440) - opening.hour * 60 - opening.minute
        for day in calendar.hours
        for opening, closing in day
    )
    return 7 * amount.elapsed / timedelta(minutes=minutes)


def _get(written: Any, keys: Iterable[str]) -> Any:
    for key in keys:
        written = getattr(written, key)
    return written


def _brand(key: str, brand: schema.Brand) -> Brand:
    return Brand(
        key=key,
        name=brand.name,
        sender=brand.sender,
        reply_to=brand.reply_to,
        locale=brand.locale,
        time_zone=brand.time_zone.key,
        url=brand.url,
        logo=brand.logo,
        color=brand.color,
        most_words=brand.most_words,
        forbidden_words=tuple(brand.forbidden_words),
    )
