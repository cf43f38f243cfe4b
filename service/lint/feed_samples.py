"""Records as they are in a topic, mapped by its feed: `samples/TOPIC.jsonl` beside the plan, each on one line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from avisa import events
from avisa.core.model import OrderEvent, Position
from avisa.core.plan import Plan
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.diagnostics.suggest import closest_match
from avisa.events.decode import parsed
from avisa.events.schema import DecodeError
from avisa.lint.codes import diagnostic
from avisa.lint.located_plan import LocatedPlan
from avisa.ports import Record, Skipped, Taken, Unreadable

SAMPLES = "samples/*.jsonl"
_MOST_SUGGESTIONS = 30  # after so many records no more suggestions are looked for, which takes a while


@dataclass(frozen=True, slots=True)
class Trial:
    """What becomes of one record, and the fields for which there was nothing in it, each with the path that was
    probably meant."""

    taken: Taken
    missing: Mapping[str, str | None] = field(default_factory=dict)


def tried(value: bytes, line: int, topic: str, plan: Plan, now: datetime) -> Trial:
    """Read a record as the service would, were it in the topic now. What a schema registry would describe is written
    as JSON."""
    position = Position(topic=topic, partition=0, offset=line)
    record = Record(position=position, timestamp=now, key=None, headers=(), value=value)
    record, known = events.as_described(record, plan.events)
    taken, feed = events.read(record, rules=plan.events, schemas=known), plan.events.feeds.get(topic)
    if feed is None or isinstance(taken, Skipped):
        return Trial(taken)
    try:
        return Trial(taken, feed.missing(parsed(value)))
    except DecodeError:
        return Trial(taken)


def check_topics(located: LocatedPlan, topics: Collection[str] | None) -> Iterator[Diagnostic]:
    """Feeds of topics that the service does not read."""
    for topic in located.plan.events.feeds:
        if topics is not None and topic not in topics:
            text = f"the feed of {topic} is never used: AVISA_KAFKA__TOPICS does not name that topic"
            near = closest_match(topic, topics)
            yield diagnostic("unread_topic", located.file, located.key("feeds", topic), text, near)


def check_samples(
    located: LocatedPlan, files: Iterable[tuple[str, str | Diagnostic]], now: datetime
) -> Iterator[Diagnostic]:
    """What is wrong with the samples of each topic, and what their feeds find in too few of them."""
    for name, text in files:
        if isinstance(text, Diagnostic):
            yield text
            continue
        topic = name.removeprefix("samples/").removesuffix(".jsonl")
        lines = enumerate(text.removeprefix("\ufeff").split("\n"), start=1)
        trials = {n: tried(line.encode(), n, topic, located.plan, now) for n, line in lines if line.strip()}
        yield from _of_records(name, trials, located.plan)
        yield from _of_fields(topic, trials.values(), located)


def _of_records(file: str, trials: Mapping[int, Trial], plan: Plan) -> Iterator[Diagnostic]:
    for number, (line, trial) in enumerate(trials.items()):
        match trial.taken:
            case Unreadable(message=message):
                text = f"this record would become a dead letter: {message}"
                yield diagnostic("bad_sample", file, (line, 1), text)
            case OrderEvent(status=status) if not plan.knows(status):
                near = closest_match(status, plan.touchpoints) if number < _MOST_SUGGESTIONS else None
                text = f"`{status[:60]}` has no touchpoint in the plan"
                yield diagnostic("unplanned_status", file, (line, 1), text, near)


def _of_fields(topic: str, trials: Collection[Trial], located: LocatedPlan) -> Iterator[Diagnostic]:
    """At the field of the feed: in how many samples it finds nothing, or nothing to be used."""
    feed = located.plan.events.feeds.get(topic)
    asked = [trial for trial in trials if not isinstance(trial.taken, Skipped)]
    missing = Counter(name for trial in asked for name in trial.missing)
    unused = Counter(name for trial in asked if isinstance(trial.taken, OrderEvent) for name in trial.taken.left_out)
    for counted, problem in ((missing, "finds nothing"), (unused, "finds nothing to be used")):
        for name, count in sorted(counted.items()):
            origin = feed.origin(name) if feed is not None else None
            if origin is not None:
                meant = Counter(near for trial in asked if (near := trial.missing.get(name)) is not None)
                suggestion = meant.most_common(1)[0][0] if counted is missing and meant else None
                text = f"{name}: `{origin}` {problem} in {count} of {len(asked)} samples"
                place = located.at("feeds", topic, "fields", name)
                yield diagnostic("unfilled_field", located.file, place, text, suggestion)
