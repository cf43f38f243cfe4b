"""What can be set: one section for each edge, with the types, the defaults and the rules between its values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from avisa.settings import values
from avisa.settings.this_machine import is_loopback
from avisa.settings.values import read_by

PREFIX = "AVISA_"
DELIMITER = "__"

Durations = Annotated[tuple[timedelta, ...], read_by(values.durations)]
Duration = Annotated[timedelta, read_by(values.duration)]
Time = Annotated[datetime | None, read_by(values.time)]
OneFile = Annotated[Path | None, read_by(values.file)]
Name = Annotated[str, read_by(values.name)]
Host = Annotated[str, read_by(values.host)]
Port = Annotated[int, Field(ge=1, le=65535)]
Secret = Annotated[SecretStr | None, AfterValidator(values.no_placeholder)]  # a blank at an end may be part of it
ClearText = Literal["refused", "allowed"]  # a password that goes to another machine without verified TLS


class Section(BaseModel):
    """The settings of one edge."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    def conflicts(self) -> Iterator[tuple[str, str]]:
        """Pairs of a setting's name and what is wrong with its value beside the values of others."""
        yield from ()

    @model_validator(mode="after")
    def _without_conflicts(self) -> Self:
        # A validator can raise one error of its own. To report several, it raises what pydantic itself would raise.
        errors = [
            InitErrorDetails(type=values.invalid(rule), loc=(key,), input=None) for key, rule in self.conflicts()
        ]
        if errors:
            raise ValidationError.from_exception_data(type(self).__name__, errors)
        return self


class Kafka(Section):
    """Where events come from: without `bootstrap_servers`, the embedded broker."""

    bootstrap_servers: Annotated[str | None, read_by(values.servers)] = None
    topics: Annotated[tuple[str, ...], read_by(values.topics)] = ("orders.status",)
    group_id: Name = "avisa"
    security: Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"] = "plaintext"
    sasl: Literal["plain", "scram-sha-256", "scram-sha-512"] | None = None
    username: Annotated[str | None, read_by(values.name)] = None
    password: Secret = None
    clear_text: ClearText = "refused"
    ca_file: OneFile = None
    cert_file: OneFile = None
    key_file: OneFile = None
    types: Annotated[tuple[str, ...] | None, read_by(values.many)] = None  # of CloudEvents; None: all
    tell_from: Time = None

    def conflicts(self) -> Iterator[tuple[str, str]]:
        if self.bootstrap_servers is None and self.security != "plaintext":
            yield "security", "needs AVISA_KAFKA__BOOTSTRAP_SERVERS; the embedded broker speaks plaintext"
        when = f"when AVISA_KAFKA__SECURITY is {self.security}"
        for name in ("sasl", "username", "password"):
            is_set = getattr(self, name) is not None
            if self.security.startswith("sasl") and not is_set:
                yield name, f"is needed {when}"
            if not self.security.startswith("sasl") and is_set:
                yield name, f"is of no use {when}; use sasl_ssl or sasl_plaintext"
        # With SCRAM the password itself does not travel.
        in_clear = self.security == "sasl_plaintext" and self.sasl == "plain"
        if in_clear and self.clear_text == "refused" and not self._on_this_machine:
            yield "security", f"must be sasl_ssl with plain: {values.in_clear('AVISA_KAFKA__CLEAR_TEXT')}"
        for name in ("ca_file", "cert_file", "key_file"):
            if getattr(self, name) is not None and not self.security.endswith("ssl"):
                yield name, f"is of no use {when}; use ssl or sasl_ssl"
        if (self.cert_file is None) != (self.key_file is None):
            missing = "cert_file" if self.cert_file is None else "key_file"
            yield missing, "is needed too: a certificate and its key go together"

    @property
    def _on_this_machine(self) -> bool:
        servers = (self.bootstrap_servers or "").split(",")
        return all(is_loopback(server.rpartition(":")[0].strip("[]")) for server in servers if server)


class Registry(Section):
    """The schema registry, for topics whose records need one: without `url`, none."""

    url: Annotated[str | None, read_by(values.registry_url)] = None
    username: Annotated[str | None, read_by(values.name)] = None
    password: Secret = None
    clear_text: ClearText = "refused"
    ca_file: OneFile = None

    def conflicts(self) -> Iterator[tuple[str, str]]:
        if self.url is None:
            for name in ("username", "password", "ca_file"):
                if getattr(self, name) is not None:
                    yield name, "needs AVISA_REGISTRY__URL"
            return
        if (self.username is None) != (self.password is None):
            missing = "username" if self.username is None else "password"
            yield missing, "is needed too: username and password go together"
        if self.username is not None and ":" in self.username:
            yield "username", "must be without a colon (RFC 7617)"
        url = urlsplit(self.url)
        if self.ca_file is not None and url.scheme == "http":
            yield "ca_file", "is of no use when AVISA_REGISTRY__URL is http"
        in_clear = url.scheme == "http" and self.password is not None and not is_loopback(url.hostname)
        if in_clear and self.clear_text == "refused":
            yield "url", f"must be https: {values.in_clear('AVISA_REGISTRY__CLEAR_TEXT')}"


class Store(Section):
    """Where orders are kept."""

    url: Annotated[SecretStr, read_by(values.store_url)] = SecretStr("sqlite:///avisa.db")  # may hold a password
    keep_mails: Duration = timedelta(days=90)  # what was written to whom; that it was told stays


class Smtp(Section):
    """The mail relay: without `host`, the embedded inbox. Without `port`, the usual port of `tls`."""

    host: Annotated[str | None, read_by(values.host)] = None
    port: Annotated[int | None, Field(ge=1, le=65535)] = None
    username: Annotated[str | None, read_by(values.name)] = None
    password: Secret = None
    clear_text: ClearText = "refused"
    tls: Literal["tls", "starttls", "none"] | None = None
    helo: Annotated[str | None, read_by(values.host)] = None
    redirect_to: Annotated[str | None, read_by(values.address)] = None

    @property
    def security(self) -> Literal["tls", "starttls", "none"]:
        """Never opportunistic: starttls unless set otherwise, or tls with the port that means tls (RFC 8314)."""
        return self.tls or ("tls" if self.port == 465 else "starttls")

    @property
    def relay_port(self) -> int:
        return self.port or {"tls": 465, "starttls": 587, "none": 25}[self.security]

    def conflicts(self) -> Iterator[tuple[str, str]]:
        if self.host is None:
            for name in ("port", "username", "password", "tls", "helo"):
                if getattr(self, name) is not None:
                    yield name, "needs AVISA_SMTP__HOST; the embedded inbox has no such thing"
        if (self.username is None) != (self.password is None):
            missing = "username" if self.username is None else "password"
            yield missing, "is needed too: username and password go together"
        if self.tls != "tls" and self.tls is not None and self.port == 465:
            yield "tls", "must be tls with port 465, where TLS begins at once"
        if self.tls == "tls" and self.port in (25, 587):
            yield "tls", f"must be starttls or none with port {self.port}; the port of tls is 465"
        in_clear = self.tls == "none" and self.password is not None and not is_loopback(self.host)
        if in_clear and self.clear_text == "refused":
            yield "tls", f"must be tls or starttls: {values.in_clear('AVISA_SMTP__CLEAR_TEXT')}"


class Inbox(Section):
    """The embedded inbox."""

    dir: Annotated[Path | None, read_by(values.new_folder)] = None


class Http(Section):
    """The HTTP servers: one for the pages that customers reach, one for health, metrics, events in and the rest."""

    host: Host = "127.0.0.1"
    port: Port = 8080
    admin_host: Host | None = None
    admin_port: Port | None = None
    api_key: Annotated[Secret, read_by(values.api_key)] = None  # None: nobody may publish by HTTP

    @property
    def admin(self) -> tuple[str, int]:
        """Where health, metrics and the rest are answered: where the public pages are on loopback, else apart."""
        alone = is_loopback(self.host)
        host = self.admin_host or (self.host if alone else "127.0.0.1")
        return host, self.admin_port or (self.port if alone and host == self.host else 8081)


class Log(Section):
    """What is logged, and in which format."""

    format: Literal["console", "json"] = "console"
    level: Literal["debug", "info", "warning", "error"] = "info"


class Clock(Section):
    """The virtual clock: now = start + (real now - origin) x speed. With nothing set it is the real clock."""

    start: Time = None
    origin: Time = None
    speed: Annotated[FiniteFloat, Field(gt=0, le=1_000_000)] = 1.0


class Retry(Section):
    """When a delivery is tried again, in real time."""

    steps: Durations = tuple(timedelta(minutes=n) for n in (1, 5, 15, 30, 60, 120))
    give_up: Duration = timedelta(hours=72)
    lease: Duration = timedelta(minutes=5)

    def conflicts(self) -> Iterator[tuple[str, str]]:
        if self.give_up < self.steps[0]:
            rule = "must not be shorter than the first of AVISA_RETRY__STEPS, or nothing is ever tried again"
            yield "give_up", rule


class Settings(Section, BaseSettings):
    """All settings."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter=DELIMITER,
        enable_decoding=False,  # a list is written with commas, not as JSON
    )

    kafka: Kafka = Kafka()
    registry: Registry = Registry()
    store: Store = Store()
    smtp: Smtp = Smtp()
    inbox: Inbox = Inbox()
    http: Http = Http()
    log: Log = Log()
    clock: Clock = Clock()
    retry: Retry = Retry()
    # Processes that write and send mails, 0: this one does, None: as the machine allows. Of the relay's eight
    # connections each needs two, for no domain gets more than half of a process's.
    senders: Annotated[int | None, Field(ge=0, le=4)] = None
    templates: Annotated[Path | None, read_by(values.folder)] = None  # None: ./templates, else the shipped ones
    public_url: Annotated[str | None, read_by(values.public_url)] = None
    secret_key: Annotated[Secret, read_by(values.secret_key)] = None  # None: one is generated and kept in the store

    read_from: ClassVar[tuple[PydanticBaseSettingsSource, ...]] = ()  # an earlier source outranks a later one
    sources: ClassVar[Mapping[str, str]] = {}  # by name of setting, where its value comes from, if not the default

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, *_: Any, **__: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment of this process is no source: whoever calls `load` passes the one that counts."""
        return init_settings, *cls.read_from
