"""All checks of a template folder, one after the other."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

from avisa.catalog import PLAN, ReadPlan, examine
from avisa.core.model import Order, Reason
from avisa.core.observed import ObservedVariables
from avisa.core.plan import Plan
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.diagnostics.yaml_reader import parse
from avisa.intake import unreadable_text
from avisa.lint import (
    accessibility,
    client_support,
    dead_conditions,
    feed_samples,
    leftover_markdown,
    message,
    observed_variables,
    plan_lints,
    plan_vs_history,
    remote_pictures,
    sample_events,
    stage_names,
    style,
)
from avisa.lint.codes import diagnostic
from avisa.lint.located_plan import LocatedPlan
from avisa.lint.sample_events import SAMPLES, SampleOrder
from avisa.lint.trial_render import TrialRender, without_frame
from avisa.templates import template_folder
from avisa.templates.compile_folder import compile_folder
from avisa.templates.layout import layout as layouts
from avisa.templates.layout.layout_files import LayoutFiles
from avisa.templates.layout.theme import THEME
from avisa.templates.open_folder import MESSAGE, owners_messages
from avisa.templates.renderer import Renderer
from avisa.templates.template import Template

NOTHING: Mapping[str, Reason] = {}
_SOME_DAY = datetime(2026, 3, 2, 10, 15, tzinfo=UTC)


def check(
    folder: Path,
    read_plan: ReadPlan,
    *,
    now: datetime = _SOME_DAY,
    orders: Sequence[Order] = (),
    observed: Sequence[ObservedVariables] = (),
    unreadable: Mapping[str, Reason] = NOTHING,
    topics: Collection[str] | None = None,
) -> list[Diagnostic]:
    """Return all that is wrong with a folder, by file and line. Raises OSError if the folder cannot be read at all.

    The plan is compared with `orders`, which are real ones, and the messages with the variables `observed` in live
    events; of a topic in `unreadable` nothing can be read, for that reason. `topics` are those that the service
    reads, None if that is not known. `now` is the beginning of the year in which the longest silence is looked for.
    """
    files, found = template_folder.read(folder)
    plan, renderer, compiled = examine(files, read_plan, compile_folder)
    unread = {each.file for each in found}
    found += [it for it in compiled if not (it.code in ("missing_file", "missing_locale") and it.file in unread)]
    found += _misnamed_files(folder)
    for topic, reason in sorted(unreadable.items()):
        text = f"{unreadable_text(topic, reason)}; `avisa dead-letters` shows them"
        found.append(diagnostic("unreadable_topic", PLAN, (1, 1), text))
    if plan is None:
        found += _without_plan(files)
    else:
        samples, bad_samples = _samples(folder, plan, now)
        found += bad_samples
        # Advice on a file that cannot be compiled would only bury the errors in it.
        with_errors = {it.file for it in found if it.severity == "error" and it.code != "cannot_render"} - {PLAN}
        sound = {file: text for file, text in files.items() if file not in with_errors}
        located = LocatedPlan(plan=plan, document=parse(files[PLAN]), file=PLAN)
        messages = list(_messages(sound))
        advice = [
            *plan_lints.check_plan(located, now),
            *feed_samples.check_topics(located, topics),
            *feed_samples.check_samples(located, template_folder.all_beside(folder, feed_samples.SAMPLES), now),
            *plan_lints.check_news(located, [*(sample.order for sample in samples), *orders]),
            *plan_vs_history.check_plan(located, orders, now),
            *accessibility.check_brands(located),
            *_layout_advice(sound, located),
            *_message_advice(messages, plan, observed),
            *_trial_advice(messages, sound, plan, renderer, samples, now),
        ]
        placed = {(it.code, it.file) for it in advice}  # a trial knows the line where a push names only the file
        found = [it for it in found if (it.code, it.file) not in placed] + advice
    return sorted(found, key=lambda it: (it.file, it.line or 0, it.column or 0, it.code))


def _layout_advice(files: Mapping[str, str], located: LocatedPlan) -> Iterator[Diagnostic]:
    frame = {file: files[file] for file in (*layouts.FILES, THEME) if file in files}
    yield from accessibility.check_layout(frame)
    yield from client_support.check_layout(frame)
    yield from remote_pictures.check_layout(frame, located.plan)
    layout = layouts.read(files)
    if isinstance(layout, layouts.Layout):
        yield from _languages_without_words(layout, files)
        yield from stage_names.check_stages(located, layout, files)


def _message_advice(
    messages: Sequence[message.Message], plan: Plan, observed: Sequence[ObservedVariables]
) -> Iterator[Diagnostic]:
    for each in messages:
        yield from style.check_message(each, plan)
        yield from leftover_markdown.check_message(each)
        yield from dead_conditions.check_comparisons(each, plan)
        yield from dead_conditions.check_arguments(each)
        yield from observed_variables.check_message(each, plan, observed)
    for _, translations in groupby(messages, key=lambda each: each.name):
        yield from style.check_translations(list(translations))


def _trial_advice(
    messages: Sequence[message.Message],
    files: Mapping[str, str],
    plan: Plan,
    renderer: object,
    samples: Sequence[SampleOrder],
    now: datetime,
) -> Iterator[Diagnostic]:
    """What is found when each message is rendered with samples, in a layout without a frame."""
    if isinstance(layouts.read(files), list):
        return
    trial = TrialRender(
        plan=plan,
        layout=without_frame(files),
        owners=owners_messages(plan),
        # The hour is enough, and a message is not tried again within it. Sample orders may be younger.
        now=now if samples else now.replace(minute=0, second=0, microsecond=0),
        sample_orders=tuple(samples),
    )
    templates = renderer.messages if isinstance(renderer, Renderer) else None
    for each in messages:
        yield from trial.check(each, templates[each.name][each.locale] if templates else None)


def _misnamed_files(folder: Path) -> Iterator[Diagnostic]:
    """Files that nobody reads because of their names."""
    for name, meant in template_folder.astray(folder):
        text = "nobody reads a file of this name"
        if name.startswith("messages/"):
            text += "; a message is called `messages/NAME/LANGUAGE.md`"
        yield diagnostic("not_read", name, (1, 1), text, meant)


def _languages_without_words(layout: layouts.Layout, files: Mapping[str, str]) -> Iterator[Diagnostic]:
    """Languages of messages that the layout has no words in."""
    locales = {found[2] for file in files if (found := MESSAGE.fullmatch(file))}
    for locale in sorted(locales):
        if layout.words_in(locale) is layout.words["en"] and locale.partition("-")[0] != "en":
            text = f"there are no words in `{locale}`, so its mails say what is here in English"
            yield diagnostic("missing_locale", layouts.WORDS, (1, 1), text)


def _without_plan(files: Mapping[str, str]) -> Iterator[Diagnostic]:
    """What is wrong with layout and messages in themselves, where there is no plan to compare them with."""
    layout = layouts.read(files)
    if isinstance(layout, list):
        yield from layout
        return
    yield from layout.warnings
    kept = LayoutFiles.of(files)
    for file, text in sorted(files.items()):
        if found := MESSAGE.fullmatch(file):
            # Only the plan knows which messages are for owners, so each may use the variables of those.
            yield from Template(file, found[2], text, kept, for_owner=True).problems()


def _samples(folder: Path, plan: Plan, now: datetime) -> tuple[Sequence[SampleOrder], Sequence[Diagnostic]]:
    """The operator's own samples, and what is wrong with them."""
    text = template_folder.beside(folder, SAMPLES)
    if isinstance(text, Diagnostic):
        return [], [text]
    return sample_events.read(text, plan, now) if text else ([], [])


def _messages(files: Mapping[str, str]) -> Iterator[message.Message]:
    """All messages that can be read, with the translations of one message together."""
    for file, text in sorted(files.items()):
        found = MESSAGE.fullmatch(file)
        read = message.read(found[1], found[2], text, file) if found else None
        if read is not None:
            yield read
