"""The shipped words: all there, brief, true in every case, and no sentence said by two messages.

The messages are filled here by plain Jinja with marks for values, independently of `avisa.templates`, which
has its say over them, as the plan's reader has over the plan, at the end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from itertools import chain, product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from jinja2 import Environment, Template
from jinja2.meta import find_undeclared_variables

from avisa import plan_file
from avisa.core.plan import Plan
from avisa.templates.open_folder import Templates, templates_of
from tests.templates.harness import shipped

TEMPLATES = Path(__file__).parents[2] / "templates"
LOCALES = ("en", "pt-PT", "pt-BR", "es", "ca")
MAY_DATE = (
    "order-confirmed",
    "in-production",
    "shipped",
    "out-for-delivery",
    "delayed",
    "promise-at-risk",
    "promise-broken",
    "still-in-progress",
    "generic",
)
FINAL = ("delivered", "cancelled")
CUSTOMERS = (*MAY_DATE, *FINAL)
OWNERS = (
    *("ask-owner", "order-stuck", "promise-broken-owner", "customer-unreachable", "unknown-status"),
    *("too-many-mails", "several-orders"),
)
MESSAGES = (*CUSTOMERS, *OWNERS)
EVERY = [pytest.param(message, locale, id=f"{message}-{locale}") for message in MESSAGES for locale in LOCALES]
CUSTOMERS_EVERY = [each for each in EVERY if each.values[0] in CUSTOMERS]

# The longest way a locale writes a near day, so that lengths are measured at their worst.
LONG_DAY = {
    "en": "Wednesday, September 30",
    "pt-PT": "segunda-feira, 28 de setembro",
    "pt-BR": "segunda-feira, 28 de setembro",
    "es": "miércoles, 30 de septiembre",
    "ca": "dimecres, 30 de setembre",
}
MARK = "§"
STATUSES = ("confirmed", "in_production", "shipped", "out_for_delivery", "something_else")
KINDS = dict(zip(STATUSES, ("stuck", "unknown_status", "unreachable", "flood", "promise_broken"), strict=True))
REMINDERS = ((0, False), (1, False), (2, False), (3, True))

JINJA = Environment(autoescape=False)
for _name in ("day", "date", "time", "datetime", "money"):
    JINJA.filters[_name] = str
JINJA.globals = {"button": lambda text, _url: f"[{text}]", "items": lambda _items: MARK, "progress": lambda: MARK}

Parts = dict[str, str]  # subject, short, body
Case = dict[str, Any]


@cache
def parts(message: str, locale: str) -> Parts:
    """The three parts of a file, as written."""
    text = (TEMPLATES / "messages" / message / f"{locale}.md").read_text(encoding="utf-8")
    _, front, body = text.split("---\n", 2)
    lines = (line.partition(": ") for line in front.splitlines())
    return {**{key: value for key, _, value in lines}, "body": body.strip()}


@cache
def templates(message: str, locale: str) -> dict[str, Template]:
    return {part: JINJA.from_string(text) for part, text in parts(message, locale).items()}


def alerts(kind: str = "stuck", more: int = 0) -> SimpleNamespace:
    """What owners are told of several orders."""
    rows = [
        SimpleNamespace(number="1042", url=url, status=MARK, now=now)
        for url in ("", "https://x")
        for now in ("", MARK)
    ]
    return SimpleNamespace(kind=kind, count=15, more=more, orders=rows)


def context(**given: Any) -> dict[str, Any]:
    """The least that every order has, with `given` on top."""
    least = {
        "customer": SimpleNamespace(name="", first_name=""),
        "order": SimpleNamespace(id="1042", number="1042", customer_name=MARK),
        "owner": SimpleNamespace(name=MARK),
        "brand": SimpleNamespace(name="Loja Azul"),
        "status": "in_production",
        "alerts": alerts(),
        "reminder": SimpleNamespace(number=0, last=False),
    }
    return {**least, **given}


def promised(date: str, previous: str | None = None, *, state: str = "open", begin: str | None = None) -> Any:
    return SimpleNamespace(**{"date": date, "until": date, "previous": previous, "state": state, "from": begin})


def rich(**given: Any) -> dict[str, Any]:
    """Everything that an order can have, with `given` on top."""
    order = SimpleNamespace(
        id="1042", number="1042", url="https://x", items=[MARK], total="1", currency="EUR", customer_name=MARK
    )
    customer = SimpleNamespace(name="Ana Sousa", first_name="Ana")
    promise = promised("2026-03-12", "2026-03-09")
    full = {"order": order, "customer": customer, "promise": promise, "reason": MARK, "next_step": MARK}
    full |= {"asked": SimpleNamespace(at=MARK), "told": SimpleNamespace(at=MARK), "playbook": MARK, "notes": MARK}
    full |= {"answer": SimpleNamespace(url="https://x")}
    return context(**{**full, "next_update": "2026-03-05", **given})


@cache
def cases() -> tuple[Case, ...]:
    """Orders of every kind: poor and rich, of each status, reminded and not, with each sort of promise."""
    dates = (
        None,
        ("2026-03-12", None),
        ("2026-03-12", "2026-03-09"),
        ("2026-03-12", "2026-03-19"),
        ("2026-03-12",) * 2,
    )
    promises = [each and promised(*each) for each in dates]
    to_keep = (None, "2026-03-12")
    promises += [promised("2026-03-12", state="broken"), promised("2026-03-12", "2026-03-12", begin="2026-03-12")]
    every = []
    for make, status, (number, last), promise in product((context, rich), STATUSES, REMINDERS, promises):
        reminder = SimpleNamespace(number=number, last=last)
        case = make(status=status, reminder=reminder, promise=promise, to_keep=to_keep[last and promise is not None])
        case["alerts"] = alerts(KINDS[status], more=11 if last else 0)
        every.append({**case, "next_update": None} if last else case)
    return tuple(every)


@cache
def cases_of(text: str) -> tuple[Case, ...]:
    return distinct(cases(), text)


def distinct(cases: Iterable[Case], text: str) -> tuple[Case, ...]:
    """Of the cases that are the same in all that the text names, one."""
    names = sorted(find_undeclared_variables(JINJA.parse(text)))
    return tuple({repr([case.get(name) for name in names]): case for case in cases}.values())


@cache
def rendered(message: str, locale: str) -> dict[str, frozenset[str]]:
    """All that each part of the message may say, without its Markdown."""
    read = templates(message, locale)
    return {
        part: frozenset(plain(read[part].render(case)) for case in cases_of(text))
        for part, text in parts(message, locale).items()
    }


def plain(text: str) -> str:
    return text.replace("**", "").replace("\\\n", "\n")


@cache
def sentences(message: str, locale: str) -> set[str]:
    """All sentences that the message may say, but for greeting and sign-off, with its values left out."""
    sentences: set[str] = set()
    for part, texts in rendered(message, locale).items():
        for text in texts:
            paragraphs = re.split(r"\n\s*\n", text.strip())
            if part == "body":
                paragraphs = paragraphs[1:] if message in OWNERS else paragraphs[1:-1]
            for sentence in re.split(r"(?<=[.!?:;])\s+|\n|\]", "\n".join(paragraphs)):
                words = re.sub(r"§|1042|Loja Azul|\d{4}-\d\d-\d\d|[^\w\s'·-]", " ", sentence.casefold())
                sentences.add(" ".join(words.split()))
    return sentences - {""}


def test_every_message_is_there_in_every_language_and_no_other() -> None:
    found = {path.relative_to(TEMPLATES / "messages").as_posix() for path in TEMPLATES.glob("messages/**/*.md")}
    assert found == {f"{message}/{locale}.md" for message in MESSAGES for locale in LOCALES}


@cache
def long_days(locale: str) -> tuple[Case, ...]:
    """The cases with the longest day in all places."""
    day = LONG_DAY[locale]
    longest = [{**case, "promise": case["promise"] and promised(day, day)} for case in cases()]
    return tuple(
        {**case, **{name: case.get(name) and day for name in ("next_update", "to_keep")}} for case in longest
    )


@pytest.mark.parametrize(("message", "locale"), EVERY)
def test_subject_and_short_are_one_brief_line(message: str, locale: str) -> None:
    read = templates(message, locale)
    written = parts(message, locale)
    for case in distinct(long_days(locale), written["subject"] + written["short"]):
        subject, short = read["subject"].render(case), read["short"].render(case)
        assert "\n" not in subject + short
        assert 0 < len(subject) <= 78, subject
        assert 0 < len(short) <= 150, short
        about = "(15)" if message == "several-orders" else "1042"
        assert about in subject
        assert about in short


@pytest.mark.parametrize(("message", "locale"), EVERY)
def test_front_matter_is_yaml_too(message: str, locale: str) -> None:
    text = (TEMPLATES / "messages" / message / f"{locale}.md").read_text(encoding="utf-8")
    read = parts(message, locale)
    assert yaml.safe_load(text.split("---\n")[1]) == {"subject": read["subject"], "short": read["short"]}


@pytest.mark.parametrize("locale", LOCALES)
def test_no_sentence_is_said_by_two_messages(locale: str) -> None:
    first: dict[str, str] = {}
    for message in MESSAGES:
        for sentence in sentences(message, locale):
            assert sentence not in first, f"{sentence!r} is in {first[sentence]} and {message}"
        first |= dict.fromkeys(sentences(message, locale), message)


@pytest.mark.parametrize(("message", "locale"), EVERY)
def test_a_message_reads_well_whatever_is_missing(message: str, locale: str) -> None:
    for text in chain.from_iterable(rendered(message, locale).values()):
        assert not re.search(r"None|[ \t]{2}|\s[,.;]|[.,]{2}|\(\)", text), text


@pytest.mark.parametrize(("message", "locale"), EVERY)
def test_a_message_has_20_to_120_words(message: str, locale: str) -> None:
    counts = [len(text.split()) for text in rendered(message, locale)["body"]]
    assert min(counts) >= 20
    assert max(counts) <= 120


@pytest.mark.parametrize(("message", "locale"), CUSTOMERS_EVERY)
def test_a_message_greets_by_first_name_or_without(message: str, locale: str) -> None:
    body = templates(message, locale)["body"]
    named, unnamed = (body.render(case).splitlines()[0] for case in (rich(), context()))
    assert re.fullmatch(r"[^\W\d]+,? Ana[,:!]", named)
    assert re.fullmatch(r"[^\W\d]+[,:!]", unnamed)


@pytest.mark.parametrize(("message", "locale"), CUSTOMERS_EVERY)
def test_a_message_tells_reason_and_next_step_once(message: str, locale: str) -> None:
    text = templates(message, locale)["body"].render(rich(reason="REASON", next_step="STEP"))
    assert text.count("REASON") == text.count("STEP") == 1


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("message", MAY_DATE)
def test_a_message_tells_when_the_customer_hears_again(message: str, locale: str) -> None:
    template = templates(message, locale)
    for part in ("short", "body"):
        assert template[part].render(rich(next_update="NEXT")).count("NEXT") == 1
        assert template[part].render(context()).strip()


@pytest.mark.parametrize(("message", "locale"), EVERY)
def test_each_condition_begins_and_ends_in_one_paragraph(message: str, locale: str) -> None:
    for paragraph in parts(message, locale)["body"].split("\n\n"):
        assert paragraph.count("{% if ") == paragraph.count("{% endif %}")


@pytest.mark.parametrize("locale", LOCALES)
def test_a_moved_date_reads_right_in_both_directions(locale: str) -> None:
    body = templates("delayed", locale)["body"]

    def told(date: str, previous: str | None) -> str:
        return body.render(rich(promise=promised(date, previous)))

    later, sooner = told("2026-03-12", "2026-03-09"), told("2026-03-09", "2026-03-12")
    assert all(date in text for date in ("2026-03-12", "2026-03-09") for text in (later, sooner))
    swapped = sooner.replace("2026-03-12", "x").replace("2026-03-09", "2026-03-12").replace("x", "2026-03-09")
    assert later != swapped
    assert told("2026-03-12", None).count("2026-03-12") == 1
    assert told("2026-03-12", "2026-03-12").count("2026-03-12") == 1  # only the hour moved
    assert "1042" in body.render(rich(promise=None))


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("message", ["still-in-progress", "generic"])
def test_first_later_and_last_reminders_differ(message: str, locale: str) -> None:
    body = templates(message, locale)["body"]
    texts = {
        body.render(context(reminder=SimpleNamespace(number=number, last=last))) for number, last in REMINDERS[1:]
    }
    assert len(texts) == 3
    assert all("2026" not in each for each in texts)
    only = body.render(context(reminder=SimpleNamespace(number=1, last=True)))  # `at_most: 1`
    assert only == body.render(context(reminder=SimpleNamespace(number=3, last=True)))


@pytest.mark.parametrize("message", MESSAGES)
def test_portugal_and_brazil_speak_each_their_own(message: str) -> None:
    portugal, brazil = (" ".join(parts(message, locale).values()) for locale in ("pt-PT", "pt-BR"))
    assert not re.search(
        r"(?i)\b(pedidos?|você|a gente|rastrear|registrad[oa]|cadastrad[oa]|status atual)\b", portugal
    )
    assert not re.search(r"(?i)\b(encomendas?|connosco|consigo|registad[oa]|estafeta|está a \w+r)\b", brazil)


def test_the_plan_is_sound_and_names_messages_that_exist() -> None:
    plan = plan_file.read((TEMPLATES / "plan.yaml").read_text(encoding="utf-8"), file="plan.yaml")
    assert isinstance(plan, Plan), plan
    points = (*plan.touchpoints.values(), plan.unknown)
    assert {point.message for point in points} <= set(CUSTOMERS)
    assert {name for point in points for *_, name in plan.besides(point)} <= set(MESSAGES)
    assert all(point.owner for point in points)


@pytest.mark.parametrize(("message", "locale"), EVERY)
def test_every_shipped_message_compiles_without_a_problem(message: str, locale: str) -> None:
    template = shipped_templates()[message][locale]
    assert template.for_owner == (message in OWNERS)
    assert template.compiled() is not None
    assert template.problems() == []


@cache
def shipped_templates() -> Templates:
    texts = shipped()
    plan = plan_file.read(texts["plan.yaml"], file="plan.yaml")
    assert isinstance(plan, Plan), plan
    templates, problems = templates_of(texts, plan)
    assert problems == []
    return templates
