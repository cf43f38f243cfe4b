"""Addresses the world has: a local part may be in any script, and goes out by SMTPUTF8 where the relay takes it."""

from __future__ import annotations

from email import message_from_bytes, message_from_string, policy

import pytest

from avisa.core.retry import Receipt, Verdict
from avisa.smtp.channel import EmailChannel
from tests.smtp.harness import CALM, relay_to
from tests.smtp.scripted import ScriptedRelay
from tests.templates.harness import catalog_of, mailed, usual

ALL = ("PIPELINING", "8BITMIME", "SMTPUTF8")
ADDRESSES = {
    "jürgen@example.com": "jürgen@example.com",
    " josé.núñez@Example.COM ": "josé.núñez@example.com",
    "Ωμέγα@example.com": "Ωμέγα@example.com",
    "用户@example.com": "用户@example.com",
    "jürgen@exämple.de": "jürgen@xn--exmple-cua.de",
    "ju\u0308rgen@example.com": "jürgen@example.com",  # composed, as RFC 6532 section 3.1 wants it
}


async def _delivered(address: str, offers: tuple[str, ...]) -> tuple[Receipt, ScriptedRelay]:
    _, mail = mailed(usual(), customer_email=address)
    async with ScriptedRelay(offers=offers) as server:
        channel = EmailChannel(relay_to(server, patience=CALM), jitter=lambda: 0.0)
        await channel.start()
        receipt = await channel.deliver(mail)
        await channel.stop(1)
    return receipt, server


@pytest.mark.parametrize("address", ADDRESSES)
async def test_it_is_reached_where_the_relay_takes_it(address: str) -> None:
    receipt, server = await _delivered(address, ALL)
    assert receipt.verdict is Verdict.ACCEPTED
    (taken,) = server.taken
    assert taken.recipient.decode() == ADDRESSES[address]
    read = message_from_string(taken.data.decode(), policy=policy.SMTPUTF8)
    assert read["To"].addresses[0].addr_spec == ADDRESSES[address]
    assert read["To"].addresses[0].display_name == "Ana Sousa"


@pytest.mark.parametrize("address", ADDRESSES)
async def test_where_the_relay_takes_none_it_has_failed_for_good(address: str) -> None:
    receipt, server = await _delivered(address, ALL[:2])
    assert (receipt.verdict, receipt.address_unknown) == (Verdict.PERMANENT, True)
    assert receipt.text.startswith("the relay takes no such address")
    assert not server.taken


async def test_a_host_in_any_script_needs_no_such_relay() -> None:
    receipt, server = await _delivered("ana@exämple.de", ("PIPELINING",))
    assert receipt.verdict is Verdict.ACCEPTED
    assert server.taken[0].recipient == b"ana@xn--exmple-cua.de"


def test_a_redirected_mail_needs_no_such_relay() -> None:
    _, mail = mailed(catalog_of(redirect_to="staging@example.org"), customer_email="jürgen@example.com")
    assert mail.data.isascii()
    read = message_from_bytes(mail.data, policy=policy.SMTP)
    assert read["X-Avisa-Intended-To"] == "jürgen@example.com"
