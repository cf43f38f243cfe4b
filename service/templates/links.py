"""Addresses that may stand in a link."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import urlsplit

from avisa.core.model import Json

SCHEMES = frozenset({"http", "https", "mailto", "tel"})
NOT_A_LINK = "this is no whole address: a link begins with https:, mailto: or tel:"
_HOST = re.compile(r"[\w-]+(\.[\w-]+)+(/\S*)?")
_BLANK_OR_CONTROL = re.compile(r"[\s\x00-\x1f\x7f-\x9f]")
# No host has so many characters (RFC 1035 section 2.3.4), and normalising n of them takes time of the order of n².
_TOO_LONG_A_HOST = re.compile("[^/?#]*//[^/?#]{300}")


def whole_address(value: str) -> str | None:
    """Return what was meant by an address that lacks its scheme, or by a name without its braces."""
    if value == "order.url" or value.startswith("brand."):
        return f"{{{{ {value} }}}}"
    if "@" in value:
        return f"mailto:{value}"
    return f"https://{value}" if _HOST.fullmatch(value) else None


def safe_link(value: Json) -> str:
    """Return the address if it may stand in a link: whole, of a known scheme and without blanks. Else the empty
    text."""
    return _safe_link(value) if isinstance(value, str) else ""


@lru_cache(64)  # both texts of a mail ask, one after the other
def _safe_link(value: str) -> str:
    url = value.strip()
    if _BLANK_OR_CONTROL.search(url) or _TOO_LONG_A_HOST.match(url):
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.scheme.lower() not in SCHEMES or "\\" in url:
        return ""
    if parts.scheme.lower() in ("http", "https"):
        return url if parts.hostname else ""
    return url if parts.path else ""
