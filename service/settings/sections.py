"""What can be set, one section per edge, each with its types, its defaults and the rules between its values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, SecretStr, ValidationError, model_validator
from pydantic_core import InitErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from avisa.settings import values
from avisa.settings.values import written

PREFIX = "AVISA_"
DELIMITER = "__"

Durations = Annotated[tuple[timedelta, ...], written(values.durations)]
Duration = Annotated[timedelta, written(values.duration)]
Moment = Annotated[datetime | None, written(values.moment)]
OneFile = Annotated[Path | None, written(values.file)]
Word = Annotated[str, written(values.word)]
Host = Annotated[str, written(values.host)]
Port = Annotated[int, Field(ge=1, le=65535)]
Secret = SecretStr | None  # as it was given: space at its ends may be part of it


class Section(BaseModel):
    """Settings of one edge."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    def conflicts(self) -> Iterator[tuple[str, str]]:
        """What does not go together: the name of a setting, and what is wrong with it beside the others."""
        yield from ()

    @model_validator(mode="after")
    def _without_conflicts(self) -> Self:
        # An error of one's own is only one; several are raised as pydantic itself would raise them.
        found = [
            InitErrorDetails(type=values.wrong(words), loc=(key,), input=None) for key, words in self.conflicts()
        ]
        if found:
            raise ValidationError.from_exception_data(type(self).__name__, found)
        return self


class Kafka(Section):
    """Where events come from; without `bootstrap_servers` the embedded broker."""

    bootstrap_servers: Annotated[str | None, written(values.servers)] = None
    topics: Annotated[tuple[str, ...], written(values.topics)] = ("orders.status",)
    group_id: Word = "avisa"
    security: Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"] = "plaintext"
    sasl: Literal["plain", "scram-sha-256", "scram-sha-512"] | None = None
    username: Annotated[str | None, written(values.word)] = None
    password: Secret = None
    ca_file: OneFile = None
    cert_file: OneFile = None
    key_file: OneFile = None
    types: Annotated[tuple[str, ...] | None, written(values.many)] = None  # of CloudEvents; None: all
    tell_from: Moment = None

    def conflicts(self) -> Iterator[tuple[str, str]]:
        if self.bootstrap_servers is None and self.security != "plaintext":
            yield "security", "needs AVISA_KAFKA__BOOTSTRAP_SERVERS; the embedded broker speaks plaintext"
        for name in ("sasl", "username", "password"):
            given = getattr(self, name) is not None
            if self.security.startswith("sasl") and not given:
                yield name, f"is needed when AVISA_KAFKA__SECURITY is {self.security}"
            if not self.security.startswith("sasl") and given:
                yield (
                    name,
                    f"is of no use when AVISA_KAFKA__SECURITY is {self.security}; use sasl_ssl or sasl_plaintext",
                )
        for name in ("ca_file", "cert_file", "key_file"):
            if getattr(self, name) is not None and not self.security.endswith("ssl"):
                yield name, f"is of no use when AVISA_KAFKA__SECURITY is {self.security}; use ssl or sasl_ssl"
        if (self.cert_file is None) != (self.key_file is None):
            missing = "cert_file" if self.cert_file is None else "key_file"
            yield missing, "is needed too: a certificate and its key go together"


class Store(Section):
    """Where orders are kept."""

    url: Annotated[SecretStr, written(values.store_url)] = SecretStr("sqlite:///avisa.db")  # may hold a password


class Smtp(Section):
    """The mail relay; without `host` the embedded inbox. `port` is the usual one of `tls`, if not given."""

    host: Annotated[str | None, written(values.host)] = None
    port: Annotated[int | None, Field(ge=1, le=65535)] = None
    username: Annotated[str | None, written(values.word)] = None
    password: Secret = None
    tls: Literal["tls", "starttls", "none"] | None = None
    redirect_to: Annotated[str | None, written(values.address)] = None

    @property
    def security(self) -> Literal["tls", "starttls", "none"]:
        """Never opportunistic: what is not said is starttls, but for the port that means tls (RFC 8314)."""
        return self.tls or ("tls" if self.port == 465 else "starttls")

    @property
    def relay_port(self) -> int:
        return self.port or {"tls": 465, "starttls": 587, "none": 25}[self.security]

    def conflicts(self) -> Iterator[tuple[str, str]]:
        if self.host is None:
            for name in ("port", "username", "password", "tls"):
                if getattr(self, name) is not None:
                    yield name, "needs AVISA_SMTP__HOST; the embedded inbox has no such thing"
        if (self.username is None) != (self.password is None):
            missing = "username" if self.username is None else "password"
            yield missing, "is needed too: username and password go together"
        if self.tls != "tls" and self.tls is not None and self.port == 465:
            yield "tls", "must be tls with port 465, where TLS begins at once"
        if self.tls == "tls" and self.port in (25, 587):
            yield "tls", f"must be starttls or none with port {self.port}; the port of tls is 465"
        if self.tls == "none" and self.password is not None and not values.is_loopback(self.host):
            yield "tls", "must be tls or starttls with a password, or it could be read on the way"


class Inbox(Section):
    """The embedded inbox."""

    dir: Annotated[Path | None, written(values.new_folder)] = None


class Http(Section):
    """Health, metrics and public pages."""

    host: Host = "127.0.0.1"
    port: Port = 8080


class Log(Section):
    """What is logged, and how it looks."""

    format: Literal["console", "json"] = "console"
    level: Literal["debug", "info", "warning", "error"] = "info"


class Clock(Section):
    """The virtual clock: now = start + (real now - origin) x speed. All None and 1: real time."""

    start: Moment = None
    origin: Moment = None
    speed: Annotated[FiniteFloat, Field(gt=0, le=1_000_000)] = 1.0


class Retry(Section):
    """Back-off of a delivery, in real time."""

    steps: Durations = tuple(timedelta(minutes=n) for n in (1, 5, 15, 30, 60, 120))
    give_up: Duration = timedelta(hours=72)
    lease: Duration = timedelta(minutes=5)

    def conflicts(self) -> Iterator[tuple[str, str]]:
        if self.give_up < self.steps[0]:
            yield (
                "give_up",
                "must not be shorter than the first of AVISA_RETRY__STEPS, or nothing is ever tried again",
            )


class Settings(Section, BaseSettings):
    """All of them."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter=DELIMITER,
        enable_decoding=False,  # a list is written with commas, not as JSON
    )

    kafka: Kafka = Kafka()
    store: Store = Store()
    smtp: Smtp = Smtp()
    inbox: Inbox = Inbox()
    http: Http = Http()
    log: Log = Log()
    clock: Clock = Clock()
    retry: Retry = Retry()
    templates: Annotated[Path | None, written(values.folder)] = None  # None: ./templates, else the shipped ones
    public_url: Annotated[str | None, written(values.public_url)] = None
    secret_key: Annotated[Secret, written(values.secret_key)] = None  # None: one is made and kept in the store

    given_by: ClassVar[tuple[PydanticBaseSettingsSource, ...]] = ()  # the first outranks the next
    sources: ClassVar[Mapping[str, str]] = {}  # of each value that is not a default, by the setting's name

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, *_: Any, **__: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment of this process is not among them: whoever starts Avisa says what it is given."""
        return init_settings, *cls.given_by
