"""JMESPath, evaluated within bounds.

The language has no loops, but `[@, @] | [@, @] | …` doubles what there is at every bar. So each step is paid for from
a budget, and whatever one step would touch is weighed before it is taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jmespath.functions import Functions
from jmespath.visitor import Options, TreeInterpreter

from avisa.core.model import Json

_VISIT = 16  # a node visited costs about as much as sixteen elements of a list copied
BUDGET = 50_000 * _VISIT  # for all expressions of a record: 0.1 s. A list of 5,000 items needs half of it
_CHARACTERS = 16  # of text that cost as much as an element: so none of more than 13 MB is written

Node = Mapping[str, Any]
_OPTIONS = Options(custom_functions=Functions())  # without state


class TooManyStepsError(Exception):
    """The expressions of a record would take too long."""


class Interpreter(TreeInterpreter):
    """Evaluates the expressions of one record, all from the same budget."""

    def __init__(self) -> None:
        super().__init__(_OPTIONS)  # type: ignore[no-untyped-call]  # jmespath has no types
        self._left = BUDGET

    def visit(self, node: Node, *args: Any, **kwargs: Any) -> Any:
        """Raises TooManyStepsError."""
        result = _VISITS[node["type"]](self, node, *args, **kwargs)
        kind = result.__class__
        self._pay(_VISIT + len(result) if kind is list or kind is dict else _VISIT)
        return result

    def visit_flatten(self, node: Node, value: Json) -> Json:
        """The list, with the lists in it flattened. It is the one node whose result can be much larger than what was
        visited for it."""
        (inner,) = node["children"]
        found = self.visit(inner, value)
        if not isinstance(found, list):
            return None
        self._pay(sum(len(each) for each in found if isinstance(each, list)))
        merged: list[Json] = []
        for each in found:
            if isinstance(each, list):
                merged += each
            else:
                merged.append(each)
        return merged

    def visit_comparator(self, node: Node, value: Json) -> Json:
        left, right = (self.visit(child, value) for child in node["children"])
        compare = self.COMPARATOR_FUNC[node["value"]]
        if node["value"] in self._EQUALITY_OPS:
            self._weigh(left)
            self._weigh(right)
            return compare(left, right)
        return compare(left, right) if _ordered(left, right) else None

    def visit_function_expression(self, node: Node, value: Json) -> Json:
        arguments = [self.visit(child, value) for child in node["children"]]
        for each in arguments:
            self._weigh(each)
        if node["value"] == "join" and isinstance(arguments[0], str) and isinstance(arguments[1], list):
            self._pay(len(arguments[0]) * len(arguments[1]) // _CHARACTERS)
        return self._functions.call_function(node["value"], arguments)

    def visit_literal(self, node: Node, value: Json) -> Json:
        """A copy: who gets it may change it. In a projection it is copied for every element."""
        literal = node["value"]
        if literal.__class__ is list or literal.__class__ is dict:
            self._weigh(literal, _VISIT)
        return _copied(literal)

    def _pay(self, cost: int) -> None:
        self._left -= cost
        if self._left < 0:
            raise TooManyStepsError

    def _weigh(self, value: Json, price: int = 1) -> None:
        """Pay for each element, name and text in `value`, also for one that is in it several times."""
        if value.__class__ is str:
            self._pay(len(value) // _CHARACTERS * price)
            return
        level = [value]
        while level:
            found = level.pop()
            cost = 1
            if found.__class__ is str:
                cost += len(found) // _CHARACTERS
            elif found.__class__ is list:
                cost += len(found)
                level += found
            elif found.__class__ is dict:
                cost += len(found) + sum(map(len, found)) // _CHARACTERS
                level += found.values()
            self._pay(cost * price)


_VISITS = {name.removeprefix("visit_"): getattr(Interpreter, name) for name in dir(Interpreter) if "visit_" in name}


def _copied(value: Json) -> Json:
    """The value anew, lists and maps within it, too."""
    if value.__class__ is list:
        return [_copied(each) for each in value]
    if value.__class__ is dict:
        return {name: _copied(each) for name, each in value.items()}
    return value


def _ordered(left: Json, right: Json) -> bool:
    """True for two numbers, and for two texts."""
    numbers = all(isinstance(each, int | float) and not isinstance(each, bool) for each in (left, right))
    return numbers or (isinstance(left, str) and isinstance(right, str))
