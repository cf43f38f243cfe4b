"""Strangers and probes have listeners of their own, and only the public pages answer to any host name."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from avisa.app.listeners import Listeners, bind
from avisa.settings import Settings, load
from avisa.web import server as web_server
from avisa.web.server import CannotListen, listen
from tests.tools.waiting import PATIENCE
from tests.web.conftest import RunningSite, running

__all__ = ["running"]


def _http(**names: str):
    settings = load({f"AVISA_HTTP__{name}": text for name, text in names.items()}, None)
    assert isinstance(settings, Settings), settings
    return settings.http


WHERE = [
    ({}, ("127.0.0.1", 8080)),
    ({"PORT": "18080"}, ("127.0.0.1", 18080)),
    ({"HOST": "::1"}, ("::1", 8080)),
    ({"HOST": "0.0.0.0"}, ("127.0.0.1", 8081)),
    ({"HOST": "0.0.0.0", "PORT": "80"}, ("127.0.0.1", 8081)),
    ({"HOST": "10.1.2.3", "ADMIN_PORT": "9000"}, ("127.0.0.1", 9000)),
    ({"HOST": "0.0.0.0", "ADMIN_HOST": "0.0.0.0"}, ("0.0.0.0", 8081)),
    ({"ADMIN_PORT": "9000"}, ("127.0.0.1", 9000)),
    ({"ADMIN_HOST": "127.0.0.2"}, ("127.0.0.2", 8081)),
]


@pytest.mark.parametrize(("names", "admin"), WHERE)
def test_health_is_answered_apart_unless_the_public_pages_are_on_loopback(names: dict[str, str], admin) -> None:
    assert _http(**names).admin == admin


@pytest.mark.parametrize(("names", "admin"), WHERE)
def test_the_health_check_of_the_image_asks_there(names: dict[str, str], admin) -> None:
    program = (Path(__file__).parents[2] / "deploy/healthcheck.py").read_text("utf-8").partition("try:")[0]
    environ = {f"AVISA_HTTP__{name}": text for name, text in names.items()}
    found: dict[str, object] = {}
    with pytest.MonkeyPatch.context() as patch:
        for name in ("HOST", "PORT", "ADMIN_HOST", "ADMIN_PORT"):
            patch.delenv(f"AVISA_HTTP__{name}", raising=False)
        for name, text in environ.items():
            patch.setenv(name, text)
        exec(compile(program, "healthcheck", "exec"), found)
    assert (found["HOST"], found["PORT"]) == admin


async def _apart(running: RunningSite, *, strangers: int) -> dict[str, int]:
    sockets = [listen("127.0.0.1", 0), listen("127.0.0.1", 0)]
    assert not any(isinstance(one, CannotListen) for one in sockets)
    public, admin = sockets
    listeners = Listeners(public=public, admin=admin)  # type: ignore[arg-type]  # seen above
    servers = listeners.servers(running.site)
    for server in servers:
        await server.start()
    silent = [await asyncio.open_connection("127.0.0.1", listeners.public_port) for _ in range(strangers)]
    answers = {}
    async with httpx.AsyncClient(timeout=PATIENCE, headers={"Connection": "close"}, verify=False) as client:
        for port, where in ((listeners.public_port, "public"), (listeners.admin_port, "admin")):
            for path in ("/livez", "/readyz", "/metrics", "/asyncapi", "/inbox", f"/u/{running.token}"):
                answer = await client.get(f"http://127.0.0.1:{port}{path}")
                answers[f"{where} {path.split('/')[1]}"] = answer.status_code
    for _, writer in silent:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
    for server in servers:
        await server.stop()
    return answers


async def test_each_page_is_answered_on_one_of_them(running: RunningSite) -> None:
    answers = await _apart(running, strangers=0)
    rooms = ("livez", "readyz", "metrics", "asyncapi", "inbox")
    assert {room: answers[f"admin {room}"] for room in rooms} == dict.fromkeys(rooms, 200)
    assert {room: answers[f"public {room}"] for room in rooms} == dict.fromkeys(rooms, 404)
    assert (answers["public u"], answers["admin u"]) == (200, 404)


async def test_silent_strangers_keep_no_probe_waiting(running: RunningSite) -> None:
    answers = await _apart(running, strangers=120)
    assert (answers["admin livez"], answers["admin metrics"], answers["public u"]) == (200, 200, 503)


_REQUEST = b"GET /u/x HTTP/1.1\r\nHost: x\r\n\r\n"
LETTER_BY_LETTER = {  # what is sent before, how many answers there are, and what is sent for ever
    "nothing at all": (b"", 0, b""),
    "a header": (b"GET / HTTP/1.1\r\nX: ", 0, b"x"),
    "blank lines": (b"", 0, b"\r\n"),
    "a header, after a request": (_REQUEST + b"GET / HTTP/1.1\r\nX: ", 1, b"x"),
    "a header, after three": (_REQUEST * 3 + b"GET / HTTP/1.1\r\nX: ", 3, b"x"),
    "the second request's method": (_REQUEST, 1, b"G"),
}


@pytest.mark.parametrize("name", LETTER_BY_LETTER)
async def test_who_asks_letter_by_letter_is_cut(
    name: str, running: RunningSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_server, "SILENT_MOST", 0.3)
    before, answers, letter = LETTER_BY_LETTER[name]
    reader, writer = await asyncio.open_connection("127.0.0.1", running.server.port)
    writer.write(before)

    async def drip() -> None:
        with suppress(OSError):
            while True:
                writer.write(letter)
                await writer.drain()
                await asyncio.sleep(0.05)

    dripping = asyncio.create_task(drip())
    read = b""
    with suppress(OSError):
        while more := await asyncio.wait_for(reader.read(65_536), PATIENCE):
            read += more
    dripping.cancel()
    writer.close()
    assert read.count(b"HTTP/1.1 404 ") == answers


def test_a_port_that_is_taken_is_named_by_its_setting() -> None:
    taken = listen("127.0.0.1", 0)
    assert not isinstance(taken, CannotListen)
    port = str(taken.getsockname()[1])
    refused = bind(_http(PORT="1" if port == "2" else "18765", ADMIN_PORT=port))
    taken.close()
    assert isinstance(refused, CannotListen)
    assert refused.problem.startswith("AVISA_HTTP__ADMIN_PORT: port ") or "18765" in refused.problem


KNOWN = [
    ("localhost:8080", 200),
    ("127.0.0.1", 200),
    ("[::1]:8080", 200),
    ("AVISA.example.com:443", 200),
    ("avisa.example.com.", 200),
    ("avisa:8081", 200),
    ("avisa.ns.svc.cluster.local:8081", 200),
    ("avisa.internal", 200),
    ("evil.example", 421),
    ("evil.example:8081", 421),
    ("127.0.0.1.evil.example", 421),
    ("localhost.evil.example", 421),
    ("local", 200),
    ("evil.example/local", 421),
    ("evil.example#.local", 421),
    ("evil.example@x.local", 421),
    ("", 421),
]


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics", "/asyncapi.json", "/inbox", "/nothing"])
async def test_all_but_the_public_pages_know_their_hosts(running: RunningSite, path: str) -> None:
    found = {host: (await running.client.get(path, headers={"Host": host})).status_code for host, _ in KNOWN}
    known = 404 if path == "/nothing" else 200
    assert found == {host: known if status == 200 else status for host, status in KNOWN}


@pytest.mark.parametrize("host", ["evil.example", "shop.example", ""])
async def test_the_public_pages_answer_to_any_host(running: RunningSite, host: str) -> None:
    answer = await running.client.get(f"/u/{running.token}", headers={"Host": host})
    assert answer.status_code == 200


TWO_LENGTHS = [
    (b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b" 400 "),
    (b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", b" 400 "),
    (b"TRANSFER-ENCODING: chunked\r\ncontent-length: 0\r\n", b" 400 "),
    (b"Content-Length: 5\r\nContent-Length: 6\r\n", b" 400 "),
    (b"Content-Length: +5\r\n", b" 400 "),
    (b"Transfer-Encoding: chunked, identity\r\n", b" 501 "),
]


@pytest.mark.parametrize(("headers", "status"), TWO_LENGTHS)
async def test_a_body_of_two_lengths_is_refused(running: RunningSite, headers: bytes, status: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", running.server.port)
    writer.write(b"POST /u/x HTTP/1.1\r\nHost: localhost\r\n" + headers + b"\r\n0\r\n\r\nGET /u/y HTTP/1.1\r\n\r\n")
    line = await reader.readline()
    assert status in line or b" 400 " in line
    rest = await reader.read()
    assert b"HTTP/1.1" not in rest  # the connection ends: what follows is no request
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    assert running.unsubscribed == set()
    assert json.loads((await running.client.get("/livez")).text)["status"] == "ok"
