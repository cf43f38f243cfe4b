"""Each message rendered for every sample order and every purpose it has, and what is wrong with the results."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from avisa.core import context, facts, samples
from avisa.core.model import Purpose
from avisa.core.plan import Plan
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.lint.codes import diagnostic
from avisa.lint.dead_conditions import check_filters
from avisa.lint.message import Message
from avisa.lint.sample_events import SAMPLES, SampleOrder
from avisa.ports import CannotRender, RenderedMessage
from avisa.templates.compiled import Compiled
from avisa.templates.layout.layout_files import FOLDER, LayoutFiles
from avisa.templates.renderer import fill
from avisa.templates.template import Template

LONG_SUBJECT = 78  # characters; RFC 5322 section 2.1.1
HEAVY = 100_000  # bytes; Gmail clips at 102 kB
_WORD = re.compile(r"\w[\w'’.,@:/-]*")
_LINE_NUMBER = re.compile(r" line (\d+): ")
# `full`, "update at `shipped`, sample `full`", and the variables.
_Occasion = tuple[str, str, dict[str, object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRender:
    """Renders messages under one plan, to see what comes out."""

    plan: Plan = field(hash=False)  # it has maps; that it is the same is compared
    layout: LayoutFiles  # without its frame
    owners: frozenset[str]  # names of the messages that owners get
    now: datetime
    sample_orders: Sequence[SampleOrder] = field(default=(), hash=False)  # the operator's own

    def check(self, message: Message, mail: Template | None) -> Sequence[Diagnostic]:
        """Render a message in one language; return each kind of fault once, with the first occasion that shows it.
        `mail` is the message within the frame, or None if some message of the folder has an error, so that there is
        no whole mail whose size counts."""
        return _check(self, message, mail)

    def occasions(self, name: str) -> Iterator[_Occasion]:
        """Yield the occasions for the message `name`."""
        first = next(iter(self.plan.touchpoints))
        occasions = [
            occasion
            for use in list(samples.uses(name, self.plan)) or [(first, Purpose.UPDATE, "1")]
            for occasion in samples.samples_of(use, self.plan, self.now).items()
        ]
        for own in self.sample_orders:
            if made := samples.occasion(name, own.order, self.plan, self.now):
                occasions.append((f"{SAMPLES}:{own.line}", made))
        for sample, (order, notification) in occasions:
            variables = context.build(order, notification, self.plan, self.now, facts.view(order))
            when = f"{notification.purpose} at `{notification.status}`, sample `{sample}`"
            yield sample, when, {**variables, "_zone": "UTC"}

    def faults(
        self, message: Message, compiled: Compiled, sample: str, when: str, values: dict[str, object]
    ) -> Iterator[Diagnostic]:
        """Yield what is wrong with the message on one occasion."""
        subject, short = message.source.subject.place(0), message.source.short.place(0)
        rendered = fill(compiled, values)
        if isinstance(rendered, CannotRender):
            line = _LINE_NUMBER.search(rendered.problem)
            place = (int(line[1]), 1) if line else subject
            what = rendered.problem.removeprefix(f"{message.file}: ")
            yield diagnostic("cannot_render", message.file, place, f"{when}: {what}")
            return
        for part, place, result in (("short", short, rendered.short), ("message", message.begin, rendered.text)):
            if not result.strip():
                yield diagnostic("empty_result", message.file, place, f"the {part} comes out empty: {when}")
        if sample == "full":
            yield from self._too_long(message, rendered)

    def _too_long(self, message: Message, rendered: RenderedMessage) -> Iterator[Diagnostic]:
        if (length := len(rendered.subject)) > LONG_SUBJECT:
            text = f"the subject has {length} characters; many mail programs cut it off at {LONG_SUBJECT} or before"
            yield diagnostic("long_subject", message.file, message.source.subject.place(0), text)
        count = len(_WORD.findall(rendered.text))
        strict = min(self.plan.brands.values(), key=lambda brand: brand.most_words)
        if count > strict.most_words:
            text = f"the message has {count} words; brand `{strict.key}` allows {strict.most_words}"
            yield diagnostic("long_message", message.file, message.begin, text)


def without_frame(files: Mapping[str, str]) -> LayoutFiles:
    """Return the layout of a folder without its frame, so that a result is only what the message says."""
    return LayoutFiles.of({**files, **{f"{FOLDER}layout.{suffix}": "{{ content }}" for suffix in ("html", "txt")}})


# The preview checks the folder at every save, and most messages are as they were.
@lru_cache(512)
def _check(trial: TrialRender, message: Message, mail: Template | None) -> Sequence[Diagnostic]:
    alone = Template(
        message.file, message.locale, message.source.text, trial.layout, for_owner=message.name in trial.owners
    )
    compiled = alone.compiled()
    if compiled is None:
        return ()
    whole = mail.compiled() if mail else None
    occasions = _occasions(trial, message.name)
    found: dict[str, Diagnostic] = {}  # by code
    for sample, when, values in occasions:
        for fault in trial.faults(message, compiled, sample, when, values):
            found.setdefault(fault.code, fault)
        if whole and "heavy_mail" not in found:
            for fault in _too_heavy(message, whole, when, values):
                found[fault.code] = fault
    return (*found.values(), *check_filters(message, [values for _, _, values in occasions]))


@lru_cache(1)  # a message is tried in one language after the other
def _occasions(trial: TrialRender, name: str) -> Sequence[_Occasion]:
    return list(trial.occasions(name))


def _too_heavy(message: Message, mail: Compiled, when: str, values: dict[str, object]) -> Iterator[Diagnostic]:
    rendered = fill(mail, values)
    if isinstance(rendered, RenderedMessage) and (size := len(rendered.html.encode())) > HEAVY:
        text = f"{when}: the mail has {size // 1000} kB of HTML; Gmail cuts off what is beyond 102"
        yield diagnostic("heavy_mail", message.file, message.begin, text)
