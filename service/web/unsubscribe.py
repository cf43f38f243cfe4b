"""Unsubscribing in one click (RFC 8058), and a page for people who follow the link themselves.

Scanners and previews open every link in a mail, so GET changes nothing. The POST needs no cookie: whoever has the
token has the mail. It may be repeated. Every token that is not ours gets the same answer, whatever is wrong with it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from avisa.web.page import page

ReadToken = Callable[[str], bytes | None]
Unsubscribe = Callable[[bytes], Awaitable[None]]

PREFIX = "/u/"

TEXTS = {
    "en": {
        "title": "Fewer e-mails",
        "ask": "Stop the “still in progress” reminders to this address?",
        "kept": "We will still write when something about your order changes.",
        "button": "Stop reminders",
        "done": "Done",
        "done_text": "No more reminders will go to this address.",
        "gone": "This link does not work",
        "gone_text": "It may have been cut short. Please open it again from the e-mail.",
    },
    "pt-PT": {
        "title": "Menos e-mails",
        "ask": "Quer deixar de receber neste endereço os lembretes de que a encomenda continua em curso?",
        "kept": "Continuamos a escrever sempre que houver novidades da sua encomenda.",
        "button": "Parar os lembretes",
        "done": "Está feito",
        "done_text": "Não enviaremos mais lembretes para este endereço.",
        "gone": "Esta ligação não funciona",
        "gone_text": "Talvez tenha ficado incompleta. Abra-a de novo a partir do e-mail.",
    },
    "pt-BR": {
        "title": "Menos e-mails",
        "ask": "Quer parar de receber neste endereço os lembretes de que o pedido continua em andamento?",
        "kept": "Vamos continuar avisando sempre que houver novidade no seu pedido.",
        "button": "Parar os lembretes",
        "done": "Pronto",
        "done_text": "Não vamos mais enviar lembretes para este endereço.",
        "gone": "Este link não funciona",
        "gone_text": "Ele pode ter ficado incompleto. Abra de novo a partir do e-mail.",
    },
    "es": {
        "title": "Menos correos",
        "ask": "¿Quieres dejar de recibir en esta dirección los avisos de que tu pedido sigue en curso?",
        "kept": "Te seguiremos escribiendo cuando haya novedades de tu pedido.",
        "button": "No enviar más avisos",
        "done": "Hecho",
        "done_text": "No enviaremos más avisos de estos a esta dirección.",
        "gone": "Este enlace no funciona",
        "gone_text": "Puede que haya quedado cortado. Vuelve a abrirlo desde el correo.",
    },
    "ca": {
        "title": "Menys correus",
        "ask": "Vols deixar de rebre en aquesta adreça els avisos que la teva comanda continua en curs?",
        "kept": "Et continuarem escrivint quan hi hagi novetats de la teva comanda.",
        "button": "No enviar més avisos",
        "done": "Fet",
        "done_text": "No enviarem més avisos d'aquests a aquesta adreça.",
        "gone": "Aquest enllaç no funciona",
        "gone_text": "Potser ha quedat tallat. Torna'l a obrir des del correu.",
    },
}
_BY_LANGUAGE = {"pt": "pt-PT", "pt-br": "pt-BR"}


def language(accepted: str) -> str:
    """Return the best of our languages for an Accept-Language header (RFC 9110 section 12.5.4), else English."""
    wanted = []
    for place, part in enumerate(accepted[:1000].split(",")):
        tag, _, weight = part.strip().partition(";q=")
        try:
            wanted.append((-float(weight or 1), place, tag.strip().lower()))
        except ValueError:
            continue
    for weight_, _place, tag in sorted(wanted):
        primary = tag.partition("-")[0]
        ours = _BY_LANGUAGE.get(tag) or _BY_LANGUAGE.get(primary, primary)
        if weight_ < 0 and ours in TEXTS:
            return ours
    return "en"


def routes(read_token: ReadToken, unsubscribe: Unsubscribe) -> list[Route]:
    async def show(request: Request) -> Response:
        if read_token(request.path_params["token"]) is None:
            return _page(request, "gone", status=404)
        return _page(request, "ask")

    async def stop(request: Request) -> Response:
        address_hash = read_token(request.path_params["token"])
        if address_hash is None:
            return _page(request, "gone", status=404)
        # The body may be a form or multipart/form-data (RFC 8058 section 3.2).
        body = await request.body()
        if b"List-Unsubscribe" not in body or b"One-Click" not in body:
            return _page(request, "ask", status=400)
        await unsubscribe(address_hash)
        return _page(request, "done")

    return [
        Route(PREFIX + "{token}", show, methods=["GET"]),
        Route(PREFIX + "{token}", stop, methods=["POST"]),
    ]


def _page(request: Request, state: str, *, status: int = 200) -> HTMLResponse:
    locale = language(request.headers.get("accept-language", ""))
    return page(
        "unsubscribe.html",
        status=status,
        headers={"Content-Language": locale, "Vary": "Accept-Language"},
        locale=locale,
        state=state,
        text=TEXTS[locale],
    )
