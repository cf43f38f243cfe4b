"""One click stops the reminders; looking does not (RFC 8058)."""

from __future__ import annotations

import random

import pytest

from avisa.core.unsubscribe_token import address_hash
from avisa.web.unsubscribe import TEXTS, language
from tests.web.conftest import ADDRESS, SECRET, RunningSite

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


async def test_a_get_unsubscribes_nobody(running: RunningSite) -> None:
    for _ in range(3):
        answer = await running.client.get(f"/u/{running.token}")
        assert answer.status_code == 200
        assert '<button name="List-Unsubscribe" value="One-Click">' in answer.text
    await running.client.head(f"/u/{running.token}")
    assert running.unsubscribed == set()


async def test_one_click_may_be_repeated_and_needs_no_cookie(running: RunningSite) -> None:
    for _ in range(2):
        answer = await running.client.post(f"/u/{running.token}", data=ONE_CLICK)
        assert answer.status_code == 200
        assert answer.history == []
    assert running.unsubscribed == {address_hash(SECRET, ADDRESS)}


async def test_a_multipart_form_unsubscribes(running: RunningSite) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n'
    answer = await running.client.post(
        f"/u/{running.token}", content=body, headers={"Content-Type": "multipart/form-data; boundary=x"}
    )
    assert answer.status_code == 200
    assert len(running.unsubscribed) == 1


async def test_a_post_without_the_one_click_field_is_refused(running: RunningSite) -> None:
    assert (await running.client.post(f"/u/{running.token}", data={"a": "b"})).status_code == 400
    assert running.unsubscribed == set()


async def test_every_wrong_token_gets_the_same_page(running: RunningSite) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    die = random.Random(seed)
    good = running.token
    wrong = [good[:-1], good + "=", good[::-1], "x", "%00", "é", "A" * 5000]
    for _ in range(20):
        place = die.randrange(len(good))
        wrong.append(good[:place] + die.choice([c for c in "ABCxyz019-_" if c != good[place]]) + good[place + 1 :])
    bodies = set()
    for token in wrong:
        looked = await running.client.get(f"/u/{token}")
        clicked = await running.client.post(f"/u/{token}", data=ONE_CLICK)
        assert (looked.status_code, clicked.status_code) == (404, 404)
        bodies |= {looked.text, clicked.text}
    assert len(bodies) == 1
    assert running.unsubscribed == set()


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        ("", "en"),
        ("pt-BR,pt;q=0.9,en;q=0.8", "pt-BR"),
        ("pt", "pt-PT"),
        ("pt-AO", "pt-PT"),
        ("es-MX, en;q=0.5", "es"),
        ("en;q=0.1, ca;q=0.9", "ca"),
        ("de, fr;q=0.9", "en"),
        ("es;q=0, en", "en"),
        ("CA-es", "ca"),
        (";q=x,,;;", "en"),
    ],
)
def test_the_language_follows_accept_language(accepted: str, expected: str) -> None:
    assert language(accepted) == expected


async def test_the_unsubscribe_page_is_in_the_language_that_is_asked_for(running: RunningSite) -> None:
    for locale, text in TEXTS.items():
        answer = await running.client.get(f"/u/{running.token}", headers={"Accept-Language": locale})
        assert f'<html lang="{locale}">' in answer.text
        assert text["button"] in answer.text
        assert answer.headers["content-language"] == locale


def test_every_language_has_every_text() -> None:
    assert len({frozenset(texts) for texts in TEXTS.values()}) == 1
