"""`avisa preview --serve`: a page of every message, made anew whenever a file of the folder is saved."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from functools import partial

from avisa import plan_file, telemetry
from avisa.catalog import PLAN
from avisa.clock import clock_of
from avisa.preview.folder import PreviewedFolder
from avisa.preview.page import build
from avisa.settings import Settings
from avisa.settings.errors import Misconfigured
from avisa.templates import template_folder
from avisa.web.server import CannotListen, Server, listen

HOST = "127.0.0.1"  # and no other, for the page asks nobody for a password


async def serve(settings: Settings, *, port: int, ready: Callable[[str], None]) -> None:
    """Serve the page until SIGINT or SIGTERM. `ready` is called with its address. Raises Misconfigured if it cannot
    listen on `port`."""
    telemetry.configure(level="error", fd=2)
    listener = listen(HOST, port)
    if isinstance(listener, CannotListen):
        raise Misconfigured([f"--port: {port} on {HOST} cannot be had; choose another, or 0 for any that is free"])
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    folder = PreviewedFolder(
        template_folder.locate(settings.templates),
        partial(plan_file.read, file=PLAN, tell_from=settings.kafka.tell_from),
        clock_of(settings.clock),
        settings.public_url,
    )
    await folder.look()
    server = Server(build(folder), listener)
    await server.start()
    following = asyncio.create_task(folder.follow())
    try:
        ready(f"http://{HOST}:{server.port}/")
        await stop.wait()
    finally:
        following.cancel()
        await folder.close()
        await server.stop()
