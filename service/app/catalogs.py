"""Catalogs and the template folder, as the settings say."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from avisa import plan_file
from avisa.catalog import PLAN, CatalogCache, Found, Installation, Renderer
from avisa.catalog.follow import FOLDER
from avisa.core.plan import Plan
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.settings import Settings
from avisa.store import Store
from avisa.templates import template_folder
from avisa.templates.open_folder import open_folder, renderer_fingerprint


def catalog_cache(
    settings: Settings, store: Store, *, secret: bytes = b"nothing is sent from here", public_url: str | None = None
) -> CatalogCache:
    """An empty cache that reads plans and compiles messages. `secret` signs the links in mails; a command that sends
    none leaves it out. `public_url` stands in for the one of the settings, if that is not set."""
    return CatalogCache(
        read_plan=partial(plan_file.read, file=PLAN, tell_from=settings.kafka.tell_from),
        compile_folder=partial(_compile_folder, redirect_to=settings.smtp.redirect_to),
        open_folder=partial(open_folder, redirect_to=settings.smtp.redirect_to),
        engine=renderer_fingerprint(),
        installation=Installation(secret=secret, public_url=settings.public_url or public_url),
        store=store.versions,
    )


def _compile_folder(
    files: Mapping[str, str], plan: Plan, *, redirect_to: str | None
) -> tuple[Renderer | None, list[Diagnostic]]:
    from avisa.templates.compile_folder import compile_folder  # here, for what is in force is not compiled anew

    return compile_folder(files, plan, redirect_to=redirect_to)


def read_folder(folder: Path) -> Found:
    """The folder as it is now. One that cannot be read has a diagnostic instead of files."""
    try:
        files, unread = template_folder.read(folder)
    except OSError as error:
        message = error.strerror or "it cannot be read"
        files, unread = {}, [Diagnostic(code="unreadable", file=FOLDER, message=message)]
    shipped = folder.resolve() == template_folder.shipped().resolve()
    return Found(place=f"{socket.gethostname()}:{folder.resolve()}", files=files, unread=unread, shipped=shipped)
