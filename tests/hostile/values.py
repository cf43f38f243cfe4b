"""What a publisher with bad intentions says of an order."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from avisa.core.model import Json

CANARY = "60481729"  # 7777 * 7777: whoever shows it has done a sum that was only spelt
PAYLOADS = [
    "{{ 7777*7777 }}",
    "{% for a in range(9) %}{{ 7777*7777 }}{% endfor %}",
    "{{ cycler.__init__.__globals__.os.system('id') }}",
    "${7777*7777}#{7777*7777}<%= 7777*7777 %>",
    "{0.__class__}%(x)s%s%999999999d",
    "<script>alert(1)</script>",
    "</title></style></textarea><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)" x="',
    "' onfocus='alert(1)' autofocus='",
    "--><script>alert(1)</script><!--",
    "<!--\ue0000\ue001-->",
    "\ue0000\ue001\ue0011\ue000",
    "&lt;script&gt;&#60;script&#62;&#xE000;0&#xE001;",
    "**bold** _it_ `code` [x](http://evil.example) ![x](http://evil.example/i.png)",
    "\n\n# heading\n\n- item\n\n> quote\n\n```\ncode",
    "<http://evil.example> http://evil.example www.evil.example",
    "x\r\nBcc: evil@x.example\r\n\r\n<b>body</b>",
    "x\nSubject: other\n.\nMAIL FROM:<evil@x.example>",
    "=?utf-8?q?a=0d=0aBcc=3a_evil=40x=2eexample?=",
    "=?utf-8?b?" + "QUFB" * 30 + "?=",
    "javascript:alert(1)",
    "JaVa\tScRiPt:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    'https://evil.example/"><script>',
    "https://user:pass@[::1]:99999/\\",
    "//evil.example",
    "\x00\x01\x1e\x1f\x7f\x85\u2028\u2029",
    "\u202egnp.exe\u2066\u200f",
    "e" + "\u0301" * 500,
    "\ufdfa" * 300,
    "🏴‍☠️🚚" * 60,
    "\"'<>&" * 400,
    "A" * 1_000_000,
    " ",
    "0",
]
LARGE = [  # as large as a text can be, and larger as Python keeps it, in UTF-8, escaped, or in words
    "🚚" + '"' * 1_999,
    "🚚" + "a\n\n " * 499,
    "ab " * 666,
    "é&" * 1_000,
    "語\n" * 1_000,
]
ODD: list[Json] = [
    None,
    True,
    False,
    0,
    -1,
    2**70,
    1.5,
    1e308,
    -0.0,
    [],
    {},
    [[]],
    [{}],
    {"a": {"b": {"c": []}}},
    "",
    "٣٤",
]
TEXTS = [
    "customer.name",
    "reason",
    "next_step",
    "brand",
    "customer.locale",
    "customer.time_zone",
]  # checked at the door
DETAILS = [
    f"details.{name}" for name in ("number", "url", "note", "total", "currency", "x", "weird", "items", "parts")
]


def spelling(text: str) -> dict[str, Json]:
    """Every field says it."""
    things: list[Json] = [
        {"name": text, "quantity": text, "x": text, "parts": [text, {"name": text, "x": text}]},
        text,
    ]
    known: dict[str, Json] = dict.fromkeys([*TEXTS[:3], *DETAILS, f"details.{text[:50]}"], text)
    return {**known, "details.items": things, "details.parts": things}


def odd(random: Random) -> dict[str, Json]:
    """Every field has a value of whatever kind it can have."""
    texts: dict[str, Json] = {name: random.choice(PAYLOADS) for name in TEXTS}
    return {**texts, **{name: random.choice([*ODD, *PAYLOADS]) for name in DETAILS}}


def huge() -> dict[str, Json]:
    """As much as one event may hold (1 MiB), and every character of it five more when escaped."""
    part: dict[str, Json] = {"name": '"' * 9, "x": '"' * 9, "quantity": 10**17}
    long = {**part, "name": '"' * 1_500, "x": '"' * 1_500, "parts": [part] * 100}
    known = {
        **spelling('"' * 5_000),
        "details.items": [long] * 100,
        "details.parts": [{**part, "parts": [part] * 40}] * 40,
    }
    known["details.x"] = [part] * 100
    return known


def tame() -> dict[str, Json]:
    """What an honest shop says."""
    things: list[Json] = [
        {"name": f"thing {count}", "quantity": count, "x": "y", "parts": [{"name": "p"}]} for count in range(3)
    ]
    return {
        "details.items": things,
        "details.parts": things,
        "details.note": "a note",
        "details.x": "x",
        "details.weird": "w",
    }


def occasions(random: Random) -> Mapping[str, dict[str, Json]]:
    """Sets of facts to tell a message with."""
    return {
        "tame": tame(),
        "nothing": {},
        "spelling": spelling(random.choice(PAYLOADS)),
        "spelling again": spelling(random.choice(PAYLOADS)),
        "large": spelling(random.choice(LARGE)),
        "odd": odd(random),
        "huge": huge(),
    }
