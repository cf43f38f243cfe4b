"""The template folder as the page of messages shows it."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from avisa.catalog import PLAN, Catalog, Installation, ReadPlan
from avisa.core import samples
from avisa.core.model import Order, Purpose
from avisa.core.plan import Plan
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.lint import check
from avisa.lint.sample_events import SAMPLES
from avisa.ports import CannotRender, Clock, RenderedMessage
from avisa.preview.render import NONE, own_samples, preview
from avisa.templates import template_folder
from avisa.templates.compile_folder import assemble
from avisa.templates.folder_watch import FolderWatch

ADVICE_AFTER = 0.7  # seconds without another change, since advice takes some seconds itself

_MESSAGE = re.compile(r"messages/([^/]+)/([^/]+)\.md")
_FEW = 3
_MOST_OWN = 20  # samples of the operator's own that can be chosen on the page


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message, the occasions on which the plan sends it, and its languages and samples."""

    name: str
    occasions: tuple[str, ...]
    locales: tuple[str, ...]
    samples: tuple[str, ...]


class PreviewedFolder:
    """What the newest look at the folder found. While the plan or the messages are wrong, the last good ones stay."""

    def __init__(self, folder: Path, read_plan: ReadPlan, clock: Clock, public_url: str | None) -> None:
        self.folder = folder
        self._watch = FolderWatch(folder)
        self.version = ""  # changes whenever anything that the page shows may have changed
        self.problems: Sequence[Diagnostic] = ()
        self._read_plan = read_plan
        self._clock = clock
        self._installation = Installation(secret=b"a preview unsubscribes nobody", public_url=public_url)
        self._files: Mapping[str, str] = {}
        self._advice: Sequence[Diagnostic] = ()
        self._advising: asyncio.Task[None] | None = None
        self._plan: Plan | None = None
        self._own: Mapping[str, Order] = NONE
        self._catalog: Catalog | None = None
        self._changed = asyncio.Condition()
        self._closed = False

    async def follow(self) -> None:
        """Look whenever a file is saved. Never returns."""
        async for _ in self._watch.changes():
            await self.look()

    async def look(self) -> None:
        """Read the folder and compile it; what `avisa check` finds follows, when nothing was saved for a moment."""
        try:
            files, unread = template_folder.read(self.folder)
            own = template_folder.beside(self.folder, SAMPLES)
        except OSError as error:
            problem = error.strerror or "the folder cannot be read"
            files, unread, own = {}, [Diagnostic(code="unreadable", file=".", message=problem)], None
        version = hashlib.sha256(repr((sorted(files.items()), unread, own)).encode()).hexdigest()[:16]
        if version == self.version.partition(".")[0]:
            return
        plan, catalog, problems = await asyncio.to_thread(self._compile, version, files)
        # Advice on what did not change still holds, and knows places that a push does not look for.
        held = [it for it in self._advice if files.get(it.file) == self._files.get(it.file)]
        known = {(it.code, it.file) for it in held}
        self._files = files
        self._plan = plan or self._plan
        self._catalog = catalog or self._catalog
        if self._plan is not None:
            self._own = own_samples(own, self._plan, self._clock.now())
        await self._show(version, [*held, *(it for it in [*unread, *problems] if (it.code, it.file) not in known)])
        if self._advising is not None:
            self._advising.cancel()
        self._advising = asyncio.create_task(self._advise(version))

    async def _advise(self, version: str) -> None:
        """Find all that `avisa check` finds in the folder."""
        await asyncio.sleep(ADVICE_AFTER)
        try:
            advice = await asyncio.to_thread(check, self.folder, self._read_plan, now=self._clock.now())
        except OSError:  # the folder is gone; whoever follows it looks again
            return
        self._advice = advice
        await self._show(f"{version}.advised", advice)

    async def _show(self, version: str, problems: Sequence[Diagnostic]) -> None:
        self.problems = sorted(problems, key=lambda it: (it.file, it.line or 0, it.column or 0))
        async with self._changed:
            self.version = version
            self._changed.notify_all()

    def _compile(
        self, version: str, files: Mapping[str, str]
    ) -> tuple[Plan | None, Catalog | None, list[Diagnostic]]:
        no_plan = Diagnostic(code="missing_file", file=PLAN, message="there is no plan")
        read = self._read_plan(files[PLAN]) if PLAN in files else [no_plan]
        problems = read if isinstance(read, list) else []
        plan = self._plan if isinstance(read, list) else read
        if plan is None:
            return None, None, problems
        renderer, found = assemble(files, plan)
        if renderer is None:
            return plan, None, problems + found
        made = Catalog(version=version, plan=plan, renderer=renderer, installation=self._installation)
        return plan, made, problems + found

    async def close(self) -> None:
        """End every `changes`."""
        if self._advising is not None:
            self._advising.cancel()
        async with self._changed:
            self._closed = True
            self._changed.notify_all()

    # ------------------------------------------------------------ what the page asks

    def messages(self) -> Sequence[Message]:
        """In the order of the plan's touchpoints; last those that the plan does not use."""
        written: dict[str, set[str]] = {}
        for file in self._files:
            if found := _MESSAGE.fullmatch(file):
                written.setdefault(found[1], set()).add(found[2])
        plan = self._plan
        if plan is None:
            return [_message(name, locales, (), ("full",)) for name, locales in sorted(written.items())]
        now, own = self._clock.now(), list(self._own)[:_MOST_OWN]
        order = {name: place for place, name in enumerate(_in_order(plan))}
        names = sorted(written, key=lambda name: (order.get(name, len(order)), name))
        return [
            _message(name, written[name], _occasions(name, plan), (*samples.samples(name, plan, now), *own))
            for name in names
        ]

    def rendered(self, message: str, locale: str, sample: str) -> RenderedMessage | CannotRender | None:
        """The message about that sample; None where its file cannot be used."""
        if self._catalog is None or f"messages/{message}/{locale}.md" not in self._files:
            return None
        try:
            previewed = preview(
                self._catalog, message, now=self._clock.now(), locale=locale, sample=sample, own=self._own
            )
        except LookupError:  # it could not be used, or is newer than the last catalog that could be made
            return None
        return previewed if isinstance(previewed, CannotRender) else previewed.rendered

    def line(self, problem: Diagnostic) -> str | None:
        """The line of the file that the problem is about, if there is one."""
        lines = self._files.get(problem.file, "").splitlines()
        return lines[problem.line - 1] if problem.line and problem.line <= len(lines) else None

    async def changes(self) -> AsyncIterator[str]:
        """The version, now and whenever it changes, until `close`."""
        sent = None
        while not self._closed:
            if sent != self.version:
                sent = self.version
                yield sent
            async with self._changed:
                await self._changed.wait_for(lambda sent=sent: self._closed or self.version != sent)  # type: ignore[misc]


def _message(name: str, locales: set[str], occasions: tuple[str, ...], made: tuple[str, ...]) -> Message:
    return Message(name=name, occasions=occasions, locales=tuple(sorted(locales)), samples=made)


def _in_order(plan: Plan) -> list[str]:
    """The messages of the plan: the touchpoints' own first, then those for special occasions."""
    touchpoints = (*plan.touchpoints.values(), plan.unknown)
    own = [touchpoint.message for touchpoint in touchpoints]
    occasional = (name for it in touchpoints for _, _, _, name in plan.besides(it))
    return list(dict.fromkeys([*own, *occasional]))


def _occasions(name: str, plan: Plan) -> tuple[str, ...]:
    """On which occasions: `shipped`, or `reminder in confirmed`; one of many stands for all."""
    found: dict[str, list[str]] = {}
    for status, purpose, ordinal in samples.uses(name, plan):
        kind = ordinal if purpose is Purpose.OWNER_ALERT else purpose.value
        place = "a status that the plan does not know" if status == samples.OFF_THE_MAP else status
        found.setdefault(kind.replace("_", " "), []).append(place)
    return tuple(
        f"{kind} in {', '.join(statuses) if len(statuses) <= _FEW else f'{len(statuses)} statuses'}"
        for kind, statuses in found.items()
    )
