"""The plan: what it means, and how every mistake in it is reported."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avisa.core.model import Alert, Purpose
from avisa.core.plan import Events, Feed, Plan, QuietHours, Remind, Span
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.plan_file import json_schema, read

TEMPLATES = Path(__file__).parents[2] / "templates"
H48 = Span(elapsed=timedelta(hours=48))

GOOD = """\
brands:
  default: {name: Loja Azul, from: Loja Azul <avisos@example.com>, locale: pt-PT, time_zone: Europe/Lisbon}
calendars:
  warehouse: {hours: "mon-fri 09:00-18:00", holidays: PT, time_zone: Europe/Lisbon}
owners:
  production: {name: Produção, email: producao@example.com}
defaults:
  window: 48h
  remind: {then_every: 48h, at_most: 3}
  quiet_hours: "21:00-08:00"
  messages: {reminder: still-in-progress}
touchpoints:
  confirmed: {message: order-confirmed, owner: production, window: 24h, always: true}
  in_production: {message: in-production, window: 3bd, calendar: warehouse, remind: {after: [5bd], then_every: 5bd}}
  delivered: {message: delivered, final: true}
unknown_status: {owner: production}
"""


def plan(text: str) -> Plan:
    result = read(text, file="plan.yaml")
    assert isinstance(result, Plan), result
    return result


def problems(text: str) -> list[Diagnostic]:
    result = read(text, file="plan.yaml")
    assert isinstance(result, list), "it was taken"
    return result


# ---------------------------------------------------------------- what is meant


def test_a_plan_has_its_names_looked_up_and_its_defaults_merged() -> None:
    meant = plan(GOOD)
    assert meant.stages() == ("confirmed", "in_production", "delivered")
    assert meant.brand("no such").sender == "Loja Azul <avisos@example.com>"
    confirmed, production = meant.touchpoint("confirmed"), meant.touchpoint("in_production")
    assert confirmed.window == Span(elapsed=timedelta(hours=24))
    assert confirmed.remind == Remind(then_every=H48)
    assert (confirmed.always, confirmed.final, confirmed.owner) == (True, False, "production")
    assert confirmed.quiet_hours == QuietHours(begin=time(21), end=time(8))
    assert confirmed.calendar is None
    assert production.window == Span(days=3)
    assert production.remind == Remind(after=(Span(days=5),), then_every=Span(days=5), at_most=3)
    assert production.calendar is not None
    assert production.calendar.hours == (*[((time(9), time(18)),)] * 5, (), ())
    assert {date(2026, 4, 25), date(2045, 12, 25)} <= production.calendar.closed
    assert meant.touchpoint("delivered").final


def test_keys_left_out_have_the_documented_defaults() -> None:
    meant = plan("brands: {default: {name: A, from: a@example.com}}\ntouchpoints: {x: {message: m}}\n")
    x = meant.touchpoint("x")
    assert (x.window, x.remind, x.channels) == (H48, Remind(then_every=H48), ("email",))
    assert (x.quiet_hours, x.burst_wait, x.ignore_moves_under) == (None, timedelta(0), timedelta(0))
    assert (x.final, x.always, x.count_from, x.owner) == (False, False, "last_message", None)
    assert x.messages == {
        Purpose.REMINDER: "still-in-progress",
        Purpose.ASK_OWNER: "ask-owner",
        Purpose.PROMISE_MOVED: "delayed",
        Purpose.PROMISE_AT_RISK: "promise-at-risk",
        Purpose.PROMISE_BROKEN: "promise-broken",
    }
    assert x.owner_messages == {
        Alert.STUCK: "order-stuck",
        Alert.UNKNOWN_STATUS: "unknown-status",
        Alert.UNREACHABLE: "customer-unreachable",
        Alert.FLOOD: "too-many-mails",
        Alert.SEVERAL: "several-orders",
        Alert.PROMISE_BROKEN: "promise-broken-owner",
    }
    assert (meant.brands["default"].locale, meant.brands["default"].time_zone) == ("en", "UTC")
    assert (meant.feed, meant.events, meant.tell_within) == (Feed(), Events(), timedelta(hours=72))
    assert meant.tell_from is None


def test_a_status_outside_the_plan_gets_the_generic_message() -> None:
    unknown = plan(GOOD).touchpoint("surprise")
    assert (unknown.message, unknown.owner, unknown.window) == ("generic", "production", H48)
    assert unknown.message_for(Purpose.REMINDER, "1") == "generic"
    own = plan(GOOD.replace("unknown_status: {", "unknown_status: {message: odd, messages: {reminder: waiting}, "))
    assert (own.unknown.message, own.unknown.message_for(Purpose.REMINDER, "1")) == ("odd", "waiting")


def test_reminders_are_a_window_apart_unless_the_plan_says_otherwise() -> None:
    text = "brands: {default: {name: A, from: a@example.com}}\ntouchpoints: {x: {message: m, window: 5h}}\n"
    assert plan(text).touchpoint("x").remind.then_every == Span(elapsed=timedelta(hours=5))


def test_maps_are_merged_key_by_key() -> None:
    text = GOOD.replace("{message: delivered,", "{message: delivered, remind: {at_most: 1}, messages: {stuck: s},")
    delivered = plan(text).touchpoint("delivered")
    assert delivered.remind == Remind(then_every=H48, at_most=1)
    assert delivered.owner_messages[Alert.STUCK] == "s"
    assert delivered.messages[Purpose.REMINDER] == "still-in-progress"


def test_none_in_a_touchpoint_takes_a_default_back() -> None:
    text = GOOD.replace("{message: delivered,", "{message: delivered, window: none, quiet_hours: none, owner: none,")
    text = text.replace("defaults:\n", "defaults:\n  owner: production\n")
    delivered = plan(text).touchpoint("delivered")
    assert (delivered.window, delivered.quiet_hours, delivered.owner) == (None, None, None)
    assert plan(text).touchpoint("in_production").owner == "production"


def test_words_that_yaml_takes_for_other_types_stay_words() -> None:
    """YAML 1.1 reads `no` as a boolean, `21:00` as a sexagesimal number and `2026-12-24` as a date."""
    text = GOOD.replace("delivered:", "no:").replace("  window: 48h\n", "  window: 48h\n  burst_wait: 0s\n")
    text = text.replace('quiet_hours: "21:00-08:00"', "quiet_hours: 21:00-08:00").replace("Loja Azul,", "007,")
    text = text.replace("holidays: PT", "holidays: NO, closed: [2026-12-24, 2026-12-28..2026-12-31]")
    meant = plan(text)
    assert meant.knows("no")
    assert meant.brands["default"].name == "007"
    closed = meant.touchpoint("in_production").calendar
    assert closed is not None
    assert {date(2026, 12, 24), date(2026, 12, 29), date(2026, 5, 17)} <= closed.closed


def test_a_section_with_nothing_under_its_key_is_empty() -> None:
    text = "owners:\ncalendars:\ndefaults:\nfeed:\nevents:\nunknown_status:\n" + (
        "brands: {default: {name: A, from: a@example.com}}\ntouchpoints: {x: {message: m, remind: }}\n"
    )
    assert plan(text).touchpoint("x").remind == Remind(then_every=H48)


def test_ranking_feed_and_promise_keys_reach_the_plan() -> None:
    text = GOOD + ("events: {rank_by: sequence}\nfeed: {blind_after: 1m, hold_at_most: 2h, silent_after: 1d}\n")
    text = text.replace("defaults:\n", "defaults:\n  tell_within: 24h\n  promise: {ignore_moves_under: 4h}\n")
    text = text.replace("{message: delivered,", "{message: delivered, count_from: last_event, burst_wait: 10m,")
    meant = plan(text)
    assert meant.events == Events(rank_by="sequence")
    assert meant.feed.silent_after == timedelta(days=1)
    assert meant.tell_within == timedelta(hours=24)
    assert meant.touchpoint("confirmed").ignore_moves_under == timedelta(hours=4)
    assert meant.touchpoint("delivered").count_from == "last_event"
    assert meant.touchpoint("delivered").burst_wait == timedelta(minutes=10)


def test_tell_from_of_the_settings_reaches_the_plan() -> None:
    moment = datetime(2026, 3, 2, tzinfo=UTC)
    result = read(GOOD, file="plan.yaml", tell_from=moment)
    assert isinstance(result, Plan)
    assert result.tell_from == moment


@pytest.mark.parametrize(
    ("written", "sender"),
    [
        ("avisos@example.com", "avisos@example.com"),
        ("José Loja <avisos@example.com>", "José Loja <avisos@example.com>"),
        ("Azul, Lda. <a@example.com>", '"Azul, Lda." <a@example.com>'),
        ('\\"Azul, Lda.\\" <a@example.com>', '"Azul, Lda." <a@example.com>'),
        ("a@exämple.de", "a@exämple.de"),
        ("<a@localhost>", "<a@localhost>"),
    ],
)
def test_a_sender_is_an_address_or_a_quoted_name_with_one(written: str, sender: str) -> None:
    meant = plan(GOOD.replace("Loja Azul <avisos@example.com>", f'"{written}"'))
    assert meant.brands["default"].sender == sender


@pytest.mark.parametrize(
    ("hours", "day", "openings"),
    [
        ("sat 09:00-13:00, mon-fri 09:00-18:00", 5, ((time(9), time(13)),)),
        ("mon 14:00-18:00 09:00-13:00", 0, ((time(9), time(13)), (time(14), time(18)))),
        ("sun-thu 08:00-16:00", 6, ((time(8), time(16)),)),
        ("sun-thu 08:00-16:00", 4, ()),
        ("mon-sun 00:00-24:00", 3, ((time(0), time(0)),)),
        ("Fri 22:00-24:00, SAT 0:00-6:00", 5, ((time(0), time(6)),)),
    ],
)
def test_calendar_hours_are_sorted_by_weekday(hours: str, day: int, openings: tuple[tuple[time, time], ...]) -> None:
    calendar = plan(GOOD.replace("mon-fri 09:00-18:00", hours)).touchpoint("in_production").calendar
    assert calendar is not None
    assert calendar.hours[day] == openings


# ---------------------------------------------------------------- mistakes

# What to replace in GOOD, by what; then code, line and a part of the words or of the suggestion.
MISTAKES = [
    ("brands:", "brand:", "unknown_key", 1, "brands"),
    ("brands:", "brand:", "missing_key", 1, "the plan needs brands"),
    ("  default: {", "  shop: {", "missing_key", 1, "a brand named default"),
    ("name: Loja Azul, ", "", "missing_key", 2, "brands.default needs name"),
    ("from: Loja", "sender: Loja", "unknown_key", 2, "allowed: name, from, reply_to"),
    ("<avisos@example.com>", "avisos@example.com", "bad_address", 2, "not an e-mail address"),
    ("<avisos@example.com>", "<avisos>", "bad_address", 2, "not an e-mail address"),
    ("<avisos@example.com>", "<a@x.pt> <b@x.pt>", "bad_address", 2, "not an e-mail address"),
    ("<avisos@example.com>", "<a..b@x.pt>", "bad_address", 2, "not an e-mail address"),
    ("locale: pt-PT", "locale: pt_PT", "unknown_name", 2, "no locale 'pt_PT'"),
    ("locale: pt-PT", "locale: ../etc", "unknown_name", 2, "no locale"),
    ("e: Europe/Lisbon}\ncal", "e: Mars/Base}\ncal", "unknown_name", 2, "no time zone 'Mars/Base'"),
    ("e: Europe/Lisbon}\ncal", "e: europe/lisbon}\ncal", None, 0, ""),
    ("e: Europe/Lisbon}\ncal", "e: Europe/Lisbom}\ncal", "unknown_name", 2, "Europe/Lisbon"),
    ("e: Europe/Lisbon}\ncal", "e: Europe}\ncal", "unknown_name", 2, "no time zone"),
    ("locale: pt-PT", "color: blue", "bad_color", 2, "#00aa55"),
    ("locale: pt-PT", "color: ", "no_value", 2, "there is no value"),
    ("locale: pt-PT", "url: example.com", "bad_link", 2, "is not a link"),
    ("locale: pt-PT", "logo: javascript:x", "bad_link", 2, "is not a link"),
    ("locale: pt-PT", "reply_to: [a@b.pt]", "wrong_type", 2, "must be one value"),
    ("09:00-18:00", "9-18", "bad_hours", 4, 'allowed: "mon-fri 09:00-18:00'),
    ("mon-fri 09:00-18:00", "mon-fri", "bad_hours", 4, "names no hours"),
    ("mon-fri 09:00-18:00", "seg-sex 09:00-18:00", "bad_hours", 4, "is not a weekday"),
    ("mon-fri 09:00-18:00", "mon 09:00-14:00 13:00-18:00", "bad_hours", 4, "hours of mon overlap"),
    ("mon-fri 09:00-18:00", "mon-fri 09:00-25:00", "bad_hours", 4, "from one time of day to another"),
    ("holidays: PT", "holidays: XX", "unknown_name", 4, "no holidays for 'XX'"),
    ("holidays: PT", "holidays: ES-CAT", "unknown_name", 4, "ES-CT"),
    ("holidays: PT", "holidays: pt", "unknown_name", 4, "PT"),
    ("holidays: PT", "closed: [24.12.2026]", "bad_date", 4, "allowed: 2026-12-24"),
    ("holidays: PT", "closed: [2026-02-30]", "bad_date", 4, "is not a date"),
    ("holidays: PT", "closed: [2026-12-24..2026-12-01]", "bad_date", 4, "must end after it begins"),
    ("holidays: PT", "closed: 2026-12-24", "wrong_type", 4, "must be a list"),
    ("holidays: PT", "closed: [2026-01-01..2026-12-31, 2027-01-01..2027-12-31]", "never_open", 4, "closed for 732"),
    ("email: producao@example.com", "mail: x", "missing_key", 6, "owners.production needs email"),
    ("email: producao@example.com", "email: producao", "bad_address", 6, "not an e-mail address"),
    ("example.com}\ndefaults", "example.com, next: boss}\ndefaults", "unknown_name", 6, "no owner 'boss'"),
    ("example.com}\ndefaults", "example.com, after: 4h}\ndefaults", "missing_key", 6, "no `next` to ask"),
    (
        "example.com}\ndefaults",
        "example.com, next: b}\n  b: {name: B, email: b@example.com, next: production}\ndefaults",
        "circle",
        6,
        "production → b → production",
    ),
    ("window: 48h", "window: 60%", "not_supported_yet", 8, "percentage"),
    ("window: 48h", "window: 2 days", "bad_duration", 8, "allowed: 30s, 5m, 48h, 3d, 3bd"),
    ("window: 48h", "window: 0h", "bad_duration", 8, "no time at all"),
    ("window: 48h", "window: 500d", "bad_duration", 8, "at most 400d"),
    ("window: 48h", "window: -1h", "bad_duration", 8, "is not a duration"),
    ("window: 48h", "widow: 48h", "unknown_key", 8, "window"),
    ("window: 48h", "window: 3bd", "needs_calendar", 8, "touchpoint delivered has none"),
    ("window: 48h", "longest_silence: 5bd", "bad_duration", 8, "working days are not possible here"),
    ("window: 48h", "tell_within: 3bd", "bad_duration", 8, "working days are not possible here"),
    ("window: 48h", "tell_within: 0s", "bad_duration", 8, "no time at all"),
    ("window: 48h", "burst_wait: 1bd", "bad_duration", 8, "working days are not possible here"),
    ("window: 48h", "promise: {warn_before: 3bd}", "bad_duration", 8, "warn_before"),
    ("window: 48h", "promise: {grace: soon}", "bad_duration", 8, "grace"),
    ("window: 48h", "promise: {ask_owner_before: 0s}", "bad_duration", 8, "no time at all"),
    ("then_every: 48h,", "then_evry: 48h,", "unknown_key", 9, "then_every"),
    ("then_every: 48h, at_most: 3", "then_every: 2d, at_most: 3", None, 0, ""),
    ("at_most: 3", "at_most: many", "wrong_type", 9, "must be a whole number"),
    ("at_most: 3", "at_most: -1", "out_of_range", 9, "must be at least 0"),
    ("at_most: 3", "at_most: 1000", "out_of_range", 9, "must be at most 100"),
    ("remind: {then_every: 48h, at_most: 3}", "remind: 48h", "wrong_type", 9, "must be a map"),
    ("21:00-08:00", "25:00-07:00", "bad_hours", 10, "allowed: two times of day"),
    ("21:00-08:00", "21:00", "bad_hours", 10, "allowed: two times of day"),
    ("21:00-08:00", "08:00-08:00", "bad_hours", 10, "whole day"),
    ("21:00-08:00", "00:00-24:00", "bad_hours", 10, "whole day"),
    ("21:00-08:00", "08:30-08:00", "bad_hours", 10, "less than an hour"),
    ("{reminder: still", "{remainder: still", "unknown_key", 11, "reminder"),
    ("{reminder: still", "{feedback: still", "not_supported_yet", 11, "messages.feedback is not supported yet"),
    ("{reminder: still-in-progress}", "{reminder: Still In Progress}", "bad_name", 11, "still-in-progress"),
    ("{reminder: still-in-progress}", "{reminder: ../x}", "bad_name", 11, "not the name of a message"),
    ("{message: order-confirmed, ", "{", "missing_key", 13, "touchpoint confirmed needs a message"),
    ("owner: production, window", "owner: productoin, window", "unknown_name", 13, "production"),
    ("window: 24h", "window: soon", "bad_duration", 13, "touchpoints.confirmed.window"),
    ("always: true", "always: maybe", "wrong_type", 13, "must be true or false"),
    ("always: true", "count_from: last", "not_allowed", 13, "allowed: last_message, last_event"),
    ("always: true", "channels: [sms]", "not_allowed", 13, "allowed: email"),
    ("always: true", "channels: []", "out_of_range", 13, "at least 1"),
    ("always: true", "channels: email", "wrong_type", 13, "must be a list"),
    ("always: true", "ask_owner_at: 100%", "out_of_range", 13, "allowed: 1% to 99%"),
    ("always: true", "ask_owner_at: 3bd", "needs_calendar", 13, "3bd needs a calendar"),
    ("window: 48h", "window: none\n  ask_owner_at: 60%", "not_allowed", 9, "no window to take 60% of"),
    ("always: true", "fulfils_promise: perhaps", "wrong_type", 13, "fulfils_promise"),
    ("always: true", "feedback: {after: 24h}", "not_supported_yet", 13, "not supported yet"),
    ("always: true", "copy_to: [webhook]", "not_supported_yet", 13, "not supported yet"),
    ("always: true", f"playbook: {'x' * 2001}", "bad_name", 13, "1 to 2000 characters"),
    ("always: true", "window: 1h", "given_twice", 13, "window is given twice, first in line 13"),
    ("always: true", "<<: *x", "not_allowed", 13, "aliases"),
    ("always: true", "always: !!python/name:os.system x", "not_allowed", 13, "tags"),
    ("window: 3bd, calendar", "window: 3d, calendar", "not_allowed", 14, "use bd: 3bd"),
    ("after: [5bd]", "after: [5d]", "not_allowed", 14, "use bd: 5bd"),
    ("after: [5bd]", "after: 5bd", "wrong_type", 14, "must be a list"),
    ("calendar: warehouse", "calendar: warehuose", "unknown_name", 14, "warehouse"),
    ("window: 3bd, calendar", "window: 390bd, calendar", "too_long", 14, "at most 366"),
    ("window: 3bd, calendar", "window: 9000h, calendar", "too_long", 14, "with calendar warehouse"),
    ("calendar: warehouse, ", "", "needs_calendar", 14, "touchpoint in_production has none"),
    ("final: true", "final: 5", "wrong_type", 15, "must be true or false"),
    ("{message: delivered, final: true}", "delivered", "wrong_type", 15, "must be a map"),
    (
        "unknown_status: {owner: production}",
        "unknown_status: {owner: nobody}",
        "unknown_name",
        16,
        "no owner 'nobody'",
    ),
    ("unknown_status: {", "unknown_state: {", "unknown_key", 16, "unknown_status"),
    ("unknown_status: {", "events: {rank_by: time, ", "unknown_key", 16, "allowed: rank_by"),
    ("unknown_status: {owner: production}", "feed: {blind_after: none}", "bad_duration", 16, "is not a duration"),
    ("unknown_status: {owner", "  - x", "not_yaml", 16, "where a key is expected"),
    ("unknown_status: {owner", "unknown_status: {owner: [", "not_yaml", 16, "`:` cannot stand here"),
    ("unknown_status: {owner", "---\nx: {owner", "not_allowed", 16, "one document"),
    ("unknown_status: {owner", "? [a]\n: {owner", "not_allowed", 16, "a key must be a plain word"),
    ("unknown_status: {owner", "x: \x07{owner", "not_yaml", 16, "U+0007"),
]


@pytest.mark.parametrize(("old", "new", "code", "line", "words"), MISTAKES, ids=[m[1][:50] for m in MISTAKES])
def test_a_mistake_in_a_plan_is_reported_at_its_line(
    old: str, new: str, code: str | None, line: int, words: str
) -> None:
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    if code is None:
        plan(text.replace("3bd, calendar: warehouse, ", "3d, ").replace("[5bd], then_every: 5bd", "[5d]"))
        return
    found = problems(text)
    assert any(
        (each.code, each.line) == (code, line) and words in f"{each.message} | {each.suggestion}" for each in found
    ), found
    assert all((each.file, each.severity) == ("plan.yaml", "error") for each in found)


def test_a_mistake_is_reported_once_and_brings_no_others() -> None:
    """A wrong entry is not reported again as missing where something refers to it."""
    for old, new in (
        ("email: producao@example.com", "email: producao"),
        ("09:00-18:00", "9-18"),
        ("<avisos@example.com>", "<avisos>"),
        ("message: order-confirmed", "message: Order Confirmed"),
        ("window: 48h", "window: soon"),
    ):
        assert len(problems(GOOD.replace(old, new, 1))) == 1


def test_the_column_of_a_mistake_is_that_of_its_value_or_key() -> None:
    (wrong,) = problems(GOOD.replace("window: 24h", "window: soon"))
    assert (wrong.line, wrong.column) == (13, GOOD.splitlines()[12].index("24h") + 1)
    (unknown,) = problems(GOOD.replace("always: true", "alwys: true"))
    assert (unknown.line, unknown.column) == (13, GOOD.splitlines()[12].index("always") + 1)


def test_all_mistakes_are_reported_at_once_in_the_order_of_the_file() -> None:
    text = GOOD
    for old, new, code, line, _ in MISTAKES:
        if (
            code not in (None, "not_yaml", "given_twice", "missing_key")
            and old in text
            and "*" not in new + "!" + new
        ):
            text = text.replace(old, new, 1) if line else text
    found = problems(text)
    assert len(found) >= 12, found
    assert [(each.line, each.column) for each in found] == sorted((each.line, each.column) for each in found)


def test_a_mistake_never_quotes_an_address() -> None:
    for old in ("avisos@example.com", "order-confirmed", "48h", "PT", "Europe/Lisbon", "warehouse,"):
        result = read(GOOD.replace(old, "hidden@person.example@x", 1), file="plan.yaml")
        assert isinstance(result, list)
        assert not any("hidden" in each.message + (each.suggestion or "") for each in result)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "missing_key"),
        ("# nothing\n", "missing_key"),
        ("[]", "wrong_type"),
        ("just words", "wrong_type"),
        ("[" * 100_000, "too_deep"),
        ("{a: " * 50_000, "too_deep"),
        ("x: &a [*a]", "not_allowed"),
        ("a" * 300_000, "too_large"),
        ("\ufffe", "not_yaml"),
        ("\tx: y", "not_yaml"),
    ],
)
def test_a_text_that_is_no_plan_is_refused(text: str, code: str) -> None:
    assert code in {each.code for each in problems(text)}


@given(st.text(), st.integers(0, len(GOOD)), st.integers(0, 30))
def test_any_text_is_read_as_a_plan_or_refused(text: str, at: int, gone: int) -> None:
    result = read(GOOD[:at] + text + GOOD[at + gone :], file="plan.yaml")
    assert isinstance(result, Plan) or result


# ---------------------------------------------------------------- the shipped files


def test_the_shipped_plan_has_no_mistake() -> None:
    shipped = read((TEMPLATES / "plan.yaml").read_text("utf-8"), file="plan.yaml")
    assert isinstance(shipped, Plan), shipped
    assert {"confirmed", "delivered", "cancelled"} <= set(shipped.stages())


def test_the_shipped_json_schema_is_current() -> None:
    """If not: `python -m avisa.plan_file > templates/plan.schema.json`."""
    assert json.loads((TEMPLATES / "plan.schema.json").read_text("utf-8")) == json_schema()


def test_the_json_schema_has_every_key_and_no_more() -> None:
    touchpoint = json_schema()["$defs"]["Touchpoint"]
    assert touchpoint["additionalProperties"] is False
    assert touchpoint["properties"]["window"]["default"] == "48h"
    assert "60%" in touchpoint["properties"]["ask_owner_at"]["examples"]
    assert set(json_schema()["properties"]) == {
        "brands", "calendars", "owners", "defaults", "events", "feeds", "feed", "touchpoints", "unknown_status"
    }  # fmt: skip


def test_a_control_character_is_refused_also_as_an_escape() -> None:
    for spelt in ("\\ud800", "\\x1b", "\\x00"):
        for text in (f'"{spelt}": 1\n', GOOD.replace("always: true", f'always: "{spelt}"', 1)):
            (wrong,) = problems(text)
            assert (wrong.code, wrong.message[:2]) == ("not_allowed", "U+")


def test_a_plan_with_more_than_500_touchpoints_is_refused() -> None:
    """`avisa check` looks at each touchpoint in several ways, and somebody waits for it."""
    statuses = "".join(f"  a{number}: {{message: plain}}\n" for number in range(501))
    (wrong,) = problems(GOOD.replace("touchpoints:\n", f"touchpoints:\n{statuses}", 1))
    assert (wrong.code, wrong.message) == ("out_of_range", "touchpoints: must have at most 500 entries")
