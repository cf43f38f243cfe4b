"""The page on which an owner answers a question: in their language, for phones, keyboards and screen readers, without
scripts.

    GET  /o/TOKEN   what is known of the order, and a form; or what was answered, or that the question has lapsed
    POST /o/TOKEN   takes the answer, once; sent again, it shows what was answered. 400: the form has a mistake

Mail scanners and previews open every link in a mail, so GET changes nothing. The POST needs no cookie, because the
token came in the owner's mail. Every token that we did not sign gets the same page, with 404.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from avisa.answers import Shown, Written
from avisa.core.model import Rank, Reason
from avisa.core.question import Reply
from avisa.web.page import page
from avisa.web.unsubscribe import language

PREFIX = "/o/"
TEXTS: Mapping[str, Mapping[str, str]] = tomllib.loads((Path(__file__).parent / "question.toml").read_text("utf-8"))
LONGEST = 1_000  # characters of a text for the customer
FARTHEST = timedelta(days=1096)  # how far ahead a promised date may be; beyond, it is most likely mistyped
_FIELDS = ("reason", "next_step", "promised_at")


class Answers(Protocol):
    """What the page needs of `avisa.answers`."""

    async def look(self, token: str) -> Shown | None: ...

    async def take(self, token: str, written: Written) -> Shown | None: ...


def routes(answers: Answers) -> list[Route]:
    async def show(request: Request) -> Response:
        return _page(request, await answers.look(request.path_params["token"]))

    async def take(request: Request) -> Response:
        token = request.path_params["token"]
        shown = await answers.look(token)
        if shown is None or shown.state != "open":
            return _page(request, shown)
        form = _form(await request.body())
        written, wrong = _written(form, shown)
        if written is None:
            return _page(request, shown, form=form, wrong=wrong, status=400)
        return _page(request, await answers.take(token, written))

    return [
        Route(PREFIX + "{token}", show, methods=["GET"]),
        Route(PREFIX + "{token}", take, methods=["POST"]),
    ]


def _form(body: bytes) -> dict[str, str]:
    """The fields of a form (application/x-www-form-urlencoded). A name that comes twice has its first value; a body
    that is no form has no fields."""
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=20)
    except ValueError:
        return {}
    return {name: values[0].replace("\r\n", "\n").replace("\0", "\ufffd").strip() for name, values in fields.items()}


def _written(form: Mapping[str, str], shown: Shown) -> tuple[Written | None, dict[str, str]]:
    """The answer in the form; or None and, for each field with a mistake, the key in `TEXTS` of what is wrong."""
    reply = form.get("reply", "")
    if reply not in list(Reply) or (reply == Reply.PASS_ON and shown.next_owner is None):
        return None, {"reply": "choose"}
    said = {name: form[name] for name in _FIELDS if form.get(name)} if reply == Reply.TELL else {}
    wrong = {name: "too_long" for name in ("reason", "next_step") if len(said.get(name, "")) > LONGEST}
    if (day := said.get("promised_at")) is not None and not _is_ahead(day, shown.today):
        wrong["promised_at"] = "bad_date"
    if reply == Reply.TELL and not said:
        wrong["reason"] = "nothing"
    if wrong:
        return None, wrong
    return Written(reply=Reply(reply), facts=said, seen=_rank(form.get("seen", ""))), {}


def _is_ahead(day: str, today: date) -> bool:
    """True for a day such as `2026-03-09`, from today on and not farther ahead than `FARTHEST`."""
    try:
        found = date.fromisoformat(day)  # which takes a week, too, such as `2026-W11-1`
        return found.isoformat() == day and today <= found <= today + FARTHEST
    except ValueError:
        return False


def _rank(written: str) -> Rank | None:
    """The rank in the form's hidden field `seen`, such as `1767225600000000.-1.3`; None if it is none."""
    parts = written.split(".")
    if len(parts) != 3 or not all(part.removeprefix("-").isdecimal() and len(part) < 20 for part in parts):
        return None
    return int(parts[0]), int(parts[1]), int(parts[2])


def _page(
    request: Request,
    shown: Shown | None,
    *,
    form: Mapping[str, str] | None = None,
    wrong: Mapping[str, str] | None = None,
    status: int = 200,
) -> HTMLResponse:
    accepted = request.headers.get("accept-language", "")
    locale = language(accepted if shown is None else shown.locale)
    text = TEXTS[locale]
    known = {} if shown is None else _shown(shown, text, locale)
    return page(
        "question.html",
        status=404 if shown is None else status,
        headers={"Content-Language": locale, "Vary": "Accept-Language"},
        locale=locale,
        text=text,
        state="gone" if shown is None else "acted" if shown.acted else shown.state,
        form=form or {},
        wrong={name: text[what] for name, what in (wrong or {}).items()},
        longest=LONGEST,
        **known,
    )


def _shown(shown: Shown, text: Mapping[str, str], locale: str) -> dict[str, object]:
    """What the page shows of a question, in the owner's language and the brand's time zone."""
    values, zone, written = shown.values, ZoneInfo(shown.time_zone), _babel(shown.locale, locale)

    def day(at: str) -> str:
        if len(at) == len("2026-03-09"):
            return format_date(date.fromisoformat(at), "full", locale=written)
        return moment(datetime.fromisoformat(at))

    def moment(at: datetime) -> str:
        at = at.astimezone(zone)
        parts = format_time(at, "short", locale=written), format_date(at, "long", locale=written)
        return str(written.datetime_formats["medium"]).replace("'", "").format(*parts)

    order, told, promise = values["order"], values.get("told", {}), values.get("promise", {})
    facts = [
        ("customer", order["customer_name"]),
        ("status", values["status"]),
        ("told", told.get("at") and day(told["at"])),
        ("expects", values.get("next_update") and day(values["next_update"])),
        ("promise", promise.get("date") and day(promise["date"])),
        ("reason_known", values.get("reason")),
        ("next_step_known", values.get("next_step")),
        ("playbook", values.get("playbook")),
        ("notes", values.get("notes")),
    ]
    answered, to_keep = shown.answered, values.get("to_keep")
    title = text["title_date"].format(number=order["number"], date=day(to_keep)) if to_keep else None
    acted = "kept" if to_keep and shown.acted is Reason.ON_TRACK else shown.acted
    return {
        "title": title or text["title"].format(number=order["number"]),
        "to_keep": to_keep,
        "facts": [(text[name], value) for name, value in facts if value],
        "next_owner": shown.next_owner,
        "seen": ".".join(map(str, shown.seen)),
        "today": shown.today.isoformat(),
        "in_language": text["in_language"].format(language=_language(shown.customer_locale or "", locale)),
        "outcome": acted and text.get(f"acted_{acted}", text["acted_repeated"]),
        "answered": answered
        and text[f"answered_{answered.reply}"].format(
            at=moment(answered.replied_at) if answered.replied_at else "", by=answered.author
        ),
    }


def _babel(wanted: str, locale: str) -> Locale:
    """How dates are written in the language of `locale`: as in the country that is wanted, if it has the language."""
    words = Locale.parse(locale, sep="-")
    try:
        known = Locale.parse(wanted, sep="-")
    except (UnknownLocaleError, ValueError):
        return words
    return known if known.territory and known.language == words.language else words


def _language(wanted: str, locale: str) -> str:
    """The name of the customer's language in that of the page."""
    try:
        return (
            Locale.parse(wanted.replace("-", "_").partition(".")[0]).get_language_name(locale.replace("-", "_"))
            or wanted
        )
    except (UnknownLocaleError, ValueError):
        return wanted[:20]
