"""`avisa preview`: one message as files, or all of them on a page."""

from __future__ import annotations

import asyncio
import webbrowser
from pathlib import Path

import typer

from avisa import private_file
from avisa.cli.answer import answer
from avisa.cli.chosen_message import LOCALE, ORDER, SAMPLE, chosen_message
from avisa.cli.exits import Exit, Failure, usage
from avisa.cli.folder_catalog import message_catalog
from avisa.cli.session import load_settings
from avisa.preview import render, screenshots
from avisa.preview.render import Preview
from avisa.preview.server import serve as serve_page
from avisa.settings import Settings
from avisa.settings.errors import Misconfigured

PORT = 8088


def preview(
    message: str | None = typer.Argument(None, help="Its name, such as `shipped`; with --serve all of them."),
    locale: str | None = LOCALE,
    sample: str | None = SAMPLE,
    order: str | None = ORDER,
    out: Path = typer.Option(Path(), "--out", metavar="DIR"),  # noqa: B008 -- how typer declares
    open_it: bool = typer.Option(False, "--open", help="Open it in the browser."),
    serve: bool = typer.Option(False, "--serve", help="Show all messages on a page that follows every saved file."),
    port: int = typer.Option(PORT, "--port", min=0, max=65535, help="Of the page; 0: any that is free."),
) -> None:
    settings = load_settings(dotenv=order is not None)
    if serve:
        if message is not None or locale is not None or sample is not None or order is not None:
            raise usage("preview: --serve shows every message, in all languages; choose on the page")
        _serve(settings, port, open_it=open_it)
        return
    if message is None:
        raise usage("preview: say which message, or --serve for all of them")
    previewed = chosen_message(message_catalog(message, settings), settings, message, locale, sample, order)
    try:
        files = render.write(previewed, out)
        pictures, why_not = _pictures(out)
    except OSError as error:
        raise Failure(Exit.STORAGE, "storage", f"{out}: {error.strerror}") from None
    files += pictures
    notes = [*previewed.notes, *why_not]
    if open_it and not webbrowser.open((out / render.HTML).resolve().as_uri()):
        notes.append("no browser could be opened")
    document = {"subject": previewed.rendered.subject, "files": [str(file) for file in files], "notes": notes}
    answer.give(document, lambda _: _shown(previewed, files, notes))


def _shown(previewed: Preview, files: list[Path], notes: list[str]) -> str:
    parts = [previewed.rendered.subject, previewed.rendered.text, "  ".join(map(str, files))]
    return "\n\n".join(part.strip() for part in parts) + "".join(f"\n({note})" for note in notes)


def _pictures(out: Path) -> tuple[list[Path], list[str]]:
    """The pictures taken of the mail in `out`, and why there are none. Raises OSError."""
    looks = {
        "desktop.png": screenshots.Look(width=800),
        "mobile.png": screenshots.Look(width=375, scale=2, phone=True),
        "dark.png": screenshots.Look(width=800, dark=True),
    }
    program = screenshots.find()
    if program is None:
        return [], [f"no pictures: none of {', '.join(screenshots.NAMES)} is on the path"]
    taken = screenshots.pictures(program, out / render.HTML, list(looks.values()))
    if isinstance(taken, screenshots.NoPicture):
        return [], [f"no pictures: {taken.problem}"]
    for name, image in zip(looks, taken, strict=True):
        private_file.write(out / name, image)
    return [out / name for name in looks], []


def _serve(settings: Settings, port: int, *, open_it: bool) -> None:
    def ready(address: str) -> None:
        answer.give({"url": address}, lambda _: f"Every message is at {address}  (Ctrl-C ends it)")
        if open_it and not webbrowser.open(address):
            answer.note("no browser could be opened")

    try:
        asyncio.run(serve_page(settings, port=port, ready=ready))
    except Misconfigured as refusal:
        raise usage("\n".join(refusal.problems)) from None
