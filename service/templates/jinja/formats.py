"""Dates, amounts and numbers as people of a locale write them: the filters of templates.

Babel knows how, but asking it for each value would cost more than all the rest of a mail. So Babel is asked once per
locale and number of decimals; what it does is imitated, and the imitation is compared with Babel on a set of probes.
Where they differ, as with Indian grouping or other digits, Babel is asked each time. Currencies with the same number
of decimals differ by their symbol alone, so each new currency costs next to nothing.

A value that is no date or no amount is returned as it is: an event must not be able to stop a mail.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from babel import Locale
from babel.core import UnknownLocaleError
from babel.dates import format_date, format_time
from babel.numbers import format_currency, format_decimal, get_currency_precision, get_currency_symbol

from avisa.core import minor_units, zones
from avisa.core.model import Json
from avisa.templates.jinja.currencies import NO_BREAK, apart, code_of, is_figures, is_unit, sticks

_YEAR = re.compile(r"(?:,|\s)*(?:'[^']*'\s*)?y+\.?$")
_PROBES = tuple("0 1 7.5 12.34 999.99 1000 1234.56 9999.99 12345.67 1234567.89 -0.05 -1234.5".split())
_LOCALE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")
CURRENCY = re.compile(r"[A-Z]{3}")
FORMATS = frozenset({"day", "date", "time", "datetime", "money", "minor", "number"})  # the filters
_LONGEST = 60  # characters of a date or an amount
_AMOUNTS = frozenset({bool, int, float})  # besides texts
_LARGEST = 18  # digits before the decimal point
_HALF_A_YEAR = 182  # days
_NEAR = 60  # days, in which a day is known without its year although another year has begun


def is_locale(name: str) -> bool:
    """Whether the name is written like `pt` or `pt-BR`, and Babel knows the locale."""
    return _LOCALE.fullmatch(name) is not None and known_locale(name)


def tidy_locale(name: str) -> str | None:
    """Return `pt-BR` for `pt_br`; None if nobody can know what was meant."""
    language, between, country = name.replace("_", "-").partition("-")
    tidy = language.lower() + between + country.upper()
    return tidy if tidy != name and is_locale(tidy) else None


def known_locale(name: str) -> bool:
    """Whether Babel knows the locale."""
    try:
        return bool(Locale.parse(name, sep="-"))
    except (UnknownLocaleError, ValueError):
        return False


@dataclass(frozen=True, slots=True)
class _Digits:
    """How a locale writes a number with a fixed count of decimals."""

    before: str
    after: str
    minus: str  # before everything
    point: str
    group: str
    least_grouped: int  # digits before the decimal point from which on groups are set apart
    places: int

    def of(self, amount: Decimal) -> str:
        """Return any amount, rounded."""
        return self.write(_rounded(amount, self.places))

    def write(self, amount: Decimal) -> str:
        """Return an amount that has no more decimals than `places`."""
        whole, _, fraction = f"{abs(amount):.{self.places}f}".partition(".")
        if len(whole) >= self.least_grouped:
            whole = f"{int(whole):,}".replace(",", self.group)
        sign = self.minus if amount < 0 else ""
        return f"{sign}{self.before}{whole}{self.point if fraction else ''}{fraction}{self.after}"


class Formats:
    """The filters of one locale. Every method takes JSON values and returns text, or the value that it cannot
    write."""

    def __init__(self, locale: str) -> None:
        self._locale = Locale.parse(locale, sep="-")
        full = str(self._locale.date_formats["full"].pattern)
        without_year = _YEAR.sub("", full)
        self._full_pattern = full
        self._day_pattern = full if "y" in without_year else without_year
        self._join = str(self._locale.datetime_formats.get("long", "{1} {0}")).replace("'", "")
        self._day = lru_cache(1024)(self._day_of)  # a mail says a day up to eight times
        self._write_day = lru_cache(1024)(self._babel_day)
        self._write_date = lru_cache(1024)(self._babel_date)
        self._write_time = lru_cache(1440)(self._babel_time)
        self._write_whole = lru_cache(1024)(self._whole)
        self._write_money = lru_cache(1024, typed=True)(self._amount_of)  # both texts of a mail ask
        self._money = lru_cache(64)(self._money_of)
        self._code = lru_cache(64)(lambda written: code_of(written, self._locale))
        self._decimals = lru_cache(16)(self._learn_decimals)
        self._monies: dict[int, _Digits | None] = {}  # by decimals, with `¤` for the symbol; None: Babel is asked

    def day(self, value: Json, zone: str, now: Json = None) -> Json:
        """`segunda-feira, 9 de março`; with its year if that is not the one that everybody thinks of."""
        return self._day(value, zone, now) if isinstance(value, str) and len(value) <= _LONGEST else value

    def _day_of(self, value: str, zone: str, now: Json) -> str:
        at = moment_of(value, zone)
        if at is None:
            return value
        return self._write_day(at.year, at.month, at.day, _is_far(at, moment_of(now, zone)))

    def date(self, value: Json, zone: str) -> Json:
        """`9 de março de 2026`."""
        at = moment_of(value, zone)
        return value if at is None else self._write_date(at.year, at.month, at.day)

    def time(self, value: Json, zone: str) -> Json:
        """`10:15`; empty for a date without a time."""
        at = moment_of(value, zone)
        if at is None:
            return value
        return self._write_time(at.hour, at.minute) if isinstance(at, datetime) else ""

    def datetime(self, value: Json, zone: str) -> Json:
        """`9 de março de 2026 10:15`; a date without a time stays a date."""
        at = moment_of(value, zone)
        if at is None:
            return value
        day = self._write_date(at.year, at.month, at.day)
        if not isinstance(at, datetime):
            return day
        return self._join.replace("{1}", day).replace("{0}", self._write_time(at.hour, at.minute))

    def money(self, value: Json, currency: Json) -> Json:
        """`129,90 €`; what is no currency stands behind the number as it came, `129,90 points`."""
        if not _can_be_amount(value):
            return value
        can_be_unit = isinstance(currency, str) and len(currency) <= _LONGEST
        return self._write_money(value, currency if can_be_unit else "")

    def _amount_of(self, value: Json, currency: str) -> Json:
        amount, code = amount_of(value), self._code(currency)
        if amount is not None and code is not None:
            return self._money(code)(amount)
        if amount is None and not is_figures(value):
            return value
        bare = str(value).strip() if amount is None else self._decimals(2)(amount)
        return f"{bare}{NO_BREAK}{code or currency.strip()}" if is_unit(currency) else bare

    def minor(self, value: Json, currency: Json) -> Json:
        """`129.90` for 12990 cents: an amount in the smallest unit of its currency, for `money` or `number`."""
        amount = amount_of(value)
        if amount is None:
            return value
        can_be_unit = isinstance(currency, str) and len(currency) <= _LONGEST
        return f"{amount.scaleb(-minor_units.decimals(self._code(currency) if can_be_unit else None)):f}"

    def number(self, value: Json) -> Json:
        """`1.234,5`, with as many decimals as the value has, up to six."""
        if value.__class__ is int and -10_000 < value < 10_000:  # quantities: mostly the same few
            return self._write_whole(value)
        amount = amount_of(value)
        if amount is None:
            return value
        exponent = amount.normalize().as_tuple().exponent
        places = min(max(-exponent, 0), 6) if isinstance(exponent, int) else 0
        return self._decimals(places)(amount)

    def _whole(self, value: int) -> str:
        return self._decimals(0)(Decimal(value))

    def _babel_day(self, year: int, month: int, day: int, far: bool) -> str:
        pattern = self._full_pattern if far else self._day_pattern
        return format_date(date(year, month, day), pattern, locale=self._locale)

    def _babel_date(self, year: int, month: int, day: int) -> str:
        return format_date(date(year, month, day), "long", locale=self._locale)

    def _babel_time(self, hour: int, minute: int) -> str:
        # Any day without a change of clocks will do, since the moment was put into its zone before.
        return format_time(datetime(2026, 1, 1, hour, minute), "short", locale=self._locale)  # noqa: DTZ001

    def _money_of(self, currency: str) -> Callable[[Decimal], str]:
        def ask(amount: Decimal) -> str:
            return format_currency(amount, currency, locale=self._locale)

        places, symbol = get_currency_precision(currency), get_currency_symbol(currency, self._locale)
        if places not in self._monies:
            self._monies[places] = _without(symbol, _learn(ask, places))
        learned = self._monies[places]
        return _writing(
            None if learned is None else _with(symbol, learned), lambda amount: apart(ask(amount), symbol), places
        )

    def _learn_decimals(self, places: int) -> Callable[[Decimal], str]:
        whole = str(self._locale.decimal_formats[None].pattern).partition(".")[0]
        pattern = whole + ("." + "0" * places if places else "")

        def ask(amount: Decimal) -> str:
            return format_decimal(amount, pattern, locale=self._locale)

        return _writing(_learn(ask, places), ask, places)


formats_of = lru_cache(64)(Formats)  # locales; a batch's customers live in few countries


def _writing(learned: _Digits | None, ask: Callable[[Decimal], str], places: int) -> Callable[[Decimal], str]:
    """Return what writes amounts: the imitation if there is one, else Babel."""
    return (lambda amount: ask(_rounded(amount, places))) if learned is None else learned.of


def _learn(ask: Callable[[Decimal], str], places: int) -> _Digits | None:
    """Return an imitation of `ask`, which asks Babel; None if it fails on one of the probes."""
    large = ask(_rounded(Decimal("1234567.41"), places))
    marked = re.fullmatch(r"(\D*)1(\D*)234(\D*)567(?:(\D+?)(4\d*))?(\D*)", large)
    negative = re.match(r"\D*", ask(_rounded(Decimal(-5), places)))
    if marked is None or negative is None or marked[2] != marked[3]:
        return None
    before, group, _, point, _, after = marked.groups(default="")
    minus = negative[0].removesuffix(before)
    least = 4 if group in ask(Decimal(1234)).replace(before, "", 1).replace(after, "", 1) else 5
    digits = _Digits(before, after, minus, point, group, least, places)
    probes = [_rounded(Decimal(probe), places) for probe in _PROBES]
    return digits if all(digits.write(probe) == ask(probe) for probe in probes) else None


def _rounded(amount: Decimal, places: int) -> Decimal:
    """Return the amount, rounded; zero has no sign."""
    return amount.quantize(Decimal(1).scaleb(-places)) + 0


def _without(symbol: str, digits: _Digits | None) -> _Digits | None:
    """Return the digits with `¤` for the symbol, for any currency; None if the symbol's place is not certain."""
    if digits is None or (digits.before + digits.after).count(symbol) != 1 or symbol in digits.minus:
        return None
    return replace(digits, before=digits.before.replace(symbol, "¤"), after=digits.after.replace(symbol, "¤"))


def _with(symbol: str, digits: _Digits) -> _Digits:
    before, after = digits.before.replace("¤", symbol), digits.after.replace("¤", symbol)
    if digits.before.endswith("¤") and sticks(symbol[-1]):
        before += NO_BREAK
    if digits.after.startswith("¤") and sticks(symbol[0]):
        after = NO_BREAK + after
    return replace(digits, before=before, after=after)


def _is_far(at: date, now: date | None) -> bool:
    """Return whether a day without its year could be taken for that day of another year."""
    if now is None:
        return False
    days = abs(at.toordinal() - now.toordinal())
    return days > _HALF_A_YEAR or (at.year != now.year and days > _NEAR)


def moment_of(value: Json, zone: str) -> date | None:
    """Return a date, or a moment converted to the zone; a moment without a zone is returned as it is. None if it
    is neither."""
    return _read_moment(value, zone) if isinstance(value, str) and len(value) <= _LONGEST else None


@lru_cache(1024)  # a mail says a date up to eight times, and the mails of a batch the same ones
def _read_moment(value: str, zone: str) -> date | None:
    try:
        if len(value) == 10:
            return date.fromisoformat(value)
        at = datetime.fromisoformat(value)
        return at if at.tzinfo is None else at.astimezone(zones.named(zone) or UTC)
    except (ValueError, OverflowError):
        return None


def _can_be_amount(value: Json) -> bool:
    """Whether it may be an amount. A long text is none, and the caches would keep it for long."""
    return len(value) <= _LONGEST if isinstance(value, str) else value.__class__ in _AMOUNTS


def amount_of(value: Json) -> Decimal | None:
    if isinstance(value, bool) or not _can_be_amount(value):
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and amount.adjusted() < _LARGEST else None
