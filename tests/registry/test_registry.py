"""The registry, asked over a real socket: what it knows is kept, and whatever else it does is not believed."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import trustme

from avisa.app.health import HealthChecks
from avisa.ports import NoSchema, WriterSchema
from avisa.registry import Endpoint, Registry, endpoint, registry
from avisa.web.health import Check
from tests.feeds.plans import mapped, plan
from tests.registry.harness import SmallRegistry, answers, http, small_registry
from tests.tools.waiting import until

ORDER = '{"type": "record", "name": "Order", "fields": []}'


@pytest.fixture
async def small() -> AsyncIterator[SmallRegistry]:
    async with small_registry() as it:
        yield it


async def test_a_schema_is_asked_for_once(small: SmallRegistry) -> None:
    small.has(7, ORDER)
    small.has(8, {"type": "object"}, schemaType="JSON")
    asking = Registry(Endpoint(url=small.url))
    assert asking.detail == "not asked yet"
    for _ in range(3):
        known = await asking.find([7, 8, 7])
        assert known.found == {7: WriterSchema("AVRO", ORDER), 8: WriterSchema("JSON")}
        assert not known.missing
    assert sorted(small.asked) == ["/schemas/ids/7", "/schemas/ids/8"]
    assert (asking.trouble, asking.detail) == (None, "answers")


async def test_the_url_may_have_a_path_and_names_no_password(small: SmallRegistry) -> None:
    small.credentials = "Basic YXZpc2E6dMOpc3Q6eA=="
    small.documents["/apis/ccompat/v7/schemas/ids/1"] = {"schema": ORDER}
    at = Endpoint(url=f"{small.url}/apis/ccompat/v7", username="avisa", password="tést:x")
    assert (await Registry(at).find([1])).found == {1: WriterSchema("AVRO", ORDER)}
    assert small.headers[0]["host"] == f"127.0.0.1:{small.port}"
    assert "tést" not in repr(at)


async def test_references_are_resolved_those_first_that_others_name(small: SmallRegistry) -> None:
    def to(*subjects: str) -> list[dict[str, object]]:
        return [{"name": f"x.{subject}", "subject": subject, "version": 3} for subject in subjects]

    small.has(1, ORDER, references=to("a/b", "c"))
    small.documents["/subjects/a%2Fb/versions/3"] = {"schema": "AB", "references": to("c")}
    small.documents["/subjects/c/versions/3"] = {"schema": "C"}
    known = await Registry(Endpoint(url=small.url)).find([1])
    assert known.found == {1: WriterSchema("AVRO", ORDER, ("C", "AB"))}


@pytest.mark.parametrize(
    "references",
    [
        [{"name": "x", "subject": "self", "version": 1}],  # which refers to itself
        [{"name": "x", "subject": f"s{n}", "version": 1} for n in range(51)],
        [{"name": "x", "subject": "gone", "version": 1}],
        [{"name": "x", "subject": "self"}],
        ["self"],
    ],
)
async def test_references_that_do_not_end_make_no_schema(small: SmallRegistry, references: list[object]) -> None:
    small.has(1, ORDER, references=references)
    for n in range(51):
        small.documents[f"/subjects/s{n}/versions/1"] = {"schema": "S"}
    small.documents["/subjects/self/versions/1"] = {"schema": "S", "references": references}
    asking = Registry(Endpoint(url=small.url))
    assert isinstance((await asking.find([1])).found[1], NoSchema)
    assert len(small.asked) <= 60
    assert asking.trouble is None


async def test_an_id_that_is_not_there_is_asked_again_after_a_while(
    small: SmallRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking = Registry(Endpoint(url=small.url))
    for _ in range(2):
        assert (await asking.find([9])).found == {9: NoSchema("the registry has none of this id")}
    assert small.asked == ["/schemas/ids/9"]
    monkeypatch.setattr(registry, "ASK_AGAIN_AFTER", 0.0)
    asking = Registry(Endpoint(url=small.url))
    await asking.find([9])
    small.has(9, ORDER)
    assert (await asking.find([9])).found == {9: WriterSchema("AVRO", ORDER)}


async def test_a_schema_beyond_a_mebibyte_is_none(small: SmallRegistry) -> None:
    small.has(1, "x" * (1024 * 1024))
    asking = Registry(Endpoint(url=small.url))
    assert (await asking.find([1])).found == {1: NoSchema("it has more than 1024 KiB")}
    assert asking.trouble is None


async def _endless(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
        await writer.drain()


async def test_an_endless_answer_is_cut(small: SmallRegistry) -> None:
    small.answer = _endless
    assert isinstance((await Registry(Endpoint(url=small.url)).find([1])).found[1], NoSchema)


async def _drip(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.05)


async def test_a_slow_answer_is_none(small: SmallRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "SECONDS", 0.5)
    small.answer = _drip
    asking = Registry(Endpoint(url=small.url))
    known = await asking.find([1])
    assert (known.found, known.missing) == ({}, {1})
    assert known.again_in > 0
    assert asking.trouble == "no whole answer within 0.5 s"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (http(200, b"<html>Log in, please</html>"), "is no schema registry (HTTP 200)"),
        (http(200, [7]), "is no schema registry (HTTP 200)"),
        (http(200, b"[" * 100_000), "is no schema registry (HTTP 200)"),
        (http(200, {"schema": {"type": "record"}}), "no schema in its answer"),
        (http(200, {"schemaType": "JSON"}), "no schema in its answer"),
        (http(302, b"", Location="http://127.0.0.1:1/"), "wants to send us elsewhere (HTTP 302)"),
        (http(401, {"error_code": 401}), "refuses our user name or password (HTTP 401)"),
        (http(403, b""), "refuses our user name or password (HTTP 403)"),
        (http(404, b"no such page"), "is no schema registry (HTTP 404)"),
        (http(404, {"error_code": 404, "message": "HTTP 404 Not Found"}), "knows no such address"),
        (http(429, b""), "answers HTTP 429"),
        (http(500, {"error_code": 50001}), "answers HTTP 500"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{}", "does not speak HTTP/1.1 to its end"),
        (b"220 mail.example ESMTP\r\n", "does not speak HTTP/1.1 to its end"),
        (b"", "does not speak HTTP/1.1 to its end"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000, "does not speak HTTP/1.1 to its end"),
    ],
)
async def test_what_is_no_answer_leaves_the_id_unknown(small: SmallRegistry, answer: bytes, words: str) -> None:
    small.answer = answers(answer)
    asking = Registry(Endpoint(url=small.url, username="u", password="hunter2"))
    known = await asking.find([1])
    assert (known.found, known.missing) == ({}, {1})
    assert asking.trouble is not None
    assert words in asking.trouble
    assert asking.detail == f"{asking.trouble}; its records wait"
    assert "hunter2" not in asking.detail
    assert len(small.asked) == 1


async def test_a_registry_that_was_away_is_asked_again(small: SmallRegistry) -> None:
    small.has(1, ORDER)
    small.has(2, ORDER)
    asking = Registry(Endpoint(url=small.url))
    await asking.find([1])
    await small.stop()
    known = await asking.find([1, 2])
    assert (known.found.keys(), known.missing) == ({1}, {2})  # what is known is known
    assert asking.trouble == "nobody listens there"
    await small.start()
    assert (await asking.find([2])).missing == {2}  # not at once: it is given time
    assert small.asked == ["/schemas/ids/1"]

    async def back() -> bool:
        return 2 in (await asking.find([2])).found

    await until(back)
    assert (asking.trouble, asking.detail) == (None, "answers")


async def test_many_ids_are_asked_for_some_at_a_time(small: SmallRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "ASK_FOR", 0.05)

    async def slow(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.1)
        writer.write(http(200, {"schema": ORDER}))

    small.answer = slow
    asking = Registry(Endpoint(url=small.url))
    known = [await asking.find(range(20)) for _ in range(3)]
    assert [len(each.missing) for each in known] == [12, 4, 0]
    assert [each.again_in for each in known] == [0, 0, 0]
    assert asking.trouble is None


def test_without_a_registry_its_check_names_the_topics_that_wait() -> None:
    def check(feed: str) -> Any:
        in_force = SimpleNamespace(plan=plan(feed, "shop.orders"))
        checks: Any = SimpleNamespace(registry=None, catalogs=SimpleNamespace(in_force=in_force))
        return HealthChecks._registry(checks)

    assert check(mapped()) == {}
    detail = "AVISA_REGISTRY__URL is not set; the records of shop.orders wait"
    assert check("envelope: registry") == {"registry": Check(ok=False, required=False, detail=detail)}


async def test_the_wait_grows_and_is_bounded(small: SmallRegistry) -> None:
    small.answer = answers(http(500, b""))
    asking = Registry(Endpoint(url=small.url))
    waits = []
    for _ in range(9):
        asking._not_before = 0.0
        waits.append((await asking.find([1])).again_in)
    assert waits[0] < 1 < waits[3] < waits[-1] <= 30


async def test_some_answers_count_beside_one_that_is_none(small: SmallRegistry) -> None:
    small.has(1, ORDER)
    small.documents["/schemas/ids/2"] = {}
    small.has(3, ORDER)
    known = await Registry(Endpoint(url=small.url)).find([1, 2, 3])
    assert (known.found.keys(), known.missing) == ({1, 3}, {2})


async def test_what_is_kept_is_bounded(small: SmallRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "MOST_KEPT", 5)
    monkeypatch.setattr(registry, "MOST_CHARACTERS", 4 * len(ORDER))
    for id_ in range(10):
        small.has(id_, ORDER)
    asking = Registry(Endpoint(url=small.url))
    known = await asking.find(range(40))
    assert known.found == dict.fromkeys(range(8), WriterSchema("AVRO", ORDER))  # eight at once, and no more
    assert (known.missing, known.again_in) == (set(range(8, 40)), 0)
    known = await asking.find(range(8, 40))
    assert not known.missing
    assert list(asking._kept) == [6, 7, 8, 9]
    assert list(asking._absent) == [35, 36, 37, 38, 39]


async def test_tls_is_verified_with_the_authorities_of_the_file(tmp_path: Path) -> None:
    mine, other = trustme.CA(), trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    mine.issue_cert("127.0.0.1").configure_cert(context)
    mine.cert_pem.write_to_path(tmp_path / "mine.pem")
    other.cert_pem.write_to_path(tmp_path / "other.pem")
    async with small_registry(context) as small:
        small.has(1, ORDER)
        url = f"https://127.0.0.1:{small.port}"
        trusting = Registry(Endpoint(url=url, ca_file=str(tmp_path / "mine.pem")))
        assert (await trusting.find([1])).found == {1: WriterSchema("AVRO", ORDER)}
        for ca_file in (None, str(tmp_path / "other.pem")):
            asking = Registry(Endpoint(url=url, username="u", password="p", ca_file=ca_file))
            assert (await asking.find([1])).missing == {1}
            assert "certificate is not trusted" in str(asking.trouble)
        assert len(small.asked) == 1


async def test_a_file_without_authorities_is_reported_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    at = Endpoint(url="https://registry", ca_file=str(tmp_path / "ca.pem"))
    assert at.problem() == f"{tmp_path / 'ca.pem'}: is no usable certificate"
    assert Endpoint(url="https://registry").problem() is None
