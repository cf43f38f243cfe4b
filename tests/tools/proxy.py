"""A stand-in for a port that passes every call on, counts it, and ends the process where it is told to.

The process ends by SIGKILL, before a call or after it, so nothing of ours gets to tidy up. What was called is
appended to a file that outlives the process, so a sweep can tell which steps there are and that it reached
each of them.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

When = Literal["before", "after"]


@dataclass(frozen=True, slots=True)
class Step:
    """A moment in the life of a process: before or after the n-th call of a name."""

    name: str
    when: When
    nth: int = 1

    def __str__(self) -> str:
        return f"{self.when}:{self.name}:{self.nth}"

    @classmethod
    def read(cls, text: str) -> Step:
        when, name, nth = text.split(":")
        return cls(name, "before" if when == "before" else "after", int(nth))


@dataclass(slots=True)
class Meter:
    """Counts calls by name in this process, and ends it at a step."""

    record: Path
    fatal: Step | None = None
    counts: Counter[tuple[str, When]] = field(default_factory=Counter)

    def at(self, name: str, when: When) -> None:
        """The process is at this moment now; it may not survive it."""
        self.counts[name, when] += 1
        step = Step(name, when, self.counts[name, when])
        descriptor = os.open(self.record, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.write(descriptor, f"{step}\n".encode())
        os.close(descriptor)
        if step == self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)


def reached(record: Path) -> Iterator[Step]:
    """What a meter wrote."""
    if record.exists():
        yield from map(Step.read, record.read_text().splitlines())


# Names a call by its arguments and, once it is over, its answer; None: not worth counting. Before the call the
# answer is `...`.
Naming = Callable[[tuple[Any, ...], dict[str, Any], Any], str | None]


def named(name: str) -> Naming:
    return lambda _args, _kwargs, _answer: name


def if_any(name: str) -> Naming:
    """Counts only calls that brought something, so only after them: for what is polled."""
    return lambda _args, _kwargs, answer: name if answer is not ... and answer else None


def metered(meter: Meter, naming: Naming, call: Callable[..., Any]) -> Callable[..., Any]:
    """The call, with its moments told to the meter; it may answer at once or later."""

    def told(args: tuple[Any, ...], kwargs: dict[str, Any], answer: Any, when: When) -> None:
        if (name := naming(args, kwargs, answer)) is not None:
            meter.at(name, when)

    async def later(args: tuple[Any, ...], kwargs: dict[str, Any], awaited: Any) -> Any:
        answer = await awaited
        told(args, kwargs, answer, "after")
        return answer

    def through(*args: Any, **kwargs: Any) -> Any:
        told(args, kwargs, ..., "before")
        answer = call(*args, **kwargs)
        if isinstance(answer, asyncio.Future):
            return asyncio.ensure_future(later(args, kwargs, answer))
        if inspect.isawaitable(answer):
            return later(args, kwargs, answer)
        told(args, kwargs, answer, "after")
        return answer

    return through


class Proxy:
    """Stands in for `inner`; the methods in `calls` are metered, everything else is passed on."""

    def __init__(self, inner: object, meter: Meter, calls: Mapping[str, Naming]) -> None:
        self._inner = inner
        self._through = {method: metered(meter, naming, getattr(inner, method)) for method, naming in calls.items()}

    def __getattr__(self, name: str) -> Any:
        return self._through.get(name) or getattr(self._inner, name)
