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
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from service.core.model import Json
from service.rendering.bounds import Allowance, each, effort
from service.rendering.comparison import compared, same
from service.rendering.formats import Formats
from service.rendering.saying import cut, joined, said

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


class _Values(Context):
    """What a template is filled with. A name that is missing is missing from the first, so that it need not be asked
    for wherever it stands."""

    def resolve_or_missing(self, key: str) -> Any:
        """The value of a name, or what is missing."""
        return self.parent[key] if key in self.parent else Missing(name=key)


class _Writer(CodeGenerator):
    """Writes a key of a dict, which is nearly all that templates ask for, as just that: through the environment
    each would be a call. And loops so that they come to an end (`bounds`)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._allowance = Allowance()
        self._loops: list[tuple[int, int]] = []  # those being written: turns unwatched, effort of a turn

    def visit_For(self, node: nodes.For, frame: Frame) -> None:  # noqa: N802  Jinja calls it so
        self._loops.append((self._allowance.turns(node.body), effort(node.body)))
        super().visit_For(node, frame)
        self._loops.pop()

    def visit_Filter(self, node: nodes.Filter, frame: Frame) -> None:  # noqa: N802  as above
        if node.name != "_each":
            super().visit_Filter(node, frame)
            return
        assert node.node is not None
        turns, cost = self._loops[-1]
        self.write("each(")
        self.visit(node.node, frame)
        self.write(f", {turns}, {cost}, {frame.buffer}, context)")

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if frame.eval_ctx.autoescape or _is_text(node):
            super()._output_child_pre(node, frame, finalize)
        else:
            self.write("said(")

    def visit_Name(self, node: nodes.Name, frame: Frame) -> None:  # noqa: N802  as above
        if node.ctx == "load":
            self.write(frame.symbols.ref(node.name))
        else:
            super().visit_Name(node, frame)

    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:  # noqa: N802  as above
        key = repr(node.attr)
        if isinstance(node.node, nodes.Name):
            it = frame.symbols.ref(node.node.name)
            self.write(f"({it}[{key}] if {it}.__class__ ")
        else:
            it = "it"
            self.write(f"(it[{key}] if (it := ")
            self.visit(node.node, frame)
            self.write(").__class__ ")
        self.write(f"is dict and {key} in {it} else environment.getattr({it}, {key}))")


class Sandbox(ImmutableSandboxedEnvironment):
    """The environment of one locale; `words` and `stages` are the layout's own texts in it."""

    code_generator_class = _Writer
    context_class = _Values

    def __init__(self, locale: str | None = None, *, stages: Mapping[str, str] | None = None) -> None:
        super().__init__(undefined=Missing, autoescape=False, optimized=False, cache_size=0)
        self.globals.clear()
        self.tests.clear()
        self.filters = dict(PLAIN_FILTERS)
        if locale is not None:
            formats = Formats(locale)
            for name in ("day", "date", "time", "datetime", "money", "number"):
                self.filters[name] = getattr(formats, name)
        named = stages or {}
        self.filters["_stage"] = lambda status: _stage(named, status)

    def load(self, code: CodeType) -> Template:
        """The template in `code`. It joins what it says as plain text, and so it escapes to plain text: jinja2's own
        would make each value a `Markup`, which takes twice as long."""
        template = Template.from_code(self, code, {}, None)
        template.root_render_func.__globals__.update(escape=_escaped, said=said, each=each)
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


def _stage(named: Mapping[str, str], status: Any) -> str:
    told = said(status)
    return cut(named.get(told) or told.replace("_", " ").capitalize())


def _escaped(value: Any) -> str:
    text = value if value.__class__ is str else said(value)
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


def _is_text(node: nodes.Node) -> bool:
    """Whether what it says is a text for certain, and one with an end."""
    match node:
        case nodes.Filter(name=name):
            return name != "default"
        case nodes.Getattr(node=nodes.Name(name="customer" | "brand" | "owner" | "promise")):
            return True
        case nodes.Getattr(node=nodes.Name(name="order"), attr="id" | "number"):
            return True
        case nodes.Const() | nodes.Name(name="status" | "reason" | "next_step" | "next_update"):
            return True
    return False


def _default(value: Any, instead: Any = "") -> Any:
    return value if value or value == 0 else instead


def _join(value: Any, between: str = "") -> str:
    return joined(value, said(between)) if value.__class__ is list else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _length(value: Any) -> int:
    return len(value) if isinstance(value, list | str | dict) else 0


PLAIN_FILTERS: dict[str, Any] = {
    "default": _default,
    "lower": lambda value: cut(said(value).lower()),
    "upper": lambda value: cut(said(value).upper()),
    "capitalize": lambda value: said(value)[:1].upper() + said(value)[1:],
    "trim": lambda value: said(value).strip(),
    "join": _join,
    "length": _length,
    # Ours alone; no template can name them, because a name with an underscore is refused.
    "_as_is": lambda value: str.__str__(value),  # and no `Markup`, whose methods are slow
    "_list": _list,
    "_each": _list,  # of a loop, which is written as a call of `each`
    "_link": safe_link,
    "_part": lambda value: quote(said(value), safe=""),
    "_compared": compared,
    "_same": same,
}
