"""What operators may write where the plan asks for a duration, hours, a date, a zone, an address …

Each function takes the text that was written and answers its meaning, or raises `wrong` with what is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Literal, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import babel
from pydantic_core import PydanticCustomError

from avisa.core.plan import QuietHours, Span
from avisa.diagnostics.suggest import closest_match

Unit = Literal["s", "m", "h", "d", "bd"]
Hours = tuple[tuple[tuple[time, time], ...], ...]

_MOST_LISTED = 20  # names to choose from
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOLIDAY_YEARS = range(2015, 2046)
LONGEST = timedelta(days=400)  # of any duration
_UNITS = {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_ALLOWED = "allowed: 30s, 5m, 48h, 3d, 3bd"
_LABEL = re.compile(r"(?!-)[\w-]{1,63}(?<!-)")
_SPECIALS = frozenset('()<>@,:;\\".[]')


def wrong(code: str, message: str, suggestion: str | None = None) -> PydanticCustomError:
    """An error with its own words, to be told as they stand."""
    # Pydantic fills {names} of the message from the context, so the words travel there.
    return PydanticCustomError(code, "{words}", {"words": message, "suggestion": suggestion})


@dataclass(frozen=True, slots=True)
class Duration:
    """A duration as written, because `3d` and `72h` differ where a calendar is asked."""

    count: int
    unit: Unit

    def __str__(self) -> str:
        return f"{self.count}{self.unit}"

    @property
    def span(self) -> Span:
        return Span(days=self.count) if self.unit == "bd" else Span(elapsed=self.elapsed)

    @property
    def elapsed(self) -> timedelta:
        return self.count * _UNITS["d" if self.unit == "bd" else self.unit]


def duration(text: str) -> Duration:
    found = re.fullmatch(r"(\d{1,9})\s?(s|m|h|bd|d)", text.strip())
    if found is None:
        if re.fullmatch(r"\d+(\.\d+)?\s?%", text.strip()):
            raise wrong("not_supported_yet", f"a percentage is not supported here; {_ALLOWED}")
        raise wrong("bad_duration", f"{shown(text)} is not a duration; {_ALLOWED}", _in_short(text))
    amount = Duration(int(found[1]), cast(Unit, found[2]))
    if amount.elapsed > LONGEST:
        raise wrong("bad_duration", f"{amount} is too long; at most {LONGEST.days}d")
    return amount


def _in_short(text: str) -> str | None:
    """A duration written out, the way it is written here: `2 working days` is `2bd`."""
    found = re.fullmatch(r"(\d{1,9})\s*(working |business )?(sec|min|h|d|w)[a-z]*", text.strip().lower())
    if found is None:
        return None
    count, working, unit = int(found[1]), found[2], found[3]
    if working:
        return f"{count}bd" if unit == "d" else None
    return f"{7 * count}d" if unit == "w" else f"{count}{unit[0]}"


def span(text: str) -> Duration:
    """A duration that may be working time, and is not nothing."""
    amount = duration(text)
    if not amount.count:
        raise wrong("bad_duration", f"{amount} is no time at all; the least is 1s")
    return amount


def elapsed(text: str) -> timedelta:
    """A duration of plain time."""
    amount = duration(text)
    if amount.unit == "bd":
        raise wrong("bad_duration", f"{amount}: working days are not possible here; allowed: 30s, 5m, 48h, 3d")
    return amount.elapsed


def positive(text: str) -> timedelta:
    """A duration of plain time that is not nothing."""
    return elapsed(str(span(text)))


def clock(text: str) -> time | None:
    """`09:00`; `24:00` is the midnight that ends the day, written `time(0)`. None: not a time of day."""
    found = re.fullmatch(r"(\d\d?):(\d\d)", text)
    if found is None:
        return None
    hour, minute = int(found[1]), int(found[2])
    if (hour, minute) == (24, 0):
        return time(0)
    return time(hour, minute) if hour < 24 and minute < 60 else None


def quiet_hours(text: str) -> QuietHours:
    begin, end = _from_to(text.strip(), 'allowed: two times of day such as "21:00-08:00", or none')
    if begin == end:
        raise wrong("bad_hours", f"quiet hours {shown(text)} are the whole day, so nobody would ever hear anything")
    length = ((end.hour - begin.hour) * 60 + end.minute - begin.minute) % 1440
    if length > 23 * 60:
        raise wrong("bad_hours", f"quiet hours {shown(text)} leave less than an hour to write in")
    return QuietHours(begin=begin, end=end)


def hours(text: str) -> Hours:
    """`mon-fri 09:00-18:00, sat 09:00-13:00`: the openings of each weekday, Monday first, in order."""
    week: list[list[tuple[time, time]]] = [[] for _ in WEEKDAYS]
    allowed = 'allowed: "mon-fri 09:00-18:00, sat 09:00-13:00"'
    for part in text.split(","):
        days, *openings = part.split() or [""]
        if not openings:
            raise wrong("bad_hours", f"{shown(part.strip())} names no hours; {allowed}")
        for opening, closing in (_from_to(each, allowed) for each in openings):
            if closing != time(0) and opening >= closing:
                raise wrong(
                    "bad_hours",
                    f"{opening:%H:%M}-{closing:%H:%M} does not end after it begins",
                    f"over midnight write two parts: fri {opening:%H:%M}-24:00, sat 00:00-{closing:%H:%M}",
                )
            for day in _weekdays(days, allowed):
                week[day].append((opening, closing))
    for name, day_hours in zip(WEEKDAYS, week, strict=True):
        day_hours.sort()
        for (_, closing), (opening, _) in pairwise(day_hours):
            if closing == time(0) or opening < closing:
                raise wrong("bad_hours", f"the hours of {name} overlap")
    return tuple(map(tuple, week))


def closed(text: str) -> frozenset[date]:
    """`2026-12-24`, or `2026-12-24..2027-01-02` with both ends."""
    first, _, last = text.strip().partition("..")
    begin, end = _date(first), _date(last or first)
    if begin is None or end is None:
        raise wrong("bad_date", f"{shown(text)} is not a date; allowed: 2026-12-24 or 2026-12-24..2027-01-02")
    if not timedelta(0) <= end - begin <= timedelta(days=366):
        raise wrong("bad_date", f"{shown(text)} must end after it begins, within a year")
    return frozenset(begin + timedelta(days=n) for n in range((end - begin).days + 1))


@lru_cache(maxsize=64)  # a country takes up to 80 ms, and a plan is read again at every save
def holidays(text: str) -> frozenset[date]:
    """The public holidays of a country or region of the `holidays` package, as dates."""
    import holidays as package  # a plan without holidays starts without loading it

    country, _, region = text.strip().partition("-")
    supported = package.list_supported_countries()
    if country not in supported:
        allowed = "a country, or a country and a region, such as PT or ES-CT"
        nearest = closest_match(country, supported)
        raise wrong("unknown_name", f"there are no holidays for {shown(text)}; allowed: {allowed}", nearest)
    if region and region not in supported[country]:
        regions = [f"{country}-{each}" for each in supported[country]]
        allowed = ", ".join([country, *regions])
        nearest = closest_match(text, regions)
        raise wrong("unknown_name", f"there are no holidays for {shown(text)}; allowed: {allowed}", nearest)
    return frozenset(package.country_holidays(country, subdiv=region or None, years=HOLIDAY_YEARS))


def zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text.strip())
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a folder of zones
        raise wrong(
            "unknown_name",
            f"there is no time zone {shown(text)}; allowed: names such as Europe/Lisbon or UTC",
            closest_match(text, available_timezones()),
        ) from None


def locale(text: str) -> str:
    tag = text.strip()
    try:
        # Babel alone would also take POSIX modifiers, `de-DE@euro`.
        known = re.fullmatch(r"[A-Za-z0-9-]+", tag) and babel.Locale.parse(tag, sep="-")
    except (babel.UnknownLocaleError, ValueError):
        known = None
    if not known:
        raise wrong("unknown_name", f"there is no locale {shown(text)}; allowed: such as pt-PT, es or en")
    return tag


def address(text: str) -> str:
    """One e-mail address. What it was is not said in the error."""
    local, _, domain = text.strip().rpartition("@")
    atoms, labels = local.split("."), domain.split(".")
    sound = all(atoms) and not any(_SPECIALS & set(atom) or re.search(r"\s", atom) for atom in atoms)
    if not sound or not all(map(_LABEL.fullmatch, labels)) or len(text) > 254 or not text.strip().isprintable():
        raise wrong("bad_address", "this is not an e-mail address; allowed: one such as avisos@example.com")
    return text.strip()


def mailbox(text: str) -> str:
    """An address, or a name and an address (RFC 5322 section 3.4); the name is quoted where it has to be."""
    found = re.fullmatch(r"([^<>]*)<([^<>]+)>", text.strip())
    if found is None:
        return address(text)
    name = found[1].strip()
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = name[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    if not name.isprintable():
        raise wrong("bad_address", "the name before the address has a character that cannot be shown")
    if _SPECIALS & set(name):
        name = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{name} <{address(found[2])}>".strip()


def link(text: str) -> str:
    if not re.fullmatch(r"https?://(?!https?:)[^\s/?#@]+([/?#]\S*)?", text.strip()):
        raise wrong("bad_link", f"{shown(text)} is not a link; allowed: https://shop.example/…")
    return text.strip()


def color(text: str) -> str:
    """A colour with six digits, also where it was written with three."""
    if not re.fullmatch(r"#([0-9a-fA-F]{3}){1,2}", text.strip()):
        raise wrong("bad_color", f'{shown(text)} is not a colour; allowed: "#0a5" or "#00aa55", in quotes')
    digits = text.strip()[1:]
    return "#" + (digits if len(digits) == 6 else "".join(digit * 2 for digit in digits))


def name(text: str) -> str:
    """A name for people: of a brand, of an owner."""
    text = text.replace("\u00a0", " ").strip()  # which comes with what is copied from elsewhere
    if not text or not text.isprintable() or len(text) > 200:
        raise wrong("bad_name", "a name has 1 to 200 characters in one line")
    return text


def message(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", text):
        bare = re.sub(r"^messages/|(/[A-Za-z-]+)?\.md$", "", text.lower())
        plain = re.sub(r"[^a-z0-9_]+", "-", bare).strip("-")
        raise wrong(
            "bad_name",
            f"{shown(text)} is not the name of a message; allowed: small letters, digits and -",
            plain if plain and "@" not in text else None,
        )
    return text


def listed(words: Sequence[str]) -> str:
    """Names to choose from; of very many, the first."""
    return ", ".join(words[:_MOST_LISTED]) + (" …" if len(words) > _MOST_LISTED else "")


def shown(text: str, instead: str = "what is written") -> str:
    """What was written, for an error; not if it may hold an address."""
    return instead if "@" in text else repr(text if len(text) <= 60 else text[:59] + "…")


def _from_to(text: str, allowed: str) -> tuple[time, time]:
    first, dash, last = text.partition("-")
    begin, end = clock(first.strip()), clock(last.strip())
    if not dash or begin is None or end is None or first.strip() == "24:00":
        raise wrong("bad_hours", f"{shown(text)} is not from one time of day to another; {allowed}")
    return begin, end


def _weekdays(text: str, allowed: str) -> list[int]:
    first, _, last = text.lower().partition("-")
    for each in (first, last or first):
        if each not in WEEKDAYS:
            raise wrong("bad_hours", f"{shown(each)} is not a weekday; {allowed}", closest_match(each, WEEKDAYS))
    begin, end = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
    return [(begin + n) % 7 for n in range((end - begin) % 7 + 1)]


def _date(text: str) -> date | None:
    try:
        day = date.fromisoformat(text.strip()) if re.fullmatch(r"\d{4}-\d\d-\d\d", text.strip()) else None
    except ValueError:
        return None
    return day if day and 2000 <= day.year < 2100 else None
