"""`avisa demo`: sample orders through the embedded broker, and what their customers are told, as it happens."""

from __future__ import annotations

import asyncio
import json
import signal
import tempfile
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import typer
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table
from rich.text import Text

from avisa import telemetry, views
from avisa.app.wiring import Application, open_application
from avisa.cli.demo.orders import SAMPLES, START, Sample
from avisa.cli.exits import misconfigured
from avisa.cli.session import load_settings
from avisa.cli.views.timeline import SIGNS, columns
from avisa.settings import Settings
from avisa.settings.errors import Misconfigured

LOOK = 0.25  # seconds between looks at the timelines
SET_UP = timedelta(seconds=7)  # real: by then everything runs, and somebody has read the introduction
LAST = START + timedelta(days=13)  # by then everything has been told

_BY_ID = {sample.order_id: sample for sample in SAMPLES}


def demo(
    keep: bool = typer.Option(False, "--keep", help="Keep running when the sample orders have been told."),
    speed: float = typer.Option(20_000.0, "--speed", min=1, max=100_000, help="Virtual seconds to a real one."),
) -> None:
    settings = load_settings()
    try:
        asyncio.run(_play(settings, keep=keep, speed=speed))
    except Misconfigured as refusal:
        raise misconfigured(refusal.problems) from None


async def _play(settings: Settings, *, keep: bool, speed: float) -> None:
    """Play the samples on a virtual clock that runs `speed` times as fast as the real one."""
    console = Console(highlight=False)
    telemetry.configure("console", "error")
    with tempfile.TemporaryDirectory(prefix="avisa-demo-") as folder:
        async with open_application(_demonstrating(settings, Path(folder), speed)) as application:
            await _show(application, console, keep=keep)


def _demonstrating(settings: Settings, folder: Path, speed: float) -> Settings:
    """The same settings with everything embedded, a store that is thrown away, and a fast clock."""
    return settings.model_copy(
        update={
            "kafka": settings.kafka.model_copy(update={"bootstrap_servers": None, "topics": ("orders.status",)}),
            "store": settings.store.model_copy(update={"url": SecretStr(f"sqlite:///{folder / 'demo.db'}")}),
            "smtp": settings.smtp.model_copy(update={"host": None}),
            "clock": settings.clock.model_copy(
                update={"start": START - SET_UP * speed, "origin": None, "speed": speed}
            ),
        }
    )


async def _show(application: Application, console: Console, *, keep: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    _introduce(application, console)
    publishing = asyncio.create_task(_publish(application))
    telling = asyncio.create_task(_tell(application, console))
    stopping = asyncio.ensure_future(stop.wait())
    living = asyncio.create_task(application.until(stop))
    running: tuple[asyncio.Task[None], ...] = (publishing, telling, living)
    try:
        await asyncio.wait({telling, stopping, living}, return_when=asyncio.FIRST_COMPLETED)
        for task in running:
            if task.done():
                task.result()
        if telling.done():
            _conclude(await views.counts(application.store.queries), application, console, keep=keep)
            if keep:
                await stop.wait()
    finally:
        stopping.cancel()
        for task in running:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def _publish(application: Application) -> None:
    """Each event at its moment, keyed by its order as a real publisher would."""
    due = sorted((event for sample in SAMPLES for event in sample.events()), key=lambda event: event[0])
    producer = application.cluster.producer()
    await producer.start()
    try:
        for at, event in due:
            wait = (application.clock.to_real(at) - application.clock.real()).total_seconds()
            await asyncio.sleep(max(0.0, wait))
            await producer.send_and_wait(
                application.cluster.topics[0], json.dumps(event).encode(), key=event["order_id"].encode()
            )
    finally:
        await producer.stop()


async def _tell(application: Application, console: Console) -> None:
    """Print every new line of every timeline, until all that will happen has happened."""
    printed = dict.fromkeys(_BY_ID, 0)
    while True:
        at_end = application.clock.now() >= LAST
        lines = []
        for order_id in _BY_ID:
            history = await application.store.queries.history(order_id)
            if history is None:
                continue
            entries = views.timeline_json(history)["entries"]
            lines += [(entry, _BY_ID[order_id]) for entry in entries[printed[order_id] :]]
            printed[order_id] = len(entries)
        for entry, sample in sorted(lines, key=lambda line: line[0]["at"]):
            console.print(_line(entry, sample), soft_wrap=True)
        if at_end and not await _unsettled(application):
            return
        await asyncio.sleep(LOOK)


async def _unsettled(application: Application) -> int:
    return sum((await application.store.queries.gauges()).outbox.values())


def _line(entry: dict[str, object], sample: Sample) -> Text:
    at = datetime.fromisoformat(str(entry["at"]))
    sign, style = SIGNS[str(entry["state"] if entry["kind"] == "settled" else entry["kind"])]
    about, why = columns(entry, style)
    about.pad_right(max(0, 34 - about.cell_len))
    return Text.assemble(
        (at.strftime("%a %d %b %H:%M  "), "bright_black"),
        (f"{sample.order_id} ", "bold"),
        (f"{sample.name:<13}", ""),
        (f"{sample.locale:<6}", "bright_black"),
        (f"{sign} ", style),
        about,
        " ",
        why,
    )


def _introduce(application: Application, console: Console) -> None:
    table = Table.grid(padding=(0, 2))
    for sample in SAMPLES:
        table.add_row(
            Text(sample.order_id, style="bold"), sample.name, sample.locale, Text(sample.story, style="italic")
        )
    console.print()
    console.print(Text("Seven orders, two weeks, in a minute.", style="bold"))
    console.print("Broker, store and inbox are the embedded ones; the events go through Kafka's protocol.\n")
    console.print(table)
    console.print(f"\nThe mails can be read at [bold]{_inbox(application)}[/bold]\n")


def _inbox(application: Application) -> str:
    return f"http://127.0.0.1:{application.admin_port}/inbox"


def _conclude(
    counts: dict[str, dict[str, object]], application: Application, console: Console, *, keep: bool
) -> None:
    events, notifications = counts["events"], counts["notifications"]
    console.print(
        f"\n{events['read']} events taken in, {notifications['decided']} messages decided: "
        + ", ".join(f"{number} {state}" for state, number in _positive(notifications["by_state"]))
        + ". Nobody was left in the dark.",
        soft_wrap=True,
    )
    if keep:
        console.print(f"Read the mails at [bold]{_inbox(application)}[/bold]; Ctrl-C ends it.")
    else:
        console.print("To read the mails afterwards, run it with [bold]--keep[/bold].")


def _positive(by_state: object) -> list[tuple[str, int]]:
    assert isinstance(by_state, dict)
    return [(str(state).replace("_", " "), number) for state, number in by_state.items() if number]
