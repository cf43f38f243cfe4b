"""Settings: what is read, what is refused and in which words, and that nothing ever shows a secret."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avisa.settings import Settings, cautions, describe, load

CANARY = "hunter2-canary-Zq9"
KEY = "5b0f6c9e1d7a4b32c8e60f9d1a57b34e"


def loaded(dotenv: Path | None = None, **names: str) -> Settings:
    settings = load({f"AVISA_{name}": text for name, text in names.items()}, dotenv)
    assert isinstance(settings, Settings), settings
    return settings


def refused(dotenv: Path | None = None, **names: str) -> list[str]:
    problems = load({f"AVISA_{name}": text for name, text in names.items()}, dotenv)
    assert isinstance(problems, list), "it was taken"
    return problems


def test_without_any_setting_everything_is_embedded() -> None:
    settings = loaded()
    assert settings.kafka.bootstrap_servers is None
    assert settings.kafka.topics == ("orders.status",)
    assert settings.kafka.group_id == "avisa"
    assert settings.store.url.get_secret_value() == "sqlite:///avisa.db"
    assert settings.smtp.host is None
    assert (settings.http.host, settings.http.port) == ("127.0.0.1", 8080)
    assert (settings.log.format, settings.log.level) == ("console", "info")
    assert settings.clock.speed == 1
    assert [step.total_seconds() / 60 for step in settings.retry.steps] == [1, 5, 15, 30, 60, 120]
    assert settings.retry.give_up == timedelta(hours=72)
    assert settings.retry.lease == timedelta(minutes=5)
    assert settings.secret_key is None


def test_every_setting_is_read_from_the_environment(tmp_path: Path) -> None:
    for name in ("ca.pem", "cert.pem", "key.pem"):
        (tmp_path / name).write_text("x")
    settings = loaded(
        KAFKA__BOOTSTRAP_SERVERS="a:9092, [::1]:9093",
        KAFKA__TOPICS="orders.status, returns",
        KAFKA__GROUP_ID="prod",
        KAFKA__SECURITY="sasl_ssl",
        KAFKA__SASL="scram-sha-512",
        KAFKA__USERNAME="u",
        KAFKA__PASSWORD=" spaces count ",
        KAFKA__CLEAR_TEXT="refused",
        KAFKA__CA_FILE=str(tmp_path / "ca.pem"),
        KAFKA__CERT_FILE=str(tmp_path / "cert.pem"),
        KAFKA__KEY_FILE=str(tmp_path / "key.pem"),
        KAFKA__TYPES="order.status,order.moved",
        KAFKA__TELL_FROM="2026-03-02T10:00:00+01:00",
        REGISTRY__URL="https://registry/apis/ccompat/v7/",
        REGISTRY__USERNAME="u",
        REGISTRY__PASSWORD="p",
        REGISTRY__CLEAR_TEXT="refused",
        REGISTRY__CA_FILE=str(tmp_path / "ca.pem"),
        STORE__URL="postgresql://u:p@db:5432/avisa?sslmode=verify-full",
        STORE__KEEP_MAILS="30d",
        SMTP__HOST="relay",
        SMTP__PORT="2525",
        SMTP__USERNAME="u",
        SMTP__PASSWORD="p",
        SMTP__CLEAR_TEXT="refused",
        SMTP__HELO="mail.avisa.example",
        SMTP__TLS="starttls",
        SMTP__REDIRECT_TO="staging@example.com",
        INBOX__DIR=str(tmp_path / "new"),
        SENDERS="2",
        TEMPLATES=str(tmp_path),
        HTTP__HOST="0.0.0.0",
        HTTP__PORT="9000",
        HTTP__ADMIN_HOST="127.0.0.1",
        HTTP__ADMIN_PORT="9001",
        HTTP__API_KEY=KEY,
        LOG__FORMAT="json",
        LOG__LEVEL="debug",
        PUBLIC_URL="https://avisa.example/base/",
        SECRET_KEY=KEY,
        CLOCK__START="2026-01-01T00:00:00Z",
        CLOCK__ORIGIN="2026-11-22T00:00:00Z",
        CLOCK__SPEED="3600.5",
        RETRY__STEPS="1s,1s,5m",
        RETRY__GIVE_UP="3d",
        RETRY__LEASE="30s",
    )
    assert settings.kafka.bootstrap_servers == "a:9092,[::1]:9093"
    assert settings.kafka.topics == ("orders.status", "returns")
    assert settings.kafka.password is not None
    assert settings.kafka.password.get_secret_value() == " spaces count "
    assert settings.kafka.types == ("order.status", "order.moved")
    assert settings.kafka.tell_from == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert settings.registry.url == "https://registry/apis/ccompat/v7"
    assert settings.store.keep_mails == timedelta(days=30)
    assert settings.public_url == "https://avisa.example/base"
    assert settings.clock.start == datetime(2026, 1, 1, tzinfo=UTC)
    assert settings.clock.speed == 3600.5
    assert settings.retry.steps == (timedelta(seconds=1), timedelta(seconds=1), timedelta(minutes=5))
    described = describe(settings)
    assert all(each["source"] == "environment" for each in described.values())
    json.dumps(described)


@pytest.mark.parametrize(
    ("names", "port", "security"),
    [
        ({}, 587, "starttls"),  # never in the clear, unless a setting says so
        ({"SMTP__PORT": "465"}, 465, "tls"),
        ({"SMTP__TLS": "tls"}, 465, "tls"),
        ({"SMTP__TLS": "none"}, 25, "none"),
        ({"SMTP__PORT": "2525"}, 2525, "starttls"),
    ],
)
def test_smtp_port_and_tls_follow_each_other(names: dict[str, str], port: int, security: str) -> None:
    smtp = loaded(SMTP__HOST="relay", **names).smtp
    assert (smtp.relay_port, smtp.security) == (port, security)


@pytest.mark.parametrize(
    ("names", "line"),
    [
        (
            {"SMTP__PASSWROD": "x"},
            "AVISA_SMTP__PASSWROD: there is no such setting; did you mean AVISA_SMTP__PASSWORD?",
        ),
        ({"SMTP_PASSWORD": "x"}, "AVISA_SMTP_PASSWORD: there is no such setting; did you mean AVISA_SMTP__PASSWORD?"),
        ({"kafka__topics": "x"}, "AVISA_kafka__topics: there is no such setting; did you mean AVISA_KAFKA__TOPICS?"),
        ({"XYZZY": "x"}, "AVISA_XYZZY: there is no such setting"),
        ({"KAFKA": "x"}, "AVISA_KAFKA: there is no such setting"),
        ({"HTTP__PORT__X": "1"}, "AVISA_HTTP__PORT__X: there is no such setting; did you mean AVISA_HTTP__PORT?"),
        ({"SMTP__HOST": ""}, "AVISA_SMTP__HOST: is empty; give it a value or leave it out"),
        ({"KAFKA__GROUP_ID": "  "}, "AVISA_KAFKA__GROUP_ID: is empty; give it a value or leave it out"),
        ({"HTTP__PORT": "5s"}, "AVISA_HTTP__PORT: must be a whole number"),
        ({"HTTP__PORT": "80.5"}, "AVISA_HTTP__PORT: must be a whole number"),
        ({"HTTP__PORT": "0"}, "AVISA_HTTP__PORT: must be at least 1"),
        ({"HTTP__PORT": "-1"}, "AVISA_HTTP__PORT: must be at least 1"),
        ({"HTTP__PORT": "70000"}, "AVISA_HTTP__PORT: must be at most 65535"),
        ({"HTTP__HOST": "http://x"}, "AVISA_HTTP__HOST: must be the name or address of a host"),
        ({"CLOCK__SPEED": "0"}, "AVISA_CLOCK__SPEED: must be greater than 0"),
        ({"CLOCK__SPEED": "-3"}, "AVISA_CLOCK__SPEED: must be greater than 0"),
        ({"CLOCK__SPEED": "NaN"}, "AVISA_CLOCK__SPEED: must be a number"),
        ({"CLOCK__SPEED": "inf"}, "AVISA_CLOCK__SPEED: must be a number"),
        ({"CLOCK__SPEED": "fast"}, "AVISA_CLOCK__SPEED: must be a number"),
        ({"CLOCK__SPEED": "1e9"}, "AVISA_CLOCK__SPEED: must be at most 1000000"),
        ({"CLOCK__START": "2026-01-01T00:00:00"}, "AVISA_CLOCK__START: must be a time with its zone"),
        ({"CLOCK__ORIGIN": "yesterday"}, "AVISA_CLOCK__ORIGIN: must be a time with its zone"),
        ({"CLOCK__ORIGIN": "0001-01-01T00:00:00+14:00"}, "AVISA_CLOCK__ORIGIN: must be a time with its zone"),
        ({"KAFKA__TELL_FROM": "2026-01-01"}, "AVISA_KAFKA__TELL_FROM: must be a time with its zone"),
        ({"KAFKA__BOOTSTRAP_SERVERS": "kafka"}, "AVISA_KAFKA__BOOTSTRAP_SERVERS: must be host:port"),
        ({"KAFKA__BOOTSTRAP_SERVERS": "kafka:0"}, "AVISA_KAFKA__BOOTSTRAP_SERVERS: must be host:port"),
        ({"KAFKA__BOOTSTRAP_SERVERS": '["a:1"'}, "AVISA_KAFKA__BOOTSTRAP_SERVERS: must be host:port"),
        ({"KAFKA__TOPICS": "a,,b"}, "AVISA_KAFKA__TOPICS: must be one or more values with commas between"),
        ({"KAFKA__TOPICS": "a,a"}, "AVISA_KAFKA__TOPICS: must be one or more values with commas between"),
        ({"KAFKA__TOPICS": "a b"}, "AVISA_KAFKA__TOPICS: must be names of topics"),
        (
            {"KAFKA__SECURITY": "sasl"},
            "AVISA_KAFKA__SECURITY: must be one of plaintext, ssl, sasl_plaintext, sasl_ssl",
        ),
        ({"KAFKA__SECURITY": "ssl"}, "AVISA_KAFKA__SECURITY: needs AVISA_KAFKA__BOOTSTRAP_SERVERS"),
        ({"KAFKA__PASSWORD": CANARY}, "AVISA_KAFKA__PASSWORD: is of no use when AVISA_KAFKA__SECURITY is plaintext"),
        ({"KAFKA__SECURITY": "sasl_ssl"}, "AVISA_KAFKA__SASL: is needed when AVISA_KAFKA__SECURITY is sasl_ssl"),
        ({"KAFKA__SECURITY": "sasl_ssl"}, "AVISA_KAFKA__PASSWORD: is needed when AVISA_KAFKA__SECURITY is sasl_ssl"),
        ({"KAFKA__CA_FILE": "/nowhere/ca.pem"}, "AVISA_KAFKA__CA_FILE: must be the path of a file that is there"),
        ({"KAFKA__CA_FILE": "x" * 9999}, "AVISA_KAFKA__CA_FILE: must be the path of a file that is there"),
        ({"KAFKA__CA_FILE": __file__}, "AVISA_KAFKA__CA_FILE: is of no use when AVISA_KAFKA__SECURITY is plaintext"),
        ({"KAFKA__KEY_FILE": __file__}, "AVISA_KAFKA__CERT_FILE: is needed too"),
        ({"REGISTRY__URL": "registry:8081"}, "AVISA_REGISTRY__URL: must be https://HOST"),
        ({"REGISTRY__URL": "https://regístry/a b"}, "AVISA_REGISTRY__URL: must be https://HOST, in ASCII"),
        ({"REGISTRY__URL": f"https://u:{CANARY}@registry"}, "AVISA_REGISTRY__URL: must be https://HOST"),
        ({"REGISTRY__USERNAME": "u"}, "AVISA_REGISTRY__USERNAME: needs AVISA_REGISTRY__URL"),
        ({"REGISTRY__URL": "https://r", "REGISTRY__USERNAME": "u"}, "AVISA_REGISTRY__PASSWORD: is needed too"),
        (
            {"REGISTRY__URL": "https://r", "REGISTRY__USERNAME": "u:v", "REGISTRY__PASSWORD": CANARY},
            "AVISA_REGISTRY__USERNAME: must be without a colon",
        ),
        (
            {"REGISTRY__URL": "http://r", "REGISTRY__USERNAME": "u", "REGISTRY__PASSWORD": CANARY},
            "AVISA_REGISTRY__URL: must be https: a password goes to another machine only over verified TLS",
        ),
        (
            {"REGISTRY__URL": "http://r", "REGISTRY__CA_FILE": __file__},
            "AVISA_REGISTRY__CA_FILE: is of no use when AVISA_REGISTRY__URL is http",
        ),
        ({"STORE__URL": f"postgresq://u:{CANARY}@h/db"}, "AVISA_STORE__URL: must be sqlite:///FILE or postgresql://"),
        ({"STORE__URL": f"postgresql://u:{CANARY}@h:x/db"}, "AVISA_STORE__URL: must be sqlite:///FILE or"),
        ({"STORE__URL": f"postgresql://u:{CANARY}@h"}, "AVISA_STORE__URL: must be sqlite:///FILE or"),
        ({"STORE__URL": "postgresql://[h/db"}, "AVISA_STORE__URL: must be sqlite:///FILE or"),
        ({"STORE__URL": "sqlite://"}, "AVISA_STORE__URL: must be sqlite:///FILE, with four slashes"),
        ({"STORE__URL": "sqlite://avisa.db"}, "AVISA_STORE__URL: must be sqlite:///FILE, with four slashes"),
        ({"STORE__URL": "sqlite:////nowhere/at/all/avisa.db"}, "AVISA_STORE__URL: must name a file in a folder that"),
        ({"STORE__URL": "sqlite:////tmp"}, "AVISA_STORE__URL: must name a file in a folder that is there"),
        ({"SMTP__HOST": "r", "SMTP__USERNAME": "u"}, "AVISA_SMTP__PASSWORD: is needed too"),
        ({"SMTP__HOST": "r", "SMTP__PASSWORD": CANARY}, "AVISA_SMTP__USERNAME: is needed too"),
        ({"SMTP__PORT": "25"}, "AVISA_SMTP__PORT: needs AVISA_SMTP__HOST"),
        (
            {"SMTP__HOST": "r", "SMTP__PORT": "465", "SMTP__TLS": "starttls"},
            "AVISA_SMTP__TLS: must be tls with port 465",
        ),
        (
            {"SMTP__HOST": "r", "SMTP__PORT": "587", "SMTP__TLS": "tls"},
            "AVISA_SMTP__TLS: must be starttls or none with",
        ),
        (
            {"SMTP__HOST": "r", "SMTP__TLS": "none", "SMTP__USERNAME": "u", "SMTP__PASSWORD": CANARY},
            "AVISA_SMTP__TLS: must be tls or starttls: a password goes to another machine only over verified TLS",
        ),
        ({"SMTP__TLS": "maybe"}, "AVISA_SMTP__TLS: must be one of tls, starttls, none"),
        ({"SMTP__REDIRECT_TO": "a@b, c@d"}, "AVISA_SMTP__REDIRECT_TO: must be one e-mail address"),
        ({"SMTP__REDIRECT_TO": "a@b\r\nBcc: c@d"}, "AVISA_SMTP__REDIRECT_TO: must be one e-mail address"),
        ({"TEMPLATES": "/nowhere"}, "AVISA_TEMPLATES: must be the path of a folder that is there"),
        ({"INBOX__DIR": __file__}, "AVISA_INBOX__DIR: must be the path of a folder, not of a file"),
        ({"LOG__LEVEL": "loud"}, "AVISA_LOG__LEVEL: must be one of debug, info, warning, error"),
        ({"PUBLIC_URL": "avisa.example"}, "AVISA_PUBLIC_URL: must be https://HOST"),
        ({"PUBLIC_URL": "https://avisa.example/?a=b"}, "AVISA_PUBLIC_URL: must be https://HOST"),
        ({"PUBLIC_URL": f"https://u:{CANARY}@avisa.example"}, "AVISA_PUBLIC_URL: must be https://HOST"),
        ({"SECRET_KEY": "changemechangemechangeme"}, "AVISA_SECRET_KEY: must be at least 16 characters"),
        ({"SECRET_KEY": "short"}, "AVISA_SECRET_KEY: must be at least 16 characters"),
        ({"SECRET_KEY": "a" * 40}, "AVISA_SECRET_KEY: must be at least 16 characters"),
        ({"HTTP__API_KEY": "short"}, "AVISA_HTTP__API_KEY: must be at least 16 characters"),
        ({"HTTP__API_KEY": "supersecretkeythatnobodyknows"}, "AVISA_HTTP__API_KEY: must be at least 16 characters"),
        ({"HTTP__API_KEY": f"{KEY} x"}, "AVISA_HTTP__API_KEY: must be of letters, digits and - . _ ~ + /"),
        ({"HTTP__API_KEY": f"{KEY}é"}, "AVISA_HTTP__API_KEY: must be of letters, digits and - . _ ~ + /"),
        ({"RETRY__STEPS": "1m,soon"}, "AVISA_RETRY__STEPS: must be durations with commas between"),
        ({"RETRY__STEPS": "0s"}, "AVISA_RETRY__STEPS: must be durations with commas between"),
        ({"RETRY__LEASE": "5"}, "AVISA_RETRY__LEASE: must be a duration such as 30s"),
        ({"RETRY__GIVE_UP": "30s"}, "AVISA_RETRY__GIVE_UP: must not be shorter than the first of AVISA_RETRY__STEPS"),
        ({"SMTP__PASSWORD_FILE": "/nowhere/secret"}, "AVISA_SMTP__PASSWORD_FILE: there is no such file"),
        ({"SMTP__USERNAME_FILE": "/x"}, "AVISA_SMTP__USERNAME_FILE: there is no such setting"),
    ],
)
def test_a_wrong_setting_is_reported_without_its_value(names: dict[str, str], line: str) -> None:
    problems = refused(**names)
    assert any(problem.startswith(line) for problem in problems), problems
    assert not any(CANARY in problem or "\n" in problem for problem in problems)


def test_all_wrong_settings_are_reported_at_once() -> None:
    problems = refused(SMTP__PASSWROD="x", HTTP__PORT="0", KAFKA__PASSWORD="x", LOG__LEVEL="x", SECRET_KEY="x")
    assert [line.split(":")[0] for line in problems] == [
        "AVISA_HTTP__PORT",
        "AVISA_KAFKA__PASSWORD",
        "AVISA_LOG__LEVEL",
        "AVISA_SECRET_KEY",
        "AVISA_SMTP__PASSWROD",
    ]


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        (b"p4ss", "p4ss"),
        (b"p4ss\n", "p4ss"),
        (b"p4ss\r\n", "p4ss"),
        (b" p4ss \n\n", " p4ss \n"),
        (b"$HOME#x", "$HOME#x"),
    ],
)
def test_a_secret_is_read_from_a_file_without_its_last_line_break(
    tmp_path: Path, content: bytes, secret: str
) -> None:
    file = tmp_path / "secret"
    file.write_bytes(content)
    settings = loaded(SMTP__HOST="r", SMTP__USERNAME="u", SMTP__PASSWORD_FILE=str(file))
    assert settings.smtp.password is not None
    assert settings.smtp.password.get_secret_value() == secret
    assert describe(settings)["AVISA_SMTP__PASSWORD"] == {
        "value": "****",
        "source": "environment (AVISA_SMTP__PASSWORD_FILE)",
    }


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b"\n", "the file is empty"),
        (b"\xff\xfe\x00", "is not text"),
        (b"x" * 70000, "64 KiB"),
    ],
)
def test_a_secret_file_that_is_empty_or_no_text_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    file = tmp_path / "secret"
    file.write_bytes(content)
    assert any(words in line for line in refused(STORE__URL_FILE=str(file)))
    assert any("no such file" in line for line in refused(SECRET_KEY_FILE=str(tmp_path)))


def test_a_secret_given_by_itself_and_by_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(KEY)
    assert refused(SECRET_KEY=KEY, SECRET_KEY_FILE=str(file)) == [
        "AVISA_SECRET_KEY: given twice, by itself and as AVISA_SECRET_KEY_FILE"
    ]
    dotenv = tmp_path / ".env"
    dotenv.write_text(f"AVISA_SECRET_KEY_FILE={file}\n")
    assert describe(loaded(dotenv))["AVISA_SECRET_KEY"]["source"] == ".env (AVISA_SECRET_KEY_FILE)"
    assert refused(dotenv, SECRET_KEY=KEY) == [
        "AVISA_SECRET_KEY: given twice, by itself and as AVISA_SECRET_KEY_FILE"
    ]


def test_the_environment_outranks_the_dotenv_file(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text(
        "# a comment\nAVISA_HTTP__PORT=9000\nexport AVISA_LOG__LEVEL='debug'\nPATH=/x\n"
        'AVISA_SMTP__HOST=relay\nAVISA_SMTP__USERNAME=u\nAVISA_SMTP__PASSWORD="a$HOME#b"\n'
    )
    settings = loaded(dotenv, HTTP__PORT="9001")
    assert (settings.http.port, settings.log.level) == (9001, "debug")
    assert settings.smtp.password is not None
    assert settings.smtp.password.get_secret_value() == "a$HOME#b"
    described = describe(settings)
    assert described["AVISA_HTTP__PORT"] == {"value": 9001, "source": "environment"}
    assert described["AVISA_LOG__LEVEL"] == {"value": "debug", "source": ".env"}
    assert described["AVISA_LOG__FORMAT"] == {"value": "console", "source": "default"}
    dotenv.write_text("AVISA_HTTP__PROT=1\n")
    assert refused(dotenv) == ["AVISA_HTTP__PROT: there is no such setting; did you mean AVISA_HTTP__PORT?"]
    dotenv.write_bytes(b"\xff\xfe\x00")
    assert refused(dotenv) == [".env: cannot be read as text"]


def test_the_environment_of_the_process_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what `load` is given counts: neither the environment around it, nor a `$` in a password."""
    monkeypatch.setenv("AVISA_HTTP__PORT", "9999")
    monkeypatch.setenv("AVISA_CANARY", CANARY)
    dotenv = tmp_path / ".env"
    dotenv.write_text("AVISA_SMTP__HOST=r\nAVISA_SMTP__USERNAME=u\nAVISA_SMTP__PASSWORD=a${AVISA_CANARY}b\n")
    settings = loaded(dotenv)
    assert settings.smtp.password is not None
    assert settings.smtp.password.get_secret_value() == "a${AVISA_CANARY}b"
    assert (settings.http.port, Settings().http.port) == (8080, 8080)


def test_names_of_tests_and_of_other_programs_are_ignored() -> None:
    assert isinstance(load({"PATH": "/x", "AVISA_TEST_REQUIRE": "postgres", "AVISAX": "y"}, None), Settings)


def test_describe_and_repr_mask_all_secrets() -> None:
    settings = loaded(
        STORE__URL=f"postgresql://u:{CANARY}@db/avisa?sslmode=require",
        KAFKA__BOOTSTRAP_SERVERS="k:9092",
        KAFKA__SECURITY="sasl_ssl",
        KAFKA__SASL="plain",
        KAFKA__USERNAME="u",
        KAFKA__PASSWORD=CANARY,
        REGISTRY__URL="https://r",
        REGISTRY__USERNAME="u",
        REGISTRY__PASSWORD=CANARY,
        SMTP__HOST="r",
        SMTP__USERNAME="u",
        SMTP__PASSWORD=CANARY,
        SECRET_KEY=f"{CANARY}-{KEY}",
        HTTP__API_KEY=f"{CANARY}-{KEY}",
    )
    shown = describe(settings)
    assert CANARY not in repr(settings) + str(settings) + repr(settings.store) + json.dumps(shown)
    assert shown["AVISA_STORE__URL"]["value"] == "postgresql://u:****@db/avisa?sslmode=require"


@given(st.dictionaries(st.sampled_from(sorted(describe(Settings()))), st.text(max_size=30)))
def test_a_problem_never_quotes_the_value(names: dict[str, str]) -> None:
    """Any text for any setting is taken or refused, but never repeated."""
    environ = {name: f"{CANARY}{text}" for name, text in names.items()}
    problems = load(environ, None)
    if isinstance(problems, list):
        assert not any(CANARY in line for line in problems)


def test_a_relay_without_a_public_url_gets_a_caution() -> None:
    assert cautions(loaded(SMTP__HOST="relay")) == [
        "AVISA_PUBLIC_URL: is not given, so mails offer no way to unsubscribe"
    ]
    assert not cautions(loaded(SMTP__HOST="relay", PUBLIC_URL="https://avisa.example"))


def test_a_public_url_with_plain_http_gets_a_caution_unless_it_is_this_machine() -> None:
    assert cautions(loaded(PUBLIC_URL="http://avisa.example")) == [
        "AVISA_PUBLIC_URL: one-click unsubscribing needs https (RFC 8058)"
    ]
    assert not cautions(loaded(PUBLIC_URL="http://127.0.0.1:8080"))
    assert not cautions(loaded(PUBLIC_URL="https://avisa.example"))
    assert not cautions(loaded())
