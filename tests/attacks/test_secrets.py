"""Secrets: no value that we print is one, and a key that somebody can guess is none."""

from __future__ import annotations

import base64
import random
import re
import string
from collections.abc import Callable
from pathlib import Path

import pytest

from avisa.settings import Settings, load
from avisa.settings.weak_key import is_weak

ROOT = Path(__file__).parents[2]
_DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md")), ROOT / "deploy/env.example"]
_SECRET = r"AVISA_(?:KAFKA__PASSWORD|SMTP__PASSWORD|SECRET_KEY|HTTP__API_KEY)"
_BESIDE = {
    "AVISA_KAFKA__PASSWORD": {
        "AVISA_KAFKA__BOOTSTRAP_SERVERS": "k:1",
        "AVISA_KAFKA__SECURITY": "sasl_ssl",
        "AVISA_KAFKA__SASL": "plain",
        "AVISA_KAFKA__USERNAME": "u",
    },
    "AVISA_SMTP__PASSWORD": {"AVISA_SMTP__HOST": "r", "AVISA_SMTP__USERNAME": "u"},
    "AVISA_SECRET_KEY": {},
    "AVISA_HTTP__API_KEY": {},
    "AVISA_STORE__URL": {},
}


def _examples() -> list[tuple[str, str]]:
    """Each value that a document gives for a secret, and what `avisa config` shows of each."""
    found = {(name, "****") for name in _BESIDE if name != "AVISA_STORE__URL"}
    for document in _DOCUMENTS:
        text = document.read_text("utf-8")
        found |= set(re.findall(rf"({_SECRET})=['\"]?([^\s'\"`]+)", text))
        found |= {("AVISA_STORE__URL", url) for url in re.findall(r"postgresql://[^\s'\"`]+", text)}
    return sorted(found)


@pytest.mark.parametrize(("name", "value"), _examples())
def test_no_example_of_the_documents_is_taken_for_a_secret(name: str, value: str) -> None:
    # Where the address is right otherwise, the password is what is wrong.
    value = re.sub(r"/DATABASE\b.*|[?].*", "/avisa?sslmode=require", value).replace("HOST:PORT", "h:1")
    problems = load({name: value} | _BESIDE[name], None)
    assert isinstance(problems, list)
    assert any(line.startswith(f"{name}: ") for line in problems), problems


def test_the_documents_have_examples() -> None:
    assert {name for name, _ in _examples()} == set(_BESIDE)
    assert len(_examples()) >= 8


WEAK = [
    "change-me-to-32-random-characters",
    "changemechangemechangeme",
    "0123456789abcdef0123456789abcdef",
    "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f",
    "zyxwvutsrqponmlkjihgfedcba987654",
    "qwertyuiopasdfghjklzxcvbnm123456",
    "1234567890qwertyuiopASDFGHJKL",
    "a1b2c3d4e5f6g7h8i9j0k1l2m3n4",
    "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbb",
    "abcabcabcabcabcabcabcabcabcabcab",
    "hunter2-hunter2-hunter2-hunter2",
    "password123password123password123",
    "secret-secret-secret-secret",
    "supersecretkeythatnobodyknows",
    "ThisIsMyVerySecretKeyForAvisa2026",
    "please-put-a-long-random-key-here!",
    "my secret key for unsubscribe links",
    "insert_your_secret_key_here_1234",
    "correct horse battery staple",
    "openssl rand -hex 32",
    "x7#Kq2!pZ",
    "YWJjZGVmZ2hpamtsbW5vcA==",  # abcdefghijklmnop, in base64
    b"change-me-change-me".hex(),
]


@pytest.mark.parametrize("key", WEAK)
def test_a_key_that_somebody_can_guess_is_refused(key: str) -> None:
    problems = load({"AVISA_SECRET_KEY": key}, None)
    rule = "must be at least 16 characters that nobody can guess, such as `openssl rand -hex 32` writes"
    assert problems == [f"AVISA_SECRET_KEY: {rule}"]


# How keys are drawn, and how many of 200 may be taken for weak. The chance of one is 0.8 % for letters and digits (it
# was 483 of 60,000), 0.13 % for base64 (26 of 20,000) and less for hexadecimal digits (none of 28,000). So a test
# fails by chance less than once in a million runs.
KINDS: dict[str, tuple[Callable[[random.Random], str], int]] = {
    "hex": (lambda dice: dice.randbytes(32).hex(), 3),
    "short hex": (lambda dice: dice.randbytes(16).hex(), 3),
    "base64": (lambda dice: base64.b64encode(dice.randbytes(32)).decode(), 6),
    "alphanumeric": (lambda dice: "".join(dice.choices(string.ascii_letters + string.digits, k=32)), 12),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_drawn_by_lot_is_taken(kind: str) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    draw, most = KINDS[kind]
    refused = [key for key in (draw(dice) for _ in range(200)) if is_weak(key)]
    assert len(refused) <= most, refused  # and then the rule says what to do
    assert isinstance(load({"AVISA_SECRET_KEY": random.Random(7).randbytes(32).hex()}, None), Settings)
