"""What a good message has: a next step, the date of the next news, plain words, safe links, and all that its
translations say."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from avisa.core import promises, samples
from avisa.core.model import FOR_OWNERS, Purpose
from avisa.core.plan import Plan
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.lint.codes import diagnostic
from avisa.lint.message import Message

_IMAGE = re.compile(r"!\[[^\]\n]*\]\(")
_INSECURE = re.compile(r"http://[^\s)>\]\"'{]*", re.IGNORECASE)
_SOME_TEXT = 40  # characters in a row that are the same in two languages only by mistake
_TELLS_A_DATE = frozenset({Purpose.UPDATE, Purpose.REMINDER, Purpose.PROMISE_MOVED}) | promises.OF_TIME
_NEXT_STEPS = frozenset({"next_step", "button()"})
_NEXT_STEP_HINT = "{% if next_step %}{{ next_step }}{% endif %}"
_LINK = re.compile(r"\]\(|<(?:https?|mailto|tel):")


def check_message(message: Message, plan: Plan) -> Iterator[Diagnostic]:
    """What one message could do better."""
    body = message.source.body
    for found in _IMAGE.finditer(body.text):
        text = "a message has no pictures of its own"
        yield diagnostic("image_is_text", message.file, body.place(found.start()), text)
    for offset, instead in insecure_links(body.text):
        yield diagnostic("insecure_link", message.file, body.place(offset), "this link is not encrypted", instead)
    yield from _forbidden_words(message, plan)
    uses = [use for use in samples.uses(message.name, plan) if use[1] not in FOR_OWNERS]
    if uses and not message.shows & _NEXT_STEPS and not _LINK.search(body.text):
        text = "it neither says `next_step`, nor has it a button or a link"
        yield diagnostic("no_next_step", message.file, message.begin, text, _NEXT_STEP_HINT)
    yield from _next_update(message, plan, uses)


def check_translations(translations: Sequence[Message]) -> Iterator[Diagnostic]:
    """Variables that one language leaves out and most of the others show; `translations` are all of one message."""
    yield from _same_words(translations)
    shown = [(message, message.shows) for message in translations]
    counted = Counter(name for _, names in shown for name in names)
    most = (len(translations) - 1) / 2
    for message, names in shown:
        missing: dict[str, list[str]] = {}  # by the languages that show them
        for name in sorted(name for name, count in counted.items() if name not in names and count > most):
            where = ", ".join(other.locale for other, theirs in shown if name in theirs)
            missing.setdefault(where, []).append(f"`{name}`")
        for where, what in missing.items():
            text = f"{', '.join(what)}: not said here, but in {where}"
            yield diagnostic("says_less", message.file, message.begin, text)


def _same_words(translations: Sequence[Message]) -> Iterator[Diagnostic]:
    """The same text in two languages; variants of one language, such as `pt` and `pt-BR`, may share a text."""
    seen: dict[str, Message] = {}
    for message in translations:
        other = seen.setdefault(message.source.body.text.strip(), message)
        strangers = other.locale.partition("-")[0] != message.locale.partition("-")[0]
        if strangers and any(isinstance(each, str) and len(each) > _SOME_TEXT for _, _, each in message.texts()):
            text = f"this is word for word what `{other.locale}.md` says"
            yield diagnostic("same_words", message.file, message.begin, text)


def insecure_links(text: str) -> Iterator[tuple[int, str]]:
    """Yield the offset of each `http:` address, and what to write instead."""
    for found in _INSECURE.finditer(text):
        yield found.start(), f"https://{found[0][7:]}"


def _forbidden_words(message: Message, plan: Plan) -> Iterator[Diagnostic]:
    forbidden = {word: brand.key for brand in plan.brands.values() for word in brand.forbidden_words}
    for word, brand in forbidden.items():
        pattern = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)", re.IGNORECASE)
        for part, offset, piece in message.texts():
            for found in pattern.finditer(piece):
                text = f"brand `{brand}` does not want customers to read “{found[0]}”"
                yield diagnostic("forbidden_word", message.file, part.place(offset + found.start()), text)


def _next_update(message: Message, plan: Plan, uses: Collection[samples.Use]) -> Iterator[Diagnostic]:
    if "next_update" in message.shows_in_body:
        return
    for status, purpose, _ in uses:
        touchpoint = plan.touchpoint(status)
        dated = touchpoint.window is not None and not touchpoint.final and touchpoint.remind.at_most > 0
        if purpose in _TELLS_A_DATE and dated and touchpoint.count_from == "last_message":
            text = f"`{status}` has a window, and this does not say by when the customer hears again"
            hint = "{% if next_update %}… {{ next_update | day }} …{% endif %}"
            yield diagnostic("no_next_update", message.file, message.begin, text, hint)
            return
