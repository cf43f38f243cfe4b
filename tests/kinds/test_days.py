"""A day has its year, where without it people would think of another year's."""

from __future__ import annotations

import pytest

from avisa.templates.jinja.formats import Formats
from tests.templates.harness import catalog_of, files, mailed

NOW = "2026-11-28T10:00:00Z"
DAYS = [  # locale, day, now, what is read; the first
    ("en", "2027-11-27", NOW, "Saturday, November 27, 2027"),
    ("en", "2026-12-05", NOW, "Saturday, December 5"),
    ("en", "2027-01-20", NOW, "Wednesday, January 20"),
    ("en", "2027-01-27", NOW, "Wednesday, January 27"),
    ("en", "2027-01-28", NOW, "Thursday, January 28, 2027"),
    ("en", "2025-12-20", "2026-01-10T10:00:00Z", "Saturday, December 20"),
    ("en", "2026-07-03", "2026-01-02T10:00:00Z", "Friday, July 3"),
    ("en", "2026-07-04", "2026-01-02T10:00:00Z", "Saturday, July 4, 2026"),
    ("pt-PT", "2027-11-27", NOW, "sábado, 27 de novembro de 2027"),
    ("pt-BR", "2027-11-27", NOW, "sábado, 27 de novembro de 2027"),
    ("es", "2027-11-27", NOW, "sábado, 27 de noviembre de 2027"),
    ("ca", "2027-11-27", NOW, "dissabte, 27 de novembre del 2027"),
    ("de", "2027-11-27T10:00:00Z", NOW, "Samstag, 27. November 2027"),
    ("ja", "2027-11-27", NOW, "2027年11月27日土曜日"),
    ("en", "soon", NOW, "soon"),
    ("en", "2027-11-27", None, "Saturday, November 27"),
]


@pytest.mark.parametrize(("locale", "day", "now", "shown"), DAYS)
def test_a_day_that_is_far_away_has_its_year(locale: str, day: str, now: str | None, shown: str) -> None:
    assert Formats(locale).day(day, "Europe/Lisbon", now) == shown


def test_a_mail_about_next_year_says_so() -> None:
    body = "---\nsubject: s\nshort: s\n---\n{% if order.eta %}By {{ order.eta | day }}.{% endif %}\n"
    rendered, _ = mailed(catalog_of(files(shown=body)), details_eta="2027-03-01")
    assert "By Monday, March 1, 2027." in rendered.text
