"""Statuses of the plan beside the stages that customers read for them: where the two nearly agree, one has a slip."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from avisa.diagnostics.diagnostic import Diagnostic
from avisa.diagnostics.suggest import closest_match
from avisa.diagnostics.yaml_reader import parse
from avisa.lint.codes import diagnostic
from avisa.lint.located_plan import LocatedPlan
from avisa.templates.layout.layout import WORDS, Layout

_SIMILARITY = 0.75  # from 0 to 1, at which one name is taken for a slip of the other


def check_stages(located: LocatedPlan, layout: Layout, files: Mapping[str, str]) -> Iterator[Diagnostic]:
    """Statuses without a stage of their name, and stages without a status, where the other has nearly that name."""
    planned = list(located.plan.touchpoints)
    named = {stage for words in layout.words.values() for stage in words.stages}
    for status in planned:
        near = None if status in named else closest_match(status, sorted(named.difference(planned)), _SIMILARITY)
        if near is not None:
            text = f"perhaps no order is ever at `{status}`; {WORDS} calls a stage `{near}`"
            yield diagnostic("unlikely_status", located.file, located.key("touchpoints", status), text, near)
    document = parse(files[WORDS])
    for locale, words in layout.words.items():
        for stage in words.stages:
            unnamed = [status for status in planned if status not in words.stages]
            near = None if stage in planned else closest_match(stage, unnamed, _SIMILARITY)
            if near is not None:
                text = f"the plan has no status `{stage}`, and no word stands for `{near}` in `{locale}`"
                yield diagnostic("unlikely_status", WORDS, document.key((locale, "stages", stage)), text, near)
