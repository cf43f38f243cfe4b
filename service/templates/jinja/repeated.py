"""What a function writes in several places, such as an order's number or the brand's colour, is made once.

    (v7 or (v7 := shown(v1, filling))),

It is made where it is first written, since what no branch writes may be missing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from jinja2 import nodes

from avisa.templates.jinja.scopes import Scope, local


class Repeated:
    """How often a function writes each output that is the same wherever it is written."""

    def __init__(self) -> None:
        self._times: Counter[str] = Counter()

    def count(self, output: str, part: nodes.Expr, scope: Scope) -> None:
        """Count the output of a part, unless it depends on a loop or on a component's argument."""
        if not any(local(name, scope) for name in (part, *part.find_all(nodes.Name))):
            self._times[output] += 1 if scope.around is None else 2  # a loop may write it again

    def keep(self, source: list[str], name: Callable[[], str]) -> list[str]:
        """Change the lines so that they keep what they write again; return those that have to come before them."""
        kept = {output: name() for output, times in self._times.items() if times > 1}
        for at, line in enumerate(source):
            if known := kept.get(output := line.strip(" ,")):
                source[at] = line.replace(output, f"({known} or ({known} := {output}))")
        return [f" {' = '.join(kept.values())} = None"] if kept else []
