"""Unsubscribe tokens cannot be forged, and do not reveal the address."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avisa.core.unsubscribe_token import address_hash, read_unsubscribe_token, unsubscribe_token

SECRET = b"k" * 32
TOKEN = unsubscribe_token(SECRET, "ana@example.pt")


@given(st.binary(min_size=16, max_size=64), st.text(max_size=80))
def test_a_token_is_read_with_its_own_secret_only(secret: bytes, address: str) -> None:
    token = unsubscribe_token(secret, address)
    assert len(token) <= 60
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    assert read_unsubscribe_token(secret, token) == address_hash(secret, address)
    assert len(address_hash(secret, address)) == 16
    assert read_unsubscribe_token(secret + b"x", token) is None


@pytest.mark.parametrize("at", range(33))
def test_a_token_with_any_bit_changed_is_refused(at: int) -> None:
    raw = base64.urlsafe_b64decode(TOKEN)
    for bit in range(8):
        changed = raw[:at] + bytes([raw[at] ^ 1 << bit]) + raw[at + 1 :]
        assert read_unsubscribe_token(SECRET, base64.urlsafe_b64encode(changed).decode()) is None


@pytest.mark.parametrize("at", range(44))
def test_a_token_with_any_character_changed_is_refused(at: int) -> None:
    for character in map(chr, (*range(256), 0x200B, 0xD800)):
        changed = TOKEN[:at] + character + TOKEN[at + 1 :]
        if changed != TOKEN:
            assert read_unsubscribe_token(SECRET, changed) is None


@given(st.text() | st.text("Aa0-_=", max_size=200))
def test_a_text_that_is_no_token_is_refused(token: str) -> None:
    assert read_unsubscribe_token(SECRET, token) is None


@pytest.mark.parametrize("token", [TOKEN + "=", TOKEN + "\n", " " + TOKEN, TOKEN[:-1], TOKEN * 2, TOKEN * 9999, ""])
def test_a_token_with_something_added_or_missing_is_refused(token: str) -> None:
    assert read_unsubscribe_token(SECRET, token) is None


def test_an_address_has_one_hash_for_each_secret_whatever_its_case() -> None:
    assert address_hash(SECRET, " Ana@Example.PT ") == address_hash(SECRET, "ana@example.pt")
    assert address_hash(SECRET, "ana@example.pt") != address_hash(SECRET, "rui@example.pt")
    assert address_hash(SECRET, "ana@example.pt") != address_hash(b"other" * 8, "ana@example.pt")
    assert address_hash(SECRET, "ana@example.pt") not in base64.urlsafe_b64decode(
        unsubscribe_token(b"other" * 8, "ana@example.pt")
    )
