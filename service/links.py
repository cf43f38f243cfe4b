"""Addresses that may stand in a link, read as browsers read them (WHATWG URL Standard).

The plan, the templates and events are read by the same function, and what it read is written in its canonical form:
where a link seems to lead, there it leads. What a browser would mend is mended; what could lead people astray is no
link: a user before the host, a numeric or local host, a name in mixed scripts.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import ada_url
from ada_url import HostType

from avisa.core.model import Json
from avisa.core.quick_dataclass import dataclass

SCHEMES = frozenset({"http", "https", "mailto", "tel"})  # that operators may write
NOT_A_LINK = "this is no whole address: a link begins with https:, mailto: or tel:"
LONGEST = 1_999  # characters; a longer value was cut on its way, and would lead elsewhere
_PARTS = ("href", "protocol", "username", "password", "hostname", "port", "host_type")
# Nearly all that come: of such an address a browser changes nothing, and nothing of it is to be encoded. Its path has
# no segment of dots.
USUAL = re.compile(
    r"https://((?:(?!xn--)[a-z0-9-]{1,63}\.)++[a-z]{2,63})/(?:[\w~-][\w.~-]*+/)*+(?:[\w~-][\w.~-]*+)?(?:\?[\w.~=&-]*+)?",
    re.ASCII,
)
_NAMED = re.compile(r"[\w-]+(\.[\w-]+)+(/\S*)?")
_SCHEME = re.compile(r"[\x00-\x20]*([A-Za-z][A-Za-z0-9+.-]*):")
_BLANK_OR_CONTROL = re.compile(r"[\s\x00-\x1f\x7f-\x9f]")
# No host has so many characters (RFC 1035 section 2.3.4), and normalising n of them takes time of the order of n².
_TOO_LONG_A_HOST = re.compile("[^/?#\\\\]*[/\\\\]{2,}[^/?#\\\\]{300}|[^/?#\\\\:]*:[^/?#\\\\]{300}")
# A browser leaves these as they are, and mail programs end a link before them (RFC 3986 section 2).
_ENCODED = str.maketrans({char: f"%{ord(char):02X}" for char in "[]|^`{}\\"})
# Networks of their own: RFC 6761, RFC 6762 with its appendix G, RFC 7686, RFC 8375, RFC 9476.
_LOCAL = frozenset(
    "localhost local localdomain test invalid internal intranet private corp home lan arpa onion alt".split()
)
# Fetch Standard, "bad port": no browser opens them.
_BAD_PORTS = frozenset(
    (
        "0 1 7 9 11 13 15 17 19 20 21 22 23 25 37 42 43 53 69 77 79 87 95 101 102 103 104 109 110 111 113 115 117 "
        "119 123 135 137 139 143 161 179 389 427 465 512 513 514 515 526 530 531 532 540 548 554 556 563 587 601 "
        "636 989 990 993 995 1719 1720 1723 2049 3659 4045 4190 5060 5061 6000 6566 6665 6666 6667 6668 6669 6679 "
        "6697 10080"
    ).split()
)
# UTS #39, section 5.2: scripts that stand together in one name, and in no other mixture.
_TOGETHER = (
    frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "CJK", "BOPOMOFO"}),
    frozenset({"LATIN", "CJK", "HANGUL"}),
)
_SCRIPTS = {"KATAKANA-HIRAGANA": "KATAKANA", "IDEOGRAPHIC": "CJK"}
_LIKE_LATIN = frozenset("асԁеһіјӏорԛѕԝхуъьҽпгѵѡ" + "αγεικνορτυωχ")  # Cyrillic and Greek


@dataclass(frozen=True, slots=True)
class Link:
    """A whole address in its canonical form, and its host in ASCII without a dot behind it."""

    href: str
    scheme: str
    host: str


@dataclass(frozen=True, slots=True)
class Flaw:
    """Why something is no link, as a clause: "its host is local"."""

    problem: str


@dataclass(frozen=True, slots=True)
class LinkRule:
    """Which links of events a brand's mails may hold: https, and http if the brand's own address is; to any host, or
    to those in `hosts`."""

    http: bool = False
    hosts: frozenset[str] | None = None

    @classmethod
    def of(cls, url: str | None, hosts: tuple[str, ...]) -> LinkRule:
        """Return the rule of a brand with this address and these hosts to link to; none named is any host."""
        own = read(url) if url else None
        home = own if isinstance(own, Link) else None
        allowed = frozenset((*hosts, *([home.host] if home else ()))) if hosts else None
        return cls(http=home is not None and home.scheme == "http", hosts=allowed)

    def read(self, value: Json) -> Link | Flaw:
        """Return what a value of an event links to."""
        found = read(value) if isinstance(value, str) else Flaw("it is no text")
        if isinstance(found, Flaw):
            return found
        if found.scheme == "http" and not self.http:
            return Flaw("it begins with http:, not https:")
        if self.hosts is not None and found.host not in self.hosts:
            return Flaw("its host is none of the brand's `links`")
        return found


@lru_cache(256)  # both texts of a mail ask, one after the other
def read(text: str) -> Link | Flaw:
    """Return the address of a page, or why it is none that a mail may link to."""
    if len(text) > LONGEST:
        return Flaw(f"it is longer than {LONGEST} characters")
    if (usual := USUAL.fullmatch(text)) is not None and _problem(usual[1]) is None:
        return Link(text, "https", usual[1])
    scheme = _SCHEME.match(text)
    if scheme is None or scheme[1].lower() not in ("http", "https"):
        return Flaw("it does not begin with https:")
    if _TOO_LONG_A_HOST.match(text):
        return Flaw("its host is too long")
    try:
        parts = ada_url.parse_url(text, attributes=_PARTS)
    except ValueError:
        return Flaw("no browser can read it")
    host = parts["hostname"].removesuffix(".")
    if parts["username"] or parts["password"]:
        return Flaw("it names a user before its host")
    if parts["host_type"] != HostType.DEFAULT:
        return Flaw("its host is a number")
    if parts["port"] in _BAD_PORTS:
        return Flaw("no browser opens its port")
    if problem := _problem(host):
        return Flaw(problem)
    origin, slash, rest = parts["href"].partition(parts["hostname"])
    return Link(origin + slash + rest.translate(_ENCODED), parts["protocol"].removesuffix(":"), host)


def written(text: str) -> str | None:
    """Return the canonical form of an address that an operator wrote into a template, None if it is none. Besides
    pages it can be an e-mail address or a telephone number."""
    scheme, colon, rest = text.strip().partition(":")
    if colon and scheme.lower() in ("mailto", "tel"):
        return None if not rest or _BLANK_OR_CONTROL.search(rest) or "\\" in rest else f"{scheme.lower()}:{rest}"
    found = read(text)
    return found.href if isinstance(found, Link) else None


def whole_address(value: str) -> str | None:
    """Return what was meant by an address that lacks its scheme, or by a name without its braces."""
    if value == "order.url" or value.startswith("brand."):
        return f"{{{{ {value} }}}}"
    if value.startswith("//"):
        return f"https:{value}"
    if "@" in value:
        return f"mailto:{value}"
    return f"https://{value}" if _NAMED.fullmatch(value) else None


@lru_cache(256)  # the shop's own comes with every order
def _problem(host: str) -> str | None:
    """What is wrong with the name of a host in ASCII."""
    labels = host.split(".")
    if len(labels) < 2 or labels[-1] in _LOCAL:
        return "its host is local"
    if len(host) > 253 or not all(0 < len(label) < 64 for label in labels):  # RFC 1035 section 2.3.4
        return "its host is none"
    if "xn--" not in host:
        return None
    readable = ada_url.idna.decode(host).split(".")
    end = _scripts(readable[-1])
    for label in readable:
        scripts = _scripts(label)
        if label.startswith("xn--"):
            return "its host cannot be read"
        if len(scripts) > 1 and not any(scripts <= together for together in _TOGETHER):
            return "its host mixes scripts"
        letters = {char for char in label if char.isalpha()}
        if letters and letters <= _LIKE_LATIN and scripts != end:
            return "its host looks like another"
    return None


def _scripts(label: str) -> frozenset[str]:
    """The scripts of the letters of a label; a character's name begins with its script."""
    named = (unicodedata.name(char, "?").partition(" ")[0] for char in label if unicodedata.category(char)[0] == "L")
    return frozenset(_SCRIPTS.get(name, name) for name in named)
