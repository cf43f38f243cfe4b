"""A password goes to another machine only over verified TLS, unless the setting says in so many words otherwise."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from avisa.settings import Settings, load
from avisa.store.database import database_url

POSTGRES = [
    ("postgresql://avisa:x@db/avisa", False),
    ("postgresql://avisa:x@db/avisa?sslmode=prefer", False),
    ("postgresql://avisa:x@db/avisa?sslmode=allow", False),
    ("postgresql://avisa@db/avisa", False),  # the password may come from PGPASSWORD or ~/.pgpass
    ("postgresql://avisa:x@localhost.example/avisa", False),
    ("postgresql://avisa:x@0.0.0.0/avisa", False),
    ("postgresql://avisa:x@127.0.0.1/avisa?host=db", False),
    ("postgresql://avisa:x@/avisa?host=127.0.0.1,db", False),
    ("postgresql://avisa:x@db/avisa?sslmode=verify-full", True),
    ("postgresql://avisa:x@db/avisa?sslmode=verify-ca", True),
    ("postgresql://avisa:x@db/avisa?sslrootcert=ca.pem", True),
    ("postgresql://avisa:x@db/avisa?sslmode=require", True),
    ("postgresql://avisa:x@db/avisa?sslmode=disable", True),
    ("postgresql://avisa:x@localhost/avisa", True),
    ("postgresql://avisa:x@127.8.9.1/avisa", True),
    ("postgresql://avisa:x@[::1]/avisa", True),
    ("postgresql:///avisa?host=/run/postgresql", True),
]


@pytest.mark.parametrize(("url", "taken"), POSTGRES)
def test_postgresql(url: str, taken: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("ca.pem").touch()
    loaded = load({"AVISA_STORE__URL": url}, None)
    assert isinstance(loaded, Settings) is taken, loaded


@pytest.mark.parametrize(("mode", "names"), [("verify-full", True), ("verify-ca", False)])
def test_postgresql_is_verified_by_the_machines_own_authorities(mode: str, names: bool) -> None:
    _, options = database_url.encryption(database_url.read(f"postgresql://u@db/d?sslmode={mode}"))
    assert options["ssl"].verify_mode is ssl.CERT_REQUIRED
    assert options["ssl"].check_hostname is names


KAFKA = [
    ("k:9092", "sasl_plaintext", "plain", None, False),
    ("127.0.0.1:9092,k:9092", "sasl_plaintext", "plain", None, False),
    ("k:9092", "sasl_plaintext", "plain", "refused", False),
    ("k:9092", "sasl_plaintext", "plain", "allowed", True),
    ("k:9092", "sasl_ssl", "plain", None, True),
    ("k:9092", "sasl_plaintext", "scram-sha-256", None, True),  # the password itself does not travel
    ("localhost:9092,[::1]:9093", "sasl_plaintext", "plain", None, True),
]


@pytest.mark.parametrize(("servers", "security", "sasl", "clear", "taken"), KAFKA)
def test_kafka(servers: str, security: str, sasl: str, clear: str | None, taken: bool) -> None:
    settings = {"BOOTSTRAP_SERVERS": servers, "SECURITY": security, "SASL": sasl, "USERNAME": "u", "PASSWORD": "p"}
    settings |= {} if clear is None else {"CLEAR_TEXT": clear}
    loaded = load({f"AVISA_KAFKA__{name}": value for name, value in settings.items()}, None)
    assert isinstance(loaded, Settings) is taken, loaded


SMTP = [
    ("relay", "none", None, False),
    ("relay", "none", "refused", False),
    ("relay", "none", "allowed", True),
    ("relay", "starttls", None, True),
    ("localhost", "none", None, True),
    ("127.0.0.1", "none", None, True),
]


@pytest.mark.parametrize(("host", "tls", "clear", "taken"), SMTP)
def test_smtp(host: str, tls: str, clear: str | None, taken: bool) -> None:
    settings = {"HOST": host, "TLS": tls, "USERNAME": "u", "PASSWORD": "p"}
    settings |= {} if clear is None else {"CLEAR_TEXT": clear}
    loaded = load({f"AVISA_SMTP__{name}": value for name, value in settings.items()}, None)
    assert isinstance(loaded, Settings) is taken, loaded
    if isinstance(loaded, Settings):
        from avisa.app.edges import relay_of  # here, for it is heavy

        assert relay_of(loaded) is not None


REGISTRY = [
    ("http://registry:8081", None, False),
    ("http://registry:8081", "refused", False),
    ("http://registry:8081", "allowed", True),
    ("http://localhost.example", None, False),
    ("https://registry", None, True),
    ("http://localhost:8081", None, True),
    ("http://[::1]:8081/path", None, True),
]


@pytest.mark.parametrize(("url", "clear", "taken"), REGISTRY)
def test_registry(url: str, clear: str | None, taken: bool) -> None:
    settings = {"URL": url, "USERNAME": "u", "PASSWORD": "p"} | ({} if clear is None else {"CLEAR_TEXT": clear})
    loaded = load({f"AVISA_REGISTRY__{name}": value for name, value in settings.items()}, None)
    assert isinstance(loaded, Settings) is taken, loaded
