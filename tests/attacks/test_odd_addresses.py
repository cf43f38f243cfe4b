"""A local part is a mailbox: never a route, a pipe or an option for some program behind the relay."""

from __future__ import annotations

import pytest

from avisa.smtp.address import path
from avisa.templates.address import checked

ODD = [
    "ana%evil.example@example.com",
    "evil.example!ana@example.com",
    "|sh@example.com",
    "-froot@example.com",
    "-@example.com",
    "jürgen%evil.example@example.com",
    "-jürgen@example.com",
    "jürgen|sh@example.com",
    '"|sh"@example.com',
    "jürgen\u202e@example.com",
    "jürgen\u200b@example.com",
    "ü" * 70 + "@example.com",
]
USUAL = ["o'neil@example.com", "ana-maria@example.com", "_ana@example.com", "ana+shop@example.com", "a=b@example.com"]


@pytest.mark.parametrize("address", ODD)
def test_an_odd_local_part_is_no_address(address: str) -> None:
    assert checked(address) is None
    assert path(address) is None


@pytest.mark.parametrize("address", USUAL)
def test_what_people_have_is_one(address: str) -> None:
    assert checked(address) == address
    assert path(address) is not None
