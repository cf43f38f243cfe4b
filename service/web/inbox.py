"""The embedded inbox as pages: a list, and each mail as HTML, as text and as source.

The content of a mail is not trusted: its HTML is shown in a frame of another origin, which runs no script and loads
nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from avisa.web.page import page
from avisa.web.stored_mail import LIST_MOST, Mailbox, ParsedMail, for_frame

# `sandbox` stands here too, because the address of the frame can be opened by itself.
_FRAME_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src data:; frame-ancestors 'self'; form-action 'none'"
)


def routes(mailbox: Mailbox) -> list[Route]:
    def parsed(request: Request) -> ParsedMail:
        stored = mailbox.mail(request.path_params["id"])
        if stored is None:
            raise HTTPException(404, "There is no such mail here, or newer ones pushed it out.")
        return ParsedMail(stored)

    async def show_list(request: Request) -> Response:
        text = request.query_params.get("before", "")
        before = int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None
        mails = mailbox.newest(LIST_MOST + 1, before=before)
        return page(
            "inbox.html",
            mails=[ParsedMail(mail) for mail in mails[:LIST_MOST]],
            first_page=before is None,
            older=mails[LIST_MOST - 1].id if len(mails) > LIST_MOST else None,
        )

    def show_as(view: str | None = None) -> Callable[[Request], Awaitable[Response]]:
        async def show_mail(request: Request) -> Response:
            mail = parsed(request)
            return page("mail.html", mail=mail, view=view or ("text" if mail.html is None else "html"))

        return show_mail

    async def frame(request: Request) -> Response:
        html = parsed(request).html
        return HTMLResponse(for_frame(html or ""), headers={"Content-Security-Policy": _FRAME_POLICY})

    pages = {
        "": show_list,
        "/{id:int}": show_as(),
        "/{id:int}/text": show_as("text"),
        "/{id:int}/source": show_as("source"),
        "/{id:int}/frame": frame,
    }
    return [Route(f"/inbox{path}", show, methods=["GET"]) for path, show in pages.items()]
