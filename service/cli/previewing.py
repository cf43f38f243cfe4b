"""Commands that show one message, on a made-up order or a real one: preview and send-test."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from avisa.cli.answer import answer
from avisa.cli.exits import Exit, Failure, misconfigured, not_there, usage
from avisa.cli.surroundings import catalog_of, inside_store, settings

if TYPE_CHECKING:
    from datetime import datetime

    from avisa.catalog import Catalog
    from avisa.core.model import Order
    from avisa.core.retry import Receipt
    from avisa.ports import Clock, Mail
    from avisa.preview.render import Proof
    from avisa.settings import Settings
    from avisa.smtp.relay import Relay
    from avisa.store import Store

MESSAGE = typer.Argument(..., help="Its name, such as `shipped`.")
LOCALE = typer.Option(None, "--locale", help="Such as pt-BR; else the language of the order, or of the brand.")
SAMPLE = typer.Option(
    None, "--sample", help="full (if left out), bare, odd; for reminders also last; or an order of samples.jsonl."
)
ORDER = typer.Option(None, "--order", metavar="ID", help="A real order of the store instead of a sample.")
PORT = 8088


def register(app: typer.Typer) -> None:
    app.command()(preview)
    app.command("send-test")(send_test)


# ---------------------------------------------------------------- preview


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
    """Write a message as a customer would get it: mail.eml, mail.html, mail.txt, short.txt, and with Chromium
    pictures of it on a desktop, on a phone and in the dark."""
    known = settings()
    if serve:
        if message is not None or locale is not None or sample is not None or order is not None:
            raise usage("preview: --serve shows every message, in all languages; choose on the page")
        _serve(known, port, open_it=open_it)
        return
    if message is None:
        raise usage("preview: say which message, or --serve for all of them")
    proof = _proof(catalog_of(message, known), known, message, locale, sample, order)
    from avisa.preview import render as previews

    try:
        files = previews.write(proof, out)
        pictures, why_not = _pictures(out)
    except OSError as error:
        raise Failure(Exit.STORAGE, "storage", f"{out}: {error.strerror}") from None
    files += pictures
    notes = [*proof.notes, *why_not]
    if open_it and not _opened((out / previews.HTML).resolve().as_uri()):
        notes.append("no browser could be opened")
    told = {"subject": proof.words.subject, "files": [str(file) for file in files], "notes": notes}
    answer.give(told, lambda _: _shown(proof, files, notes))


def _shown(proof: Proof, files: list[Path], notes: list[str]) -> str:
    parts = [proof.words.subject, proof.words.text, "  ".join(map(str, files))]
    return "\n\n".join(part.strip() for part in parts) + "".join(f"\n({note})" for note in notes)


def _pictures(out: Path) -> tuple[list[Path], list[str]]:
    """The pictures taken of the mail in `out`, and why there are none. Raises OSError."""
    from avisa.preview import screenshots
    from avisa.preview.render import HTML

    looks = {
        "desktop.png": screenshots.Look(width=800),
        "mobile.png": screenshots.Look(width=375, scale=2, phone=True),
        "dark.png": screenshots.Look(width=800, dark=True),
    }
    program = screenshots.find()
    if program is None:
        return [], [f"no pictures: none of {', '.join(screenshots.NAMES)} is on the path"]
    taken = screenshots.pictures(program, out / HTML, list(looks.values()))
    if isinstance(taken, screenshots.NoPicture):
        return [], [f"no pictures: {taken.problem}"]
    for name, octets in zip(looks, taken, strict=True):
        (out / name).write_bytes(octets)
    return [out / name for name in looks], []


def _serve(known: Settings, port: int, *, open_it: bool) -> None:
    from avisa.app import Misconfigured
    from avisa.preview.server import serve

    def ready(address: str) -> None:
        answer.give({"url": address}, lambda _: f"Every message is at {address}  (Ctrl-C ends it)")
        if open_it and not _opened(address):
            answer.note("no browser could be opened")

    try:
        asyncio.run(serve(known, port=port, ready=ready))
    except Misconfigured as refusal:
        raise usage("\n".join(refusal.problems)) from None


def _opened(address: str) -> bool:
    import webbrowser

    return webbrowser.open(address)


# ---------------------------------------------------------------- send-test


def send_test(
    message: str = MESSAGE,
    to: str = typer.Option(..., "--to", metavar="ADDRESS", help="Who gets it."),
    locale: str | None = LOCALE,
    sample: str | None = SAMPLE,
    order: str | None = ORDER,
) -> None:
    """Send a message through the mail relay, marked as a test. No order is told by it, and nothing is kept of it."""
    from avisa.app.relay import example_senders, relay_of
    from avisa.preview.render import as_test
    from avisa.templates.address import checked

    known = settings()
    relay = relay_of(known.smtp)
    if relay is None:
        raise misconfigured(
            [
                "AVISA_SMTP__HOST: is not set, so there is no mail relay to send a test through; set it,"
                " and AVISA_SMTP__PORT, __TLS, __USERNAME and __PASSWORD as the relay needs them"
            ]
        )
    address = checked(to)
    if address is None:
        raise usage("--to: this is no address that mail can be sent to")
    made = catalog_of(message, known, redirected=True)
    proof = as_test(made, _proof(made, known, message, locale, sample, order), to=address, name=secrets.token_hex(12))
    receipt = asyncio.run(_sent(relay, proof.mail))
    _judge(receipt)
    notes = [*proof.notes, *example_senders(made.plan)]
    if proof.mail.recipient != address:
        notes.append("it went to AVISA_SMTP__REDIRECT_TO instead")
    told: dict[str, Any] = {
        "message": message,
        "locale": proof.letter.locale,
        "subject": proof.words.subject,
        "to": proof.mail.recipient,
        "message_id": proof.letter.message_id,
        "code": receipt.code,
        "notes": notes,
    }
    answer.give(
        told, lambda _: "\n".join([f"The mail server took it ({receipt.code}).", *(f"({it})" for it in notes)])
    )


async def _sent(relay: Relay, mail: Mail) -> Receipt:
    """What became of one mail."""
    from avisa import telemetry
    from avisa.smtp.channel import EmailChannel
    from avisa.smtp.relay import Patience

    telemetry.configure(level="critical", fd=2)  # what went wrong is told as the answer
    somebody_waits = Patience(opening=15, mail=30, rcpt=30, data=60, dot=120, quit=2)
    channel = EmailChannel(replace(relay, patience=somebody_waits), jitter=lambda: 0.0)
    await channel.start()
    try:
        return await channel.deliver(mail)
    finally:
        await channel.stop(somebody_waits.quit)


def _judge(receipt: Receipt) -> None:
    """Raises Failure unless the mail was taken."""
    from avisa.core.retry import Verdict

    said = " ".join(str(part) for part in (receipt.code, receipt.text) if part)
    because = f" ({said})" if said else ""
    match receipt.verdict, receipt.stage:
        case Verdict.ACCEPTED, _:
            return
        case Verdict.REFUSED_US, "auth":
            raise Failure(
                Exit.CONFIGURATION,
                "login_refused",
                f"AVISA_SMTP__USERNAME, AVISA_SMTP__PASSWORD: the mail server does not accept them{because}",
            )
        case Verdict.REFUSED_US, _ if receipt.code == _NEEDS_LOGIN:
            raise Failure(
                Exit.CONFIGURATION,
                "login_needed",
                f"AVISA_SMTP__USERNAME, AVISA_SMTP__PASSWORD: the mail server wants a login{because}",
            )
        case Verdict.REFUSED_US, _:
            error, words = "sender_refused", "the mail server does not take mail from the brand's `from`, or from us"
        case Verdict.PERMANENT, "rcpt" if receipt.address_unknown:
            error, words = "address_unknown", "the mail server knows no such address as --to"
        case Verdict.PERMANENT, _:
            error, words = "refused", f"the mail server refused it for good, at {receipt.stage}"
        case Verdict.IN_DOUBT, _:
            error, words = "in_doubt", "it left, and the mail server's answer was lost: it may arrive"
        case _, "connect" | "greeting" | "ehlo":
            error, words = "unreachable", "the mail server at AVISA_SMTP__HOST and __PORT was not reached"
        case _, "tls":
            error, words = "no_tls", "no encryption with the mail server came about; see AVISA_SMTP__TLS"
        case _:
            error, words = "not_now", f"the mail server does not take it now, at {receipt.stage}; try again later"
    raise Failure(Exit.FINDINGS, error, f"not sent: {words}{because}" if error != "in_doubt" else words + because)


_NEEDS_LOGIN = 530  # RFC 4954 section 6


# ---------------------------------------------------------------- both


def _proof(
    made: Catalog, known: Settings, message: str, locale: str | None, sample: str | None, order: str | None
) -> Proof:
    """The message about the order or sample asked for; raises Failure."""
    from avisa.clock import clock_of
    from avisa.lint.sample_events import SAMPLES
    from avisa.ports import CannotRender
    from avisa.preview import render as previews
    from avisa.templates import template_folder

    if order is not None and sample is not None:
        raise usage("give --sample or --order, not both")
    about, now = (None, clock_of(known.clock).now()) if order is None else _kept_order(known, order)
    own = previews.NONE
    if sample is not None:
        text = template_folder.beside(template_folder.locate(known.templates), SAMPLES)
        own = previews.own_samples(text, made.plan, now)
    try:
        proof = previews.preview(made, message, now=now, locale=locale, sample=sample or "full", own=own, order=about)
    except LookupError as error:
        raise not_there(str(error.args[0])) from None
    if isinstance(proof, CannotRender):
        raise Failure(Exit.FINDINGS, "cannot_render", proof.problem)
    return proof


def _kept_order(known: Settings, order_id: str) -> tuple[Order, datetime]:
    """The order as it is kept, and what the service's clock shows; reads only, beside a running service."""

    async def look(store: Store, clock: Clock) -> tuple[Order | None, datetime]:
        history = await store.queries.history(order_id)
        return (None if history is None else history.order), clock.now()

    order, now = inside_store(known, look)
    if order is None:
        raise not_there("no such order is known")
    return order, now
