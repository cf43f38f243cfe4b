"""Amounts and dates, against Babel, which is the judge of them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache

import pytest
from babel.dates import format_date
from babel.numbers import format_currency, get_currency_symbol, list_currencies
from hypothesis import given
from hypothesis import strategies as st

from avisa.templates.jinja.currencies import apart
from avisa.templates.jinja.formats import Formats, known_locale

LOCALES = ("en", "en-GB", "pt-PT", "pt-BR", "es", "ca", "de", "de-CH", "fr", "pl", "hi", "ar", "ja", "sv")
MADE = {locale: Formats(locale) for locale in LOCALES}


@lru_cache(2_000)  # each currency in one locale
def _judged(amount: Decimal, currency: str, locale: str) -> str:
    """What Babel writes, with the blank that CLDR puts between letters and figures, and Babel does not."""
    babels = locale.replace("-", "_")
    return apart(format_currency(amount, currency, locale=babels), get_currency_symbol(currency, babels))


@given(
    amount=st.decimals(min_value=-(10**12), max_value=10**12, allow_nan=False, places=2),
    locale=st.sampled_from(LOCALES),
    currency=st.sampled_from(("EUR", "USD", "BRL", "JPY", "GBP", "KWD", "CHF")),
)
def test_an_amount_is_written_as_babel_would(amount: Decimal, locale: str, currency: str) -> None:
    amount += Decimal(0)  # a negative zero is nothing
    judged = _judged(amount, currency, locale)
    if not (amount < 0 and round(amount) == 0):
        assert MADE[locale].money(str(amount), currency) == judged


@pytest.mark.parametrize("locale", LOCALES)
def test_every_currency_is_written_as_babel_would(locale: str) -> None:
    """Whichever was met first."""
    for currencies in (list_currencies(), sorted(list_currencies(), reverse=True), ["XXX", "EUR"]):
        formats = Formats(locale)
        for currency in currencies:
            for amount in ("-1234.5", "1234567.891"):
                judged = _judged(Decimal(amount), currency, locale)
                assert formats.money(amount, currency) == judged


@given(day=st.dates(min_value=date(1990, 1, 1), max_value=date(2090, 1, 1)), locale=st.sampled_from(LOCALES))
def test_a_date_is_written_as_babel_would(day: date, locale: str) -> None:
    judged = format_date(day, "long", locale=locale.replace("-", "_"))
    assert MADE[locale].date(day.isoformat(), "UTC") == judged


@pytest.mark.parametrize(
    ("locale", "day", "amount"),
    [
        ("en", "Monday, March 9", "€1,234.50"),
        ("pt-PT", "segunda-feira, 9 de março", "1\u00a0234,50\u00a0€"),
        ("pt-BR", "segunda-feira, 9 de março", "€\u00a01.234,50"),
        ("es", "lunes, 9 de marzo", "1.234,50\u00a0€"),
        ("ca", "dilluns, 9 de març", "1.234,50\u00a0€"),
    ],
)
def test_days_and_amounts_are_written_as_each_shipped_language_does(locale: str, day: str, amount: str) -> None:
    formats = MADE[locale]
    assert formats.day("2026-03-09", "UTC") == day
    assert formats.money("1234.5", "EUR") == amount


def test_moments_are_put_into_the_zone_and_dates_are_not() -> None:
    formats = MADE["pt-PT"]
    assert formats.date("2026-03-09", "America/Lima") == "9 de março de 2026"
    assert formats.date("2026-03-09T02:00:00Z", "America/Lima") == "8 de março de 2026"
    assert formats.time("2026-07-09T10:15:00Z", "Europe/Lisbon") == "11:15"
    assert formats.time("2026-03-09T10:15:00+05:00", "Europe/Lisbon") == "05:15"
    assert formats.time("2026-03-09", "Europe/Lisbon") == ""
    assert formats.datetime("2026-03-09", "Europe/Lisbon") == "9 de março de 2026"
    assert formats.datetime("2026-03-09T10:15:00Z", "Europe/Lisbon") == "9 de março de 2026, 10:15"


@pytest.mark.parametrize("value", ["soon", "2026-13-40", "", "9" * 40, "x" * 10, 12, True])
def test_what_is_no_date_is_shown_as_it_came(value: object) -> None:
    formats = MADE["en"]
    for write in (formats.day, formats.date, formats.time, formats.datetime):
        assert write(value, "UTC") == value


@pytest.mark.parametrize(
    "value", ["a lot", "", "NaN", "Infinity", "1e999999", True, [], {}, "0x10", "1" + "0" * 60, "a" * 2_000]
)
def test_what_is_no_amount_is_shown_as_it_came(value: object) -> None:
    formats = MADE["en"]
    for told in (formats.money(value, "EUR"), formats.money(value, value), formats.number(value)):
        assert told is value


@pytest.mark.parametrize("value", ["1e-999999", "١٢٣", -0.0, 1e17])
def test_an_odd_amount_is_written_in_few_characters(value: object) -> None:
    formats = MADE["en"]
    for told in (formats.money(value, "EUR"), formats.money(value, value), formats.number(value)):
        assert isinstance(told, str)
        assert len(told) < 100


@pytest.mark.parametrize("locale", LOCALES)
def test_what_rounds_to_nothing_has_no_sign(locale: str) -> None:
    formats = Formats(locale)
    assert formats.money("-0.001", "EUR") == formats.money("0", "EUR")


def test_an_amount_without_a_currency_is_a_number() -> None:
    assert MADE["es"].money(129.9, None) == "129,90"
    assert MADE["es"].number("1234.5") == "1.234,5"
    assert MADE["es"].number(3) == "3"


def test_a_locale_that_babel_does_not_have_is_not_known() -> None:
    assert known_locale("pt-BR")
    assert not known_locale("xx")
    assert not known_locale("../x")


def test_every_moment_of_a_year_has_a_time() -> None:
    formats = MADE["en"]
    for hour in range(24):
        given_at = datetime(2026, 3, 29, hour, 30, tzinfo=UTC).isoformat()
        assert formats.time(given_at, "Europe/Lisbon")
