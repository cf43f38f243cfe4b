"""The address of a store is shown as the parser that connects reads it, and refused if another reads it otherwise."""

from __future__ import annotations

import json

import pytest

from avisa.settings import Settings, describe, load
from avisa.store.database import database_url

SECRET = "geheim-canary"


def _loaded(url: str) -> Settings | list[str]:
    return load({"AVISA_STORE__URL": url}, None)


REFUSED = [
    f"postgresql://avisa:/{SECRET}@localhost/avisa",
    f"postgresql://avisa:?{SECRET}@localhost/avisa",
    f"postgresql://avisa:#{SECRET}@localhost/avisa",
    f"postgresql://avisa:a@{SECRET}@localhost/avisa",
    f"postgresql://avisa:{SECRET}\t@localhost/avisa",
    f"postgresql://avisa:{SECRET}\u2028@localhost/avisa",
    f"postgresql://avisa@localhost/avisa#{SECRET}",
    f"postgresql://avisa@localhost/{SECRET}@x",
    f"postgresql://avisa@localhost/avisa?password={SECRET}",
    f"postgresql://avisa@localhost/avisa?sslpassword={SECRET}",
    f"postgresql://avisa@localhost/avisa?PASSWORD={SECRET}",
    f"postgresql://avisa@localhost/avisa?options=-c%20x%3D{SECRET}",
    f"postgresql://avisa@localhost/avisa?sslmode={SECRET}",
    f"postgresql://avisa@localhost/avisa?sslmode=require&sslmode={SECRET}",
    f"postgresql://localhost/avisa?host={SECRET}@db",
    f"postgresql:///avisa:{SECRET}@localhost/avisa",
    f"sqlite://avisa:{SECRET}@localhost/avisa.db",
    f"sqlite:///avisa.db?password={SECRET}",
    f"mysql://avisa:{SECRET}@localhost/avisa",
    SECRET,
]


@pytest.mark.parametrize("url", REFUSED)
def test_an_address_that_is_not_read_alike_is_refused_without_a_word_of_it(url: str) -> None:
    problems = _loaded(url)
    assert isinstance(problems, list)
    assert SECRET not in "".join(problems)


SHOWN = [
    (f"postgresql://avisa:%2F{SECRET}@localhost/avisa", "postgresql://avisa:****@localhost/avisa"),
    (f"postgresql://:{SECRET}@127.0.0.1/avisa", "postgresql://:****@127.0.0.1/avisa"),
    (f"postgresql://a%40b:{SECRET}@[::1]:5433/avisa", "postgresql://a%40b:****@[::1]:5433/avisa"),
    (f"postgresql://a:{SECRET}@db/x?sslmode=disable", "postgresql://a:****@db/x?sslmode=disable"),
    ("postgresql:///avisa?host=/var/run/postgresql", "postgresql:///avisa?host=/var/run/postgresql"),
    ("postgresql://avisa@localhost/avisa", "postgresql://avisa@localhost/avisa"),
    ("sqlite:///avisa.db", "sqlite:///avisa.db"),
]


@pytest.mark.parametrize(("url", "shown"), SHOWN)
def test_shown_is_what_was_understood(url: str, shown: str) -> None:
    settings = _loaded(url)
    assert isinstance(settings, Settings), settings
    described = describe(settings)
    assert described["AVISA_STORE__URL"]["value"] == shown
    assert SECRET not in json.dumps(described)
    database_url.read(url)


@pytest.mark.parametrize("url", ["https://:geheim@x.example", "https://x.example\\@y", "https://u@x.example"])
def test_a_public_url_with_a_password_in_it_is_refused(url: str) -> None:
    assert isinstance(load({"AVISA_PUBLIC_URL": url}, None), list)
