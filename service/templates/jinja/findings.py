"""What the checker of a template finds wrong: a sentence for each mistake, and the place of the word at fault."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from jinja2 import nodes

from avisa.diagnostics.diagnostic import Diagnostic, Severity
from avisa.diagnostics.suggest import closest_match
from avisa.templates.jinja.paths import bare, begins_at, path_of
from avisa.templates.jinja.variables import COMPONENTS, CONSTRUCTS, DETAILS, OF_EVERY_ORDER, in_one, names
from avisa.templates.message_file import Part

_MOST = 30  # problems of one part of a file
_LONGEST = 80  # characters of what was written, in a message


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What is wrong in one part of a file."""

    file: str
    part: Part
    problems: list[Diagnostic] = field(default_factory=list)

    @property
    def enough(self) -> bool:
        """Whether there are as many errors as anybody reads at once. Looking for what was meant takes a while."""
        return self._many("error")

    def error(self, code: str, node: nodes.Node, message: str, suggestion: str | None = None) -> None:
        self._add(code, "error", node, message, suggestion)

    def warning(self, code: str, node: nodes.Node, message: str, suggestion: str | None = None) -> None:
        self._add(code, "warning", node, message, suggestion)

    def refuse(self, node: nodes.Node) -> None:
        """Refuse a construct of Jinja's that messages do not have."""
        word = CONSTRUCTS.get(type(node), type(node).__name__.lower())
        self.error("not_allowed", node, f"{word} is not allowed in a template", _meant_name(node))

    def unknown(self, what: str, name: str, allowed: Iterable[str], node: nodes.Node) -> None:
        if self.enough:
            return
        known = list(allowed)
        near = closest_match(name, known)
        message = f"there is no {what} `{name[:_LONGEST]}`; allowed: {', '.join(known)}"
        self.error(f"unknown_{what}", node, message, near)

    def unknown_name(self, path: str, variables: Mapping[str, Sequence[str] | None], node: nodes.Node) -> None:
        if self.enough:
            return
        root = path.partition(".")[0]
        parts = variables.get(root, variables.get(f"{root}?", ()))
        message = f"there is no name `{path[:_LONGEST]}`"
        if parts:
            message += f"; `{root}` has {', '.join(sorted(bare(parts)))}"
        elif root in bare(variables):
            message += f": `{root}` has no parts"
        else:
            message += f"; allowed: {', '.join(sorted(bare(variables)))}"
        component = f"{path}({', '.join(COMPONENTS[path])})" if path in COMPONENTS else None
        near = closest_match(path, names(variables))
        self.error("unknown_name", node, message, component or near)

    def may_be_missing(self, path: str, node: nodes.Node) -> None:
        if self.enough:
            return
        meant = meant_detail(path) or path
        self.error(
            "may_be_missing",
            node,
            f"`{path}` may be missing: ask for it with `if`, or give a `default`",
            meant if meant.removeprefix("order.") in OF_EVERY_ORDER else f"{{% if {meant} %}}…{{% endif %}}",
        )

    def _many(self, severity: str) -> bool:
        """Whether there are enough of that severity. Each is counted apart, so that no number of warnings hides an
        error."""
        return sum(problem.severity == severity for problem in self.problems) >= _MOST

    def _add(self, code: str, severity: Severity, node: nodes.Node, message: str, suggestion: str | None) -> None:
        if self._many(severity):
            return
        place = self.part.place(begins_at(node))
        self.problems.append(Diagnostic.at(place, code, self.file, message, suggestion, severity))


def _meant_name(node: nodes.Node) -> str | None:
    """Return `order.number` for `order-number` and `order,number`."""
    match node:
        case (
            nodes.Sub(left=nodes.Node() as left, right=nodes.Name(name=last))
            | nodes.Tuple(items=[nodes.Node() as left, nodes.Name(name=last)])
        ):
            return in_one(path_of(left), last)
    return None


def meant_detail(path: str) -> str | None:
    """Return what `order.ulr` was probably meant to be; None if it may well be right."""
    group, _, name = path.partition(".")
    known = [*OF_EVERY_ORDER, *DETAILS]
    if group != "order" or not name or name in known:
        return None
    near = next((it for it in known if sorted(it) == sorted(name)), None) or closest_match(name, known, cutoff=0.8)
    return f"order.{near}" if near else None
