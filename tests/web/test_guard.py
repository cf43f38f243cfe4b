"""What binds every route, found by asking the application for its routes."""

from __future__ import annotations

import asyncio

import pytest

from avisa.web import build
from avisa.web.guard import BODY_MOST, HEADERS
from avisa.web.server import CannotListen, listen
from tests.web.conftest import RunningSite, a_mail, post


def paths(running: RunningSite) -> list[tuple[str, set[str]]]:
    app = build(running.site)
    return [
        (route.path.replace("{token}", running.token).replace("{id:int}", "1"), route.methods - {"HEAD"})
        for route in app._app._app.routes  # type: ignore[attr-defined]  # there is no other way in
    ]


async def test_every_route_has_the_security_headers(running: RunningSite) -> None:
    await asyncio.to_thread(post, running.inbox.port, a_mail(html="<p>Olá</p>"))
    known = paths(running)
    assert len(known) == 15
    for path, methods in known:
        for method in methods:
            answer = await running.client.request(method, path)
            refused = 401 if path == "/events" else 404  # nobody was asked at /o/
            assert answer.status_code in {200, 400, refused}, path
            for name, value in HEADERS.items():
                assert answer.headers[name] == value, path
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "script-src" not in policy
            assert "server" not in answer.headers
            assert "set-cookie" not in answer.headers


async def test_an_error_page_has_the_security_headers(running: RunningSite) -> None:
    for path in ("/", "/nothing", "/u/", "/inbox/999", "/inbox/x", "/livez/", "/asyncapi/try"):
        answer = await running.client.get(path)
        assert answer.status_code == 404, path
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_only_the_public_pages_and_events_take_a_post(running: RunningSite) -> None:
    for path, methods in paths(running):
        assert methods in ({"GET"}, {"POST"})
        if methods == {"POST"}:
            assert path.startswith(("/u/", "/o/")) or path == "/events"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "POST", "OPTIONS"])
async def test_methods_that_a_route_does_not_have_are_refused(running: RunningSite, method: str) -> None:
    assert (await running.client.request(method, "/inbox")).status_code == 405


async def test_a_large_body_is_refused_by_its_length_and_by_its_bytes(running: RunningSite) -> None:
    path = f"/u/{running.token}"
    assert (await running.client.post(path, content=b"x" * (BODY_MOST + 1))).status_code == 413

    async def endless():
        for _ in range(100):
            yield b"x" * 4096

    assert (await running.client.post(path, content=endless())).status_code == 413
    assert running.unsubscribed == set()


async def test_the_server_outlives_large_headers_and_nonsense(running: RunningSite) -> None:
    for request in (b"GET / HTTP/1.1\r\n" + b"X: " + b"y" * 40_000 + b"\r\n\r\n", b"\x16\x03\x01nonsense\r\n\r\n"):
        reader, writer = await asyncio.open_connection("127.0.0.1", running.server.port)
        writer.write(request)
        assert b" 400 " in await reader.readline()
        writer.close()
        await writer.wait_closed()
    assert (await running.client.get("/livez")).status_code == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8080", 200),
        ("127.0.0.1", 200),
        ("[::1]:8080", 200),
        ("avisa.example.com", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("", 421),
    ],
)
async def test_the_inbox_refuses_other_host_names(running: RunningSite, host: str, status: int) -> None:
    assert (await running.client.get("/inbox", headers={"Host": host})).status_code == status


async def test_a_port_that_is_taken_is_a_problem_in_one_line(running: RunningSite) -> None:
    answer = listen("127.0.0.1", running.server.port)
    assert isinstance(answer, CannotListen)
    assert answer.problem.startswith("AVISA_HTTP__PORT: port ")
    assert "\n" not in answer.problem


async def test_a_host_that_cannot_be_bound_is_a_problem() -> None:
    answer = listen("no-such-host.invalid", 0)
    assert isinstance(answer, CannotListen)
    assert "AVISA_HTTP__HOST" in answer.problem
