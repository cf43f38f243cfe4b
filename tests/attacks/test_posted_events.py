"""Whoever posts events, with the key or without it, gets an answer that is no fault of ours, and writes nothing that
they did not post."""

from __future__ import annotations

import json
import tracemalloc
from contextlib import suppress

import pytest
from starlette.datastructures import Headers

from avisa.core.model import OrderEvent
from avisa.web import cloudevents, publish
from avisa.web.cloudevents import RequestError
from tests.depth import some
from tests.web.conftest import API_KEY, RunningSite, read, running
from tests.web.test_publish import raw

__all__ = ["running"]

MIB = 1 << 20
KEY = f"Authorization: Bearer {API_KEY}"
JSON = "Content-Type: application/json"
CHUNKED = "Transfer-Encoding: chunked"
EVENT = b'{"order_id": "A-1", "status": "shipped"}'
SECOND = (
    b"POST /events HTTP/1.1\r\nHost: x\r\n%b\r\n%b\r\nContent-Length: 40\r\n\r\n" % (KEY.encode(), JSON.encode())
    + EVENT
)
LENGTH = f"Content-Length: {len(EVENT)}"

# the request line, the headers, the body, and the status
REQUESTS: dict[str, tuple[str, list[str], bytes, int]] = {
    "as it should be": ("POST /events", [KEY, JSON, LENGTH], EVENT, 202),
    "no key": ("POST /events", [JSON, LENGTH], EVENT, 401),
    "an empty key": ("POST /events", ["Authorization: Bearer ", JSON, LENGTH], EVENT, 401),
    "two keys": ("POST /events", [KEY, KEY, JSON, LENGTH], EVENT, 401),
    "a key in other digits": ("POST /events", ["Authorization: Bearer \xb2\xb3", JSON, LENGTH], EVENT, 401),
    "a key of 20 kB": ("POST /events", ["Authorization: Bearer " + "k" * 20_000, JSON, LENGTH], EVENT, 401),
    "the key in the query": (f"POST /events?api_key={API_KEY}", [JSON, LENGTH], EVENT, 401),
    "a thousand headers": ("POST /events", [KEY, JSON, LENGTH, *(f"X-{n}: {n}" for n in range(1_000))], EVENT, 202),
    "by GET": ("GET /events", [KEY, JSON, LENGTH], EVENT, 405),
    "by PUT": ("PUT /events", [KEY, JSON, LENGTH], EVENT, 405),
    "with a body behind it": ("POST /events", [KEY, JSON, LENGTH, "Connection: close"], EVENT + SECOND, 202),
    "a chunk that never ends": ("POST /events", [KEY, JSON, CHUNKED], b"f" * 21 + b"\r\n", 400),
    "a chunk of a negative size": ("POST /events", [KEY, JSON, CHUNKED], b"-1\r\n" + EVENT, 400),
    "chunked in another case": ("POST /events", [KEY, JSON, "Transfer-Encoding: cHuNkEd", LENGTH], EVENT, 400),
    "chunked with a blank": ("POST /events", [KEY, JSON, "Transfer-Encoding : chunked", LENGTH], EVENT, 400),
    "a length in other digits": ("POST /events", [KEY, JSON, "Content-Length: \xb2"], EVENT, 400),
    "a length with a sign": ("POST /events", [KEY, JSON, f"Content-Length: +{len(EVENT)}"], EVENT, 400),
    "packed": ("POST /events", [KEY, JSON, LENGTH, "Content-Encoding: gzip"], EVENT, 415),
    "packed, it says twice": ("POST /events", [KEY, JSON, LENGTH, "Content-Encoding: identity, gzip"], EVENT, 415),
    "a form": ("POST /events", [KEY, "Content-Type: application/x-www-form-urlencoded", LENGTH], EVENT, 415),
    "text, as pages elsewhere may send": ("POST /events", [KEY, "Content-Type: text/plain", LENGTH], EVENT, 415),
    "no type": ("POST /events", [KEY, LENGTH], EVENT, 415),
    "two types": ("POST /events", [KEY, JSON, "Content-Type: text/html", LENGTH], EVENT, 400),
    "a type of 20 kB": ("POST /events", [KEY, f"Content-Type: application/{'x+' * 10_000}json", LENGTH], EVENT, 202),
    "UTF-16": ("POST /events", [KEY, JSON + "; charset=utf-16", LENGTH], EVENT, 415),
    "another topic": ("POST /events?topic=avisa.notifications", [KEY, JSON, LENGTH], EVENT, 400),
    "a topic with a path": ("POST /events?topic=..%2Forders.status", [KEY, JSON, LENGTH], EVENT, 400),
    "a topic twice": ("POST /events?topic=orders.status&topic=x", [KEY, JSON, LENGTH], EVENT, 400),
    "half a character as key": ("POST /events?topic=shop.mapped&key=%ED%A0%80", [KEY, JSON, LENGTH], EVENT, 202),
    "a long key": ("POST /events?topic=shop.mapped&key=" + "k" * 501, [KEY, JSON, LENGTH], EVENT, 400),
    "a path with dots": ("POST /u/../events", [KEY, JSON, LENGTH], EVENT, 404),
    "two slashes": ("POST //events", [KEY, JSON, LENGTH], EVENT, 404),
}  # fmt: skip


@pytest.mark.parametrize("name", REQUESTS)
async def test_a_request_is_answered_by_what_it_is(
    name: str, running: RunningSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish, "BODY_SECONDS", 0.5)
    line, headers, body, status = REQUESTS[name]
    head = "\r\n".join([f"{line} HTTP/1.1", "Host: localhost", "Connection: close", *headers, "", ""])
    answer = await raw(running, head.encode("latin-1") + body)
    assert answer.startswith(b"HTTP/1.1 %d " % status), answer[:300]
    assert answer.count(b"HTTP/1.1 ") == 1
    assert len(running.topics.written) == (1 if status == 202 else 0)
    assert API_KEY.encode() not in answer


LARGE = {
    "lists": "[],",
    "maps": '{"a":0},',
    "maps of maps": '{"":{}},',
    "numbers": "1,",
    "long numbers": "9" * 400 + ",",
    "texts": '"\N{PACKAGE}",',
    "escapes": '"\\u00e9",',
}


@pytest.mark.parametrize("name", some(LARGE))
def test_the_largest_body_needs_no_more_memory_than_there_is(name: str) -> None:
    element = LARGE[name]
    count = (publish.BODY_MOST - 100) // len(element.encode())
    body = f'[{{"order_id": "A-1", "status": "s", "details": {{"x": [{element * count}0]}}}}]'.encode()
    tracemalloc.start()
    records = cloudevents.read(Headers({"content-type": "application/json"}), body)
    taken = [read("orders.status", record) for record in records]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(taken) == 1
    assert peak < 112 * MIB  # beside 90 that Avisa has when idle, in 256


@pytest.mark.parametrize(
    "body",
    [
        "[" * 100_000,
        '[{"a":' * 5_000,
        "[" + "9" * 1_000_000 + "]",
        "[1e999999999]",
        '["' + "\\" * 999 + '"]',
        "[" + json.dumps({"k" * 1_000_000: 1}) + "]",
        "[" + "[" * 900 + "]" * 900 + "]",
        "[NaN, Infinity, -Infinity]",
        "\ufeff[]",
    ],
    ids=lambda body: body[:12],
)
def test_a_batch_that_is_odd_is_read_or_refused(body: str) -> None:
    with suppress(RequestError):
        records = cloudevents.read(Headers({"content-type": "application/cloudevents-batch+json"}), body.encode())
        assert not any(isinstance(read("orders.status", record), OrderEvent) for record in records)
