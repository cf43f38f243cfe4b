"""From the plan as written to the plan as meant: names looked up, defaults merged, the whole checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial, reduce
from typing import Any
from zoneinfo import ZoneInfo

from avisa.core import promises, working_time
from avisa.core.model import Alert, Purpose
from avisa.core.plan import Brand, Calendar, Events, Feed, Flood, Owner, Plan, Remind, Shift, Span, Touchpoint, key_of
from avisa.diagnostics.suggest import closest_match
from avisa.diagnostics.yaml_reader import Path
from avisa.plan_file import feeds, schema
from avisa.plan_file.mistake import Mistake
from avisa.plan_file.values import Duration, listed, quoted

_A_YEAR = timedelta(days=366)  # a longer window or closure is a mistake
# What is told besides the update and the reminder.
_OCCASIONS = (Purpose.PROMISE_MOVED, *promises.OF_TIME, Purpose.ASK_OWNER)
_GENERIC = "generic"
_UNWRITTEN = schema.Touchpoint()  # what holds where neither the touchpoint nor the defaults say anything


@dataclass(frozen=True, slots=True)
class _Located:
    """A value and the path of the key that gave it: the touchpoint's own key, or the defaults'. A value that neither
    gave has the path of the touchpoint."""

    value: Any
    path: Path


@dataclass(slots=True)
class Resolver:
    """Makes the plan. `named` has all names written under `brands`, `calendars` and `owners`, also those of entries
    that are wrong in themselves, since to refer to one of them is no second mistake."""

    plan: schema.Plan
    named: Mapping[str, Iterable[str]]
    mistakes: list[Mistake] = field(default_factory=list)
    calendars: dict[str, Calendar] = field(default_factory=dict)

    def resolve(self, tell_from: datetime | None) -> Plan | None:
        """Return the plan; None if there are `mistakes`."""
        if "default" not in self.named["brands"]:
            self._add("missing_key", ("brands",), "there must be a brand named default")
        default = self.plan.brands.get("default")
        zone = default.time_zone if default else ZoneInfo("UTC")
        for key, written in self.plan.calendars.items():
            self.calendars[key] = self._calendar(key, written, zone)
        plan = Plan(
            brands={key: _brand(key, brand) for key, brand in self.plan.brands.items()},
            owners={key: self._owner(key, owner) for key, owner in self.plan.owners.items()},
            touchpoints={
                status: self._touchpoint(status, own, ("touchpoints", status))
                for status, own in self.plan.touchpoints.items()
            },
            unknown=self._touchpoint("unknown_status", self.plan.unknown_status, ("unknown_status",), unknown=True),
            feed=Feed(**dict(self.plan.feed)),
            flood=Flood(**dict(self.plan.defaults.flood)),
            tell_within=self.plan.defaults.tell_within,
            events=Events(**dict(self.plan.events), feeds=feeds.compiled(self.plan, self.mistakes)),
            tell_from=tell_from,
            holidays={each.country: each for calendar in self.plan.calendars.values() for each in calendar.holidays},
            longest_silence=self.plan.defaults.longest_silence,
        )
        return None if self.mistakes else plan

    def _owner(self, key: str, written: schema.Owner) -> Owner:
        self._must_be_named("owners", _Located(written.next, ("owners", key, "next")))
        if written.after is not None and written.next is None:
            self._add("missing_key", ("owners", key, "after"), f"owner {key} has no `next` to ask after that")
        line = [key]
        while (following := self.plan.owners.get(line[-1])) is not None and following.next is not None:
            if following.next == key:
                path = " → ".join([*line, key])
                self._add("circle", ("owners", key, "next"), f"the owners ask each other in a circle: {path}")
            if following.next in line:
                break
            line.append(following.next)
        return Owner(key=key, **dict(written))

    def _calendar(self, key: str, written: schema.Calendar, zone: ZoneInfo) -> Calendar:
        calendar = Calendar(
            key=key,
            hours=written.hours,
            closed=frozenset().union(*written.closed, *(each.closed for each in written.holidays)),
            hours_on=_working_weekends(written) | written.hours_on,
            zone=written.time_zone or zone,
        )
        days = working_time.longest_closure(calendar)
        if days == working_time.FARTHEST:
            self._add("never_open", ("calendars", key), f"calendar {key} never opens")
        elif days > _A_YEAR.days:
            self._add("never_open", ("calendars", key), f"calendar {key} is closed for {days} days on end")
        return calendar

    def _touchpoint(self, status: str, own: schema.Touchpoint, path: Path, *, unknown: bool = False) -> Touchpoint:
        def lookup(*keys: str) -> _Located:
            """The touchpoint's own value, else that of `defaults`, else the schema's; maps are merged key by key."""
            for written, base in ((own, path), (self.plan.defaults, ("defaults",))):
                if all(key in reduce(getattr, keys[:n], written).model_fields_set for n, key in enumerate(keys)):
                    return _Located(reduce(getattr, keys, written), (*base, *keys))
            return _Located(reduce(getattr, keys, _UNWRITTEN), path)

        calendar_name, owner = lookup("calendar"), lookup("owner")
        self._must_be_named("calendars", calendar_name)
        self._must_be_named("owners", owner)
        calendar = self.calendars.get(calendar_name.value)
        bad_calendar = calendar_name.value is not None and not calendar
        span = partial(self._span, status=status, calendar=calendar, bad_calendar=bad_calendar)
        window = lookup("window")
        every = lookup("remind", "then_every")
        if every.value is None:
            every = window if window.value is not None else _Located(Duration(48, "h"), path)
        after = lookup("remind", "after")
        ask = lookup("ask_owner_at")
        if isinstance(ask.value, int) and window.value is None:
            self._add("not_allowed", ask.path, f"touchpoint {status} has no window to take {ask.value}% of")
        message, reminder = lookup("message"), lookup("messages", "reminder")
        if unknown:  # only the generic message fits a status that is not in the plan
            message = _Located(own.message or _GENERIC, path)
            reminder = reminder if reminder.path == (*path, "messages", "reminder") else message
        if message.value is None and not any(mistake.path[-1:] == ("message",) for mistake in self.mistakes):
            self._add("missing_key", path, f"touchpoint {status} needs a message")
        return Touchpoint(
            status=status,
            message=message.value or "",
            owner=owner.value,
            window=span(window) if window.value is not None else None,
            calendar=calendar,
            count_from=lookup("count_from").value,
            remind=Remind(
                after=tuple(span(_Located(gap, (*after.path, n))) for n, gap in enumerate(after.value)),
                then_every=span(every),
                at_most=lookup("remind", "at_most").value,
            ),
            final=lookup("final").value,
            always=lookup("always").value,
            quiet_hours=lookup("quiet_hours").value,
            burst_wait=lookup("burst_wait").value,
            channels=tuple(lookup("channels").value),
            messages={
                Purpose.REMINDER: reminder.value,
                **{it: lookup("messages", it.value).value for it in _OCCASIONS},
            },
            owner_messages={alert: lookup("messages", key_of(alert)).value for alert in Alert},
            ask_owner_at=span(ask) if isinstance(ask.value, Duration) else ask.value,
            playbook=lookup("playbook").value,
            ignore_moves_under=lookup("promise", "ignore_moves_under").value,
            moves_at_most_every=lookup("promise", "at_most_every").value,
            ask_owner_before=lookup("promise", "ask_owner_before").value,
            warn_before=lookup("promise", "warn_before").value,
            grace=lookup("promise", "grace").value,
            fulfils_promise=lookup("fulfils_promise").value,
            news=tuple(lookup("news").value),
            once=lookup("once").value,
        )

    def _must_be_named(self, section: str, located: _Located) -> None:
        named = sorted(self.named[section])
        if located.value is not None and located.value not in named:
            allowed = listed(named) or f"none is written under {section}"
            message = (
                f"there is no {section.removesuffix('s')} {quoted(located.value, 'so called')}; allowed: {allowed}"
            )
            self._add("unknown_name", located.path, message, closest_match(located.value, named))

    def _add(self, code: str, path: Path, message: str, suggestion: str | None = None) -> None:
        self.mistakes.append(Mistake(code, path, message, suggestion))

    def _span(self, located: _Located, *, status: str, calendar: Calendar | None, bad_calendar: bool) -> Span:
        """Return the span of a duration of touchpoint `status`: `bd` needs a calendar, and `d` is refused with one.
        Of a calendar that has a mistake of its own nothing more is said."""
        amount: Duration = located.value
        if amount.unit == "bd" and not calendar and not bad_calendar:
            message = f"{amount} needs a calendar, and touchpoint {status} has none"
            self._add("needs_calendar", located.path, message, "add calendar: NAME, or use d")
        elif amount.unit == "d" and calendar:
            message = f"{amount} is not possible with calendar {calendar.key} (touchpoint {status})"
            self._add("not_allowed", located.path, message, f"use bd: {amount.count}bd")
        elif calendar and any(calendar.hours) and (days := _days(amount, calendar)) > _A_YEAR.days:
            message = f"{amount} take about {days:.0f} days with calendar {calendar.key}; at most {_A_YEAR.days}"
            self._add("too_long", located.path, message)
        return amount.span


def _working_weekends(written: schema.Calendar) -> dict[date, tuple[Shift, ...]]:
    """The days of weekends on which a country works by decree, with the hours of the last open weekday before."""
    closed = frozenset().union(*written.closed, *(each.closed for each in written.holidays))
    found: dict[date, tuple[Shift, ...]] = {}
    for day in frozenset().union(*(each.working for each in written.holidays)) - closed:
        before = (written.hours[(day.weekday() - ago) % 7] for ago in range(7))
        found[day] = next(filter(None, before), ())
    return found


def _days(amount: Duration, calendar: Calendar) -> float:
    """About how many days `amount` takes on `calendar`, without regard to holidays."""
    if amount.unit == "bd":
        return 7 * amount.count / sum(map(bool, calendar.hours))
    minutes = sum(
        ((closing.hour - opening.hour) * 60 + closing.minute - opening.minute) % 1440 or 1440
        for day in calendar.hours
        for opening, closing in day
    )
    return 7 * amount.elapsed / timedelta(minutes=minutes)


def _brand(key: str, brand: schema.Brand) -> Brand:
    plain = {"time_zone": brand.time_zone.key, "forbidden_words": tuple(brand.forbidden_words)}
    return Brand(key=key, **{**dict(brand), **plain, "links": tuple(brand.links)})
