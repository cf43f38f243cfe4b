"""`POST /events` through a real socket, with topics that only remember what they got."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from dataclasses import replace
from http import HTTPStatus
from typing import Any

import httpx
import pytest

from avisa.core.model import OrderEvent
from avisa.ports import NewRecord, Obstacle, Unwritten
from avisa.web import publish
from avisa.web.server import listen
from tests.events.records import envelope, plain
from tests.tools.waiting import PATIENCE
from tests.web.conftest import API_KEY, RunningSite, Topics, client_of, opened, read

KEY = {"Authorization": f"Bearer {API_KEY}"}
JSON = {"Content-Type": "application/json"}
STRUCTURED = "application/cloudevents+json; charset=UTF-8"
BATCH = "application/cloudevents-batch+json"
BINARY = {"ce-specversion": "1.0", "ce-id": "01J9", "ce-source": "/shop/oms", "ce-type": "order.status"}


async def post(running: RunningSite, body: Any, path: str = "/events", **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"content-type": "application/json", **{name.replace("_", "-"): text for name, text in headers.items()}}
    return await running.client.post(path, content=content, headers={**KEY, **sent})


def written(topics: Topics) -> list[OrderEvent]:
    found = [read(topic, record) for topic, record in topics.written]
    assert all(isinstance(event, OrderEvent) for event in found)
    return found  # type: ignore[return-value]  # seen above


# ---------------------------------------------------------------- what is taken


async def test_a_plain_event_is_written_with_its_order_as_key(running: RunningSite) -> None:
    body = b' {"order_id": 1042,\n"status": "shipped", "details": {"total": 1.10}}\n'
    answer = await post(running, body)
    assert (answer.status_code, answer.headers["content-type"]) == (202, "application/json")
    assert answer.json() == {"accepted": [{"topic": "orders.status", "partition": 0, "offset": 0}]}
    assert running.topics.written == [("orders.status", NewRecord(key=b"1042", value=body))]


ENCODED = b64encode(json.dumps(plain()).encode()).decode()


@pytest.mark.parametrize("event", [envelope(), envelope(data=None, data_base64=ENCODED)], ids=["data", "data_base64"])
async def test_a_structured_cloudevent(running: RunningSite, event: dict[str, Any]) -> None:
    assert (await post(running, event, content_type=STRUCTURED)).status_code == 202
    (event_written,) = written(running.topics)
    assert (event_written.order_id, event_written.event_id) == ("A-1042", "01J9")
    assert running.topics.written[0][1].key == b"A-1042"


async def test_a_binary_cloudevent_has_its_attributes_as_kafka_writes_them(running: RunningSite) -> None:
    attributes = {**BINARY, "ce-source": '"/loja%20%C3%A9 \\"x\\""', "ce-partitionkey": "p"}
    answer = await running.client.post("/events", json=plain(), headers={**KEY, **attributes, "X-Other": "1"})
    assert answer.status_code == 202
    (_, record) = running.topics.written[0]
    assert dict(record.headers) == {
        "content-type": b"application/json",
        "ce_specversion": b"1.0",
        "ce_id": b"01J9",
        "ce_source": '/loja é "x"'.encode(),
        "ce_type": b"order.status",
        "ce_partitionkey": b"p",
    }
    assert written(running.topics)[0].event_id == "01J9"


@pytest.mark.parametrize("kind", ["batch", "plain"])
async def test_a_batch_keeps_the_bytes_and_the_order_of_its_events(running: RunningSite, kind: str) -> None:
    content = BATCH if kind == "batch" else "application/json"
    wrapped = (lambda data: envelope(data=data)) if kind == "batch" else (lambda data: data)
    made = [json.dumps(wrapped(plain(order_id=f"A-{n}"))) for n in range(120)]
    odd = ',\n "total": 1.10, "long": ' + "9" * 4000 + ', "text": "\\u007d ] }, [" }'
    made[3] = made[3].removesuffix("}") + odd
    answer = await post(running, ("\r\n [ " + " ,\t".join(made) + "]\n").encode(), content_type=content)
    assert answer.status_code == 202, answer.text
    assert [place["offset"] for place in answer.json()["accepted"]] == list(range(120))
    assert [record.value.decode() for _, record in running.topics.written] == made
    assert [record.key for _, record in running.topics.written] == [b"A-%d" % n for n in range(120)]


async def test_an_empty_batch_is_accepted(running: RunningSite) -> None:
    answer = await post(running, b" [ ] ", content_type=BATCH)
    assert (answer.status_code, answer.json()) == (202, {"accepted": []})


async def test_a_topic_may_be_named_among_those_that_are_read(running: RunningSite) -> None:
    assert (await post(running, plain(), "/events?topic=shop.orders")).json()["accepted"][0]["topic"] == "shop.orders"
    for query in ("topic=other", "topic=", "topic=shop.orders&topic=shop.orders", "topics=shop.orders"):
        answer = await post(running, plain(), f"/events?{query}")
        assert answer.status_code == 400, query
    assert "orders.status, shop.orders" in (await post(running, plain(), "/events?topic=other")).json()["detail"]
    assert len(running.topics.written) == 1


MAPPED = "/events?topic=shop.mapped"


async def test_a_topic_with_a_feed_takes_what_nobody_can_map_yet(running: RunningSite) -> None:
    bodies = [b'{"id": 7, "state": "paid", "n": 1.10}', b'{"uid": 7}', b"[]", b'[{"id": "a/b", "state": "s"}, 5]']
    for body in bodies:
        assert (await post(running, body, MAPPED)).status_code == 202, body
    assert running.topics.written == [
        ("shop.mapped", NewRecord(key=b"7", value=bodies[0])),
        ("shop.mapped", NewRecord(value=bodies[1])),
        ("shop.mapped", NewRecord(key=b"a/b", value=b'{"id": "a/b", "state": "s"}')),
        ("shop.mapped", NewRecord(value=b"5")),
    ]


async def test_the_key_of_a_topic_with_a_feed_may_be_said(running: RunningSite) -> None:
    assert (await post(running, {"id": 7, "state": "s"}, f"{MAPPED}&key=Pe%C3%A7a")).status_code == 202
    assert running.topics.written[0][1].key == "Peça".encode()
    for query in ("key=", f"key={'k' * 501}", "key=a&key=b"):
        assert (await post(running, {"id": 7, "state": "s"}, f"{MAPPED}&{query}")).status_code == 400, query
    answer = await post(running, plain(), "/events?key=a")
    assert (answer.status_code, answer.json()["detail"].partition(":")[0]) == (400, "key")
    assert len(running.topics.written) == 1


@pytest.mark.parametrize("body", [b"{", b"[" * 40 + b"]" * 40, b'{"id": 7, "x": "' + b"x" * 1024 * 1024 + b'"}'])
async def test_what_no_feed_could_read_is_refused_all_the_same(running: RunningSite, body: bytes) -> None:
    assert (await post(running, body, MAPPED)).status_code in (400, 422)
    assert running.topics.written == []


async def test_json_is_not_written_where_a_registry_has_the_schemas(running: RunningSite) -> None:
    answer = await post(running, plain(), "/events?topic=shop.avro")
    assert (answer.status_code, running.topics.written) == (400, [])
    assert "need a schema registry" in answer.json()["detail"]


# ---------------------------------------------------------------- who may


@pytest.mark.parametrize(
    ("headers", "error"),
    [
        ([], False),
        ([("Authorization", f"Basic {API_KEY}")], False),
        ([("Authorization", API_KEY)], False),
        ([("Authorization", f"Bearer {API_KEY}"), ("Authorization", "Bearer other")], False),
        ([("Authorization", "Bearer")], True),
        ([("Authorization", f"Bearer {API_KEY[:-1]}")], True),
        ([("Authorization", f"Bearer {API_KEY}x")], True),
        ([("Authorization", f"Bearer {API_KEY.lower()}")], True),
        ([("Authorization", "Bearer \xe9".encode("latin-1"))], True),
    ],
)
async def test_without_the_key_nobody_publishes(running: RunningSite, headers: Any, error: bool) -> None:
    answer = await running.client.post("/events", json=plain(), headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
    assert answer.headers["www-authenticate"] == 'Bearer realm="avisa"' + ', error="invalid_token"' * error
    assert answer.json()["status"] == 401
    assert API_KEY not in answer.text
    assert running.topics.written == []


async def test_the_scheme_is_read_in_any_case(running: RunningSite) -> None:
    headers = {"Authorization": f"bEARER  {API_KEY}"}
    assert (await running.client.post("/events", json=plain(), headers=headers)).status_code == 202


async def test_without_a_key_in_the_settings_nobody_may(running: RunningSite) -> None:
    assert running.site.publishing is not None
    closed = replace(running.site, publishing=replace(running.site.publishing, api_key=None))
    server = await opened(listen("127.0.0.1", 0), closed)
    async with client_of(server) as client:
        for headers in ({}, KEY, {"Authorization": "Bearer"}, {"Authorization": "Bearer None"}):
            answer = await client.post("/events", json=plain(), headers=headers)
            assert answer.status_code == 403
            assert "AVISA_HTTP__API_KEY" in answer.json()["detail"]
    await server.stop()
    assert running.topics.written == []


async def test_who_has_the_key_may_come_by_any_name(running: RunningSite) -> None:
    assert (await post(running, plain(), Host="avisa.shop.example")).status_code == 202


# ---------------------------------------------------------------- what is refused


async def test_what_cannot_be_read_is_named_and_nothing_of_the_batch_is_written(running: RunningSite) -> None:
    batch = [
        plain(),
        plain(status=[5]),
        {"status": "shipped"},
        plain(occurred_at="yesterday"),
        7,
        plain(customer={"email": ["ana.canary@example.pt"]}),  # one odd field keeps no news back
    ]
    answer = await post(running, batch)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    problem = answer.json()
    assert problem["title"] == HTTPStatus(422).phrase  # RFC 9110 gave it another one, which Python 3.13 knows
    assert problem["errors"] == [
        {"index": 1, "reason": "wrong_type", "pointer": "#/status", "detail": "must be text"},
        {"index": 2, "reason": "no_order_id", "pointer": "#/order_id", "detail": "is missing or empty"},
        {"index": 3, "reason": "bad_time", "pointer": "#/occurred_at", "detail": "is no RFC 3339 time with a zone"},
        {"index": 4, "reason": "wrong_type", "detail": "the value: must be an object"},
    ]
    assert running.topics.written == []


async def test_the_place_in_an_envelope_is_named(running: RunningSite) -> None:
    answer = await post(running, envelope(data={"order_id": "A"}), content_type=STRUCTURED)
    assert answer.json()["errors"][0]["pointer"] == "#/data/status"
    answer = await post(running, envelope(source=None), content_type=STRUCTURED)
    assert answer.json()["errors"][0]["reason"] == "bad_cloudevent"


async def test_of_many_errors_the_first_hundred_are_shown(running: RunningSite) -> None:
    problem = (await post(running, [{}] * 300)).json()
    assert len(problem["errors"]) == 100
    assert "300" in problem["detail"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "multipart/form-data; boundary=x"}, 415),
        ({"Content-Type": "application/cloudevents+avro"}, 415),
        ({"Content-Type": "application/cloudevents"}, 415),
        ({"Content-Type": "application/json; charset=utf-16"}, 415),
        ({"Content-Type": "application/json; charset=utf-7"}, 415),
        ({"Content-Type": 'application/json; charset="latin-1"'}, 415),
        ({"Content-Type": "application/xml", **BINARY}, 415),
        ({"Content-Type": "application/json", "Content-Encoding": "gzip"}, 415),
        ({"Content-Type": 'Application/JSON ; Charset="utf-8"'}, 202),
        ({"Content-Type": "application/vnd.shop+json"}, 202),
        (BINARY, 202),
    ],
)
async def test_only_json_in_utf8_is_read(running: RunningSite, headers: dict[str, str], status: int) -> None:
    content = json.dumps(plain()).encode()
    answer = await running.client.post("/events", content=content, headers={**KEY, **headers})
    assert answer.status_code == status, answer.text
    assert len(running.topics.written) == (status == 202)


@pytest.mark.parametrize("name", ["Content-Type", "ce-id"])
async def test_a_header_that_is_there_twice_is_refused(running: RunningSite, name: str) -> None:
    headers = [*KEY.items(), *BINARY.items(), *JSON.items(), (name, "application/json")]
    answer = await running.client.post("/events", json=plain(), headers=headers)
    assert answer.status_code == 400
    assert "twice" in answer.json()["detail"]


@pytest.mark.parametrize(
    "body",
    [
        b"[", b"[1", b"[{}", b"[{},", b"[{},]", b"[,]", b"[{}]]", b"[{}] {}", b"[{} {}]", b"[\xff]", b"[{}\x00]",
        b"[" * 100_000, b"[" + b'{"a":' * 100_000, b'["\n"]', b"[nul]",
    ],
)  # fmt: skip
async def test_an_array_that_is_none_is_refused_whole(running: RunningSite, body: bytes) -> None:
    answer = await post(running, body)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


async def test_a_body_that_is_no_array_is_no_batch(running: RunningSite) -> None:
    for body in (b"", b"{}", b"7", b'"["', b"null"):
        answer = await post(running, body, content_type=BATCH)
        assert answer.status_code == 400, body
    assert (await post(running, b"")).json()["errors"][0]["reason"] == "not_json"


# ---------------------------------------------------------------- how much


async def test_a_batch_of_ten_thousand_is_refused_at_the_first_too_many(running: RunningSite) -> None:
    for number, status in ((1_000, 202), (1_001, 413), (10_000, 413)):
        answer = await post(running, [plain(order_id=n) for n in range(number)])
        assert answer.status_code == status, answer.text[:300]
    assert len(running.topics.written) == 1_000


async def test_an_event_over_one_mebibyte_is_refused_by_its_reason(running: RunningSite) -> None:
    fits = plain(details={"note": "x" * (1024 * 1024 - 200)})
    assert (await post(running, fits)).status_code == 202
    assert (await post(running, [plain(), plain(details={"note": "x" * 1024 * 1024})])).json()["errors"] == [
        {"index": 1, "reason": "too_large", "detail": "the value has 1048650 octets, 1048576 are allowed"}
    ]


async def test_a_body_over_its_bound_is_refused_by_its_length_and_by_its_bytes(running: RunningSite) -> None:
    huge = b"x" * (publish.BODY_MOST + 1)
    assert (await post(running, huge)).status_code == 413

    async def endless() -> Any:
        for _ in range(400):
            yield b" " * 8192

    answer = await running.client.post("/events", content=endless(), headers={**KEY, **JSON})
    assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")


async def raw(running: RunningSite, *pieces: bytes) -> bytes:
    """What the server answers to bytes as they are; it closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", running.server.port)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
    answer = await asyncio.wait_for(reader.read(), PATIENCE)
    writer.close()
    return answer


def head(*lines: str) -> bytes:
    key = f"Authorization: Bearer {API_KEY}"
    return "\r\n".join(["POST /events HTTP/1.1", "Host: localhost", key, *JSON_LINES, *lines, "", ""]).encode()


JSON_LINES = ["Content-Type: application/json", "Connection: close"]


async def test_a_slow_body_is_cut_and_frees_its_place(running: RunningSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publish, "BODY_SECONDS", 0.5)
    slow = [raw(running, head("Content-Length: 500"), b'{"order_id"') for _ in range(publish.AT_ONCE)]
    for answer in await asyncio.gather(*slow):
        assert answer.startswith(b"HTTP/1.1 408 ")
    assert (await post(running, plain())).status_code == 202


@pytest.mark.parametrize(
    "lines",
    [
        ["Content-Length: 40", "Content-Length: 41"],
        ["Content-Length: 40, 41"],
        ["Content-Length: 40", "Transfer-Encoding: chunked"],
        ["Content-Length: -1"],
        ["Content-Length: 4_0"],
        ["Content-Length: " + "9" * 5_000],
        ["Transfer-Encoding: gzip"],
    ],
)
async def test_a_body_of_two_lengths_is_refused(running: RunningSite, lines: list[str]) -> None:
    answer = await raw(running, head(*lines), b'{"order_id": "A-1042", "status": "shipped"}')
    assert answer[:13] in (b"HTTP/1.1 400 ", b"HTTP/1.1 413 ", b"HTTP/1.1 501 ")
    assert running.topics.written == []


async def test_a_client_that_goes_away_midway_writes_nothing(running: RunningSite) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", running.server.port)
    writer.write(head("Content-Length: 44") + b'{"order_id": "A-1042", "status": "shipped"}')
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert (await post(running, plain(order_id="B"))).status_code == 202
    assert [event.order_id for event in written(running.topics)] == ["B"]


async def test_only_some_requests_are_in_memory_at_once(
    running: RunningSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish, "PLACE_WITHIN", 0.3)
    running.topics.turn.clear()
    waiting = [asyncio.create_task(post(running, plain(order_id=n))) for n in range(publish.AT_ONCE)]
    await asyncio.sleep(0.3)
    answer = await post(running, plain(order_id="late"))
    assert (answer.status_code, answer.headers["retry-after"], answer.json()["reason"]) == (503, "1", "busy")
    running.topics.turn.set()
    assert [one.status_code for one in await asyncio.gather(*waiting)] == [202] * publish.AT_ONCE


# ---------------------------------------------------------------- what Kafka says


@pytest.mark.parametrize(
    ("obstacle", "status", "again"),
    [
        (Obstacle.FULL, 429, "1"),
        (Obstacle.BUSY, 503, "1"),
        (Obstacle.UNREACHABLE, 503, "10"),
        (Obstacle.NO_TOPIC, 503, "10"),
        (Obstacle.IN_DOUBT, 503, "10"),
        (Obstacle.TOO_LARGE, 413, None),
        (Obstacle.REFUSED, 502, None),
    ],
)
async def test_what_was_not_written_is_said(
    running: RunningSite, obstacle: Obstacle, status: int, again: str | None
) -> None:
    running.topics.trouble = lambda _value: Unwritten(obstacle=obstacle, detail="why")
    answer = await post(running, [plain(), plain()])
    problem = answer.json()
    assert (answer.status_code, problem["status"], problem["reason"]) == (status, status, obstacle)
    assert answer.headers.get("retry-after") == again
    assert answer.headers["content-type"] == "application/problem+json"
    assert "accepted" not in problem or obstacle is Obstacle.IN_DOUBT


async def test_of_a_batch_that_was_written_in_part_it_is_said_which(running: RunningSite) -> None:
    in_doubt = Unwritten(obstacle=Obstacle.IN_DOUBT, detail="no answer")
    running.topics.trouble = lambda value: in_doubt if b'"B"' in value else None
    answer = await post(running, [plain(order_id=name) for name in "ABC"])
    assert answer.status_code == 503
    problem = answer.json()
    assert problem["accepted"] == [
        {"index": 0, "topic": "orders.status", "partition": 0, "offset": 0},
        {"index": 2, "topic": "orders.status", "partition": 0, "offset": 1},
    ]
    assert problem["errors"] == [{"index": 1, "reason": "in_doubt", "detail": "no answer"}]


async def test_the_key_is_in_no_repr(running: RunningSite) -> None:
    assert API_KEY not in repr(running.site)
