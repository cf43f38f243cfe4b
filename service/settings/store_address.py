"""The address of a store, read by the parser that connects: what is checked, shown and connected to is the same.

No error repeats any part of an address, for it may hold a password.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, quote, unquote, urlsplit

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from avisa.settings.this_machine import is_loopback
from avisa.settings.weak_key import PLACEHOLDERS

_EXPECTED = "must be sqlite:///FILE or postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
_SQLITE = "must be sqlite:///FILE, with four slashes where the path is absolute"
_AMBIGUOUS = "is read differently by different programs; in user name and password write / as %2F, @ as %40, : as %3A"
_PARAMETERS = "takes no other parameters than host, sslmode and sslrootcert, each once"
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+|/[\w./-]*")  # the last is the folder of a socket
_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_OPPORTUNISTIC = (None, "allow", "prefer")  # in the clear, if the server says so
_UNVERIFIED = (
    "a password goes to another machine only over verified TLS: add ?sslmode=verify-full, with &sslrootcert=FILE for"
    " an authority of your own; sslmode=disable says that it need not"
)


def read(text: str) -> URL:
    """The parts of the address. Raises ValueError with the rule that it breaks."""
    try:
        url = make_url(text)
        same = _same(url, text)
    except (ArgumentError, ValueError):
        raise ValueError(_EXPECTED) from None
    if url.drivername == "sqlite":
        if not same or url.host or not url.database or url.database == ":memory:" or url.query:
            raise ValueError(_SQLITE)
        return url
    if url.drivername not in ("postgresql", "postgres") or not url.database or not list(_hosts(url)):
        raise ValueError(_EXPECTED)
    if not same:
        raise ValueError(_AMBIGUOUS)
    _check(url)
    return url


def shown(text: str) -> str:
    """The address that `read` takes, without its password."""
    url = read(text)
    if url.drivername == "sqlite":
        return f"sqlite:///{url.database}"
    user = "" if url.username is None else quote(url.username, safe="")
    password = "" if url.password is None else ":****"
    host = f"[{url.host}]" if url.host and ":" in url.host else url.host or ""
    port = "" if url.port is None else f":{url.port}"
    query = "&".join(f"{key}={value}" for key, values in sorted(url.normalized_query.items()) for value in values)
    at = "@" if user or password else ""
    return f"postgresql://{user}{password}{at}{host}{port}/{url.database}{'?' if query else ''}{query}"


def _same(url: URL, text: str) -> bool:
    """Whether another parser, by the words of RFC 3986, reads the same."""
    other = urlsplit(text)
    return text.isprintable() and (
        url.drivername,
        url.username or "",
        url.password or "",
        (url.host or "").lower(),
        url.port,
        url.database or "",
        {key: list(values) for key, values in url.normalized_query.items()},
        "",
    ) == (
        other.scheme,
        unquote(other.username or ""),
        unquote(other.password or ""),
        other.hostname or "",
        other.port,
        other.path.removeprefix("/"),
        parse_qs(other.query, keep_blank_values=True),
        other.fragment,
    )


def _hosts(url: URL) -> Iterator[str]:
    if url.host:
        yield url.host
    for each in url.normalized_query.get("host", ()):
        for host in each.split(","):
            name, _, port = host.rpartition(":")
            yield name if name and port.isdecimal() else host


def _check(url: URL) -> None:
    """Raises ValueError with what is wrong with the address of a PostgreSQL."""
    if not url.normalized_query.keys() <= {"host", "sslmode", "sslrootcert"}:
        raise ValueError(_PARAMETERS)
    if url.password in PLACEHOLDERS:
        raise ValueError("has a password that is the example of a document")
    hosts = list(_hosts(url))
    if not all(_HOST.fullmatch(host) for host in hosts) or not re.fullmatch(r"[\w.-]+", url.database or ""):
        raise ValueError(_EXPECTED)
    mode, root = url.query.get("sslmode"), url.query.get("sslrootcert")
    if isinstance(mode, tuple) or isinstance(root, tuple):
        raise ValueError(_PARAMETERS)
    if mode is not None and mode not in _MODES:
        raise ValueError(f"must have as sslmode one of {', '.join(_MODES)}")
    if root is not None and mode not in (None, "require", "verify-ca", "verify-full"):
        raise ValueError("has an sslrootcert, which is of no use with this sslmode")
    elsewhere = any(not host.startswith("/") and not is_loopback(host) for host in hosts)
    if elsewhere and root is None and mode in _OPPORTUNISTIC:
        raise ValueError(_UNVERIFIED)
