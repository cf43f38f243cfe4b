"""Whoever has an owner's link can answer that one question, once: no form that they send does more, or falls."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote_plus

import pytest

from avisa.core import facts
from avisa.core.model import OrderEvent, Rank
from avisa.core.question_token import question_token
from tests.flows.test_answers import ASKED, Page, asked
from tests.templates.harness import SECRET

LATEST = f"{2**62}.{2**62}.{2**62}"
TELL = "reply=tell&reason=The+kiln+broke."
FORMS = {  # the body of the form, and what is answered
    "nothing": ("", 400),
    "another reply": ("reply=erase", 400),
    "two replies": ("reply=on_track&reply=tell", 200),
    "a thousand fields": ("&".join(f"a{n}=b" for n in range(1_000)), 400),
    "no form": ("\x00\xff" * 100, 400),
    "a long reason": (f"reply=tell&reason={'x' * 1_001}", 400),
    "a date long ago": ("reply=tell&promised_at=0001-01-01", 400),
    "a date far away": ("reply=tell&promised_at=9999-12-31", 400),
    "no date": ("reply=tell&promised_at=2026-W11-1", 400),
    "another date": ("reply=tell&promised_at=20260309", 400),
    "a date in other digits": (f"reply=tell&promised_at={quote_plus('٢٠٢٦-٠٣-٠٩')}", 400),
    "another fact": (f"{TELL}&customer.email=evil%40example.com&brand=x&status=delivered", 200),
    "a null character": ("reply=tell&reason=The+kiln%00broke.", 200),
    "half a character": ("reply=tell&reason=The+kiln%ED%A0%80broke.", 200),
    "no UTF-8": ("reply=tell&reason=The+kiln%FFbroke.", 200),
    "seen at the end of time": (f"{TELL}&seen={LATEST}", 200),
    "seen beyond 64 bits": (f"{TELL}&seen={'.'.join(['9' * 19] * 3)}", 200),
    "seen before all": (f"{TELL}&seen=-{'.-'.join(['9' * 18] * 3)}", 200),
    "seen in other digits": (f"{TELL}&seen={quote_plus('٩.٩.٩')}", 200),
    "seen that is none": (f"{TELL}&seen=1.2", 200),
    "seen that is a word": (f"{TELL}&seen=nan.inf.-", 200),
}


async def _send(page: Page, body: str) -> int:
    token = question_token(SECRET, ASKED)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await page.client.post(f"/o/{token}", content=body.encode("latin-1"), headers=headers)
    return answer.status_code


async def _newer(page: Page) -> tuple[Rank, OrderEvent]:
    """What the next event says outranks every answer."""
    event = page.flows.event("confirmed", reason="It is mended.", promised_at="2026-03-11")
    await page.flows.intake.take([event])
    order = (await page.flows.store.orders.load({"A-1"}))["A-1"]
    return order.status_rank, event


@pytest.mark.parametrize("name", FORMS)
async def test_a_form_answers_its_question_or_nothing(name: str, tmp_path: Path) -> None:
    body, status = FORMS[name]
    async with asked(tmp_path / "avisa.db") as page:
        assert await _send(page, body) == status
        order = (await page.flows.store.orders.load({"A-1"}))["A-1"]
        shown = facts.view(order)
        assert (order.status, shown["customer.email"]) == ("confirmed", "ana@example.com")
        assert "\0" not in str(shown.get("reason", ""))
        if name in ("a null character", "half a character", "no UTF-8"):
            assert "\ufffd" in str(shown["reason"])
        await _newer(page)
        shown = facts.view((await page.flows.store.orders.load({"A-1"}))["A-1"])
        assert (shown["reason"], shown["promised_at"]) == ("It is mended.", "2026-03-11")


TOKENS = [
    "", "x", "x" * 60, "x" * 5_000, "%00", "é", "=", "AAAA.BBBB", "\N{PACKAGE}",
    question_token(SECRET, ASKED)[:-1], question_token(SECRET, ASKED) + "A", question_token(bytes(31) + b"x", ASKED),
    question_token(SECRET, "A-1/1/update/1/customer"), question_token(SECRET, "B-9/1/ask_owner/1/owner:care"),
    question_token(SECRET, ASKED).swapcase(),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(TOKENS)))
async def test_no_other_link_leads_anywhere(number: int, tmp_path: Path) -> None:
    async with asked(tmp_path / "avisa.db") as page:
        answers = [
            await page.client.get(f"/o/{TOKENS[number]}"),
            await page.client.post(f"/o/{TOKENS[number]}", data={"reply": "tell", "reason": "x"}),
        ]
        assert [answer.status_code for answer in answers] == [404, 404]
        order = (await page.flows.store.orders.load({"A-1"}))["A-1"]
        assert order.asking is not None
        assert order.asking.questions[0].reply is None
