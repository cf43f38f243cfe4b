"""One message put on trial: compiled as the service compiles it, told about hostile orders, mailed and read back.

Compiling and filling must reach nothing outside: an audit hook (PEP 578) listens for whatever opens, starts, loads or
connects. Readers are the standard library's, which share nothing with what wrote the mail.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from random import Random
from typing import Any

from avisa.catalog import Catalog
from avisa.core import context, facts, samples
from avisa.core.model import Fact, Json, Notification, Order
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.ports import CannotRender, Draft, Mail, RenderedMessage
from avisa.templates.compile_message import compile_message
from avisa.templates.compiled import Compiled
from avisa.templates.layout.layout_files import LayoutFiles
from avisa.templates.limits import LONGEST_RESULT
from avisa.templates.renderer import fill
from avisa.templates.template import Template
from tests.hostile import values
from tests.hostile.page import objections
from tests.templates.harness import NOW, files, layout, usual
from tests.templates.mail_parsing import well_formed

MESSAGE = "shown"
LARGEST = 4 * LONGEST_RESULT  # bytes of the texts of a mail: no character has more than four
_FORBIDDEN = (
    "os.",
    "subprocess.",
    "socket.",
    "shutil.",
    "ctypes.",
    "urllib.",
    "import",
    "exec",
    "compile",
    "open",
    "pty.",
)
_PLURALS = 'file "<rule>"'  # Babel compiles the plural rule of a language, from its own data, when it is met first
_DATA = ("babel", "tzdata", "zoneinfo")  # read when a language or zone is met first


@dataclass(slots=True)
class Verdict:
    """What came of a trial."""

    accepted: bool
    codes: tuple[str, ...] = ()
    faults: list[str] = field(default_factory=list)
    compile_s: float = 0.0  # processor time
    draft_s: float = 0.0  # freezing what an order may say, whatever the message
    fill_s: float = 0.0  # filling the message and putting it into its envelope
    mail_bytes: int = 0
    too_large: int = 0  # how many orders were told nothing, because it would have been too much


@cache
def warm() -> None:
    """What Python and Babel load when first used is loaded."""
    layout()
    compile_message("---\nsubject: {{\nshort: s\n---\nx", file="f", locale="en", layout=layout(), for_owner=False)
    for known in values.occasions(Random(0)).values():
        mail_of(usual(), known)


def tried(text: str, occasions: Mapping[str, dict[str, Json]], folder: Mapping[str, str] | None = None) -> Verdict:
    """Press `text` in a folder and, if it is accepted, tell it of orders of which so much is known."""
    verdict = Verdict(accepted=False)
    laid_out = LayoutFiles.of(folder or files())
    compiled, problems = _pressed(text, verdict, laid_out)
    verdict.codes = tuple(sorted({problem.code for problem in problems}))
    if compiled is None:
        if not any(problem.severity == "error" for problem in problems):
            verdict.faults.append("refused without a reason")
        return verdict
    verdict.accepted = True
    usual_catalog = usual()
    messages = {**usual_catalog.renderer.messages, MESSAGE: {"en": _template(text, laid_out)}}
    renderer = replace(usual_catalog.renderer, messages=messages)  # type: ignore[type-var] # the real one
    catalog = replace(usual_catalog, renderer=renderer)
    for name, known in occasions.items():
        _told(catalog, name, known, verdict)
    return verdict


def _pressed(text: str, verdict: Verdict, laid_out: LayoutFiles) -> tuple[Compiled | None, list[Diagnostic]]:
    def renderer() -> tuple[Compiled | None, list[Diagnostic]]:
        template = _template(text, laid_out)
        compiled, problems = template.compiled(), template.problems()
        if compiled is not None:
            problems += _tried_on_samples(compiled)
        if any(problem.severity == "error" for problem in problems):
            return None, problems
        return compiled, problems

    try:
        with listening(verdict.faults, compiling=True):
            (compiled, problems), verdict.compile_s = timed(renderer)
    except Exception as fault:
        verdict.faults.append(f"pressing raised {type(fault).__name__}: {fault!s:.200}")
        return None, [Diagnostic(code="fault", file="", message="")]
    return compiled, problems


def _template(text: str, laid_out: LayoutFiles) -> Template:
    return Template(f"messages/{MESSAGE}/en.md", "en", text, laid_out, for_owner=False)


def _tried_on_samples(compiled: Compiled) -> Iterator[Diagnostic]:
    plan = usual().plan
    for order, notification in samples.samples(MESSAGE, plan, NOW).values():
        values = {**context.build(order, notification, plan, NOW, facts.view(order)), "_zone": "UTC"}
        rendered = fill(compiled, values)
        if isinstance(rendered, CannotRender):
            yield Diagnostic(code="cannot_render", file=compiled.file, message=rendered.problem)


def _told(catalog: Catalog, name: str, known: Mapping[str, Json], verdict: Verdict) -> None:
    def fault(what: str) -> None:
        verdict.faults.append(f"{name}: {what}")

    heard: list[str] = []
    try:
        with listening(heard):
            (notification, draft), seconds = timed(lambda: _drafted(catalog, known))
            verdict.draft_s = max(verdict.draft_s, seconds)
            mail, seconds = timed(lambda: catalog.compose(notification, draft))
            verdict.fill_s = max(verdict.fill_s, seconds)
        rendered = catalog.render(draft)
    except Exception as trouble:
        fault(f"telling raised {type(trouble).__name__}: {trouble!s:.200}")
        return
    for event in heard:
        fault(event)
    if isinstance(mail, CannotRender) or isinstance(rendered, CannotRender):
        assert mail == rendered
        if name not in ("tame", "nothing") and "too large" in mail.problem:
            verdict.too_large += 1
        elif "came out empty" not in mail.problem:
            fault(f"accepted, but cannot be told: {mail.problem}")
        return
    verdict.mail_bytes = max(verdict.mail_bytes, len(mail.data))
    if len(mail.data) > 2 * LARGEST or len((rendered.html + rendered.text).encode()) > LARGEST:
        fault(f"{len(mail.data)} bytes of mail")
    for objection in objections(rendered.html):
        fault(objection)
    if values.CANARY in rendered.html + rendered.text + rendered.subject + rendered.short:
        fault("something was worked out")
    if any(character in rendered.subject + rendered.short for character in "\r\n"):
        fault("a line break in a one-liner")
    try:
        text, html = well_formed(mail).iter_parts()
    except AssertionError as flaw:
        fault(f"no well-formed mail: {flaw!s:.200}")
        return
    if (
        text.get_content().replace("\r\n", "\n") != rendered.text
        or html.get_content().replace("\r\n", "\n") != rendered.html
    ):
        fault("the mail says something else")
    if mail_of(catalog, known) != (rendered, mail):
        fault("not the same bytes again")


def mail_of(catalog: Catalog, known: Mapping[str, Json]) -> tuple[RenderedMessage, Mail] | CannotRender:
    """The message about an order of which so much more is known, from draft to bytes."""
    notification, draft = _drafted(catalog, known)
    rendered = catalog.render(draft)
    if isinstance(rendered, CannotRender):
        return rendered
    mail = catalog.compose(notification, draft)
    return mail if isinstance(mail, CannotRender) else (rendered, mail)


def _drafted(catalog: Catalog, known: Mapping[str, Json]) -> tuple[Notification, Draft]:
    order, notification = _occasion(known)
    draft = catalog.draft(notification, order, NOW)
    assert isinstance(draft, Draft), draft
    return notification, draft


def _occasion(known: Mapping[str, Json]) -> tuple[Order, Notification]:
    order, notification = samples.samples(MESSAGE, usual().plan, NOW)["full"]
    stated = {name: Fact(rank=order.status_rank, value=value) for name, value in known.items()}
    return replace(order, facts={**order.facts, **stated}), notification


# ------------------------------------------------------------ measuring and listening


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """What comes of it, and the seconds of processor time it took."""
    began = time.thread_time()
    made = work()
    return made, time.thread_time() - began


_ears: list[tuple[list[str], bool]] = []


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if not _ears or not event.startswith(_FORBIDDEN):
        return
    faults, compiling = _ears[-1]
    call = f"{event} {arguments!r:.120}"
    if event in ("open", "os.listdir") and any(name in call for name in _DATA):
        return
    if event in ("compile", "exec") and (compiling or "extract_operands" in call or _PLURALS in call):
        return
    faults.append(call)


@cache
def _ear() -> None:
    sys.addaudithook(_hear)  # it can never be taken away again, only be deaf


@contextmanager
def listening(faults: list[str], *, compiling: bool = False) -> Iterator[None]:
    """Whatever the code within reaches for is a fault; while compiling, Python's own compiler may be used."""
    _ear()
    _ears.append((faults, compiling))
    try:
        yield
    finally:
        _ears.pop()
