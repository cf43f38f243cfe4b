"""The relay is greeted with the host that customers know, not with an address inside."""

from __future__ import annotations

import pytest

from avisa.settings import Settings, load

GREETINGS = [
    ({}, None),
    ({"AVISA_PUBLIC_URL": "https://News.example.com/avisa"}, "news.example.com"),
    ({"AVISA_PUBLIC_URL": "https://news.example.com:8443"}, "news.example.com"),
    ({"AVISA_PUBLIC_URL": "https://192.0.2.7"}, None),
    ({"AVISA_PUBLIC_URL": "https://[2001:db8::7]"}, None),
    ({"AVISA_PUBLIC_URL": "https://news.example.com", "AVISA_SMTP__HELO": "out.example.com"}, "out.example.com"),
]


@pytest.mark.parametrize(("given", "greeting"), GREETINGS)
def test_the_relay_is_greeted_so(given: dict[str, str], greeting: str | None) -> None:
    from avisa.app.edges import relay_of  # here, for it is heavy

    settings = load({"AVISA_SMTP__HOST": "relay.example.com"} | given, None)
    assert isinstance(settings, Settings), settings
    relay = relay_of(settings)
    assert relay is not None
    assert relay.helo == greeting


@pytest.mark.parametrize("greeting", ["a b", "x\r\nRCPT TO:<b@example.com>", "https://x.example", ""])
def test_what_is_no_host_is_refused(greeting: str) -> None:
    loaded = load({"AVISA_SMTP__HOST": "relay.example.com", "AVISA_SMTP__HELO": greeting}, None)
    assert not isinstance(loaded, Settings) or loaded.smtp.helo is None


def test_an_inbox_is_not_greeted() -> None:
    assert load({"AVISA_SMTP__HELO": "out.example.com"}, None) == [
        "AVISA_SMTP__HELO: needs AVISA_SMTP__HOST; the embedded inbox has no such thing"
    ]
