"""Every message in every language on one page, for those who write them: it follows each saved file.

It is served on this machine only, to whoever runs `avisa preview --serve`. Mails are shown in frames that run
nothing; our own page has one small script, which asks what changed and puts in only that.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
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
from avisa.web.guard import Guard, KnownHosts, content_policy
from avisa.web.page import FOLDER, STYLE, page
from avisa.web.stored_mail import for_frame

_STYLE = (FOLDER / "proofs.css").read_text("utf-8")
_SCRIPT = (FOLDER / "proofs.js").read_text("utf-8")
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
class Message:
    """A message, where the plan tells it, and the languages and samples there are."""

    name: str
    told: tuple[str, ...]
    locales: tuple[str, ...]
    samples: tuple[str, ...]


class Desk(Protocol):
    """The newest look at the template folder."""

    @property
    def folder(self) -> Path: ...

    @property
    def version(self) -> str:
        """Another one whenever anything in the folder is another."""

    @property
    def problems(self) -> Sequence[Diagnostic]: ...

    def messages(self) -> Sequence[Message]: ...

    def words(self, message: str, locale: str, sample: str) -> RenderedMessage | CannotRender | None:
        """What the message says on that sample; None where its file cannot be used."""

    def line(self, problem: Diagnostic) -> str | None:
        """The line of the file that the problem is about."""

    def changes(self) -> AsyncIterator[str]:
        """The version, now and whenever it changes, until the desk is closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A problem with the line that it is about, and a mark below the word."""

    problem: Diagnostic
    place: str
    line: str | None
    caret: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One message in one language."""

    message: str
    locale: str
    words: RenderedMessage | None
    faults: tuple[Fault, ...]
    frame: str  # the address of its HTML

    @property
    def id(self) -> str:
        return f"{self.message}.{self.locale}"

    @property
    def worst(self) -> str:
        """`error` before `warning`; empty: there is no problem."""
        return min((fault.problem.severity for fault in self.faults), default="")

    @property
    def mark(self) -> str:
        """Another one when there is something else to see."""
        return _mark(self.words, self.faults, self.frame)


def build(desk: Desk) -> ASGIApp:
    """The whole application."""

    async def overview(request: Request) -> Response:
        chosen = _chosen(request)
        messages = desk.messages()
        locales = sorted({locale for message in messages for locale in message.locales})
        general = [_fault(desk, it) for it in desk.problems if not it.file.startswith("messages/")]
        shown = [
            (message, [_card(desk, message, locale, chosen) for locale in _wanted(message, chosen["locale"])])
            for message in messages
        ]
        return page(
            "proofs.html",
            headers=_HEADERS,
            sections=shown,
            samples=list(dict.fromkeys(sample for message in messages for sample in message.samples)),
            locales=locales,
            general=general,
            general_mark=_mark(general),
            names_mark=_mark([(card.id, card.worst) for _, cards in shown for card in cards]),
            **_usual(desk, chosen),
        )

    async def one(request: Request) -> Response:
        message, locale, chosen = _asked(desk, request)
        return page(
            "proof.html",
            headers=_HEADERS,
            message=message,
            card=_card(desk, message, locale, chosen),
            dark=_frame(message.name, locale, chosen | {"look": "dark"}),
            **_usual(desk, chosen),
        )

    async def frame(request: Request) -> Response:
        message, locale, chosen = _asked(desk, request)
        words = desk.words(message.name, locale, _sample(message, chosen["sample"]))
        if not isinstance(words, RenderedMessage):
            raise HTTPException(404, "This message cannot be shown.")
        html = for_frame(in_colours(words.html, dark=chosen["look"] == "dark"))
        return HTMLResponse(html, headers={"Content-Security-Policy": _FRAME_POLICY})

    async def changes(_request: Request) -> Response:
        async def told() -> AsyncIterator[str]:
            async for version in desk.changes():
                yield f"data: {version}\n\n"

        return StreamingResponse(told(), media_type="text/event-stream")

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
    """The mail as it is in the dark or in the light, whatever the reader's own machine is set to."""
    for_the_dark = f"@media {'all' if dark else 'not all'}"
    return _FOR_THE_DARK.sub(for_the_dark, html).replace(
        'content="light dark"', f'content="{"dark" if dark else "light"}"'
    )


def _chosen(request: Request) -> dict[str, str]:
    """What the address asks for, and the usual where it asks for nothing."""
    return {key: request.query_params.get(key, usual) for key, usual in _USUAL.items()}


def _asked(desk: Desk, request: Request) -> tuple[Message, str, dict[str, str]]:
    named = request.path_params
    for message in desk.messages():
        if message.name == named["message"] and named["locale"] in message.locales:
            return message, named["locale"], _chosen(request)
    raise HTTPException(404, "There is no such message.")


def _usual(desk: Desk, chosen: Mapping[str, str]) -> dict[str, Any]:
    """What every page of ours knows."""

    def to(path: str = "/", **changes: str) -> str:
        kept = {key: value for key, value in {**chosen, **changes}.items() if value != _USUAL[key]}
        return f"{path}?{urlencode(kept)}" if kept else path

    problems = desk.problems
    return {
        "proofs_style": Markup(_STYLE),  # noqa: S704 -- our own file
        "script": Markup(_SCRIPT),  # noqa: S704 -- our own file
        "folder": str(desk.folder),
        "version": desk.version,
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


def _card(desk: Desk, message: Message, locale: str, chosen: Mapping[str, str]) -> Card:
    file = f"messages/{message.name}/{locale}.md"
    faults = [_fault(desk, problem) for problem in desk.problems if problem.file == file]
    words = desk.words(message.name, locale, _sample(message, chosen["sample"]))
    if isinstance(words, CannotRender):
        faults.append(_fault(desk, Diagnostic(code="cannot_render", file=file, message=words.problem)))
        words = None
    return Card(
        message=message.name,
        locale=locale,
        words=words,
        faults=tuple(faults),
        frame=_frame(message.name, locale, chosen),
    )


def _fault(desk: Desk, problem: Diagnostic) -> Fault:
    line, caret = desk.line(problem), None
    if line is not None and problem.column is not None:
        cut = max(0, problem.column - 1 - _BEFORE)
        line = f"…{line[cut + 1 :]}" if cut else line
        before = line[: problem.column - 1 - cut]
        caret = "".join(character if character == "\t" else " " for character in before) + "^"
    place = ":".join(str(part) for part in (problem.file, problem.line, problem.column) if part is not None)
    return Fault(problem=problem, place=place, line=line, caret=caret)
