"""Where a field comes from: an expression in JMESPath. A plain path, such as `after.customer.email`, is walked by us,
in a tenth of the time; the rest is evaluated by the `jmespath` package, within bounds."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import jmespath
from jmespath.exceptions import JMESPathError, LexerError, ParseError
from jmespath.functions import Functions

from avisa.core.model import Json
from avisa.diagnostics.suggest import closest_match
from avisa.feeds.interpreter import Interpreter, Node

LONGEST = 1_000  # characters of an expression
MOST_NODES = 200  # of its syntax tree
DEEPEST = 30  # levels of its syntax tree

_TAKE_EXPRESSIONS = frozenset({"map", "sort_by", "min_by", "max_by"})  # functions with an argument such as `&price`
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_JSON_PATH = re.compile(r"\$\.?")


class _Absent:
    """What a path finds where there is nothing; null is something else."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent()


class ExpressionError(Exception):
    """An expression that cannot be evaluated on a record. The message names no values."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with an expression, and at which character, from 0."""

    message: str
    at: int
    suggestion: str | None = None


@dataclass(frozen=True, slots=True)
class Path:
    """A plain path: names of keys, and indexes of lists."""

    text: str
    steps: tuple[str | int, ...]

    def find(self, content: Json, _: Interpreter | None = None) -> Json:
        """Return what is there; ABSENT if nothing is."""
        for step in self.steps:
            if isinstance(content, str):  # whose characters are no elements
                return ABSENT
            try:
                content = content[step]
            except (LookupError, TypeError):
                return ABSENT
        return content

    def nearest(self, content: Json) -> str | None:
        """Return the path that was probably meant, where this one finds nothing; None if nothing is called alike."""
        for place, step in enumerate(self.steps):
            if isinstance(content, dict) and step not in content:
                meant = closest_match(str(step), map(str, content))
                return None if meant is None else _written((*self.steps[:place], meant, *self.steps[place + 1 :]))
            if not isinstance(content, dict | list):
                return None
            content = Path("", (step,)).find(content)
        return None


@dataclass(frozen=True, slots=True)
class Expression:
    """Any other expression, parsed."""

    text: str
    tree: Node

    def find(self, content: Json, interpreter: Interpreter) -> Json:
        """Return the result; null if there is none. Raises ExpressionError, and TooManyStepsError."""
        try:
            return interpreter.visit(self.tree, content)
        except JMESPathError as error:
            function = getattr(error, "function_name", None)
            raise ExpressionError(f"{function or ''}() cannot take what is there") from None
        except (ArithmeticError, ValueError, TypeError, AttributeError, RecursionError):
            raise ExpressionError("cannot be done with what is there") from None


def parse(text: str) -> Path | Expression | Fault:
    """Return the expression in `text`, or what is wrong with it."""
    if len(text) > LONGEST:
        return Fault(f"an expression has at most {LONGEST} characters", 0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", PendingDeprecationWarning)
            tree: Node = jmespath.compile(text).parsed
    except PendingDeprecationWarning:
        return Fault("between ` there must be JSON, and a text stands in single quotes", text.find("`"))
    except LexerError as error:
        return _misspelt(text, error)
    except ParseError as error:
        at = min(error.lex_position, len(text))
        token = error.token_value
        return Fault("it ends too early" if not token else f"`{token}` cannot stand here", at)
    except JMESPathError:
        return Fault("there is no expression", 0)
    except RecursionError:
        return Fault(f"nested more than {DEEPEST} deep", 0)
    steps = _steps(tree)
    return Path(text, steps) if steps is not None else _fault(text, tree) or Expression(text, tree)


def _written(steps: tuple[str | int, ...]) -> str:
    """A path as JMESPath has it."""
    text = ""
    for step in steps:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += ("." if text else "") + (step if _PLAIN_NAME.fullmatch(step) else json.dumps(step))
    return text


def _misspelt(text: str, error: LexerError) -> Fault:
    at = min(error.lex_position, len(text))
    if text[at : at + 1] == "$":
        return Fault("a path begins without $", at, _JSON_PATH.sub("", text, count=1) or None)
    if text[at : at + 1] == "-":
        return Fault('a name with - needs quotes: "tracking-code"', at)
    return Fault(f"`{text[at : at + 1]}` cannot stand here" if at < len(text) else "it ends too early", at)


def _steps(node: Node) -> tuple[str | int, ...] | None:
    """The steps of a plain path; None if it is more than that."""
    kind = node["type"]
    if kind in ("field", "index"):
        return (node["value"],)
    if kind == "identity":
        return ()
    if kind not in ("subexpression", "index_expression"):
        return None
    steps: list[str | int] = []
    for child in node["children"]:
        inner = _steps(child)
        if inner is None:
            return None
        steps += inner
    return tuple(steps)


def _fault(text: str, tree: Node) -> Fault | None:
    """What makes an expression that can be parsed impossible, or too much."""
    for count, (node, parent, depth) in enumerate(_nodes(tree), start=1):
        if count > MOST_NODES:
            return Fault(f"an expression has at most {MOST_NODES} parts", 0)
        if depth > DEEPEST:
            return Fault(f"nested more than {DEEPEST} deep", 0)
        name = node.get("value")
        if not _is_json(name):
            return Fault("a literal in it is no JSON", 0)
        if node["type"] == "function_expression":
            at = _place(text, str(name))
            known = Functions.FUNCTION_TABLE
            if name not in known:
                return Fault(f"there is no function {name}", at, closest_match(str(name), known))
            wanted = known[name]["signature"]
            many = bool(wanted and wanted[-1].get("variadic"))
            if len(node["children"]) < len(wanted) or (len(node["children"]) > len(wanted) and not many):
                least = "at least " if many else ""
                return Fault(f"{name}() takes {least}{len(wanted)}, not {len(node['children'])}", at)
        elif node["type"] == "expref" and (parent is None or parent.get("value") not in _TAKE_EXPRESSIONS):
            return Fault(f"& belongs into {', '.join(sorted(_TAKE_EXPRESSIONS))}", max(text.find("&"), 0))
    return None


def _is_json(value: Json) -> bool:
    """False for what Python's parser lets pass: NaN, infinity, half a character."""
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return False
    return True


def _nodes(tree: Node) -> Iterator[tuple[Node, Node | None, int]]:
    """Each node with the one around it and its depth."""
    level: list[tuple[Any, Node | None, int]] = [(tree, None, 1)]
    while level:
        node, parent, depth = level.pop()
        if isinstance(node, dict):  # the parts of a slice are numbers
            yield node, parent, depth
            level += [(child, node, depth + 1) for child in reversed(node["children"])]


def _place(text: str, function: str) -> int:
    found = re.search(rf"\b{re.escape(function)}\s*\(", text)
    return found.start() if found else 0
