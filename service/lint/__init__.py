"""`avisa check`: everything that is wrong with a template folder, or could be better, without putting it in force.

What a push refuses is an error, and so is what it has no time to see: a mail of which nothing is left. All else
only advises, and takes its time, which a push does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

from avisa.catalog import PLAN, ReadPlan, examine
from avisa.core.model import Order
from avisa.core.observed import ObservedVariables
from avisa.core.plan import Plan
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.diagnostics.yaml_reader import parse
from avisa.lint import accessibility, client_support, dead_conditions, leftover_markdown, message, style
from avisa.lint.codes import problem
from avisa.lint.observed_variables import of_live
from avisa.lint.plan_lints import Map, of_map
from avisa.lint.plan_vs_history import of_history
from avisa.lint.sample_events import SAMPLES, Given
from avisa.lint.sample_events import read as read_samples
from avisa.lint.stage_names import of_stages
from avisa.lint.trial_render import Trial
from avisa.templates import template_folder
from avisa.templates.compile_folder import MESSAGE, compile_folder, owners_messages
from avisa.templates.compile_message import compile_message
from avisa.templates.layout import layout as layouts
from avisa.templates.renderer import Renderer

_SOME_DAY = datetime(2026, 3, 2, 10, 15, tzinfo=UTC)


def check(
    folder: Path,
    read_plan: ReadPlan,
    *,
    now: datetime = _SOME_DAY,
    orders: Sequence[Order] = (),
    brought: Sequence[ObservedVariables] = (),
) -> list[Diagnostic]:
    """All problems of a folder, by file and line. Raises OSError if it cannot be read at all.

    `orders` are real ones, to hold the plan against, and `brought` is what live events brought, to hold the messages
    against; `now` is when the year begins for which silence is worked out.
    """
    files, problems = template_folder.read(folder)
    plan, press, found = examine(files, read_plan, compile_folder)
    unread = {it.file for it in problems}
    problems += [it for it in found if not (it.code in ("missing_file", "missing_locale") and it.file in unread)]
    problems += _astray(folder)
    if plan is None:
        problems += _written(files)
    else:
        given, wrong = _samples(folder, plan, now)
        problems += wrong
        whole = press if isinstance(press, Renderer) else None
        # What could not be compiled is too much for advice, too, and there is enough to say of it.
        faulty = {it.file for it in problems if it.severity == "error" and it.code != "cannot_render"} - {PLAN}
        sound = {file: text for file, text in files.items() if file not in faulty}
        more = list(_advice(sound, plan, whole, now, orders, brought, given))
        placed = {(it.code, it.file) for it in more}  # the trial knows lines where a push does not look for them
        problems = [it for it in problems if (it.code, it.file) not in placed] + more
    return sorted(problems, key=lambda it: (it.file, it.line or 0, it.column or 0, it.code))


def _advice(
    files: Mapping[str, str],
    plan: Plan,
    press: Renderer | None,
    now: datetime,
    orders: Sequence[Order],
    brought: Sequence[ObservedVariables],
    given: Sequence[Given],
) -> Iterator[Diagnostic]:
    document = parse(files[PLAN])
    chart = Map(plan=plan, document=document, file=PLAN)
    yield from of_map(chart, now)
    yield from of_history(chart, orders, now)
    yield from accessibility.of_brands(plan, document, PLAN)
    frame = {file: files[file] for file in layouts.FILES if file in files}
    yield from accessibility.of_layout(frame)
    yield from client_support.of_layout(frame)
    written = list(_messages(files))
    for one in written:
        yield from style.of_message(one, plan)
        yield from leftover_markdown.of_markdown(one)
        yield from dead_conditions.of_comparisons(one, plan)
        yield from dead_conditions.of_arguments(one)
        yield from of_live(one, plan, brought)
    for _, siblings in groupby(written, key=lambda one: one.name):
        yield from style.of_siblings(list(siblings))
    layout = layouts.read(files)
    if isinstance(layout, layouts.Layout):
        yield from _wordless(layout, files)
        yield from of_stages(chart, layout, files)
        trial = Trial(plan=plan, layout=layout, press=press, owners=owners_messages(plan), now=now, given=given)
        for one in written:
            yield from trial.of(one)


def _astray(folder: Path) -> Iterator[Diagnostic]:
    """Files that are called so that nobody reads them."""
    for name, meant in template_folder.astray(folder):
        told = "nobody reads a file of this name"
        if name.startswith("messages/"):
            told += "; a message is called `messages/NAME/LANGUAGE.md`"
        yield problem("not_read", name, (1, 1), told, meant)


def _wordless(layout: layouts.Layout, files: Mapping[str, str]) -> Iterator[Diagnostic]:
    """Languages of messages in which the layout has no words."""
    locales = {found[2] for file in files if (found := MESSAGE.fullmatch(file))}
    for locale in sorted(locales):
        if layout.words_in(locale) is layout.words["en"] and locale.partition("-")[0] != "en":
            told = f"there are no words in `{locale}`, so its mails say what is here in English"
            yield problem("missing_locale", layouts.WORDS, (1, 1), told)


def _written(files: Mapping[str, str]) -> Iterator[Diagnostic]:
    """What is wrong with the layout and in the messages themselves, where there is no plan to hold them against."""
    layout = layouts.read(files)
    if isinstance(layout, list):
        yield from layout
        return
    yield from layout.warnings
    for file, text in sorted(files.items()):
        if found := MESSAGE.fullmatch(file):
            # With the names that owners' messages have; which these are only the plan knows.
            yield from compile_message(text, file=file, locale=found[2], layout=layout, for_owner=True)[1]


def _samples(folder: Path, plan: Plan, now: datetime) -> tuple[Sequence[Given], Sequence[Diagnostic]]:
    """The operator's own samples, if there are any."""
    text = template_folder.beside(folder, SAMPLES)
    if isinstance(text, Diagnostic):
        return [], [text]
    return read_samples(text, plan, now) if text else ([], [])


def _messages(files: Mapping[str, str]) -> Iterator[message.Message]:
    """All messages without an error in how they are written, those of one name together."""
    for file, text in sorted(files.items()):
        found = MESSAGE.fullmatch(file)
        read = message.read(found[1], found[2], text, file) if found else None
        if read is not None:
            yield read
