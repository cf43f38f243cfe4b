"""Addresses that SMTP may carry, and those that would carry something else."""

from __future__ import annotations

import pytest

from avisa.smtp.address import path


@pytest.mark.parametrize(
    ("address", "encoded", "domain"),
    [
        ("ana@example.pt", b"ana@example.pt", "example.pt"),
        ("Ana.Sousa+x@Mail.Example.PT", b"Ana.Sousa+x@Mail.Example.PT", "mail.example.pt"),
        ("o'neil@xn--exmple-cua.de", b"o'neil@xn--exmple-cua.de", "xn--exmple-cua.de"),
        ("ana@exämple.de", b"ana@xn--exmple-cua.de", "xn--exmple-cua.de"),
    ],
)
def test_an_ascii_address_becomes_a_path(address: str, encoded: bytes, domain: str) -> None:
    found = path(address)
    assert found is not None
    assert (found.encoded, found.domain, found.utf8) == (encoded, domain, False)


def test_an_international_local_part_needs_smtputf8() -> None:
    found = path("jürgen@exämple.de")
    assert found is not None
    assert found.encoded == "jürgen@xn--exmple-cua.de".encode()
    assert found.utf8


@pytest.mark.parametrize(
    "address",
    [
        "",
        " ",
        "bob",
        "bob@",
        "@example.org",
        "bob@@x.example",
        "a b@x.example",
        "a@b.example\r\nRCPT TO:<x@y.example>",
        "a@b.example\n",
        "a@b.example>",
        "<a@b.example>",
        "a@b.example> SIZE=1",
        "a@b.example,c@d.example",
        "a\0@b.example",
        ".a@x.example",
        "a..b@x.example",
        "a.@x.example",
        '"a b"@x.example',
        '"a@b"@x.example',
        "a@[127.0.0.1]",
        "a@10.0.0.1",
        "a@localhost",
        "a@-x.example",
        "a@x..example",
        "a" * 65 + "@x.example",
        "a@" + "x" * 64 + ".example",
        "a@" + "x." * 126 + "example",
        "jürgen@[::1]",
        "jürgen@x.example\r\nDATA",
        "ü@x\u2028.example",
    ],
)
def test_what_is_no_address_has_no_path(address: str) -> None:
    assert path(address) is None
