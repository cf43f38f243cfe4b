"""What a function makes in several places, such as a date, a link or the brand's name as it is shown, is made once.

    (v7 if v7 is not None else (v7 := shown(v1, filling))),

It is made where it is first asked for, since what no branch writes may be missing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

from jinja2 import nodes

from avisa.templates.jinja.paths import walk
from avisa.templates.jinja.scopes import Scope, local

_MARK = re.compile("\0[0-9]+\0")


class Repeated:
    """What a function makes. A mark stands for each until it is known how often it is made; no code has a mark in it,
    for of texts a function holds the `repr`."""

    def __init__(self) -> None:
        self._marks: dict[str, str] = {}  # of what is made; what is made of another one comes behind it
        self._in_loops: set[str] = set()  # marks of what may be made in a loop

    def mark(self, made: str, node: nodes.Expr, scope: Scope) -> str:
        """Return the mark of what is made of a node; if that depends on a loop or on a component's argument, what is
        made itself."""
        if any(local(each, scope) for each in walk(node)):
            return made
        mark = self._marks.setdefault(made, f"\0{len(self._marks)}\0")
        if scope.around is not None:
            self._in_loops.add(mark)
        return mark

    def written(self, code: str, name: Callable[[], str]) -> tuple[str, list[str]]:
        """Return the code with what is made in the places of its marks, and the names that it has for what it keeps,
        which are None at first."""
        made_of = {mark: made for made, mark in self._marks.items()}
        times = Counter(_MARK.findall("\n".join([code, *self._marks])))  # what is kept is made in one place
        names = {mark: name() for mark in made_of if times[mark] > 1 or mark in self._in_loops}

        def unmarked(found: re.Match[str]) -> str:
            made, own = _MARK.sub(unmarked, made_of[found[0]]), names.get(found[0])
            return made if own is None else f"({own} if {own} is not None else ({own} := {made}))"

        return _MARK.sub(unmarked, code), list(names.values())
