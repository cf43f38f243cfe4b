"""Every message in every language, written for every sample order and every purpose it serves; and what is wrong
with what came out."""

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
from avisa.lint.codes import problem
from avisa.lint.dead_conditions import filtered
from avisa.lint.message import Message
from avisa.lint.sample_events import SAMPLES, Given
from avisa.ports import CannotRender, RenderedMessage
from avisa.templates.compile_message import Compiled, compile_message
from avisa.templates.layout.layout import FOLDER, Layout
from avisa.templates.renderer import Renderer, fill

LONG_SUBJECT = 78  # characters; RFC 5322 section 2.1.1
HEAVY = 100_000  # octets; Gmail clips at 102 kB
_WORD = re.compile(r"\w[\w'’.,@:/-]*")
_LINE = re.compile(r" line (\d+): ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Tries messages under one plan."""

    plan: Plan
    layout: Layout
    press: Renderer | None  # None: some message has an error, so there is no whole mail to weigh
    owners: frozenset[str]  # the messages that owners get
    now: datetime
    given: Sequence[Given] = ()  # the operator's own samples

    def of(self, message: Message) -> Iterator[Diagnostic]:
        """What comes of writing the message; each kind of problem once, with the first occasion that shows it."""
        compiled, _ = _compiled(
            message.source.text,
            file=message.file,
            locale=message.locale,
            layout=_bare(self.layout),
            for_owner=message.name in self.owners,
        )
        if compiled is None:
            return
        told: set[str] = set()
        values_written = list(filtered(message))
        for occasion, sample, values in self._occasions(message.name):
            for found in self._looked_at(message, compiled, occasion, sample, values):
                if found.code not in told:
                    told.add(found.code)
                    yield found
            for one in values_written:
                one.try_with(values)
        for one in values_written:
            if wrong := one.wrong:
                yield problem("not_written", message.file, one.place, wrong, one.instead)

    def _occasions(self, name: str) -> Iterator[tuple[str, str, dict[str, object]]]:
        first = next(iter(self.plan.touchpoints))
        for use in list(samples.uses(name, self.plan)) or [(first, Purpose.UPDATE, "1")]:
            for sample, (order, notification) in samples.samples_of(use, self.plan, self.now).items():
                values = context.build(order, notification, self.plan, self.now, facts.view(order))
                values["_zone"] = "UTC"
                yield f"{use[1]} at `{use[0]}`", sample, values
        for given in self.given:
            made = samples.occasion(name, given.order, self.plan, self.now)
            if made is not None:
                order, notification = made
                values = context.build(order, notification, self.plan, self.now, facts.view(order))
                values["_zone"] = "UTC"
                yield f"{notification.purpose} at `{notification.status}`", f"{SAMPLES}:{given.line}", values

    def _looked_at(
        self, message: Message, compiled: Compiled, occasion: str, sample: str, values: dict[str, object]
    ) -> Iterator[Diagnostic]:
        subject, short = message.source.subject.place(0), message.source.short.place(0)
        when = f"{occasion}, sample `{sample}`"
        words = fill(compiled, values)
        if isinstance(words, CannotRender):
            line = _LINE.search(words.problem)
            place = (int(line[1]), 1) if line else subject
            what = words.problem.removeprefix(f"{message.file}: ")
            yield problem("cannot_render", message.file, place, f"{when}: {what}")
            return
        for part, place, text in (("short", short, words.short), ("message", message.begin, words.text)):
            if not text.strip():
                told = f"the {part} comes out empty: {when}"
                yield problem("empty_result", message.file, place, told)
        if sample == "full":
            yield from self._too_long(message, words)
        yield from self._too_heavy(message, when, values)

    def _too_long(self, message: Message, words: RenderedMessage) -> Iterator[Diagnostic]:
        if (length := len(words.subject)) > LONG_SUBJECT:
            told = f"the subject has {length} characters; many mail programs cut it off at {LONG_SUBJECT} or before"
            yield problem("long_subject", message.file, message.source.subject.place(0), told)
        count = len(_WORD.findall(words.text))
        strict = min(self.plan.brands.values(), key=lambda brand: brand.most_words)
        if count > strict.most_words:
            told = f"the message has {count} words; brand `{strict.key}` allows {strict.most_words}"
            yield problem("long_message", message.file, message.begin, told)

    def _too_heavy(self, message: Message, when: str, values: dict[str, object]) -> Iterator[Diagnostic]:
        whole = self.press.messages[message.name][message.locale] if self.press else None
        words = fill(whole, values) if whole else None
        if isinstance(words, RenderedMessage) and (size := len(words.html.encode())) > HEAVY:
            told = f"{when}: the mail has {size // 1000} kB of HTML; Gmail cuts off what is beyond 102"
            yield problem("heavy_mail", message.file, message.begin, told)


# The page of messages asks again at every save, and most messages are as they were.
_compiled = lru_cache(512)(compile_message)


@lru_cache(4)
def _bare(layout: Layout) -> Layout:
    """The layout without its frame, so that what comes out is what the message says."""
    alone: Mapping[str, str] = {f"{FOLDER}layout.{twin}": "{{ content }}" for twin in ("html", "txt")}
    return replace(layout, files={**layout.files, **alone})
