"""Where templates run: Jinja without anything that could reach Python, and the filters of one locale.

What a template may say is decided before, on its syntax tree (`allow`); this is the second wall. There are no
globals, nothing can be called, and attributes are keys of plain dicts and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NoReturn
from urllib.parse import quote, urlsplit

from jinja2 import Undefined
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from service.core.model import Json
from service.rendering.formats import Formats

SCHEMES = frozenset({"http", "https", "mailto", "tel"})
_BLANK_OR_CONTROL = re.compile(r"[\s\x00-\x1f\x7f-\x9f]")


class Missing(Undefined):
    """Something the order does not have. It can be asked for, compared and iterated (over nothing); said it
    cannot be."""

    __slots__ = ()

    def __str__(self) -> str:
        raise UndefinedError(self._undefined_message)


class Sandbox(ImmutableSandboxedEnvironment):
    """The environment of one locale; `words` and `stages` are the layout's own texts in it."""

    def __init__(self, locale: str | None = None, *, stages: Mapping[str, str] | None = None) -> None:
        super().__init__(undefined=Missing, autoescape=False, optimized=True, cache_size=0)
        self.globals.clear()
        self.tests.clear()
        self.filters = dict(PLAIN_FILTERS)
        if locale is not None:
            formats = Formats(locale)
            for name in ("day", "date", "time", "datetime", "money", "number"):
                self.filters[name] = getattr(formats, name)
        named = stages or {}
        self.filters["_stage"] = lambda status: named.get(status) or str(status).replace("_", " ").capitalize()

    def getattr(self, obj: Any, attribute: str) -> Any:
        """A key of a dict; of what is missing, what is missing."""
        if obj.__class__ is dict:
            try:
                return obj[attribute]
            except KeyError:
                return Missing(obj=obj, name=attribute)
        return obj if isinstance(obj, Missing) else Missing(obj=obj, name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """As an attribute; no template can write one."""
        return self.getattr(obj, argument)

    def call(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Nothing can be called."""
        raise SecurityError("templates call nothing")


def safe_link(value: Json) -> str:
    """A whole address that may stand in a link, or nothing: of a known scheme, complete, and on one line."""
    if not isinstance(value, str):
        return ""
    url = value.strip()
    if _BLANK_OR_CONTROL.search(url):
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


def _default(value: Any, instead: Any = "") -> Any:
    return value if value or value == 0 else instead


def _join(value: Any, between: str = "") -> str:
    return between.join(str(item) for item in _list(value))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _length(value: Any) -> int:
    return len(value) if isinstance(value, list | str | dict) else 0


PLAIN_FILTERS: dict[str, Any] = {
    "default": _default,
    "lower": lambda value: str(value).lower(),
    "upper": lambda value: str(value).upper(),
    "capitalize": lambda value: str(value)[:1].upper() + str(value)[1:],
    "trim": lambda value: str(value).strip(),
    "join": _join,
    "length": _length,
    # Ours alone; no template can name them, because a name with an underscore is refused.
    "_as_is": lambda value: value,
    "_list": _list,
    "_link": safe_link,
    "_part": lambda value: quote(str(value), safe=""),
}
