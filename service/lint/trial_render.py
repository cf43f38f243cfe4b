"""Each message rendered for every sample order and every purpose it has, and what is wrong with the results."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
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
from avisa.templates.compile_message import compile_message
from avisa.templates.compiled import Compiled
from avisa.templates.layout.layout import Layout
from avisa.templates.layout.layout_files import FOLDER
from avisa.templates.renderer import Renderer, fill

LONG_SUBJECT = 78  # characters; RFC 5322 section 2.1.1
HEAVY = 100_000  # bytes; Gmail clips at 102 kB
_WORD = re.compile(r"\w[\w'’.,@:/-]*")
_LINE_NUMBER = re.compile(r" line (\d+): ")
# `full`, "update at `shipped`, sample `full`", and the variables.
_Occasion = tuple[str, str, dict[str, object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRender:
    """Renders messages under one plan, to see what comes out."""

    plan: Plan
    layout: Layout
    renderer: Renderer | None  # None: some message has an error, so that there is no whole mail whose size counts
    owners: frozenset[str]  # names of the messages that owners get
    now: datetime
    sample_orders: Sequence[SampleOrder] = ()  # the operator's own

    def check(self, name: str, translations: Sequence[Message]) -> Iterator[Diagnostic]:
        """Render a message in each of its languages; yield each kind of fault once for a language, with the first
        occasion that shows it."""
        occasions = list(self._occasions(name))
        for message in translations:
            yield from self._check(message, occasions)

    def _check(self, message: Message, occasions: Sequence[_Occasion]) -> Iterator[Diagnostic]:
        compiled, _ = _compiled(
            message.source.text,
            file=message.file,
            locale=message.locale,
            layout=_without_frame(self.layout),
            for_owner=message.name in self.owners,
        )
        if compiled is None:
            return
        reported: set[str] = set()
        for sample, when, values in occasions:
            for found in self._faults(message, compiled, sample, when, values):
                if found.code not in reported:
                    reported.add(found.code)
                    yield found
        yield from check_filters(message, [values for _, _, values in occasions])

    def _occasions(self, name: str) -> Iterator[_Occasion]:
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

    def _faults(
        self, message: Message, compiled: Compiled, sample: str, when: str, values: dict[str, object]
    ) -> Iterator[Diagnostic]:
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
        yield from self._too_heavy(message, when, values)

    def _too_long(self, message: Message, rendered: RenderedMessage) -> Iterator[Diagnostic]:
        if (length := len(rendered.subject)) > LONG_SUBJECT:
            text = f"the subject has {length} characters; many mail programs cut it off at {LONG_SUBJECT} or before"
            yield diagnostic("long_subject", message.file, message.source.subject.place(0), text)
        count = len(_WORD.findall(rendered.text))
        strict = min(self.plan.brands.values(), key=lambda brand: brand.most_words)
        if count > strict.most_words:
            text = f"the message has {count} words; brand `{strict.key}` allows {strict.most_words}"
            yield diagnostic("long_message", message.file, message.begin, text)

    def _too_heavy(self, message: Message, when: str, values: dict[str, object]) -> Iterator[Diagnostic]:
        compiled = self.renderer.messages[message.name][message.locale].compiled() if self.renderer else None
        mail = fill(compiled, values) if compiled else None
        if isinstance(mail, RenderedMessage) and (size := len(mail.html.encode())) > HEAVY:
            text = f"{when}: the mail has {size // 1000} kB of HTML; Gmail cuts off what is beyond 102"
            yield diagnostic("heavy_mail", message.file, message.begin, text)


# The preview checks the folder at every save, and most messages are as they were.
_compiled = lru_cache(512)(compile_message)


@lru_cache(4)
def _without_frame(layout: Layout) -> Layout:
    """Return the layout without its frame, so that the result is only what the message says."""
    alone: Mapping[str, str] = {f"{FOLDER}layout.{suffix}": "{{ content }}" for suffix in ("html", "txt")}
    return replace(layout, files={**layout.files, **alone})
