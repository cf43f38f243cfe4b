"""A time zone is understood however it is spelt; quiet hours, deadlines and dates go by it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from avisa.core import working_time, zones
from avisa.core.model import OrderEvent, State
from avisa.core.plan import QuietHours
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.events import read
from avisa.smtp.channel import EmailChannel
from avisa.smtp.relay import Relay
from avisa.time_zones import canonical
from tests.events.records import plain, record
from tests.fakes import START
from tests.flows.harness import running
from tests.smtp.harness import CALM
from tests.templates import harness as templates
from tests.tools.sink import Sink

SPELT = [
    ("Europe/Lisbon", "Europe/Lisbon"),
    ("europe/lisbon", "Europe/Lisbon"),
    ("EUROPE/LISBON", "Europe/Lisbon"),
    (" America/Sao_Paulo ", "America/Sao_Paulo"),
    ("america/sao paulo", "America/Sao_Paulo"),
    ("America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
    ("utc", "UTC"),
    ("Z", "UTC"),
    ("z", "UTC"),
    ("gmt", "GMT"),
    ("etc/gmt+3", "Etc/GMT+3"),  # three hours behind, by POSIX
    ("-08:00", "UTC-08:00"),
    ("\u221208:00", "UTC-08:00"),
    ("+0530", "UTC+05:30"),
    ("+2", "UTC+02:00"),
    ("UTC+2", "UTC+02:00"),
    ("utc +2", "UTC+02:00"),
    ("GMT-3", "UTC-03:00"),
    ("GMT+02:00", "UTC+02:00"),
    ("UTC+05:30", "UTC+05:30"),
    ("UTC+14", "UTC+14:00"),
    ("UTC-11", "UTC-11:00"),
    ("+00:00", "UTC"),
    ("UTC-0", "UTC"),
    ("W. Europe Standard Time", "Europe/Berlin"),
    ("w. europe standard time", "Europe/Berlin"),
    ("India Standard Time", "Asia/Calcutta"),
    ("E. South America Standard Time", "America/Sao_Paulo"),
    ("Pacific Standard Time", "America/Los_Angeles"),
]
NO_ZONES = [
    *("", "Mars/Olympus", "Europe", "../etc/passwd", "PST", "BST", "CEST", "Lisbon", "2", "UTC 2", "UTC+15"),
    *("-12:01", "+99", "UTC+2:60", "-480", "+5:3", "(UTC+01:00) Amsterdam, Berlin", "UTC+\u0662", "\0", "x" * 400),
]


@pytest.mark.parametrize(("written", "name"), SPELT)
def test_a_zone_is_known_by_one_name(written: str, name: str) -> None:
    assert canonical(written) == name
    assert str(zones.named(name)) == name
    event = read(record(plain(customer={"time_zone": written})))
    assert isinstance(event, OrderEvent)
    assert event.facts == {"customer.time_zone": name}


@pytest.mark.parametrize("written", NO_ZONES)
def test_what_could_be_several_zones_or_none_is_not_guessed_at(written: str) -> None:
    assert canonical(written) is None


@pytest.mark.parametrize("name", ["UTC+15:00", "UTC-12:30", "UTC+2", "UTC+02:60", "utc+02:00", "Mars", "Europe", ""])
def test_the_core_knows_no_offset_that_no_clock_has(name: str) -> None:
    assert zones.named(name) is None


def test_an_offset_has_no_summer_time() -> None:
    quiet = QuietHours(begin=datetime(1, 1, 1, 21).time(), end=datetime(1, 1, 1, 8).time())  # noqa: DTZ001
    offset, place = zones.named("UTC+01:00"), zones.named("Europe/Berlin")
    assert offset is not None
    assert place is not None
    for month, apart in ((1, timedelta(0)), (7, timedelta(hours=1))):
        night = datetime(2026, month, 10, 2, tzinfo=UTC)
        ends = [working_time.quiet_until(night, quiet, zone) for zone in (offset, place)]
        assert ends[0] == datetime(2026, month, 10, 7, tzinfo=UTC)
        assert ends[0] is not None
        assert ends[1] == ends[0] - apart
    assert working_time.end_of_day(datetime(2026, 7, 10, tzinfo=UTC).date(), offset).hour == 23


@pytest.fixture(scope="module")
def sink(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sink]:
    with Sink(tmp_path_factory.mktemp("sink")) as running:
        yield running


PLAN = templates.PLAN.replace("window: 48h", 'window: 48h\n  quiet_hours: "21:00-08:00"')
BODY = "---\nsubject: s\nshort: s\n---\n{% if order.at %}{{ order.at | datetime }}{% endif %}\n"
# The zone, what 15:05 UTC is there, and for how long a message of 10:00 UTC is held by its night.
NIGHTS = [
    ("EUROPE/LISBON", "March 2, 2026, 3:05 PM", 0),
    ("-08:00", "March 2, 2026, 7:05 AM", 6),
    ("UTC+2", "March 2, 2026, 5:05 PM", 0),
    ("GMT-3", "March 2, 2026, 12:05 PM", 1),
    ("UTC+05:30", "March 2, 2026, 8:35 PM", 0),
    ("UTC+13", "March 3, 2026, 4:05 AM", 9),
    ("W. Europe Standard Time", "March 2, 2026, 4:05 PM", 0),
    ("Tokyo Standard Time", "March 3, 2026, 12:05 AM", 0),
    ("Z", "March 2, 2026, 3:05 PM", 0),
    ("Mars/Olympus", "March 2, 2026, 3:05 PM", 0),  # the brand's: Lisbon
]


@pytest.mark.parametrize(("written", "shown", "held"), NIGHTS)
async def test_a_mail_waits_for_the_morning_there_and_shows_the_time_there(
    tmp_path: Path, sink: Sink, written: str, shown: str, held: int
) -> None:
    customer = {"email": "ana@example.com", "time_zone": written, "locale": "en"}
    details = {"at": "2026-03-02T15:05:00Z"}
    sent = plain(order_id="A-1", status="shipped", customer=customer, details=details, occurred_at=START.isoformat())
    relay = Relay(host="127.0.0.1", port=sink.port, tls="none", helo="avisa.example", patience=CALM)
    channel = EmailChannel(relay, jitter=lambda: 0.0)
    before, key = sink.count(), "A-1/1/update/1/customer"
    await channel.start()
    async with running(tmp_path / "avisa.db", plan=PLAN, channel=channel) as flows:
        await flows.push(templates.files(shown=BODY) | {"plan.yaml": PLAN})
        async with flows.sending():
            await flows.intake.take([read(record(sent))])
            if held:
                await flows.became(key, State.HELD)
                assert (await flows.row(key)).notification.not_before == START + timedelta(hours=held)
                await flows.pass_time(timedelta(hours=held, minutes=1))
            await flows.became(key, State.SENT)
        noted = [entry.note for entry in (await flows.history()).entries if entry.note]
        assert noted == (["the customer's time zone is unknown, the brand's is used"] if "Mars" in written else [])
    await channel.stop(1)
    (taken,) = list(sink.mails())[before:]
    body = message_from_bytes(taken.data, policy=policy.SMTP).get_body(("plain",))
    assert body is not None
    assert shown in body.get_content().replace("\u202f", " ")


@pytest.mark.parametrize(
    ("written", "meant"),
    [("europe/lisbon", "Europe/Lisbon"), ("EUROPE/LISBON", "Europe/Lisbon"), ("utc", "UTC"), ("Z", "UTC")],
)
def test_the_plan_takes_a_zone_in_any_case(written: str, meant: str) -> None:
    text = templates.PLAN.replace("Europe/Lisbon", written) + (
        f"calendars:\n  warehouse: {{hours: 'mon-fri 09:00-18:00', time_zone: {written}}}\n"
    )
    plan = templates.read_plan(text.replace("window: 48h", "window: 2bd\n  calendar: warehouse"))
    assert not isinstance(plan, list), plan
    assert plan.brands["default"].time_zone == meant
    calendar = plan.touchpoint("shipped").calendar
    assert calendar is not None
    assert calendar.zone.key == meant


@pytest.mark.parametrize(
    ("written", "word", "suggestion"),
    [
        ("W. Europe Standard Time", "there is no time zone", "Europe/Berlin"),
        ("Europe/Lisbao", "there is no time zone", "Europe/Lisbon"),
        ("UTC+2", "no summer time", None),
        ("'-08:00'", "no summer time", None),
        ("Mars", "there is no time zone", None),
    ],
)
def test_the_plan_is_refused_an_offset_or_a_name_of_windows(written: str, word: str, suggestion: str | None) -> None:
    found = templates.read_plan(templates.PLAN.replace("Europe/Lisbon", written))
    assert isinstance(found, list)
    (problem,) = found
    assert isinstance(problem, Diagnostic)
    assert (problem.code, word in problem.message) == ("unknown_name", True), problem
    if suggestion is not None:
        assert problem.suggestion == suggestion
