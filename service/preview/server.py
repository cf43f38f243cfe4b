"""`avisa preview --serve`: a page of every message, made anew whenever a file of the folder is saved."""

from __future__ import annotations

import asyncio
import hashlib
import re
import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from avisa import plan_file, telemetry
from avisa.catalog import PLAN, Catalog, Installation, ReadPlan
from avisa.clock import clock_of
from avisa.core import samples
from avisa.core.model import Order, Purpose
from avisa.core.plan import Plan
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.lint import check
from avisa.lint.sample_events import SAMPLES
from avisa.ports import CannotRender, Clock, RenderedMessage
from avisa.preview.page import Message, build
from avisa.preview.render import NONE, own_samples, preview
from avisa.settings import Settings
from avisa.settings.errors import Misconfigured
from avisa.templates import template_folder
from avisa.templates.compile_folder import assemble
from avisa.web.server import CannotListen, Server, listen

ADVICE_AFTER = 0.7  # seconds without another change, since advice takes some seconds itself
HOST = "127.0.0.1"  # and no other: the page asks nobody who they are

_MESSAGE = re.compile(r"messages/([^/]+)/([^/]+)\.md")


async def serve(settings: Settings, *, port: int, ready: Callable[[str], None]) -> None:
    """Serve the page until SIGINT or SIGTERM; `ready` is told its address. Raises Misconfigured."""
    telemetry.configure(level="error", fd=2)
    listener = listen(HOST, port)
    if isinstance(listener, CannotListen):
        raise Misconfigured([f"--port: {port} on {HOST} cannot be had; choose another, or 0 for any that is free"])
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    desk = Desk(
        template_folder.locate(settings.templates),
        partial(plan_file.read, file=PLAN, tell_from=settings.kafka.tell_from),
        clock_of(settings.clock),
        settings.public_url,
    )
    await desk.look()
    server = Server(build(desk), listener)
    await server.start()
    following = asyncio.create_task(desk.follow())
    try:
        ready(f"http://{HOST}:{server.port}/")
        await stop.wait()
    finally:
        following.cancel()
        await desk.close()
        await server.stop()


class Desk:
    """The newest look at the template folder, and of what cannot be used the last that could."""

    def __init__(self, folder: Path, read_plan: ReadPlan, clock: Clock, public_url: str | None) -> None:
        self.folder = folder
        self.version = ""
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
        """Look whenever somebody saves a file."""
        async for _ in template_folder.watch(self.folder):
            await self.look()

    async def look(self) -> None:
        """Read the folder and make of it what can be made; advice on it follows when there is time."""
        try:
            files, unread = template_folder.read(self.folder)
            own = template_folder.beside(self.folder, SAMPLES)
        except OSError as error:
            files, unread, own = {}, [_unreadable(error)], None
        version = hashlib.sha256(repr((sorted(files.items()), unread, own)).encode()).hexdigest()[:16]
        if version == self.version.partition(".")[0]:
            return
        plan, catalog, problems = await asyncio.to_thread(self._made, version, files)
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
        """Whatever `avisa check` says of the folder."""
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

    def _made(self, version: str, files: Mapping[str, str]) -> tuple[Plan | None, Catalog | None, list[Diagnostic]]:
        read = self._read_plan(files[PLAN]) if PLAN in files else [_no_plan()]
        problems = read if isinstance(read, list) else []
        plan = self._plan if isinstance(read, list) else read
        if plan is None:
            return None, None, problems
        press, found = assemble(files, plan)
        if press is None:
            return plan, None, problems + found
        made = Catalog(version=version, plan=plan, renderer=press, installation=self._installation)
        return plan, made, problems + found

    async def close(self) -> None:
        """End all that waits for a change."""
        if self._advising is not None:
            self._advising.cancel()
        async with self._changed:
            self._closed = True
            self._changed.notify_all()

    # ------------------------------------------------------------ what the page asks

    def messages(self) -> Sequence[Message]:
        """In the order in which the plan tells them, then those that it does not use."""
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
            _message(name, written[name], _told(name, plan), (*samples.samples(name, plan, now), *own))
            for name in names
        ]

    def words(self, message: str, locale: str, sample: str) -> RenderedMessage | CannotRender | None:
        if self._catalog is None or f"messages/{message}/{locale}.md" not in self._files:
            return None
        try:
            proof = preview(
                self._catalog, message, now=self._clock.now(), locale=locale, sample=sample, own=self._own
            )
        except LookupError:  # it could not be used, or is newer than the last catalog that could be made
            return None
        return proof if isinstance(proof, CannotRender) else proof.words

    def line(self, problem: Diagnostic) -> str | None:
        lines = self._files.get(problem.file, "").splitlines()
        return lines[problem.line - 1] if problem.line and problem.line <= len(lines) else None

    async def changes(self) -> AsyncIterator[str]:
        told = None
        while not self._closed:
            if told != self.version:
                told = self.version
                yield told
            async with self._changed:
                await self._changed.wait_for(lambda told=told: self._closed or self.version != told)  # type: ignore[misc]


def _message(name: str, locales: set[str], told: tuple[str, ...], made: tuple[str, ...]) -> Message:
    return Message(name=name, told=told, locales=tuple(sorted(locales)), samples=made)


def _in_order(plan: Plan) -> list[str]:
    """The messages of the plan: the touchpoints' own first, then those for special occasions."""
    touchpoints = (*plan.touchpoints.values(), plan.unknown)
    own = [touchpoint.message for touchpoint in touchpoints]
    return list(dict.fromkeys([*own, *(name for it in touchpoints for name in it.messages.values())]))


def _told(name: str, plan: Plan) -> tuple[str, ...]:
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


_FEW = 3
_MOST_OWN = 20  # samples of the operator's own that can be chosen on the page


def _unreadable(error: OSError) -> Diagnostic:
    return Diagnostic(code="unreadable", file=".", message=error.strerror or "the folder cannot be read")


def _no_plan() -> Diagnostic:
    return Diagnostic(code="missing_file", file=PLAN, message="there is no plan")
