"""An owner who is asked answers over HTTP: looking changes nothing, and an answer acts once."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from avisa.core import facts
from avisa.core.model import Purpose, State
from avisa.core.question_token import question_token
from avisa.core.unsubscribe_token import unsubscribe_token
from avisa.web import question
from avisa.web.guard import Guard
from tests.flows.harness import Flows, running
from tests.mails import harness as mails
from tests.mails.test_mails import JUDGED
from tests.templates import harness as templates
from tests.tools.parts import needs

PLAN = templates.PLAN.replace(
    "care@example.com}",
    "care@example.com, locale: ca, next: boss}\n  boss: {name: Berta, email: boss@example.com, locale: es}",
).replace("confirmed: {message: plain}", 'confirmed: {message: plain, ask_owner_at: 50%, playbook: "Call the kiln."}')
ASKED = "A-1/1/ask_owner/1/owner:care"
UPDATE = "A-1/1/update/{}/customer"
TOLD = {"reply": "tell", "reason": "The kiln broke.", "promised_at": "2026-03-20"}


@dataclass
class Page:
    """The flows, and the page of their questions as a browser sees it."""

    flows: Flows
    client: httpx.AsyncClient

    async def get(self, key: str = ASKED) -> httpx.Response:
        return await self.client.get(f"/o/{question_token(templates.SECRET, key)}")

    async def post(self, key: str = ASKED, **form: str) -> httpx.Response:
        """Send the form as the page has it, with the hidden field."""
        page = await self.get(key)
        seen = re.search(r'name="seen" value="([^"]+)"', page.text)
        hidden = {"seen": seen[1]} if seen else {}
        return await self.client.post(f"/o/{question_token(templates.SECRET, key)}", data={**hidden, **form})

    async def updates(self) -> list[str]:
        history = await self.flows.history()
        kinds = (Purpose.UPDATE, Purpose.PROMISE_MOVED)
        return [row.notification.key for row in history.outbox if row.notification.purpose in kinds]


@asynccontextmanager
async def asked(file: Path, *, locale: str = "ca", **known: object) -> AsyncIterator[Page]:
    """An order that was confirmed; a day later its owner is asked."""
    async with running(file, plan=PLAN.replace("locale: ca", f"locale: {locale}")) as flows, flows.sending():
        await flows.happens("confirmed", promised_at="2026-03-09", **known)
        await flows.became(UPDATE.format(1), State.SENT)
        await flows.pass_time(timedelta(hours=24))
        assert await flows.wake.once() == 1
        await flows.became(ASKED, State.SENT)
        app = Guard(Starlette(routes=question.routes(flows.answers)))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://avisa") as client:
            yield Page(flows, client)


async def test_the_mail_that_asks_has_the_link_and_the_page_speaks_the_owners_language(tmp_path: Path) -> None:
    async with asked(tmp_path / "avisa.db") as page:
        row = await page.flows.row(ASKED)
        assert row.notification.recipient == "owner:care"
        shown = await page.get()
        assert (shown.status_code, shown.headers["content-language"]) == (200, "ca")
        assert "Call the kiln." in shown.text
        assert "Preguntar a Berta" in shown.text
        assert "Ana Sousa" in shown.text


@pytest.mark.parametrize(
    ("locale", "moment"),
    [("ca", "2 de març del 2026, 10:00"), ("en-GB", "2 March 2026, 10:00"), ("es-ES", "2 de marzo de 2026, 10:00")],
)
async def test_a_moment_is_written_as_in_a_letter_of_the_owners_country(
    locale: str, moment: str, tmp_path: Path
) -> None:
    async with asked(tmp_path / "avisa.db", locale=locale) as page:
        assert f"<dd>{moment}</dd>" in (await page.get()).text


async def test_a_question_about_a_date_says_so_in_mail_and_page(tmp_path: Path) -> None:
    plan = PLAN.replace("ask_owner_at: 50%", "promise: {ask_owner_before: 48h, warn_before: 24h}")
    async with running(tmp_path / "avisa.db", plan=plan) as flows, flows.sending():
        await flows.happens("confirmed", promised_at="2026-03-05")
        await flows.became(UPDATE.format(1), State.SENT)
        await flows.pass_time(timedelta(hours=40))
        assert await flows.wake.once() == 1
        await flows.became(ASKED, State.SENT)
        app = Guard(Starlette(routes=question.routes(flows.answers)))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://avisa") as client:
            page = Page(flows, client)
            shown = (await page.get()).text
            assert "<h1>Arribarà la comanda A-1 com a molt tard el dijous, 5 de març del 2026?</h1>" in shown
            assert "Sí, la data es complirà" in shown
            assert "El client no rebrà cap avís de retard." in (await page.post(reply="on_track")).text
            await flows.pass_time(timedelta(hours=30))
            await flows.wake.once()
            history = await flows.history()
            assert all(row.notification.purpose is not Purpose.PROMISE_AT_RISK for row in history.outbox)


async def test_whoever_only_looks_changes_nothing(tmp_path: Path) -> None:
    async with asked(tmp_path / "avisa.db") as page:
        before = await page.flows.history()
        token = question_token(templates.SECRET, ASKED)
        for _ in range(5):
            await page.get()
            await page.client.head(f"/o/{token}")
            await page.client.get(f"/o/{token}?reply=tell&reason=x")
        assert await page.flows.history() == before


async def test_what_is_to_be_told_is_told_at_once_and_stands_on_the_timeline(tmp_path: Path) -> None:
    async with asked(tmp_path / "avisa.db") as page:
        answered = await page.post(**TOLD)
        assert answered.status_code == 200
        assert "Avisem ara el client." in answered.text
        moved = "A-1/1/promise_moved/1/customer"
        await page.flows.became(moved, State.SENT)
        history = await page.flows.history()
        assert facts.view(history.order)["reason"] == "The kiln broke."
        assert facts.promise(history.order) == "2026-03-20"
        line = next(entry for entry in history.entries if entry.kind == "answer")
        assert (line.reason, line.key, line.author) == ("facts_changed", ASKED, "care@example.com")
        assert "care@example.com" in (await page.get()).text


async def test_a_double_click_acts_once(tmp_path: Path) -> None:
    async with asked(tmp_path / "avisa.db") as page:
        both = await asyncio.gather(page.post(**TOLD), page.post(**TOLD | {"reason": "Something else."}))
        assert {answer.status_code for answer in both} == {200}
        assert len(await page.updates()) == 2
        await page.post(**TOLD | {"reason": "Again."})
        assert len(await page.updates()) == 2
        entries = (await page.flows.history()).entries
        assert [entry.kind for entry in entries].count("answer") == 1


async def test_on_track_tells_nobody_now_and_the_gauges_count_it(tmp_path: Path) -> None:
    async with asked(tmp_path / "avisa.db") as page:
        assert (await page.flows.store.queries.gauges()).questions["open"] == 1  # type: ignore[index]  # a StrEnum
        assert "algú s&#39;ho ha mirat" in (await page.post(reply="on_track")).text
        assert len(await page.updates()) == 1
        gauges = await page.flows.store.queries.gauges()
        assert {state: n for state, n in gauges.questions.items() if n} == {"answered": 1}


async def test_not_mine_asks_the_next_in_line_who_keeps_it(tmp_path: Path) -> None:
    async with asked(tmp_path / "avisa.db") as page:
        await page.post(reply="pass_on")
        second = "A-1/1/ask_owner/2/owner:boss"
        await page.flows.became(second, State.SENT)
        shown = await page.get(second)
        assert shown.headers["content-language"] == "es"
        assert "pass_on" not in shown.text
        assert (await page.post(second, reply="pass_on")).status_code == 400
        assert (await page.post(second, reply="on_track")).status_code == 200
        assert "passar a algú altre" in (await page.get()).text


async def test_a_new_episode_closes_the_question_and_later_the_link_says_so(tmp_path: Path) -> None:
    async with asked(tmp_path / "avisa.db") as page:
        await page.flows.happens("shipped")
        assert "<form" in (await page.get()).text  # for seven days
        await page.flows.pass_time(timedelta(days=8))
        assert "<form" not in (await page.get()).text
        await page.post(**TOLD)
        assert facts.promise((await page.flows.history()).order) == "2026-03-09"


@pytest.mark.parametrize(
    ("form", "word"),
    [
        ({"reply": "tell"}, "Escriu almenys un dels tres."),
        ({"reply": "tell", "reason": "  \r\n "}, "Escriu almenys un dels tres."),
        ({"reply": "tell", "reason": "x" * 1001}, "Com a màxim 1000 caràcters"),
        ({"reply": "tell", "promised_at": "2026-03-02"}, "un dia a partir d&#39;avui"),
        ({"reply": "tell", "promised_at": "2226-03-02"}, "un dia a partir d&#39;avui"),
        ({"reply": "tell", "promised_at": "20 of March", "reason": "kept <b>"}, "kept &lt;b&gt;"),
        ({"reply": "sell"}, "Tria una de les respostes"),
        ({}, "Tria una de les respostes"),
    ],
)
async def test_a_form_that_cannot_be_used_is_shown_again_and_nothing_is_sent(
    form: dict[str, str], word: str, tmp_path: Path
) -> None:
    async with asked(tmp_path / "avisa.db") as page:
        answered = await page.post(**form)
        assert answered.status_code == 400
        assert word in answered.text
        assert 'role="alert"' in answered.text
        assert len(await page.updates()) == 1


async def test_a_body_that_is_no_form_changes_nothing(tmp_path: Path) -> None:
    async with asked(tmp_path / "avisa.db") as page:
        token = question_token(templates.SECRET, ASKED)
        for body in (b"", b"\xff\xfe", b"&".join([b"a=1"] * 50), b"reply=tell&reason=%00%ff", b"{}"):
            assert (await page.client.post(f"/o/{token}", content=body)).status_code in {200, 400}
        forged = {"reply": "tell", "reason": "r", "seen": "99999999999999999.9.9"}
        await page.client.post(f"/o/{token}", data=forged)
        await page.flows.happens("confirmed", reason="from the shop")
        assert facts.view((await page.flows.history()).order)["reason"] == "from the shop"


async def test_no_other_token_opens_the_page_nor_does_this_one_anything_else(tmp_path: Path) -> None:
    async with asked(tmp_path / "avisa.db") as page:
        good = question_token(templates.SECRET, ASKED)
        assert len(good) <= 60
        others = [
            good[:-1], good + "=", "x" * 44, "%00",
            question_token(bytes(31) + b"x", ASKED),
            question_token(templates.SECRET, ASKED.replace("/1/ask", "/2/ask")),
            unsubscribe_token(templates.SECRET, "care@example.com"),
        ]  # fmt: skip
        bodies = set()
        for token in others:
            looked = await page.client.get(f"/o/{token}")
            clicked = await page.client.post(f"/o/{token}", data=TOLD)
            assert (looked.status_code, clicked.status_code) == (404, 404)
            bodies |= {looked.text, clicked.text}
        assert len(bodies) == 1
        assert len(await page.updates()) == 1


@needs("chromium")
@pytest.mark.parametrize(("width", "dark"), [(320, False), (600, True)])
async def test_axe_finds_no_fault_in_the_page(width: int, dark: bool, tmp_path: Path) -> None:
    async with asked(tmp_path / "avisa.db") as page:
        pages = {
            "open": (await page.get()).text,
            "wrong": (await page.post(reply="tell", promised_at="x")).text,
            "gone": (await page.client.get("/o/x")).text,
            "acted": (await page.post(reply="on_track")).text,
            "answered": (await page.get()).text,
        }
    judged = await asyncio.to_thread(mails.asked, JUDGED, pages, tmp_path, widths=[width], dark=dark)
    for name, found in judged.items():
        assert (name, found["wrong"], found["unsure"]) == (name, [], [])
    wide = await asyncio.to_thread(
        mails.asked, "view.document.documentElement.scrollWidth <= width", pages, tmp_path, widths=[width]
    )
    assert all(wide.values()), wide
