"""Statuses against the words that customers read for them: a slip in one of the two is seen by the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from avisa.diagnostics.diagnostic import Diagnostic
from avisa.diagnostics.suggest import closest_match
from avisa.diagnostics.yaml_reader import parse
from avisa.lint.codes import problem
from avisa.lint.plan_lints import Map
from avisa.templates.layout.layout import WORDS, Layout

_NEARLY = 0.75  # how like the two are where one is meant by the other


def of_stages(chart: Map, layout: Layout, texts: Mapping[str, str]) -> Iterator[Diagnostic]:
    """Statuses of the plan, and stages of the words, that are nearly those of the other."""
    planned = list(chart.plan.touchpoints)
    named = {stage for words in layout.words.values() for stage in words.stages}
    for status in planned:
        near = None if status in named else closest_match(status, sorted(named.difference(planned)), _NEARLY)
        if near is not None:
            told = f"perhaps no order is ever at `{status}`; {WORDS} calls a stage `{near}`"
            yield problem("unlikely_status", chart.file, chart.key("touchpoints", status), told, near)
    document = parse(texts[WORDS])
    for locale, words in layout.words.items():
        for stage in words.stages:
            wanting = [status for status in planned if status not in words.stages]
            near = None if stage in planned else closest_match(stage, wanting, _NEARLY)
            if near is not None:
                place = document.key((locale, "stages", stage))
                told = f"the plan has no status `{stage}`, and no word stands for `{near}` in `{locale}`"
                yield problem("unlikely_status", WORDS, (place.line, place.column), told, near)
