"""Compiled messages, filled with the values of an order and made mails."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from types import TracebackType

from avisa.core.model import Json
from avisa.core.plan import Brand
from avisa.links import LinkRule
from avisa.ports import CannotRender, Mail, RenderedMessage, RenderInput
from avisa.templates import address
from avisa.templates.compiled import SEPARATOR, Compiled
from avisa.templates.jinja.direction import ISOLATE, closed, lines_of
from avisa.templates.jinja.filling import Filling
from avisa.templates.jinja.formats import formats_of
from avisa.templates.jinja.to_text import cut
from avisa.templates.limits import MOST_AHEAD, TooMuch
from avisa.templates.mime import FORM, Heading, SenderHeaders
from avisa.templates.template import Template

_ANY_HOST = LinkRule()


@dataclass(frozen=True, slots=True, kw_only=True)
class Renderer:
    """Every message in every language, and the sender headers of every brand."""

    messages: Mapping[str, Mapping[str, Template]]  # by name, then locale
    sender_headers: Mapping[str, SenderHeaders]
    link_rules: Mapping[str, LinkRule]  # by brand
    redirect_to: str | None = None  # staging: all mail goes there
    form: int = FORM  # of the bytes of its mails

    def names(self) -> tuple[str, ...]:
        return tuple(self.messages)

    def locales(self, message: str) -> tuple[str, ...]:
        return tuple(self.messages.get(message, ()))

    def address(self, raw: object, brand: Brand) -> str | None:
        """Return the address, checked. It is None for the brand's own too: mail to ourselves would go round and
        round."""
        checked = address.checked(raw)
        own = self.sender_headers[brand.key].sender
        return None if checked and checked.casefold() == own.casefold() else checked

    def domain(self, brand: Brand) -> str:
        return self.sender_headers[brand.key].domain

    def compilations(self, messages: Iterable[str]) -> Sequence[Callable[[], object]]:
        """Return what compiles these messages in every language, one by one: at most MOST_AHEAD of them."""
        templates = (template for name in messages for template in self.messages.get(name, {}).values())
        return [template.compiled for template in islice(templates, MOST_AHEAD)]

    def as_of(self, engine: str) -> Renderer:
        """Return the renderer whose mails have the form that they had with this engine, a `renderer_fingerprint`."""
        named = dict(each.split("=") for each in engine.split() if "=" in each)
        return replace(self, form=int(named.get("mail", 1)))

    def render(self, render_input: RenderInput) -> RenderedMessage | CannotRender:
        template = self.messages[render_input.message][render_input.locale]
        compiled = template.compiled()
        if compiled is None:
            return CannotRender(f"{template.file}: it has errors")
        return fill(compiled, render_input.values, self.link_rules[render_input.brand])

    def mail(self, render_input: RenderInput, key: str) -> Mail | CannotRender:
        message = self.render(render_input)
        return message if isinstance(message, CannotRender) else self.to_mime(render_input, message, key)

    def to_mime(self, render_input: RenderInput, message: RenderedMessage, key: str) -> Mail:
        headers = self.sender_headers[render_input.brand]
        # Applied now and not when the mail was drafted, so that no mail slips past it.
        to = self.redirect_to or render_input.to
        heading = Heading(
            to=to,
            name=render_input.name,
            message_id=render_input.message_id,
            references=render_input.references,
            date=render_input.date,
            feedback_id=(render_input.purpose, render_input.message, render_input.brand, "avisa"),
            unsubscribe=render_input.unsubscribe,
            intended_to=render_input.to if self.redirect_to else None,
        )
        return Mail(
            key=key,
            sender=headers.sender,
            recipient=to,
            data=headers.mail(heading, message, self.form),
            notes=(*render_input.notes, *message.notes),
            wire_ready=True,  # of mime's bodies and headers no line begins with a dot, and none ends but with CRLF
        )


def fill(compiled: Compiled, values: dict[str, Json], rule: LinkRule = _ANY_HOST) -> RenderedMessage | CannotRender:
    """Return the message filled with values; or why it cannot be filled, with none of the values in it."""
    try:
        own = values.get("_locale")
        filling = Filling(rule=rule, formats=formats_of(own) if own else compiled.formats)
        plain, quoted_html = compiled.program.fill(values, filling)
        subject, short, text = plain.split(SEPARATOR)
    except TooMuch as error:
        return CannotRender(f"{compiled.file}: {error}")
    except Exception as error:
        return CannotRender(_problem(compiled, error))
    subject, short, text = _one_line(subject), _one_line(short), _tidy(text)
    if not subject:
        return CannotRender(f"{compiled.file}: the subject came out empty")
    if compiled.right_to_left or ISOLATE in plain:
        subject, short, text = (lines_of(each, compiled.right_to_left) for each in (subject, short, text))
    notes = tuple(filling.notes)
    return RenderedMessage(subject=subject, short=short, text=text, quoted_html=quoted_html, notes=notes)


def _one_line(text: str) -> str:
    """Return the text with one blank between words. It is cut first, to the length that a value may have."""
    line = " ".join(cut(text).split())
    return line if line.isascii() else closed(line)


def _tidy(text: str) -> str:
    """Return plain text without the traces of an `if` that wrote nothing: second empty lines, and a blank at the
    beginning of a paragraph. Regular expressions would take longer than filling the message."""
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    return text.replace("\n\n ", "\n\n").strip() + "\n"


def _problem(compiled: Compiled, error: Exception) -> str:
    """Return template, line and variable. Only an undefined name is quoted, for any other error may hold a value."""
    from jinja2.exceptions import UndefinedError  # here, for whoever fills a message has loaded Jinja to compile it

    line = _line(compiled, error.__traceback__)
    what = error.message if isinstance(error, UndefinedError) else type(error).__name__
    return f"{compiled.file} line {line}: {what}"


def _line(compiled: Compiled, traceback: TracebackType | None) -> int:
    line = 0
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == compiled.file:
            line = compiled.program.line(traceback.tb_lineno)
        traceback = traceback.tb_next
    return line
