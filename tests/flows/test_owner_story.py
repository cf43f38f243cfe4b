"""The owner is asked and answers, in five languages: Apache Kafka, a real mail server, and the page in Chromium as on
a phone. Much of the time is silence, at an hour a second.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from babel.dates import format_skeleton

from avisa.preview.screenshots import Look
from avisa.web.question import TEXTS
from tests.flows.story import Mail, Story, double_click, staged
from tests.tools import chromium
from tests.tools.chromium import Tab
from tests.tools.kafka import ApacheKafka
from tests.tools.parts import needs

pytestmark = pytest.mark.long

PHONE = Look(width=375, phone=True)
ANSWERED = 'avisa_questions{state="answered"}'
PLAYBOOK = "See on the board where the batch is."
OWNERS = "".join(
    f"  {owner}-{locale}: {{name: {name}, email: {owner}-{locale}@example.com, locale: {locale}{more}}}\n"
    for locale in TEXTS
    for owner, name, more in (("first", "Ana", f", next: second-{locale}"), ("second", "Berta", ""))
)
REASON = {
    "en": ("Why: The kiln broke & is being mended.", "What happens next: We fire it on Monday."),
    "pt-PT": ("Porquê: O forno avariou & está a ser reparado.", "E agora: Cozemos na segunda-feira."),
    "pt-BR": ("Por quê: O forno quebrou & está em conserto.", "Como fica: Queimamos na segunda-feira."),
    "es": ("Por qué: El horno se averió & lo están reparando.", "Cómo sigue: Lo cocemos el lunes."),
    "ca": ("Per què: El forn s'ha espatllat & l'estan arreglant.", "Com continua: La courem dilluns."),
}
LOOKED = {
    "en": "all is on track.",
    "pt-PT": "tudo corre como previsto.",
    "pt-BR": "tudo segue no prazo.",
    "es": "todo va según lo previsto.",
    "ca": "tot va segons el previst.",
}


def plan(shipped: str) -> str:
    """The shipped one, with owners for each language; the window of `in_production` is a day and a night."""
    text = re.sub(r"  quiet_hours:.*\n", "", shipped)
    text = text.replace("owners:\n", f"owners:\n{OWNERS}")
    text = text.replace("    calendar: workshop\n    window: 3bd", "    window: 24h")
    text = text.replace("    ask_owner_at: 60%", "    ask_owner_at: 2h")
    text = re.sub(r"    remind: {after: \[4bd\].*\n", "    remind: {then_every: 24h}\n", text)
    return text.replace("    promise: {ask_owner_before: 72h, warn_before: 48h}", "    promise: {warn_before: none}")


@pytest.fixture(scope="module")
@needs("kafka")
def story(tmp_path_factory: pytest.TempPathFactory, apache_kafka: ApacheKafka) -> Iterator[Story]:
    with staged(tmp_path_factory.mktemp("owners"), apache_kafka, "owner.story", plan) as begun:
        yield begun


@pytest.fixture(scope="module")
@needs("chromium")
def tab() -> Iterator[Tab]:
    with chromium.opened(PHONE, scripts=False) as opened:
        yield opened


@dataclass(slots=True)
class Asked:
    """An order, the mails about it, and the browser of its owners."""

    story: Story
    tab: Tab
    locale: str

    @property
    def text(self) -> dict[str, str]:
        return dict(TEXTS[self.locale])

    @property
    def number(self) -> str:
        return f"A-{self.locale}"

    @property
    def customer(self) -> str:
        return f"customer-{self.locale}@customers.example"

    def reads(self, number: int, what: str) -> Mail:
        """The customer's mail of that number, once it is there; it is the last one."""
        return self.story.reads(self.customer, number, what)

    def is_asked(self, owner: str, number: int) -> str:
        """The link in the owner's mail of that number."""
        return self.story.reads(f"{owner}-{self.locale}@example.com", number, f"question {number}").link

    def answers(self) -> list[dict[str, Any]]:
        return [entry for entry in self.story.timeline(self.number)["entries"] if entry["kind"] == "answer"]

    def sees(self, *names: str) -> None:
        """The page says these texts in the owner's language, up to the first value in them."""
        self.tab.shows(*(self.text[name].partition("{")[0] for name in names))


@pytest.mark.parametrize("locale", TEXTS)
def test_an_owner_who_is_asked_answers_and_the_customer_reads_it(story: Story, tab: Tab, locale: str) -> None:
    asked = Asked(story, tab, locale)
    customer = {"name": "Clara Sousa", "email": asked.customer, "locale": locale, "time_zone": "Europe/Lisbon"}
    promised = (story.now() + timedelta(days=9)).date().isoformat()
    story.happens(asked.number, "in_production", owner=f"first-{locale}", customer=customer, promised_at=promised)
    asked.reads(1, "the update")
    before = story.metric(ANSWERED)

    passes_on(asked)
    tells(asked)
    is_on_track(asked)
    assert [(entry["reason"], entry["author"]) for entry in asked.answers()] == [
        ("passed_on", f"first-{locale}@example.com"),
        ("facts_changed", f"second-{locale}@example.com"),
        ("on_track", f"first-{locale}@example.com"),
    ]
    assert story.metric(ANSWERED) == before + 2


def passes_on(asked: Asked) -> None:
    """Looking, as scanners of mail do, changes nothing; a double click acts once."""
    link = asked.is_asked("first", 1)
    for _ in range(3):
        asked.tab.open(link)
    assert asked.tab.asked("document.documentElement.lang") == asked.locale
    asked.sees("on_track", "tell", "pass_on")
    asked.tab.shows(PLAYBOOK)
    assert asked.answers() == []
    double_click(asked.tab, "pass_on")
    asked.sees("answered_pass_on")


def tells(asked: Asked) -> None:
    """What is incomplete is shown again; what is whole goes to the customer at once."""
    reason, next_step = (sentence.partition(": ")[2] for sentence in REASON[asked.locale])
    day = (asked.story.now() + timedelta(days=20)).date()
    tab = asked.tab
    tab.open(asked.is_asked("second", 1))
    assert not tab.asked("document.querySelector('[value=pass_on]')")  # she is the last in line
    tab.click("[value=tell]")
    asked.sees("wrong", "nothing")
    tab.type("#reason", reason)
    tab.type("#next_step", next_step)
    tab.asked(f"document.querySelector('#promised_at').value = '{day}'")  # as the browser's calendar does
    double_click(tab, "tell")
    asked.sees("answered_tell")
    mail = asked.reads(2, "the reason")
    for written in (*REASON[asked.locale], format_skeleton("MMMMd", day, locale=asked.locale.replace("-", "_"))):
        assert written in mail.text


def is_on_track(asked: Asked) -> None:
    """By keyboard; and the reminder says that somebody looked."""
    asked.tab.open(asked.is_asked("first", 2))
    asked.tab.press("Tab")
    asked.tab.press("Enter")
    asked.sees("acted_on_track")
    assert LOOKED[asked.locale] in asked.reads(3, "the reminder").text
