"""An amount never loses its unit, and no letters stick to its figures."""

from __future__ import annotations

import pytest

from avisa.core.model import Json
from avisa.templates.jinja.formats import Formats
from tests.templates.harness import catalog_of, files, mailed

NB = "\u00a0"
WRITTEN = [  # locale, currency as it came, what 99.95 reads as; the first
    ("en", "eur", "€99.95"),
    ("en", " EUR ", "€99.95"),
    ("en", "€", "€99.95"),
    ("en", "CHF", f"CHF{NB}99.95"),
    ("en", "Eur", "€99.95"),
    ("en", "$", "$99.95"),
    ("en", "£", "£99.95"),
    ("en", "AUD", "A$99.95"),
    ("en", "R$", "R$99.95"),
    ("en", "XYZ", f"99.95{NB}XYZ"),
    ("en", "points", f"99.95{NB}points"),
    ("en", "₪₪", f"99.95{NB}₪₪"),
    ("en", "978", "99.95"),
    ("en", "", "99.95"),
    ("en", None, "99.95"),
    ("en", 7, "99.95"),
    ("es", "€", f"99,95{NB}€"),
    ("es", "$", f"99,95{NB}$"),
    ("pt-BR", "r$", f"99,95{NB}r$"),
    ("pt-BR", "R$", f"R${NB}99,95"),
    ("pt-PT", "chf", f"99,95{NB}CHF"),
    ("sv", "kr", f"99,95{NB}kr"),
    ("de-CH", "chf", f"CHF{NB}99.95"),
    ("ja", "xyz", f"99.95{NB}xyz"),
]
TYPED = [  # amounts as somebody typed them, and as they read in euros
    ("1,234.50", f"1,234.50{NB}EUR"),
    ("12,50", f"12,50{NB}EUR"),
    (" 1 234,50 ", f"1 234,50{NB}EUR"),
    ("1’234.50", f"1’234.50{NB}EUR"),
    ("-12,50", f"-12,50{NB}EUR"),
    ("12.50-", f"12.50-{NB}EUR"),
    (12345678901234567890, f"12345678901234567890{NB}EUR"),
    ("€ 12.50", "€ 12.50"),
    ("12,50 EUR", "12,50 EUR"),
    ("free", "free"),
    ("on request, 2026", "on request, 2026"),
    ("-", "-"),
]
CENTS = [  # in the smallest unit, its currency, the amount in `en`
    (12990, "EUR", "€129.90"),
    ("12990", "eur", "€129.90"),
    (12990, "JPY", "¥12,990"),
    (12990, "KWD", f"KWD{NB}12.990"),
    (5, "EUR", "€0.05"),
    (0, "EUR", "€0.00"),
    (-12990, "EUR", "-€129.90"),
    (12990, "RSD", f"RSD{NB}130"),
    (12990, None, "129.90"),
    ("soon", "EUR", "soon"),
]
MESSAGE = """---
subject: s
short: s
---
{% if order.total %}Total: {{ order.total | money }}{% endif %}

{% if order.cents %}Cents: {{ order.cents | minor | money }}, {{ order.cents | minor | money("JPY") }}{% endif %}
"""
CATALOG = catalog_of(files(shown=MESSAGE))


@pytest.mark.parametrize(("locale", "currency", "shown"), WRITTEN)
def test_an_amount_keeps_its_unit(locale: str, currency: Json, shown: str) -> None:
    assert Formats(locale).money("99.95", currency) == shown


@pytest.mark.parametrize(("typed", "shown"), TYPED)
@pytest.mark.parametrize("currency", ["EUR", "eur", "€"])
def test_an_amount_that_somebody_typed_keeps_its_unit_too(typed: Json, currency: str, shown: str) -> None:
    assert Formats("en").money(typed, currency) == shown


@pytest.mark.parametrize(("cents", "currency", "shown"), CENTS)
def test_an_amount_in_cents_is_of_its_currency(cents: Json, currency: Json, shown: str) -> None:
    formats = Formats("en")
    assert formats.money(formats.minor(cents, currency), currency) == shown


@pytest.mark.parametrize("name", ["currency", "currency_code"])
@pytest.mark.parametrize("currency", ["eur", " EUR ", "€"])
def test_a_mail_says_in_what_the_total_is(name: str, currency: str) -> None:
    rendered, _ = mailed(CATALOG, **{"details_currency": None, f"details_{name}": currency}, details_cents=12990)
    assert "Total: €129.90" in rendered.text
    assert "Total: €129.90" in rendered.html
    assert "Cents: €129.90, ¥12,990" in rendered.text
