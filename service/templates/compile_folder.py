"""A template folder becomes a renderer: every message compiled, and tried on sample orders."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache, partial

from avisa.core import context, facts, samples
from avisa.core.model import Json
from avisa.core.plan import Plan
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.diagnostics.suggest import closest_match
from avisa.diagnostics.yaml_reader import parse
from avisa.ports import CannotRender
from avisa.templates import shipped_messages
from avisa.templates.compiled import Compiled
from avisa.templates.layout import layout as layouts
from avisa.templates.open_folder import PLAN, add_fallbacks, open_folder, renderer_of, templates_of
from avisa.templates.renderer import Renderer, fill

_Occasion = tuple[str, dict[str, Json]]  # name of a sample, and the variables
_MOST_KEPT = 64  # messages whose sample orders are kept while the languages take turns
_TRIED_AT = datetime(2026, 3, 2, 10, 15, tzinfo=UTC)  # any moment will do


def compile_folder(
    files: Mapping[str, str], plan: Plan, *, redirect_to: str | None = None
) -> tuple[Renderer | None, list[Diagnostic]]:
    """Return the renderer of a folder, None if it must not be put in force, and all that is wrong with the folder."""
    renderer, problems = assemble(files, plan, redirect_to=redirect_to)
    return (None if any(problem.severity == "error" for problem in problems) else renderer), problems


def open_unchecked(
    files: Mapping[str, str], plan: Plan, *, redirect_to: str | None = None
) -> tuple[Renderer | None, list[Diagnostic]]:
    """Return the renderer of a folder of which only layout and brands were checked, None if these are wrong, and what
    is. A message that is wrong is found out when it is rendered."""
    layout = layouts.read(files)
    return (None, layout) if isinstance(layout, list) else open_folder(files, plan, redirect_to=redirect_to)


def assemble(
    files: Mapping[str, str], plan: Plan, *, redirect_to: str | None = None
) -> tuple[Renderer | None, list[Diagnostic]]:
    """Return a renderer of what can be used of a folder, None if nothing can, and all that is wrong with it."""
    layout = layouts.read(files)
    if isinstance(layout, list):
        return None, layout
    templates, problems = templates_of(files, plan)
    problems += layout.warnings
    written = {name: set(locales) for name, locales in templates.items()}  # also what cannot be used
    problems += shipped_messages.notes(add_fallbacks(templates, files, plan))
    occasions = lru_cache(_MOST_KEPT)(partial(_occasions, plan))
    # Locale by locale, because a layout is parsed once for each.
    for locale, name in sorted((locale, name) for name, locales in templates.items() for locale in locales):
        template = templates[name][locale]
        problems += template.problems()
        compiled = template.compiled()
        if compiled is None:
            del templates[name][locale]
        else:
            problems += _tried(compiled, occasions(name))
    renderer, unaddressed = renderer_of(templates, files, plan, redirect_to=redirect_to)
    problems += unaddressed
    problems += _unwritten(written.keys() | templates.keys(), plan, files[PLAN])
    problems += _untranslated(written)
    problems.sort(key=lambda problem: problem.file)
    return renderer, problems


def _occasions(plan: Plan, name: str) -> Sequence[_Occasion]:
    """Return the sample orders of the message `name`."""
    return [
        (sample, {**context.build(order, notification, plan, _TRIED_AT, facts.view(order)), "_zone": "UTC"})
        for sample, (order, notification) in samples.samples(name, plan, _TRIED_AT).items()
    ]


def _tried(compiled: Compiled, occasions: Iterable[_Occasion]) -> Iterator[Diagnostic]:
    """Fill the message for every sample order, and yield what fails."""
    for sample, values in occasions:
        rendered = fill(compiled, values)
        if isinstance(rendered, CannotRender):
            yield Diagnostic(
                code="cannot_render", file=compiled.file, message=f"with sample `{sample}`: {rendered.problem}"
            )


def _unwritten(written: Collection[str], plan: Plan, text: str) -> Iterator[Diagnostic]:
    """Yield a diagnostic for each message that the plan names and nobody wrote. `text` is the plan's."""
    wanted: dict[str, tuple[str, str | None]] = {}  # by message: the status, and the purpose if it is of `messages`
    for touchpoint in (*plan.touchpoints.values(), plan.unknown):
        wanted.setdefault(touchpoint.message, (touchpoint.status, None))
        for of_plan, _, _, name in plan.besides(touchpoint):
            wanted.setdefault(name, (touchpoint.status, of_plan))
    unwritten = wanted.keys() - set(written)
    if not unwritten:
        return
    document = parse(text)
    for name in sorted(unwritten):
        status, of_messages = wanted[name]
        own = ("touchpoints", status) if status in plan.touchpoints else ("unknown_status",)
        key = ("messages", of_messages) if of_messages else ("message",)
        path = (*own, *key) if (*own, *key) in document.values else ("defaults", *key)
        place = document.at(path if path in document.values else own)
        message = f"`{status}` tells `{name}`, and there is no messages/{name}/"
        yield Diagnostic.at(place, "missing_message", PLAN, message, closest_match(name, sorted(written)))


def _untranslated(written: Mapping[str, set[str]]) -> Iterator[Diagnostic]:
    """Yield a warning for each language that a message lacks and another message has."""
    everywhere = {locale for locales in written.values() for locale in locales}
    for name, locales in written.items():
        for locale in sorted(everywhere - locales):
            yield Diagnostic(
                code="missing_locale",
                severity="warning",
                file=f"messages/{name}/{locale}.md",
                message=f"`{name}` is not written in `{locale}`, as other messages are",
            )
