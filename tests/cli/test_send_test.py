"""`avisa send-test`: over a socket to a server that says what it is told to."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from tests.cli.test_command import Avisa, Ended, asked, kept
from tests.cli.test_preview import few_words, real
from tests.smtp.scripted import Act, Line, ScriptedRelay

__all__ = ["asked", "few_words", "kept", "real"]

TO = "tester@example.org"


@contextmanager
def relay(
    script: dict[str, Line] | None = None, *, offers: tuple[str, ...] = ("PIPELINING",)
) -> Iterator[ScriptedRelay]:
    """A scripted relay in a thread of its own; the command blocks this one."""
    server = ScriptedRelay(script, offers=offers)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result(10)
        yield server
        asyncio.run_coroutine_threadsafe(server.__aexit__(), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def sent(asked: Avisa, server: ScriptedRelay, *words: str, **settings: str) -> Ended:
    return asked("send-test", *words, "--to", TO, "--json", **through(server), **settings)


def through(server: ScriptedRelay) -> dict[str, str]:
    return {"AVISA_SMTP__HOST": "127.0.0.1", "AVISA_SMTP__PORT": str(server.port), "AVISA_SMTP__TLS": "none"}


def test_a_test_mail_arrives_and_says_that_it_is_a_test(asked: Avisa) -> None:
    with relay() as server:
        ended = sent(asked, server, "shipped", "--locale", "pt-BR", "--sample", "bare")
    assert ended.code == 0
    (taken,) = server.taken
    assert taken.recipient == TO.encode()
    mail = message_from_bytes(taken.data, policy=policy.default)
    assert mail["Subject"] == ended.json["subject"]
    assert mail["Subject"].startswith("[Test] ")
    assert mail["X-Avisa-Test"]
    assert mail["Feedback-ID"] == "test:shipped:default:avisa"
    assert mail["Message-ID"] == ended.json["message_id"]
    assert "pedido" in mail.get_body(("plain",)).get_content()
    assert (ended.json["locale"], ended.json["to"], ended.json["code"]) == ("pt-BR", TO, 250)
    assert ended.json["notes"] == ["plan.yaml: the brand default sends from an example domain"]


def test_a_test_sent_twice_is_two_mails(asked: Avisa) -> None:
    with relay() as server:
        ids = {sent(asked, server, "shipped").json["message_id"] for _ in range(2)}
    assert len(ids) == len(server.taken) == 2


def test_a_test_of_a_real_order_leaves_the_order_untold(asked: Avisa, real: None, tmp_path: Path) -> None:
    before = asked("timeline", "R-1", "--json").json, asked("counts", "--json").json
    with relay() as server:
        ended = sent(asked, server, "delayed", "--order", "R-1")
    assert ended.code == 0
    (taken,) = server.taken
    assert taken.recipient == TO.encode()
    assert b"rui@example.org" not in taken.data
    assert "4711" in message_from_bytes(taken.data, policy=policy.default)["Subject"]
    assert (asked("timeline", "R-1", "--json").json, asked("counts", "--json").json) == before
    assert asked("outbox", "--json").json == []


def test_send_test_needs_no_store(asked: Avisa, tmp_path: Path) -> None:
    with relay() as server:
        assert sent(asked, server, "shipped").code == 0
    assert [file.name for file in tmp_path.iterdir()] == ["templates"]


def test_a_test_mail_is_redirected_and_says_so(asked: Avisa) -> None:
    with relay() as server:
        ended = sent(asked, server, "shipped", AVISA_SMTP__REDIRECT_TO="staging@example.org")
    (taken,) = server.taken
    assert taken.recipient == b"staging@example.org"
    assert message_from_bytes(taken.data)["X-Avisa-Intended-To"] == TO
    assert "it went to AVISA_SMTP__REDIRECT_TO instead" in ended.json["notes"]


@pytest.mark.parametrize(
    ("script", "code", "error", "said"),
    [
        ({"RCPT": b"550 5.1.1 no such user\r\n"}, 1, "address_unknown", "(550 5.1.1)"),
        ({"RCPT": b"550 5.7.9 not you\r\n"}, 1, "refused", "at rcpt"),
        ({"DOT": b"554 5.6.0 spam\r\n"}, 1, "refused", "at dot"),
        ({"MAIL": b"550 5.1.8 bad sender\r\n"}, 1, "sender_refused", "`from`"),
        ({"MAIL": b"530 5.7.0 log in\r\n"}, 78, "login_needed", "AVISA_SMTP__PASSWORD"),
        ({"RCPT": b"451 4.7.1 greylisted\r\n"}, 1, "not_now", "try again later"),
        ({"GREETING": b"554 go away\r\n"}, 1, "unreachable", "(554)"),
        ({"GREETING": Act.DROP}, 1, "unreachable", "was not reached"),
        ({"DOT": Act.DROP}, 1, "in_doubt", "may arrive"),
    ],
)
def test_send_test_shows_what_the_relay_answered(
    asked: Avisa, script: dict[str, Line], code: int, error: str, said: str
) -> None:
    with relay(script) as server:
        ended = sent(asked, server, "shipped")
    assert (ended.code, ended.json["error"]) == (code, error)
    assert said in ended.json["message"]
    assert TO not in ended.out
    assert "sent" not in ended.json["message"] or "not sent" in ended.json["message"]


def test_a_wrong_password_is_named_and_not_shown(asked: Avisa) -> None:
    with relay({"AUTH": b"535 5.7.8 no\r\n"}, offers=("AUTH PLAIN",)) as server:
        login = {"AVISA_SMTP__USERNAME": "shop", "AVISA_SMTP__PASSWORD": "hunter2-canary"}
        ended = sent(asked, server, "shipped", **login)
    assert (ended.code, ended.json["error"]) == (78, "login_refused")
    assert "canary" not in ended.out
    assert "535" in ended.json["message"]


def test_a_relay_that_is_not_there_is_named(asked: Avisa) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    there = {"AVISA_SMTP__HOST": "127.0.0.1", "AVISA_SMTP__PORT": port, "AVISA_SMTP__TLS": "none"}
    ended = asked("send-test", "shipped", "--to", TO, **there)
    assert ended.code == 1
    assert ended.err == (
        "avisa: not sent: the mail server at AVISA_SMTP__HOST and __PORT was not reached (connection refused)\n"
    )


def test_encryption_that_is_not_offered_is_named(asked: Avisa) -> None:
    with relay() as server:
        ended = asked(
            "send-test", "shipped", "--to", TO, "--json", **{**through(server), "AVISA_SMTP__TLS": "starttls"}
        )
    assert (ended.code, ended.json["error"]) == (1, "no_tls")
    assert server.taken == []


def test_send_test_without_a_relay_says_what_to_set(asked: Avisa) -> None:
    ended = asked("send-test", "shipped", "--to", TO, "--json")
    assert (ended.code, ended.json["error"]) == (78, "configuration")
    assert "AVISA_SMTP__HOST" in ended.json["message"]


@pytest.mark.parametrize(
    "to", ["", "nobody", "a@b", "mailer-daemon@example.org", "x@example.org\r\nBcc: y@example.org"]
)
def test_an_address_that_is_none_is_refused_before_anything_is_sent(asked: Avisa, to: str) -> None:
    with relay() as server:
        ended = asked("send-test", "shipped", "--to", to, "--json", **through(server))
    assert (ended.code, ended.json["error"]) == (64, "usage")
    assert server.visits == []


def test_send_test_refuses_a_message_or_order_that_is_not_there(asked: Avisa) -> None:
    with relay() as server:
        assert sent(asked, server, "nope").json["error"] == "not_found"
        assert sent(asked, server, "shipped", "--locale", "xx").json["error"] == "not_found"
        assert asked("send-test", "shipped", "--json", **through(server)).code == 64
    assert server.visits == []
