"""Where templates run: Jinja without anything that could reach Python, and the filters of one locale.

What a template may say is decided before, on its syntax tree (`allow`); this is the second wall. There are no
globals, nothing can be called, and attributes are keys of plain dicts and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from html import escape
from types import CodeType
from typing import Any, NoReturn
from urllib.parse import quote, urlsplit

from jinja2 import Template, Undefined, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from service.core.model import Json
from service.rendering.formats import Formats

SCHEMES = frozenset({"http", "https", "mailto", "tel"})
_SPECIAL = re.compile("[&<>\"']").search  # most values have none of these, and looking is cheaper than replacing
NOT_A_LINK = "this is no whole address: a link begins with https:, mailto: or tel:"
_HOST = re.compile(r"[\w-]+(\.[\w-]+)+(/\S*)?")
_BLANK_OR_CONTROL = re.compile(r"[\s\x00-\x1f\x7f-\x9f]")


class Missing(Undefined):
    """Something the order does not have. It can be asked for, compared and iterated (over nothing); said it
    cannot be."""

    __slots__ = ()

    def __str__(self) -> str:
        raise UndefinedError(self._undefined_message)


class _Writer(CodeGenerator):
    """Writes a key of a dict, which is nearly all that templates ask for, as just that: through the environment
    each would be a call."""

    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:  # noqa: N802  Jinja calls it so
        self.write("(it[")
        self.write(repr(node.attr))
        self.write("] if (it := ")
        self.visit(node.node, frame)
        self.write(f").__class__ is dict and {node.attr!r} in it else environment.getattr(it, {node.attr!r}))")


class Sandbox(ImmutableSandboxedEnvironment):
    """The environment of one locale; `words` and `stages` are the layout's own texts in it."""

    code_generator_class = _Writer

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

    def load(self, code: CodeType) -> Template:
        """The template in `code`. It joins what it says as plain text, and so it escapes to plain text: jinja2's own
        would make each value a `Markup`, which takes twice as long."""
        template = Template.from_code(self, code, {}, None)
        template.root_render_func.__globals__["escape"] = _escaped
        return template

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


def _escaped(value: Any) -> str:
    text = value if value.__class__ is str else str(value)
    return escape(text) if _SPECIAL(text) else text


def whole_address(value: str) -> str | None:
    """What was meant by an address that lacks its scheme."""
    return f"https://{value}" if _HOST.fullmatch(value) else None


def safe_link(value: Json) -> str:
    """A whole address that may stand in a link, or nothing: of a known scheme, complete, and on one line."""
    return _safe_link(value) if isinstance(value, str) else ""


@lru_cache(64)  # both twins of a mail ask, one after the other
def _safe_link(value: str) -> str:
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
    "_as_is": lambda value: str.__str__(value),  # and no `Markup`, whose methods are slow
    "_list": _list,
    "_link": safe_link,
    "_part": lambda value: quote(str(value), safe=""),
}
