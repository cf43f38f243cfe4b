"""Every message in every language on one page, for those who write them: it follows each saved file.

It is served on this machine only, to whoever runs `avisa preview --serve`. Mails are shown in frames that run no
scripts. The page has one small script, which asks what changed and replaces only that.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from avisa.diagnostics.diagnostic import Diagnostic
from avisa.ports import CannotRender, RenderedMessage
from avisa.preview.folder import Message, PreviewedFolder
from avisa.web.guard import Guard, KnownHosts, content_policy
from avisa.web.page import STYLE, Pages
from avisa.web.stored_mail import for_frame

_PAGES = Path(__file__).parent / "pages"
_page = Pages(_PAGES)
_STYLE = (_PAGES / "preview.css").read_text("utf-8")
_SCRIPT = (_PAGES / "preview.js").read_text("utf-8")
_HEADERS = {"Content-Security-Policy": content_policy(STYLE, _STYLE, script=_SCRIPT, frame="'self'")}

# The frame is of our origin so that our script can ask how high the mail is; it runs none of its own. A logo of
# the brand is shown as a mail program would show it.
_FRAME_POLICY = (
    "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "
    "style-src 'unsafe-inline'; img-src data: https:; frame-ancestors 'self'; form-action 'none'"
)
_USUAL = {"sample": "full", "view": "mail", "look": "light", "locale": "all"}
_BEFORE = 24  # characters of a line before the place of a problem: then it is in sight on a narrow card
_VIEWS, _LOOKS = ("mail", "text"), ("light", "dark")


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedProblem:
    """A problem with the line that it is about, and a caret below the word."""

    problem: Diagnostic
    place: str
    line: str | None
    caret: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One message in one language."""

    message: str
    locale: str
    rendered: RenderedMessage | None
    problems: tuple[MarkedProblem, ...]
    frame: str  # the address of its HTML

    @property
    def id(self) -> str:
        return f"{self.message}.{self.locale}"

    @property
    def worst(self) -> str:
        """`error` before `warning`; empty: there is no problem."""
        return min((marked.problem.severity for marked in self.problems), default="")

    @property
    def mark(self) -> str:
        """Changes when there is something else to see."""
        return _mark(self.rendered, self.problems, self.frame)


def build(folder: PreviewedFolder) -> ASGIApp:
    """The whole application."""

    async def overview(request: Request) -> Response:
        chosen = _chosen(request)
        messages = folder.messages()
        locales = sorted({locale for message in messages for locale in message.locales})
        general = [_marked(folder, it) for it in folder.problems if not it.file.startswith("messages/")]
        shown = [
            (message, [_card(folder, message, locale, chosen) for locale in _wanted(message, chosen["locale"])])
            for message in messages
        ]
        return _page(
            "overview.html",
            headers=_HEADERS,
            sections=shown,
            samples=list(dict.fromkeys(sample for message in messages for sample in message.samples)),
            locales=locales,
            general=general,
            general_mark=_mark(general),
            names_mark=_mark([(card.id, card.worst) for _, cards in shown for card in cards]),
            **_usual(folder, chosen),
        )

    async def one(request: Request) -> Response:
        message, locale, chosen = _asked(folder, request)
        return _page(
            "message.html",
            headers=_HEADERS,
            message=message,
            card=_card(folder, message, locale, chosen),
            dark=_frame(message.name, locale, chosen | {"look": "dark"}),
            **_usual(folder, chosen),
        )

    async def frame(request: Request) -> Response:
        message, locale, chosen = _asked(folder, request)
        rendered = folder.rendered(message.name, locale, _sample(message, chosen["sample"]))
        if not isinstance(rendered, RenderedMessage):
            raise HTTPException(404, "This message cannot be shown.")
        html = for_frame(in_colours(rendered.html, dark=chosen["look"] == "dark"))
        return HTMLResponse(html, headers={"Content-Security-Policy": _FRAME_POLICY})

    async def changes(_request: Request) -> Response:
        async def sent() -> AsyncIterator[str]:
            async for version in folder.changes():
                yield f"data: {version}\n\n"

        return StreamingResponse(sent(), media_type="text/event-stream")

    app = Starlette(
        routes=[
            Route("/", overview, methods=["GET"]),
            Route("/changes", changes, methods=["GET"]),
            Route("/frame/{message}/{locale}", frame, methods=["GET"]),
            Route("/{message}/{locale}", one, methods=["GET"]),
        ],
        middleware=[Middleware(KnownHosts)],
    )
    app.router.redirect_slashes = False
    return Guard(app)


# However the author of the layout sets blanks.
_FOR_THE_DARK = re.compile(r"@media\s*\(\s*prefers-color-scheme\s*:\s*dark\s*\)")


def in_colours(html: str, *, dark: bool) -> str:
    """The mail in dark or light colours, whatever the browser prefers."""
    for_the_dark = f"@media {'all' if dark else 'not all'}"
    return _FOR_THE_DARK.sub(for_the_dark, html).replace(
        'content="light dark"', f'content="{"dark" if dark else "light"}"'
    )


def _chosen(request: Request) -> dict[str, str]:
    """The choices in the address, and the usual ones where it has none."""
    return {key: request.query_params.get(key, usual) for key, usual in _USUAL.items()}


def _asked(folder: PreviewedFolder, request: Request) -> tuple[Message, str, dict[str, str]]:
    named = request.path_params
    for message in folder.messages():
        if message.name == named["message"] and named["locale"] in message.locales:
            return message, named["locale"], _chosen(request)
    raise HTTPException(404, "There is no such message.")


def _usual(folder: PreviewedFolder, chosen: Mapping[str, str]) -> dict[str, Any]:
    """The values that both pages show."""

    def to(path: str = "/", **changes: str) -> str:
        kept = {key: value for key, value in {**chosen, **changes}.items() if value != _USUAL[key]}
        return f"{path}?{urlencode(kept)}" if kept else path

    problems = folder.problems
    return {
        "preview_style": Markup(_STYLE),  # noqa: S704 -- our own file
        "script": Markup(_SCRIPT),  # noqa: S704 -- our own file
        "folder": str(folder.folder),
        "version": folder.version,
        "chosen": chosen,
        "views": _VIEWS,
        "looks": _LOOKS,
        "to": to,
        "errors": sum(problem.severity == "error" for problem in problems),
        "warnings": sum(problem.severity == "warning" for problem in problems),
    }


def _mark(*shown: object) -> str:
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:16]


def _wanted(message: Message, locale: str) -> Sequence[str]:
    return [each for each in message.locales if locale in ("all", each)]


def _sample(message: Message, wanted: str) -> str:
    """Not every message has every sample."""
    return wanted if wanted in message.samples else message.samples[0]


def _frame(message: str, locale: str, chosen: Mapping[str, str]) -> str:
    asked = urlencode({key: chosen[key] for key in ("sample", "look")})
    return f"/frame/{message}/{locale}?{asked}"


def _card(folder: PreviewedFolder, message: Message, locale: str, chosen: Mapping[str, str]) -> Card:
    file = f"messages/{message.name}/{locale}.md"
    problems = [_marked(folder, problem) for problem in folder.problems if problem.file == file]
    rendered = folder.rendered(message.name, locale, _sample(message, chosen["sample"]))
    if isinstance(rendered, CannotRender):
        problems.append(_marked(folder, Diagnostic(code="cannot_render", file=file, message=rendered.problem)))
        rendered = None
    return Card(
        message=message.name,
        locale=locale,
        rendered=rendered,
        problems=tuple(problems),
        frame=_frame(message.name, locale, chosen),
    )


def _marked(folder: PreviewedFolder, problem: Diagnostic) -> MarkedProblem:
    line, caret = folder.line(problem), None
    if line is not None and problem.column is not None:
        cut = max(0, problem.column - 1 - _BEFORE)
        line = f"…{line[cut + 1 :]}" if cut else line
        before = line[: problem.column - 1 - cut]
        caret = "".join(character if character == "\t" else " " for character in before) + "^"
    place = ":".join(str(part) for part in (problem.file, problem.line, problem.column) if part is not None)
    return MarkedProblem(problem=problem, place=place, line=line, caret=caret)
