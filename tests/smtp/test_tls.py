"""TLS is verified or there is no session; a password never crosses a wire in the clear."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trustme

from avisa.core.retry import Receipt, Verdict
from avisa.smtp.channel import EmailChannel
from avisa.smtp.relay import Relay
from tests.smtp.harness import CALM, mail, relay_to
from tests.smtp.scripted import Line, ScriptedRelay

SECRET = {"username": "shop", "password": "tomato"}  # in base64 AHNob3AAdG9tYXRv


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def server_context(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


async def attempt(server: ScriptedRelay, **changes: object) -> Receipt:
    channel = EmailChannel(relay_to(server, **({"patience": CALM} | changes)), jitter=lambda: 0.5)
    await channel.start()
    receipt = await channel.deliver(mail(1))
    await channel.stop(0.5)
    assert "tomato" not in receipt.text
    return receipt


def asked_for_auth(server: ScriptedRelay) -> bool:
    return any(b"AUTH" in line.upper() or b"AHNob3AAdG9tYXRv" in line for line in server.said)


OFFERS = ("PIPELINING", "STARTTLS", "AUTH PLAIN LOGIN")


@pytest.mark.parametrize("tls", ["tls", "starttls"])
async def test_a_trusted_certificate_leads_to_an_encrypted_login(
    authority: trustme.CA, ca_file: str, tls: str
) -> None:
    context = server_context(authority, "localhost", "127.0.0.1")
    async with ScriptedRelay(offers=OFFERS, context=context, implicit_tls=tls == "tls") as server:
        receipt = await attempt(server, tls=tls, ca_file=ca_file, **SECRET)
    assert receipt.verdict is Verdict.ACCEPTED
    assert all(visit.encrypted for visit in server.visits)
    assert asked_for_auth(server)


@pytest.mark.parametrize("tls", ["tls", "starttls"])
@pytest.mark.parametrize("fault", ["wrong name", "self-signed"])
async def test_an_untrusted_certificate_ends_the_attempt_before_the_login(
    authority: trustme.CA, ca_file: str, tls: str, fault: str
) -> None:
    signer = trustme.CA() if fault == "self-signed" else authority
    name = "elsewhere.example" if fault == "wrong name" else "127.0.0.1"
    context = server_context(signer, name)
    async with ScriptedRelay(offers=OFFERS, context=context, implicit_tls=tls == "tls") as server:
        receipt = await attempt(server, tls=tls, ca_file=ca_file, **SECRET)
    assert (receipt.verdict, receipt.stage) == (Verdict.TEMPORARY, "tls")
    assert "certificate not trusted" in receipt.text
    assert not asked_for_auth(server)
    assert not server.taken


async def test_a_relay_with_old_tls_is_not_used(authority: trustme.CA, ca_file: str) -> None:
    context = server_context(authority, "127.0.0.1")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    async with ScriptedRelay(offers=OFFERS, context=context, implicit_tls=True) as server:
        receipt = await attempt(server, tls="tls", ca_file=ca_file, **SECRET)
    assert (receipt.verdict, receipt.stage) == (Verdict.TEMPORARY, "tls")


@pytest.mark.parametrize(
    ("script", "offers"),
    [
        pytest.param({}, ("PIPELINING", "AUTH PLAIN"), id="not offered or stripped"),
        pytest.param({"STARTTLS": b"454 4.7.0 not now\r\n"}, OFFERS, id="refused"),
        pytest.param({"STARTTLS": b"220 go\r\n250 injected\r\n"}, OFFERS, id="injected"),
    ],
)
async def test_a_failing_starttls_ends_the_attempt_before_the_login(
    script: dict[str, Line], offers: tuple[str, ...]
) -> None:
    async with ScriptedRelay(script, offers=offers) as server:
        receipt = await attempt(server, tls="starttls", **SECRET)
    assert (receipt.verdict, receipt.stage) == (Verdict.TEMPORARY, "tls")
    assert not asked_for_auth(server)
    assert not server.taken


async def test_a_tls_handshake_with_a_plain_port_fails() -> None:
    async with ScriptedRelay() as server:
        receipt = await attempt(server, tls="tls", **SECRET)
    assert (receipt.verdict, receipt.stage) == (Verdict.TEMPORARY, "tls")


def test_credentials_in_the_clear_are_refused() -> None:
    with pytest.raises(ValueError, match="TLS") as refusal:
        Relay(host="relay.example", port=25, tls="none", **SECRET)
    assert "tomato" not in str(refusal.value)
    assert "tomato" not in repr(Relay(host="::1", port=25, tls="none", **SECRET))
    assert Relay(host="relay.example", port=25, tls="none", clear_text=True, **SECRET).tls == "none"


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (b"535 5.7.8 wrong\r\n", Verdict.REFUSED_US),
        (b"534 5.7.9 too weak\r\n", Verdict.REFUSED_US),
        (b"530 5.7.0 first\r\n", Verdict.REFUSED_US),
        (b"454 4.7.0 later\r\n", Verdict.TEMPORARY),
    ],
)
async def test_a_refused_login_becomes_a_receipt(answer: bytes, verdict: Verdict) -> None:
    async with ScriptedRelay({"AUTH": answer}, offers=("PIPELINING", "AUTH PLAIN CRAM-MD5")) as server:
        receipt = await attempt(server, **SECRET)
    assert (receipt.verdict, receipt.stage, receipt.code) == (verdict, "auth", int(answer[:3]))
    if answer.startswith(b"535"):
        assert sum(line.startswith(b"AUTH") for line in server.said) == 1, "one wrong password is one try"


async def test_a_relay_without_login_refuses_us() -> None:
    async with ScriptedRelay(offers=("PIPELINING",)) as server:
        receipt = await attempt(server, **SECRET)
    assert (receipt.verdict, receipt.stage) == (Verdict.REFUSED_US, "auth")
    assert not server.taken


async def test_another_mechanism_is_tried_if_the_first_is_not_known() -> None:
    script: dict[str, Line] = {
        "AUTH": [b"504 5.5.4 not that\r\n", b"334 UGFzc3dvcmQ6\r\n"],
        "DG9TYXRV": b"235 2.7.0 welcome\r\n",  # the password is a line of its own
    }
    async with ScriptedRelay(script, offers=("PIPELINING", "AUTH PLAIN LOGIN")) as server:
        receipt = await attempt(server, **SECRET)
    assert receipt.verdict is Verdict.ACCEPTED


async def test_ehlo_has_the_set_name_or_an_address_literal() -> None:
    async with ScriptedRelay() as server:
        await attempt(server)
        await attempt(server, helo=None)
    assert [visit.said[0] for visit in server.visits] == [b"EHLO avisa.example\r\n", b"EHLO [127.0.0.1]\r\n"]
