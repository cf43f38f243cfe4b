"""The composition root: it reads the clock, wires the house, and takes it down."""

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
    """Run the service until SIGTERM or SIGINT, and answer its exit code.

    Raises `Misconfigured` and what the store raises at its start.
    """
    import uvloop

    gc.disable()  # nothing that a start makes goes away again; once the house stands, it is collected as usual
    telemetry.configure(settings.log.format, settings.log.level)
    return uvloop.run(_run(settings))


async def _run(settings: Settings) -> int:
    from avisa.app.wiring import open_application  # the whole house, which no other command needs

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _asked, stop)
    for caution in cautions(settings):
        log.warning("caution", meaning=caution)
    async with open_application(settings) as house:
        log.info("started", version=__version__, port=house.port, catalog=house.shelf.in_force.version[:12])
        await house.until(stop)
        log.info("stopping")
    log.info("stopped")
    return 0


def _asked(stop: asyncio.Event) -> None:
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
