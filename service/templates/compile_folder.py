"""A template folder becomes a renderer: every message compiled, and tried on sample orders."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version

from avisa.core import context, facts, samples
from avisa.core.model import FOR_OWNERS
from avisa.core.plan import Plan
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.diagnostics.suggest import closest_match
from avisa.diagnostics.yaml_reader import parse
from avisa.links import LinkRule
from avisa.ports import CannotRender
from avisa.templates import shipped_messages
from avisa.templates.compile_message import Compiled
from avisa.templates.jinja.formats import is_locale, tidy_locale
from avisa.templates.layout import layout as layouts
from avisa.templates.layout.layout import Layout
from avisa.templates.limits import MOST_LOCALES
from avisa.templates.mime import FORM, SenderHeaders
from avisa.templates.renderer import Renderer, fill
from avisa.templates.template import Template

PLAN = "plan.yaml"
MESSAGE = re.compile(r"messages/([^/]+)/([^/]+)\.md")
_NAME = re.compile(r"[a-z0-9_-]{1,64}")
_DECIDING = ("ada-url", "avisa", "babel", "holidays", "jinja2", "markdown-it-py", "markupsafe", "tzdata")
_TRIED_AT = datetime(2026, 3, 2, 10, 15, tzinfo=UTC)  # any moment will do


def renderer_fingerprint() -> str:
    """Return what decides the bytes of a mail besides the template folder: the versions of these packages, and the
    form of a mail. A mail says by when there is news again, so holidays decide, too."""
    return " ".join([*(f"{name}={version(name)}" for name in _DECIDING), f"mail={FORM}"])


def compile_folder(
    files: Mapping[str, str], plan: Plan, *, redirect_to: str | None = None
) -> tuple[Renderer | None, list[Diagnostic]]:
    """Return the renderer of a folder, None if it must not be put in force, and all that is wrong with the folder."""
    renderer, problems = assemble(files, plan, redirect_to=redirect_to)
    return (None if any(problem.severity == "error" for problem in problems) else renderer), problems


def open_folder(
    files: Mapping[str, str], plan: Plan, *, redirect_to: str | None = None
) -> tuple[Renderer | None, list[Diagnostic]]:
    """Return the renderer of a folder that `compile_folder` found right before, without trying its messages anew, so
    that a start does not wait for them. None if even layout or brands are wrong, and what is wrong with those."""
    layout = layouts.read(files)
    if isinstance(layout, list):
        return None, layout
    templates, problems = _templates(files, plan, layout)
    _add_fallbacks(templates, plan, layout)
    sender_headers, unaddressed = _sender_headers(files, plan)
    problems += unaddressed
    if unaddressed:
        return None, problems
    rules = {key: LinkRule.of(brand.url, brand.links) for key, brand in plan.brands.items()}
    return Renderer(
        messages=templates, sender_headers=sender_headers, link_rules=rules, redirect_to=redirect_to
    ), problems


def assemble(
    files: Mapping[str, str], plan: Plan, *, redirect_to: str | None = None
) -> tuple[Renderer | None, list[Diagnostic]]:
    """Return a renderer of what can be used of a folder, None if nothing can, and all that is wrong with it."""
    layout = layouts.read(files)
    if isinstance(layout, list):
        return None, layout
    templates, problems = _templates(files, plan, layout)
    problems += layout.warnings
    written = {name: set(locales) for name, locales in templates.items()}  # also what cannot be used
    problems += shipped_messages.notes(_add_fallbacks(templates, plan, layout))
    # Locale by locale, because a layout is parsed once for each.
    for locale, name in sorted((locale, name) for name, locales in templates.items() for locale in locales):
        template = templates[name][locale]
        problems += template.problems()
        compiled = template.compiled()
        if compiled is None:
            del templates[name][locale]
        else:
            problems += _tried(compiled, name, plan)
    sender_headers, unaddressed = _sender_headers(files, plan)
    problems += unaddressed
    problems += _unwritten(written.keys() | templates.keys(), plan, files[PLAN])
    problems += _untranslated(written)
    problems.sort(key=lambda problem: problem.file)
    if unaddressed:
        return None, problems
    rules = {key: LinkRule.of(brand.url, brand.links) for key, brand in plan.brands.items()}
    return Renderer(
        messages=templates, sender_headers=sender_headers, link_rules=rules, redirect_to=redirect_to
    ), problems


def _templates(
    files: Mapping[str, str], plan: Plan, layout: Layout
) -> tuple[dict[str, dict[str, Template]], list[Diagnostic]]:
    """Return the templates of a folder by message and locale, and a diagnostic for each file that cannot be one."""
    templates: dict[str, dict[str, Template]] = {}
    problems: list[Diagnostic] = []
    owners = owners_messages(plan)
    locales: set[str] = set()
    for file, text in sorted(files.items()):
        if (found := MESSAGE.fullmatch(file)) is None:
            continue
        name, locale = found.groups()
        if misnamed := _misnamed(file, name, locale):
            problems.append(misnamed)
        elif len(locales | {locale}) > MOST_LOCALES:
            message = f"no more than {MOST_LOCALES} languages are read"
            problems.append(Diagnostic(code="too_many", file=file, message=message))
            break
        else:
            locales.add(locale)
            templates.setdefault(name, {})[locale] = Template(file, locale, text, layout, name in owners)
    return templates, problems


def _add_fallbacks(templates: dict[str, dict[str, Template]], plan: Plan, layout: Layout) -> frozenset[str]:
    """Add the shipped messages for what owners are told and nobody wrote; return their names."""
    sent = (plan.besides(touchpoint) for touchpoint in (*plan.touchpoints.values(), plan.unknown))
    wanted = {name for each in sent for _, purpose, _, name in each if purpose in FOR_OWNERS}
    files = shipped_messages.fallbacks(wanted, templates, plan)
    found = [(match[1], match[2], file, text) for file, text in files.items() if (match := MESSAGE.fullmatch(file))]
    for name, locale, file, text in found:
        templates.setdefault(name, {})[locale] = Template(file, locale, text, layout, for_owner=True)
    return frozenset(name for name, _, _, _ in found)


def _sender_headers(files: Mapping[str, str], plan: Plan) -> tuple[dict[str, SenderHeaders], list[Diagnostic]]:
    """Return the sender headers of the brands, and a diagnostic for each brand that cannot send."""
    headers: dict[str, SenderHeaders] = {}
    for key, brand in plan.brands.items():
        with suppress(ValueError):
            headers[key] = SenderHeaders.of(brand)
    return headers, list(_unaddressed(plan.brands.keys() - headers.keys(), files[PLAN]))


def owners_messages(plan: Plan) -> frozenset[str]:
    """Return the names of the messages that go to owners, which have more variables than those for customers."""
    touchpoints = (*plan.touchpoints.values(), plan.unknown)
    told = (it for touchpoint in touchpoints for it in touchpoint.besides())
    return frozenset(name for _, purpose, _, name in told if purpose in FOR_OWNERS)


def _misnamed(file: str, name: str, locale: str) -> Diagnostic | None:
    if not _NAME.fullmatch(name):
        return Diagnostic(code="bad_name", file=file, message="a message has a name of a-z, 0-9, _ and -")
    if not is_locale(locale):
        tidy = tidy_locale(locale)
        return Diagnostic(
            code="bad_name",
            file=file,
            message=f"`{locale}` is no language: the file is called `pt.md`, `pt-BR.md` …",
            suggestion=f"{tidy}.md" if tidy else None,
        )
    return None


def _tried(compiled: Compiled, name: str, plan: Plan) -> Iterator[Diagnostic]:
    """Fill the message for every sample order, and yield what fails."""
    for sample, (order, notification) in samples.samples(name, plan, _TRIED_AT).items():
        values = context.build(order, notification, plan, _TRIED_AT, facts.view(order))
        values["_zone"] = "UTC"
        rendered = fill(compiled, values)
        if isinstance(rendered, CannotRender):
            yield Diagnostic(
                code="cannot_render", file=compiled.file, message=f"with sample `{sample}`: {rendered.problem}"
            )


def _unaddressed(brands: Collection[str], text: str) -> Iterator[Diagnostic]:
    """Yield a diagnostic for each of these brands, which cannot send. `text` is the plan's."""
    if not brands:
        return
    document = parse(text)
    for key in sorted(brands):
        place = document.key(("brands", key))
        message = f"brand `{key}`: `from` or `reply_to` is no mailbox"
        yield Diagnostic.at(place, "bad_address", PLAN, message)


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
