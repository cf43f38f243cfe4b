"""Dates, numbers and money follow the customer's own country, in the language of the words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes, policy

import pytest

from avisa.catalog.locale import format_locale
from avisa.core import samples
from avisa.core.evolve import evolve
from avisa.core.model import Fact
from avisa.core.retry import Verdict
from avisa.ports import Mail
from avisa.preview.render import Preview, preview
from avisa.smtp.channel import EmailChannel
from avisa.smtp.relay import Relay
from tests.smtp.harness import CALM
from tests.templates.harness import NOW, PLAN, catalog_of, drafted, files, mailed
from tests.tools.sink import Sink

CHOSEN = [  # the language of the words, the customer's, the brand's, and in which the dates are written
    ("en", "en-GB", "en", "en-GB"),
    ("en", "EN-gb", "pt-PT", "en-GB"),
    ("en", "en_GB.UTF-8", "pt-PT", "en-GB"),
    ("en", "en-UK", "pt-PT", "en-GB"),
    ("en", "en-GB-u-hc-h23", "pt-PT", "en-GB"),
    ("en", "en-GB,en;q=0.9", "pt-PT", "en-GB"),
    ("es", "es-MX", "es", "es-MX"),
    ("es", "es-419", "es", "es-419"),
    ("es-419", "es-MX", "es", "es-MX"),
    ("pt-PT", "pt-AO", "en", "pt-AO"),
    ("pt-PT", "pt_PT@euro", "en", "pt-PT"),
    ("pt-BR", "pt-PT", "en", "pt-PT"),
    ("zh", "zh-Hans-CN", "en", "zh-Hans-CN"),
    ("he", "iw", "en", "he-IL"),
    ("nb", "no-NO", "en", "nb-NO"),
    # Who names no country reads the brand's, if it speaks the same language, else what the words have.
    ("en", "en", "en-GB", "en-GB"),
    ("en", "en", "pt-PT", "en"),
    ("pt-BR", "pt", "en-GB", "pt-BR"),
    ("en", "", "en-GB", "en-GB"),
    ("en", None, "en-GB", "en-GB"),
    ("en", None, "pt-PT", "en"),
    ("en", "tlh-KX", "en-GB", "en-GB"),
    # Words of another language, in the customer's country where CLDR knows it so.
    ("en", "de-CH", "pt-PT", "en-CH"),
    ("en", "de-CH", "en-GB", "en-CH"),
    ("es", "pt-BR", "es", "es-BR"),
    ("en", "ja-JP", "en-GB", "en-GB"),
    ("en", "xx-JP", "en", "en"),
    ("en", "de", "fr-FR", "en"),
    # The words' script is never left.
    ("zh", "zh-TW", "en", "zh"),
    ("sr", "sr-Latn-ME", "en", "sr-Cyrl-ME"),
    ("sr-Latn", "sr-RS", "en", "sr-Latn-RS"),
    ("en", "no-such-thing-at-all", "en", "en"),
]


@pytest.mark.parametrize(("words", "wanted", "brands", "chosen"), CHOSEN)
def test_the_country_is_the_customers_and_the_language_that_of_the_words(
    words: str, wanted: str | None, brands: str, chosen: str
) -> None:
    assert format_locale(words, wanted, brands) == chosen


FACTS = (
    "{{ order.eta | day }} · {{ order.eta | date }} · {{ order.at | time }} · {{ order.at | datetime }}"
    " · {{ order.total | money }} · {{ order.weight | number }}"
)
ASKED = "order.eta and order.at and order.total and order.weight"
BODY = f"---\nsubject: s\nshort: s\n---\n{{% if {ASKED} %}}{FACTS}{{% endif %}}\n"
ORDER = {
    "details_eta": "2026-03-11",
    "details_at": "2026-03-11T15:05:00Z",
    "details_total": "1234.5",
    "details_weight": 1234567.25,
    "customer_time_zone": "UTC",
}


@pytest.fixture(scope="module")
def sink(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sink]:
    with Sink(tmp_path_factory.mktemp("sink")) as running:
        yield running


NNBSP, NBSP = "\u202f", "\u00a0"
GB = "Wednesday, 11 March · 11 March 2026 · 15:05 · 11 March 2026, 15:05 · €1,234.50 · 1,234,567.25"
US = "Wednesday, March 11 · March 11, 2026 · 3:05 PM · March 11, 2026, 3:05 PM · €1,234.50 · 1,234,567.25"
IN = "Wednesday, 11 March · 11 March 2026 · 3:05 pm · 11 March 2026, 3:05 pm · €1,234.50 · 12,34,567.25"
CH = "Wednesday, 11 March · 11 March 2026 · 15:05 · 11 March 2026, 15:05 · € 1’234.50 · 1’234’567.25"
ES = "miércoles, 11 de marzo · 11 de marzo de 2026"
READ = [  # the brand's locale, the customer's, and what is read
    ("pt-PT", "en", US),
    ("pt-PT", "en-GB", GB),
    ("pt-PT", "en_GB.UTF-8", GB),
    ("pt-PT", "en-IN", IN),
    ("en-GB", None, GB),
    ("en-GB", "tlh", GB),
    ("pt-PT", "es", f"{ES} · 15:05 · 11 de marzo de 2026, 15:05 · 1.234,50 € · 1.234.567,25"),
    ("pt-PT", "es-MX", f"{ES} · 3:05 p.m. · 11 de marzo de 2026, 3:05 p.m. · EUR 1,234.50 · 1,234,567.25"),
    ("pt-PT", "de-CH", CH),
]


def folder(brands: str) -> dict[str, str]:
    kept = files(shown=BODY, plain=BODY)
    kept["plan.yaml"] = PLAN.replace("locale: pt-PT", f"locale: {brands}")
    return kept | {"messages/shown/es.md": BODY}


async def sent(sink: Sink, mail: Mail) -> str:
    """The plain text of the mail, as a mail server got it."""
    before = sink.count()
    relay = Relay(host="127.0.0.1", port=sink.port, tls="none", helo="avisa.example", patience=CALM)
    channel = EmailChannel(relay, jitter=lambda: 0.0)
    await channel.start()
    receipt = await channel.deliver(mail)
    await channel.stop(1)
    assert receipt.verdict is Verdict.ACCEPTED
    *_, taken = list(sink.mails())[before:]
    read = message_from_bytes(taken.data, policy=policy.SMTP)
    body = read.get_body(("plain",))
    assert body is not None
    text: str = body.get_content()
    return text.replace(NNBSP, " ").replace(NBSP, " ")


@pytest.mark.parametrize(("brands", "wanted", "shown"), READ)
async def test_a_mail_writes_as_its_readers_country_does(
    sink: Sink, brands: str, wanted: str | None, shown: str
) -> None:
    _, mail = mailed(catalog_of(folder(brands)), **ORDER, customer_locale=wanted)
    assert shown in await sent(sink, mail)


@pytest.mark.parametrize(
    ("brands", "shown"), [("en-GB", "11 March 2026, 15:05"), ("pt-PT", "March 11, 2026, 3:05 PM")]
)
async def test_an_owner_reads_the_ways_of_the_brand(sink: Sink, brands: str, shown: str) -> None:
    kept = folder(brands) | {"messages/order-stuck/en.md": BODY}
    _, mail = mailed(catalog_of(kept), "order-stuck", **ORDER, customer_locale="en-IN")
    assert shown in await sent(sink, mail)


def test_a_draft_read_back_gives_the_same_bytes() -> None:
    catalog = catalog_of(folder("pt-PT"))
    for wanted in ("en-GB", "en", "es-MX"):
        draft = drafted(catalog, **ORDER, customer_locale=wanted)
        _, notification = samples.samples("shown", catalog.plan, NOW)["full"]
        kept = replace(draft, render_input=None)
        assert catalog.compose(notification, kept) == catalog.compose(notification, draft)


def test_a_preview_shows_it() -> None:
    catalog = catalog_of(folder("en-GB"))
    order, _ = samples.samples("shown", catalog.plan, NOW)["full"]
    facts = {name.replace("_", ".", 1): Fact(rank=order.status_rank, value=value) for name, value in ORDER.items()}
    about = evolve(order, facts=dict(order.facts) | facts)

    def shown(locale: str | None) -> str:
        previewed = preview(catalog, "shown", now=NOW, order=about, locale=locale)
        assert isinstance(previewed, Preview)
        return previewed.rendered.text.replace(NNBSP, " ")

    assert "11 March 2026, 15:05" in shown(None)
    assert "March 11, 2026, 3:05 PM" in shown("en-US")
    assert "11 de marzo de 2026, 15:05" in shown("es")
    assert "11 de marzo de 2026, 3:05 p.m." in shown("es-MX")
    with pytest.raises(LookupError, match="written in en, es"):
        shown("tlh")
