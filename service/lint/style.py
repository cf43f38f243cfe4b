"""What a good message has, seen in its text: a next step, the next date, plain words, safe links, no less than its
siblings in other languages."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from avisa.core import samples
from avisa.core.model import Purpose
from avisa.core.plan import Plan
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.lint.codes import problem
from avisa.lint.message import Message

_IMAGE = re.compile(r"!\[[^\]\n]*\]\(")
_INSECURE = re.compile(r"http://[^\s)>\]\"'{]*", re.IGNORECASE)
_SOME_WORDS = 40  # characters in a row, of which two languages have the same only by mistake
_TELLS_A_DATE = frozenset({Purpose.UPDATE, Purpose.REMINDER, Purpose.PROMISE_MOVED})
_LEADS_ON = frozenset({"next_step", "button()"})
_LINK = re.compile(r"\]\(|<(?:https?|mailto|tel):")


def of_message(message: Message, plan: Plan) -> Iterator[Diagnostic]:
    """All that one file could do better."""
    yield from _images(message)
    yield from _insecure_links(message)
    yield from _forbidden_words(message, plan)
    uses = [use for use in samples.uses(message.name, plan) if use[1] is not Purpose.OWNER_ALERT]
    if uses:
        yield from _next_step(message)
        yield from _next_update(message, plan, uses)


def of_siblings(siblings: Sequence[Message]) -> Iterator[Diagnostic]:
    """What one language leaves out and most of the others say; `siblings` are one message in all its languages."""
    yield from _same_words(siblings)
    said = [(message, message.says()) for message in siblings]
    counted = Counter(name for _, names in said for name in names)
    most = (len(siblings) - 1) / 2
    for message, names in said:
        missing: dict[str, list[str]] = {}  # by the languages that say it
        for name in sorted(name for name, count in counted.items() if name not in names and count > most):
            where = ", ".join(other.locale for other, theirs in said if name in theirs)
            missing.setdefault(where, []).append(f"`{name}`")
        for where, what in missing.items():
            told = f"{', '.join(what)}: not said here, but in {where}"
            yield problem("says_less", message.file, message.begin, told)


def _same_words(siblings: Sequence[Message]) -> Iterator[Diagnostic]:
    """One text in two languages; those of one language, as `pt` and `pt-BR`, may share theirs."""
    seen: dict[str, Message] = {}
    for message in siblings:
        text = message.source.body.text.strip()
        other = seen.setdefault(text, message)
        strangers = other.locale.partition("-")[0] != message.locale.partition("-")[0]
        if strangers and any(isinstance(each, str) and len(each) > _SOME_WORDS for _, _, each in message.texts()):
            told = f"this is word for word what `{other.locale}.md` says"
            yield problem("same_words", message.file, message.begin, told)


def insecure_links(text: str) -> Iterator[tuple[int, str]]:
    """Offsets of `http:` addresses, each with what to write instead."""
    for found in _INSECURE.finditer(text):
        yield found.start(), f"https://{found[0][7:]}"


def _images(message: Message) -> Iterator[Diagnostic]:
    body = message.source.body
    for found in _IMAGE.finditer(body.text):
        yield problem(
            "image_is_text", message.file, body.place(found.start()), "a message has no pictures of its own"
        )


def _insecure_links(message: Message) -> Iterator[Diagnostic]:
    body = message.source.body
    for offset, instead in insecure_links(body.text):
        yield problem("insecure_link", message.file, body.place(offset), "this link is not encrypted", instead)


def _forbidden_words(message: Message, plan: Plan) -> Iterator[Diagnostic]:
    forbidden = {word: brand.key for brand in plan.brands.values() for word in brand.forbidden_words}
    for word, brand in forbidden.items():
        pattern = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)", re.IGNORECASE)
        for part, offset, text in message.texts():
            for found in pattern.finditer(text):
                told = f"brand `{brand}` does not want customers to read “{found[0]}”"
                yield problem("forbidden_word", message.file, part.place(offset + found.start()), told)


def _next_step(message: Message) -> Iterator[Diagnostic]:
    if not message.says() & _LEADS_ON and not _LINK.search(message.source.body.text):
        told = "it neither says `next_step`, nor has it a button or a link"
        yield problem(
            "no_next_step", message.file, message.begin, told, "{% if next_step %}{{ next_step }}{% endif %}"
        )


def _next_update(message: Message, plan: Plan, uses: Collection[samples.Use]) -> Iterator[Diagnostic]:
    if "next_update" in message.says_in_body():
        return
    for status, purpose, _ in uses:
        touchpoint = plan.touchpoint(status)
        dated = touchpoint.window is not None and not touchpoint.final and touchpoint.remind.at_most > 0
        if purpose in _TELLS_A_DATE and dated and touchpoint.count_from == "last_message":
            told = f"`{status}` has a window, and this does not say by when the customer hears again"
            hint = "{% if next_update %}… {{ next_update | day }} …{% endif %}"
            yield problem("no_next_update", message.file, message.begin, told, hint)
            return
