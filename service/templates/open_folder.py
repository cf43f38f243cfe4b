"""A template folder becomes a renderer, and each of its messages is compiled when it is first needed.

What is imported here is all that a start needs of the templates: neither Jinja nor a parser of Markdown.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from importlib.metadata import version

from avisa.core.model import FOR_OWNERS
from avisa.core.plan import Plan
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.diagnostics.yaml_reader import parse
from avisa.links import LinkRule
from avisa.templates import shipped_messages
from avisa.templates.jinja.formats import is_locale, tidy_locale
from avisa.templates.layout.layout_files import LayoutFiles
from avisa.templates.limits import MOST_LOCALES
from avisa.templates.mime import FORM, SenderHeaders
from avisa.templates.renderer import Renderer
from avisa.templates.template import Template

PLAN = "plan.yaml"
MESSAGE = re.compile(r"messages/([^/]+)/([^/]+)\.md")
_NAME = re.compile(r"[a-z0-9_-]{1,64}")
_DECIDING = ("ada-url", "avisa", "babel", "holidays", "jinja2", "markdown-it-py", "markupsafe", "tzdata")

Templates = dict[str, dict[str, Template]]  # by message and locale


def renderer_fingerprint() -> str:
    """Return what decides the bytes of a mail besides the template folder: the versions of these packages, and the
    form of a mail. A mail says by when there is news again, so holidays decide, too."""
    return " ".join([*(f"{name}={version(name)}" for name in _DECIDING), f"mail={FORM}"])


def open_folder(
    files: Mapping[str, str], plan: Plan, *, redirect_to: str | None = None
) -> tuple[Renderer | None, list[Diagnostic]]:
    """Return the renderer of a folder that `compile_folder` found right before, without trying anything anew, so that
    a start does not wait for it. None if a brand cannot send; and what is wrong with names and brands."""
    templates, problems = templates_of(files, plan)
    add_fallbacks(templates, files, plan)
    renderer, unaddressed = renderer_of(templates, files, plan, redirect_to=redirect_to)
    return renderer, problems + unaddressed


def templates_of(files: Mapping[str, str], plan: Plan) -> tuple[Templates, list[Diagnostic]]:
    """Return the templates of a folder, and a diagnostic for each file that cannot be one."""
    templates: Templates = {}
    problems: list[Diagnostic] = []
    owners, layout = owners_messages(plan), LayoutFiles.of(files)
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


def add_fallbacks(templates: Templates, files: Mapping[str, str], plan: Plan) -> frozenset[str]:
    """Add the shipped messages for what owners are told and nobody wrote; return their names."""
    sent = (plan.besides(touchpoint) for touchpoint in (*plan.touchpoints.values(), plan.unknown))
    wanted = {name for each in sent for _, purpose, _, name in each if purpose in FOR_OWNERS}
    shipped, layout = shipped_messages.fallbacks(wanted, templates, plan), LayoutFiles.of(files)
    found = [(match[1], match[2], file, text) for file, text in shipped.items() if (match := MESSAGE.fullmatch(file))]
    for name, locale, file, text in found:
        templates.setdefault(name, {})[locale] = Template(file, locale, text, layout, for_owner=True)
    return frozenset(name for name, _, _, _ in found)


def renderer_of(
    templates: Templates, files: Mapping[str, str], plan: Plan, *, redirect_to: str | None
) -> tuple[Renderer | None, list[Diagnostic]]:
    """Return the renderer of these templates; None if a brand cannot send, and a diagnostic for each such brand."""
    headers: dict[str, SenderHeaders] = {}
    for key, brand in plan.brands.items():
        with suppress(ValueError):
            headers[key] = SenderHeaders.of(brand)
    if unaddressed := plan.brands.keys() - headers.keys():
        return None, list(_unaddressed(unaddressed, files[PLAN]))
    rules = {key: LinkRule.of(brand.url, brand.links) for key, brand in plan.brands.items()}
    return Renderer(messages=templates, sender_headers=headers, link_rules=rules, redirect_to=redirect_to), []


def owners_messages(plan: Plan) -> frozenset[str]:
    """Return the names of the messages that go to owners, which have more variables than those for customers."""
    touchpoints = (*plan.touchpoints.values(), plan.unknown)
    told = (it for touchpoint in touchpoints for it in touchpoint.besides())
    return frozenset(name for _, purpose, _, name in told if purpose in FOR_OWNERS)


def _unaddressed(brands: Collection[str], text: str) -> Iterator[Diagnostic]:
    """Yield a diagnostic for each of these brands, which cannot send. `text` is the plan's."""
    document = parse(text)
    for key in sorted(brands):
        place = document.key(("brands", key))
        message = f"brand `{key}`: `from` or `reply_to` is no mailbox"
        yield Diagnostic.at(place, "bad_address", PLAN, message)


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
