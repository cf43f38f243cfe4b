"""Trouble is logged once a kind, waited out, and forgotten once a step succeeds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

import pytest
from structlog.testing import capture_logs

from avisa.loops import keep_going, keep_trying
from avisa.ports import DurabilityLost


class Steps:
    """Steps of which each raises or returns what comes next in `outcomes`; the last one never ends."""

    def __init__(self, outcomes: Iterable[Exception | str]) -> None:
        self.outcomes = list(outcomes)

    async def __call__(self) -> str:
        if not self.outcomes:
            await asyncio.Event().wait()
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


async def until_idle(steps: Steps) -> None:
    """Run the steps, and cancel the loop in the one that never ends."""
    running = asyncio.create_task(keep_going(steps, event="room.step_failed", pause=0))
    while steps.outcomes:
        await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


@pytest.mark.parametrize(
    ("outcomes", "logged"),
    [
        ([OSError(), OSError(), OSError()], 1),
        ([OSError(), ValueError(), OSError()], 3),
        ([OSError(), "done", OSError()], 2),
        (["done", "done"], 0),
    ],
    ids=["the same kind once", "each change of kind", "anew after a success", "nothing when all is well"],
)
async def test_a_loop_logs_each_new_kind_of_trouble_once(outcomes: list[Exception | str], logged: int) -> None:
    with capture_logs() as lines:
        await until_idle(Steps(outcomes))
    assert [line["event"] for line in lines] == ["room.step_failed"] * logged


async def test_a_step_that_is_tried_until_it_succeeds_returns_its_result() -> None:
    steps = Steps([OSError(), "first", "second"])
    assert await keep_trying(steps, event="room.step_failed", pause=0) == "first"
    assert steps.outcomes == ["second"]


@pytest.mark.parametrize("loop", [keep_going, keep_trying])
async def test_lost_durability_ends_the_loop_unlogged(loop: Callable[..., object]) -> None:
    with capture_logs() as lines, pytest.raises(DurabilityLost):
        await loop(Steps([DurabilityLost("the disk lies")]), event="room.step_failed", pause=0)  # type: ignore[misc]
    assert lines == []
