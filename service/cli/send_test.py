"""`avisa send-test`: one message through the mail relay, marked as a test."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import replace
from typing import Any

import typer

from avisa import telemetry
from avisa.app.edges import example_senders, relay_of
from avisa.cli.answer import answer
from avisa.cli.chosen_message import LOCALE, ORDER, SAMPLE, chosen_message
from avisa.cli.exits import Exit, Failure, misconfigured, usage
from avisa.cli.folder_catalog import message_catalog
from avisa.cli.session import load_settings
from avisa.core.retry import Receipt, Verdict
from avisa.ports import Mail
from avisa.preview.render import as_test
from avisa.smtp.channel import EmailChannel
from avisa.smtp.relay import Patience, Relay
from avisa.templates.address import checked

_NEEDS_LOGIN = 530  # RFC 4954 section 6


def send_test(
    message: str = typer.Argument(..., help="Its name, such as `shipped`."),
    to: str = typer.Option(..., "--to", metavar="ADDRESS", help="Who gets it."),
    locale: str | None = LOCALE,
    sample: str | None = SAMPLE,
    order: str | None = ORDER,
) -> None:
    settings = load_settings()
    relay = relay_of(settings)
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
    catalog = message_catalog(message, settings, redirected=True)
    previewed = as_test(
        catalog,
        chosen_message(catalog, settings, message, locale, sample, order),
        to=address,
        name=secrets.token_hex(12),
    )
    receipt = asyncio.run(_sent(relay, previewed.mail))
    _judge(receipt)
    notes = [*previewed.notes, *example_senders(catalog.plan)]
    if previewed.mail.recipient != address:
        notes.append("it went to AVISA_SMTP__REDIRECT_TO instead")
    document: dict[str, Any] = {
        "message": message,
        "locale": previewed.render_input.locale,
        "subject": previewed.rendered.subject,
        "to": previewed.mail.recipient,
        "message_id": previewed.render_input.message_id,
        "code": receipt.code,
        "notes": notes,
    }
    answer.give(
        document, lambda _: "\n".join([f"The mail server took it ({receipt.code}).", *(f"({it})" for it in notes)])
    )


async def _sent(relay: Relay, mail: Mail) -> Receipt:
    """Send one mail and return what became of it."""
    telemetry.configure(level="critical", fd=2)  # `_judge` says what went wrong
    somebody_waits = Patience(opening=15, mail=30, rcpt=30, data=60, dot=120, quit=2)
    channel = EmailChannel(replace(relay, patience=somebody_waits), jitter=lambda: 0.0)
    await channel.start()
    try:
        return await channel.deliver(mail)
    finally:
        await channel.stop(somebody_waits.quit)


def _judge(receipt: Receipt) -> None:
    """Raises Failure unless the mail was taken."""
    reply = " ".join(str(part) for part in (receipt.code, receipt.text) if part)
    because = f" ({reply})" if reply else ""
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
            error, why = "sender_refused", "the mail server does not take mail from the brand's `from`, or from us"
        case Verdict.PERMANENT, "rcpt" if receipt.address_unknown:
            error, why = "address_unknown", "the mail server knows no such address as --to"
        case Verdict.PERMANENT, _:
            error, why = "refused", f"the mail server refused it for good, at {receipt.stage}"
        case Verdict.IN_DOUBT, _:
            error, why = "in_doubt", "it left, and the mail server's answer was lost: it may arrive"
        case _, "connect" | "greeting" | "ehlo":
            error, why = "unreachable", "the mail server at AVISA_SMTP__HOST and __PORT was not reached"
        case _, "tls":
            error, why = "no_tls", "no encryption with the mail server came about; see AVISA_SMTP__TLS"
        case _:
            error, why = "not_now", f"the mail server does not take it now, at {receipt.stage}; try again later"
    raise Failure(Exit.FINDINGS, error, f"not sent: {why}{because}" if error != "in_doubt" else why + because)
