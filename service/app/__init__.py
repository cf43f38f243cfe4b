"""The composition root: `run` wires all parts of Avisa, lets them run and stops them."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import threading

import structlog

from avisa import __version__, telemetry
from avisa.settings import Settings, cautions
from avisa.settings.errors import Misconfigured

__all__ = ["Misconfigured", "run"]

log = structlog.get_logger("avisa")

GRACE = 43.0  # seconds from a signal to the end, whatever hangs; promise 9 says 45


def run(settings: Settings) -> int:
    """Run the service until SIGTERM or SIGINT. Return the exit code.

    Raises Misconfigured, and StoreError if the store cannot be opened.
    """
    import uvloop

    gc.disable()  # until `_tune`, for nothing that a start makes goes away again
    telemetry.configure(settings.log.format, settings.log.level)
    return uvloop.run(_run(settings))


async def _run(settings: Settings) -> int:
    from avisa.app.wiring import open_application  # here, so that it is imported without garbage collection

    gc.freeze()  # modules stay: to look at them all in `_tune` would be a tenth of a start, and find nothing
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _on_signal, stop)
    for caution in cautions(settings):
        log.warning("app.cautioned", meaning=caution)
    async with open_application(settings) as application:
        _tune()
        log.info(
            "app.started",
            version=__version__,
            port=application.port,
            admin_port=application.admin_port,
            catalog=application.catalogs.in_force.version[:12],
        )
        await application.until(stop)
        log.info("app.stop_requested")
    log.info("app.stopped")
    return 0


def _tune() -> None:
    """Set garbage collection and threads up for a process that only runs Avisa, once everything is started."""
    gc.collect()
    gc.freeze()  # what is here now stays: half of what a collection costs is looking at it again
    gc.set_threshold(50_000, 20, 100)
    gc.enable()
    # The store's threads need the interpreter between any two statements: at 5 ms each, most of a mail's way. Below
    # 2 ms nothing comes sooner, and taking turns costs processor time.
    sys.setswitchinterval(0.002)


def _on_signal(stop: asyncio.Event) -> None:
    """The first signal stops in good order, the second at once; a watchdog ends what hangs."""
    if stop.is_set():
        os._exit(1)
    stop.set()
    watchdog = threading.Timer(GRACE, _give_up)
    watchdog.daemon = True
    watchdog.start()


def _give_up() -> None:
    """Nothing is lost by it: whatever was acknowledged is stored."""
    sys.stderr.write("avisa: stopping took too long and was cut short\n")
    sys.stderr.flush()
    os._exit(0)
