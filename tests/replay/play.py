"""A whole replay: start, publish at the virtual moments, wait for the last reminder, judge, report."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from email.header import decode_header, make_header
from pathlib import Path
from typing import Any

from tests.oracle import Kind, Verdict
from tests.oracle.testimony import Clockwork
from tests.replay.harness import Stage, silence_ends
from tests.replay.publisher import publish, real_now
from tests.tools.orders import Scheduled

START = datetime(2026, 3, 2, tzinfo=UTC)
LEAD = timedelta(seconds=20)  # real time for the service to start, before the first event happens


def clock_at(speed: float, start: datetime = START) -> Clockwork:
    """A virtual clock that shows `start` now. Start the service first, then publish what happens after."""
    return Clockwork(start=start, origin=real_now(), speed=speed)


async def play(stage: Stage, scheduled: Sequence[Scheduled], *, say: Callable[[str], None] = print) -> Verdict:
    """Play it to its end. The service is started and stopped here, everything else is running."""
    await asyncio.to_thread(stage.avisa, "migrate")
    stage.start()
    try:
        if not await asyncio.to_thread(stage.wait_ready):
            raise RuntimeError(f"the service ended at its start:\n{stage.log_tail()}")
        say(f"ready after {(real_now() - stage.starts[0]).total_seconds():.1f} s")
        await _publish(stage, scheduled, say)
        end = silence_ends(stage.published, stage.plan()) + 2 * stage.patience * stage.clock.speed
        say(f"all published; silence ends in {(stage.clock.real(end) - real_now()).total_seconds():.0f} s")
        while real_now() < stage.clock.real(end) or not await asyncio.to_thread(stage.settled):
            if stage.dead:
                raise RuntimeError(f"the service ended:\n{stage.log_tail()}")
            await asyncio.sleep(min(5.0, max(0.5, (stage.clock.real(end) - real_now()).total_seconds())))
        verdict = await asyncio.to_thread(stage.judge, stage.clock.virtual(real_now()))
    finally:
        code = await asyncio.to_thread(stage.stop)
    if code:
        raise RuntimeError(f"the service ended with {code}:\n{stage.log_tail()}")
    return verdict


async def _publish(stage: Stage, scheduled: Sequence[Scheduled], say: Callable[[str], None]) -> None:
    publishing = asyncio.ensure_future(publish(stage.servers, stage.topic, scheduled, stage.clock, stage.published))
    while not publishing.done():
        await asyncio.wait({publishing}, timeout=30)
        if stage.dead:
            publishing.cancel()
            raise RuntimeError(f"the service ended:\n{stage.log_tail()}")
        now = stage.clock.virtual(real_now())
        say(f"{now:%Y-%m-%d %H:%M}  {len(stage.published)} events, {stage.sink.count()} mails")
    await publishing


def report(stage: Stage, verdict: Verdict, out: Path) -> dict[str, Any]:
    """Write events.jsonl, mails.jsonl and replay.json (docs/reference.md, JSON); returns the last."""
    with (out / "events.jsonl").open("w", encoding="utf-8") as file:
        for record in stage.published:
            file.write(json.dumps({**record.event, "published_at": _text(record.at)}, ensure_ascii=False) + "\n")
    with (out / "mails.jsonl").open("w", encoding="utf-8") as file:
        for mail in stage.received():
            line = {
                "at": _text(mail.at),
                "to": mail.to,
                "message_id": mail.message_id,
                "subject": str(make_header(decode_header(mail.subject))),
                "order_id": verdict.order_of.get(mail.message_id),
                "purpose": mail.purpose,
            }
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
    counts = stage.counts()
    summary = {
        "events": len(stage.published),
        "orders": len({record.order_id for record in stage.published}),
        "mails": dict(verdict.mails),
        "compared": _compared(stage, out / "events.jsonl"),
        "over_told_date": verdict.count(Kind.OVER_TOLD_DATE),
        "max_lateness_real_s": round(verdict.max_lateness_real_s, 3),
        "duplicates": verdict.count(Kind.DUPLICATE) + verdict.count(Kind.OTHER_BYTES),
        "lost": verdict.count(Kind.LOST),
        "out_of_order": verdict.count(Kind.OUT_OF_ORDER),
        "counts": {"events": counts.events, "notifications": counts.notifications},
        "oracle": {kind: verdict.count(kind) for kind in Kind},
        "warn_before": stage.avisa("check", "--live")["warn_before"],
        "speed": stage.clock.speed,
    }
    (out / "replay.json").write_text(json.dumps(summary, indent=2, ensure_ascii=False) + "\n", "utf-8")
    (out / "violations.txt").write_text("".join(f"{one}\n" for one in verdict.violations), "utf-8")
    return summary


def _compared(stage: Stage, events: Path) -> dict[str, Any]:
    """How many messages of each purpose were mailed up to the last event, where `avisa simulate` ends, and how many
    it foretells. They differ where two things happened within a second or so of each other, which is an hour and a
    half here, and by owners' alerts, of which it lists each and a mail tells many."""
    until = stage.published[-1].at
    mailed = {mail.message_id: mail.purpose for mail in stage.received() if mail.at <= until}
    told = stage.avisa("simulate", str(events.resolve()), "--plan", str(stage.templates))
    foretold: Counter[str] = Counter()
    for touchpoint in told["touchpoints"].values():
        foretold.update(touchpoint["messages"])
    return {"until": _text(until), "mails": dict(Counter(mailed.values())), "simulated": dict(foretold)}


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
