"""A template folder becomes a press: every message compiled, and tried on sample orders."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import version

from service.core import context, facts, samples
from service.core.model import Alert, Purpose
from service.core.plan import Plan
from service.ports import CannotRender, Problem
from service.rendering import layout as layouts
from service.rendering.compile import Compiled, compile_message
from service.rendering.formats import known_locale
from service.rendering.mime import Letterhead
from service.rendering.render import Press, fill

PLAN = "plan.yaml"
_MESSAGE = re.compile(r"messages/([^/]+)/([^/]+)\.md")
_NAME = re.compile(r"[a-z0-9_-]{1,64}")
_LOCALE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")
_DECIDING = ("avisa", "babel", "css-inline", "jinja2", "markdown-it-py", "markupsafe", "tzdata")
_TRIED_AT = datetime(2026, 3, 2, 10, 15, tzinfo=UTC)  # any moment will do
_LONG_SUBJECT = 78
_FOR_OWNERS = frozenset({*Alert, Purpose.ASK_OWNER})


def engine() -> str:
    """What decides the octets of a mail besides the template folder."""
    return " ".join(f"{name}={version(name)}" for name in _DECIDING)


def make_press(
    files: Mapping[str, str], plan: Plan, *, redirect_to: str | None = None
) -> tuple[Press | None, list[Problem]]:
    """The press of a folder, and all that is wrong with it; None if it must not be put in force."""
    press, problems = assemble(files, plan, redirect_to=redirect_to)
    return (None if any(problem.severity == "error" for problem in problems) else press), problems


def assemble(
    files: Mapping[str, str], plan: Plan, *, redirect_to: str | None = None
) -> tuple[Press | None, list[Problem]]:
    """The press of what can be used of a folder, whatever is wrong with the rest; None if nothing can."""
    layout = layouts.read(files)
    if isinstance(layout, list):
        return None, layout
    problems: list[Problem] = []
    messages: dict[str, dict[str, Compiled]] = {}
    written: dict[str, set[str]] = {}  # also what cannot be used
    owners = _owners_messages(plan)
    for file, text in sorted(files.items()):
        if (found := _MESSAGE.fullmatch(file)) is None:
            continue
        name, locale = found.groups()
        if misnamed := _misnamed(file, name, locale):
            problems.append(misnamed)
            continue
        compiled, wrong = compile_message(text, file=file, locale=locale, layout=layout, for_owner=name in owners)
        problems += wrong
        written.setdefault(name, set()).add(locale)
        versions = messages.setdefault(name, {})
        if compiled is not None:
            versions[locale] = compiled
            problems += _tried(compiled, name, plan)
    letterheads: dict[str, Letterhead] = {}
    for key, brand in plan.brands.items():
        try:
            letterheads[key] = Letterhead.of(brand)
        except ValueError:
            problems.append(
                Problem(code="bad_address", file=PLAN, message=f"brand `{key}`: `from` or `reply_to` is no mailbox")
            )
    problems += _missing(written, plan)
    if len(letterheads) < len(plan.brands):
        return None, problems
    return Press(messages=messages, letterheads=letterheads, redirect_to=redirect_to), problems


def _owners_messages(plan: Plan) -> set[str]:
    told = (touchpoint.messages.items() for touchpoint in (*plan.touchpoints.values(), plan.unknown))
    return {name for each in told for purpose, name in each if purpose in _FOR_OWNERS}


def _misnamed(file: str, name: str, locale: str) -> Problem | None:
    if not _NAME.fullmatch(name):
        return Problem(code="bad_name", file=file, message="a message has a name of a-z, 0-9, _ and -")
    if not _LOCALE.fullmatch(locale) or not known_locale(locale):
        near = locale.replace("_", "-").partition("-")
        tidy = near[0].lower() + near[1] + near[2].upper()
        return Problem(
            code="bad_name",
            file=file,
            message=f"`{locale}` is no language: the file is called `pt.md`, `pt-BR.md` …",
            suggestion=f"{tidy}.md" if _LOCALE.fullmatch(tidy) and tidy != locale else None,
        )
    return None


def _tried(compiled: Compiled, name: str, plan: Plan) -> Iterator[Problem]:
    """What comes of filling the message for every sample."""
    for sample, (order, notification) in samples.samples(name, plan, _TRIED_AT).items():
        values = context.build(order, notification, plan, _TRIED_AT, facts.view(order))
        values["_zone"] = "UTC"
        words = fill(compiled, values)
        if isinstance(words, CannotRender):
            yield Problem(
                code="cannot_render", file=compiled.file, message=f"with sample `{sample}`: {words.problem}"
            )
        elif sample == "full" and len(words.subject) > _LONG_SUBJECT:
            yield Problem(
                code="long_subject",
                severity="warning",
                file=compiled.file,
                line=2,
                message=f"the subject has {len(words.subject)} characters; many mail programs cut it off",
            )


def _missing(written: Mapping[str, set[str]], plan: Plan) -> Iterator[Problem]:
    """Messages that the plan names and nobody wrote, and languages that some messages lack."""
    wanted: dict[str, str] = {}
    for touchpoint in (*plan.touchpoints.values(), plan.unknown):
        for name in (touchpoint.message, *touchpoint.messages.values()):
            wanted.setdefault(name, touchpoint.status)
    for name, status in wanted.items():
        if name not in written:
            yield Problem(
                code="missing_message",
                file=PLAN,
                message=f"`{status}` tells `{name}`, and there is no messages/{name}/",
            )
    everywhere = {locale for locales in written.values() for locale in locales}
    for name, locales in written.items():
        for locale in sorted(everywhere - locales):
            yield Problem(
                code="missing_locale",
                severity="warning",
                file=f"messages/{name}/{locale}.md",
                message=f"`{name}` is not written in `{locale}`, as other messages are",
            )
