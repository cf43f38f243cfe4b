"""The embedded inbox: mails go in over SMTP and can be read on a page."""

from __future__ import annotations

import asyncio
import smtplib
from pathlib import Path

from avisa.embedded import inbox as embedded
from avisa.embedded.inbox import Inbox
from tests.fakes import HandClock
from tests.tools.waiting import PATIENCE
from tests.web.conftest import RunningSite, a_mail, post

EVIL = '<html><head></head><body><h1>Olá</h1><img src="https://spy.example/x.gif"><script>alert(1)</script></body>'


async def test_an_empty_inbox_says_so(running: RunningSite) -> None:
    assert "Nothing here yet" in (await running.client.get("/inbox")).text


async def test_mails_are_listed_and_shown_as_text_and_source(running: RunningSite) -> None:
    await asyncio.to_thread(post, running.inbox.port, a_mail(html=EVIL))
    await asyncio.to_thread(post, running.inbox.port, a_mail(subject="Segundo <b>"))
    listed = (await running.client.get("/inbox")).text
    assert listed.index("Segundo &lt;b&gt;") < listed.index("O seu pedido 1042 está em produção")
    assert "Olá Ana" in (await running.client.get("/inbox/1/text")).text
    source = (await running.client.get("/inbox/1/source")).text
    assert "Subject: " in source
    assert "<script>" not in source
    assert "Olá Ana" in (await running.client.get("/inbox/2")).text  # it has no HTML, so the text is shown


async def test_html_is_shown_in_a_sandbox(running: RunningSite) -> None:
    await asyncio.to_thread(post, running.inbox.port, a_mail(html=EVIL))
    page = await running.client.get("/inbox/1")
    assert "<script>" not in page.text
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page.text
    assert "frame-src 'self'" in page.headers["content-security-policy"]
    frame = await running.client.get("/inbox/1/frame")
    policy = frame.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-popups")
    assert "default-src 'none'" in policy
    assert "img-src data:;" in policy
    assert '<head><base target="_blank">' in frame.text


async def test_a_malformed_mail_is_shown_without_an_error(running: RunningSite) -> None:
    for content in (
        b"",
        b"no header at all",
        b"Subject: =?nope?q?=FF?=\r\nContent-Type: text/plain; charset=nope\r\n\r\n\xff\xfe",
        b"Content-Type: multipart/alternative\r\n\r\nwithout a boundary",
        b"From: a@b, <c@d\r\nTo: \xff\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n%%%",
    ):
        await asyncio.to_thread(send_raw, running.inbox.port, content)
    for id in range(1, 6):
        for view in ("", "/text", "/source", "/frame"):
            assert (await running.client.get(f"/inbox/{id}{view}")).status_code == 200
    assert (await running.client.get("/inbox")).status_code == 200


async def test_older_mails_are_listed_on_the_next_page(running: RunningSite) -> None:
    for n in range(52):
        running.inbox._keep(("ana@example.pt",), a_mail(subject=f"Mail {n}").as_bytes())
    first = (await running.client.get("/inbox")).text
    assert "Mail 51" in first
    assert 'href="/inbox?before=3"' in first
    older = (await running.client.get("/inbox?before=3")).text
    assert "Mail 1<" in older
    assert "Mail 0<" in older
    assert (await running.client.get("/inbox?before=9999999999999999999999")).status_code == 200


async def test_the_inbox_keeps_only_so_many_mails_and_bytes(monkeypatch) -> None:
    monkeypatch.setattr(embedded, "MAILS_MOST", 3)
    monkeypatch.setattr(embedded, "BYTES_MOST", 25)
    inbox = Inbox(HandClock())
    for size in (1, 2, 3, 4):
        inbox._keep(("a@b.example",), b"x" * size)
    assert [mail.id for mail in inbox.newest(10)] == [4, 3, 2]
    inbox._keep(("a@b.example",), b"x" * 20)
    assert [mail.id for mail in inbox.newest(10)] == [5, 4]
    assert inbox.mail(3) is None
    assert inbox.mail(6) is None
    assert inbox.mail(4).content == b"xxxx"


async def test_each_mail_becomes_a_file_and_none_is_overwritten(tmp_path: Path) -> None:
    for run in (1, 2):
        inbox = Inbox(HandClock(), folder=tmp_path / "mails")
        await inbox.start()
        for n in range(2):
            await asyncio.to_thread(send_raw, inbox.port, f"Subject: {run}.{n}\r\n\r\n.dot\r\n".encode())
        await inbox.stop()
    files = sorted((tmp_path / "mails").iterdir())
    assert [file.name for file in files] == [f"00000{n}.eml" for n in (1, 2, 3, 4)]
    assert files[3].read_bytes() == b"Subject: 2.1\r\n\r\n.dot\r\n"


async def test_the_inbox_stops_without_waiting_for_a_client() -> None:
    inbox = Inbox(HandClock())
    await inbox.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", inbox.port)
    await reader.readline()
    await inbox.stop()
    assert await reader.read() == b""
    writer.close()


def send_raw(port: int, content: bytes) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=PATIENCE) as smtp:
        smtp.sendmail("avisos@example.com", ["ana@example.pt"], content)
