"""A day has its year, where without it people would think of another; and a day sent as midnight is noticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from avisa.diagnostics.yaml_reader import parse
from avisa.events import read
from avisa.lint.located_plan import LocatedPlan
from avisa.lint.plan_vs_history import check_plan
from avisa.templates.jinja.formats import Formats
from tests.events.records import plain, record
from tests.flows.harness import running
from tests.templates.harness import NOW as MONDAY
from tests.templates.harness import PLAN, catalog_of, files, mailed, read_plan

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


MIDNIGHT = ("2026-04-09T00:00:00Z", "2026-04-09 00:00Z", "2026-04-09t00:00:00.000z", "2026-04-09T02:00:00+02:00")
OTHERS = ("2026-04-09", "2026-04-09T00:00:00+02:00", "2026-04-09T00:00:01Z", "2026-04-09T12:00:00Z")


@pytest.mark.parametrize(
    ("written", "warned"), [(one, True) for one in MIDNIGHT] + [(one, False) for one in OTHERS], ids=str
)
async def test_promises_that_are_all_for_midnight_are_noticed_in_the_store(
    tmp_path: Path, written: str, warned: bool
) -> None:
    sent = [record(plain(order_id=f"A-{n}", promised_at=written), offset=n) for n in range(25)]
    async with running(tmp_path / "avisa.db") as flows:
        await flows.intake.take([read(one) for one in sent])
        orders = await flows.store.queries.newest_orders(100)
    located = LocatedPlan(plan=read_plan(PLAN), document=parse(PLAN), file="plan.yaml")
    found = [
        problem.message for problem in check_plan(located, orders, MONDAY) if problem.code == "midnight_promises"
    ]
    text = "orders.status: all of 25 promises are for midnight in UTC, so most likely they are days"
    assert found == [text] * warned
