"""What a mail's words cost in the Avisa that stands on `PYTHONPATH`, which may be an old one (`render`).

It reads a line with the values of events, and for each further line does every step once and writes a line with the
processor time of each, in µs.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from avisa import events
from avisa.core import decide
from avisa.core.model import OrderEvent, Position
from avisa.ports import Draft, Record
from avisa.templates import template_folder
from avisa.templates.compile_message import compile_message
from avisa.templates.layout.layout import Layout
from avisa.templates.layout.layout import read as read_layout
from avisa.templates.open_folder import MESSAGE, owners_messages
from tests.templates.harness import SHIPPED, catalog_of

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def main() -> None:
    """Measure for as long as somebody asks."""
    steps = _steps(json.loads(sys.stdin.readline()))
    for step in steps.values():
        step()
    gc.freeze()
    for _ in sys.stdin:
        print(json.dumps({name: _cost(step) for name, step in steps.items()}), flush=True)


def _steps(values: Iterable[str]) -> dict[str, Callable[[], int]]:
    """Each does its work for all that there are, and returns how many that were."""
    files, _ = template_folder.read(SHIPPED)
    shipped = catalog_of(files)
    layout = read_layout(files)
    assert isinstance(layout, Layout)
    owners = owners_messages(shipped.plan)
    found = [(file, *match.groups()) for file in files if (match := MESSAGE.fullmatch(file))]
    messages = [(file, name, locale) for file, name, locale in found if locale == "en"]

    def compiled() -> int:
        for file, name, locale in messages:
            compile_message(files[file], file=file, locale=locale, layout=layout, for_owner=name in owners)
        return len(messages)

    def of_each(work: Callable[..., object], given: list[tuple[object, ...]]) -> Callable[[], int]:
        def done() -> int:
            for one in given:
                work(*one)
            return len(given)

        return done

    position = Position(topic="orders", partition=0, offset=0)
    records = [Record(position=position, timestamp=NOON, key=None, headers=(), value=it.encode()) for it in values]
    read = [event for record in records if isinstance(event := events.read(record), OrderEvent)]
    decisions = [decide.on_event(None, event, shipped.plan, NOON) for event in read]
    told = [(one, decision.order) for decision in decisions for one in decision.notifications]
    drafts = [(one, draft) for one, order in told if isinstance(draft := shipped.draft(one, order, NOON), Draft)]
    assert len(drafts) == len(records), (len(drafts), len(records))
    return {
        "compile a message, when it is saved": compiled,
        "read an event": of_each(events.read, [(record,) for record in records]),
        "decide about it": of_each(decide.on_event, [(None, event, shipped.plan, NOON) for event in read]),
        "draft its mail": of_each(shipped.draft, [(one, order, NOON) for one, order in told]),
        "fill it": of_each(shipped.render, [(draft,) for _, draft in drafts]),
        "fill it and put it into its envelope": of_each(shipped.compose, list(drafts)),
    }


def _cost(step: Callable[[], int]) -> float:
    began = time.process_time()
    many = step()
    return (time.process_time() - began) * 1e6 / many


if __name__ == "__main__":
    main()
