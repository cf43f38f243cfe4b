"""`avisa simulate`: what a plan would have done with past events. Nothing is stored, and nothing is sent."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import typer
from aiokafka.errors import KafkaError
from pydantic_core import PydanticCustomError

from avisa import kafka
from avisa.cli.answer import answer
from avisa.cli.exits import Exit, Failure, misconfigured, not_there, usage
from avisa.cli.folder_catalog import plan_at, unchecked_catalog
from avisa.cli.publish import cluster_in_use
from avisa.cli.session import load_settings
from avisa.cli.views import simulation as shown
from avisa.clock import clock_of
from avisa.core.plan import Plan
from avisa.kafka import UnreachableError
from avisa.plan_file import values
from avisa.ports import Record, Unreadable
from avisa.settings import Settings
from avisa.simulate import columns, mails, report, source
from avisa.simulate.columns import Columns
from avisa.simulate.simulation import Outcome
from avisa.simulate.simulation import simulate as lived
from avisa.simulate.spill import GROUPS, TakenIn, spill

_TOPIC = "topic:"
_STDIN = "-"
_STEPS = 200  # of a progress bar
_UNKNOWN = 200 << 20  # bytes; standard input, whose length nobody knows, moves the bar as if it had so many

Records = Iterator[Record | Unreadable]
Step = Callable[[int, int | None], None]  # takes what was done since its last call, and the whole, if known


def simulate(
    events: str = typer.Argument(
        ..., help="FILE.csv, a file of JSON lines (- is standard input), or topic:NAME, which is read to its end."
    ),
    plan: Path | None = typer.Option(  # noqa: B008 -- how typer declares
        None, "--plan", metavar="NEW", help="A plan.yaml, or the folder it is in; without it the folder in use."
    ),
    against: Path | None = typer.Option(  # noqa: B008 -- how typer declares
        None, "--against", metavar="OLD", help="Another plan, to show what differs."
    ),
    mapping: Path | None = typer.Option(  # noqa: B008 -- how typer declares
        None, "--columns", metavar="FILE", help="What the columns of a CSV file mean, as YAML."
    ),
    taken_in: TakenIn = typer.Option(  # noqa: B008 -- how typer declares
        TakenIn.OCCURRED_AT,
        "--taken-in",
        help="Take each event in when it occurred or, of a topic only, at the timestamp of its record.",
    ),
    max_silence: str | None = typer.Option(
        None,
        "--max-silence",
        metavar="DURATION",
        help="Exit with 1 if any customer hears nothing for longer than this, such as 4d.",
    ),
    count: int = typer.Option(3, "--mails", min=0, metavar="N", help="Show the first mail of each of N kinds."),
    plot: Path | None = typer.Option(  # noqa: B008 -- how typer declares
        None, "--plot", metavar="DIR", help="Draw silence.svg and silence.png there; needs `pip install avisa[plot]`."
    ),
) -> None:
    limit = None if max_silence is None else _limit(max_silence)
    draw = None if plot is None else _drawing()
    settings = load_settings(dotenv=events.startswith(_TOPIC))
    plans = [plan_at(settings, path) for path in ((plan,) if against is None else (plan, against))]
    if taken_in is TakenIn.TIMESTAMP and not events.startswith(_TOPIC):
        raise usage("simulate: only the records of a topic have a timestamp")
    request = _Request(events, mapping, taken_in, settings)
    topic = events.removeprefix(_TOPIC) if events.startswith(_TOPIC) else None
    if any(feed.by_registry for plan in plans for name, feed in plan.events.feeds.items() if name == topic):
        raise usage(f"simulate: the records of {topic} need a schema registry, which is not supported yet")
    outcome = _outcome(request, plans)
    if not outcome.figures[0].orders:
        raise not_there(f"{events}: there is no event that could be read{shown.unread(outcome.unread)}")
    document = report.report(outcome, plans[0])
    catalog = unchecked_catalog(settings, plan)
    document["mails"] = list(mails.first_mails(outcome.figures[0], catalog, count))
    document["too_long"] = (
        [] if limit is None else [{"status": status, "hours": h} for status, h in report.too_long(outcome, limit)]
    )
    document["files"] = [] if plot is None or draw is None else _drawn(draw, outcome, plans[0], plot)
    answer.give(document, shown.simulation)
    if document["too_long"]:
        raise typer.Exit(Exit.FINDINGS)


@dataclass(frozen=True, slots=True)
class _Request:
    """The records to read: the command's EVENTS, and how to read them."""

    events: str
    mapping: Path | None
    taken_in: TakenIn
    settings: Settings


def _outcome(request: _Request, plans: list[Plan]) -> Outcome:
    """What the plans do with the events. Meanwhile these lie, grouped by order, in a temporary folder."""
    now = clock_of(request.settings.clock).now()
    try:
        with tempfile.TemporaryDirectory(prefix="avisa-simulate-") as folder, _bar() as begin:
            types = request.settings.kafka.types or ()
            with ExitStack() as stack:
                step = begin("reading events")
                spilled = spill(_records(request, stack, step), Path(folder), request.taken_in, types)
            step = begin("living orders")
            return lived(spilled, plans, request.taken_in, now=now, progress=lambda: step(1, GROUPS))
    except OSError as error:
        raise Failure(Exit.STORAGE, "storage", f"{error.filename or request.events}: {error.strerror}") from None


def _records(request: _Request, stack: ExitStack, step: Step) -> Records:
    """The records of the topic, the file or standard input, read as they are asked for. Files are closed by
    `stack`."""
    events = request.events
    if events.startswith(_TOPIC):
        return _of_topic(request.settings, events.removeprefix(_TOPIC), step)
    path = Path(events)
    is_csv = path.suffix.lower() == ".csv"
    if request.mapping is not None and not is_csv:
        raise usage("simulate: --columns goes with a CSV file")
    if events == _STDIN:
        return source.json_lines(sys.stdin.buffer, events, lambda read: step(read, None))
    try:
        size = path.stat().st_size
        if is_csv:
            lines = stack.enter_context(source.open_text(path))
            mapping = None if request.mapping is None else _mapping(request.mapping)
            return _of_csv(lines, mapping, events, lambda read: step(read, size))
        return source.json_lines(stack.enter_context(path.open("rb")), events, lambda read: step(read, size))
    except OSError as error:
        raise not_there(f"{events}: {error.strerror}") from None


def _of_csv(lines: Any, mapping: Columns | None, name: str, progress: source.Progress) -> Records:
    try:
        yield from source.csv_rows(lines, mapping, name, progress)
    except UnicodeDecodeError:
        raise usage(f"{name}: is not UTF-8") from None
    except ValueError as error:
        raise usage(f"{name}: {columns.problem(error)}") from None


def _mapping(file: Path) -> Columns:
    try:
        return columns.read(file.read_text("utf-8"))
    except OSError as error:
        raise not_there(f"{file}: {error.strerror}") from None
    except ValueError as error:
        raise usage(f"{file}: {columns.problem(error)}") from None


def _of_topic(settings: Settings, topic: str, step: Step) -> Records:
    cluster, _ = cluster_in_use(settings)
    now_real = clock_of(settings.clock).real()
    done = 0

    def progress(read: int, whole: int) -> None:
        nonlocal done
        step(read - done, whole)
        done = read

    try:
        yield from kafka.read_to_end(cluster, topic, now_real, progress)
    except LookupError:
        raise not_there(f"there is no topic {topic}") from None
    except UnreachableError as error:
        raise Failure(Exit.FINDINGS, "unreachable", f"nothing was read: {error}") from None
    except KafkaError as error:
        raise Failure(Exit.FINDINGS, "unreachable", f"the broker refused: {type(error).__name__}") from None
    except OSError as error:  # a certificate or key that cannot be used
        raise misconfigured([f"AVISA_KAFKA__CA_FILE, __CERT_FILE, __KEY_FILE: {error.strerror or error}"]) from None


@contextmanager
def _bar() -> Iterator[Callable[[str], Step]]:
    """A progress bar on standard error, if that is a terminal. Enter it, and call what it returns with the name of
    each kind of work: that shows a bar of its own, and returns its `Step`."""
    if answer.as_json or not sys.stderr.isatty():
        yield lambda _: lambda _done, _whole: None
        return
    from rich.console import Console
    from rich.progress import Progress  # here, for it takes longer than a small simulation

    with Progress(console=Console(stderr=True), transient=True) as bar:

        def begin(what: str) -> Step:
            task = bar.add_task(what, total=None)
            unshown = 0

            def step(done: int, whole: int | None) -> None:
                nonlocal unshown
                unshown += done
                if unshown >= (whole or _UNKNOWN) / _STEPS:  # to show each line would take as long as to read it
                    bar.update(task, advance=unshown, total=whole)
                    unshown = 0

            return step

        yield begin


def _limit(text: str) -> timedelta:
    try:
        return values.nonzero_elapsed(text)
    except PydanticCustomError as error:
        raise usage(f"--max-silence: {error.message()}") from None


def _drawing() -> Any:
    """The module that draws. It is imported only here, because its library is large and no other command needs it.
    Raises Failure if the library is not installed."""
    try:
        from avisa.simulate import plot
    except ModuleNotFoundError as error:
        if error.name is None or not error.name.startswith("matplotlib"):
            raise
        raise usage("--plot needs matplotlib: pip install 'avisa[plot]'") from None
    return plot


def _drawn(draw: Any, outcome: Outcome, plan: Plan, folder: Path) -> list[str]:
    try:
        return [str(path) for path in draw.write(outcome.figures[0], plan, folder)]
    except OSError as error:
        raise Failure(Exit.STORAGE, "storage", f"{folder}: {error.strerror}") from None
