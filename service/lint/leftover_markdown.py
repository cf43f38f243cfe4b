"""Markdown that customers would see as it was typed: messages do not have it, or there is a mistake in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from markdown_it.token import Token

from avisa.diagnostics.diagnostic import Diagnostic
from avisa.lint.codes import diagnostic
from avisa.lint.message import Message
from avisa.templates.markdown.parser import PARSER

_PLACEHOLDER = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_ESCAPED = re.compile(r"\\[^\w\s]")
_LETTER, _POINT = "\uff2f", "\uff0e"  # replace placeholders, and signs that a backslash makes plain text
# What is left over as text, the message for it, and the suggestion.
_LEFTOVERS = (
    (r"\*\*", "this `**` has no other to be bold with: a blank is in the way, or one is missing", "**…**"),
    (r"~~", "nothing can be struck out in a message", None),
    (r"```", "there are no blocks of code in a message", "`…`"),
    (rf"(?<=\])[ ]+(?=\((?:https?:|mailto:|tel:|www\.|{_LETTER}))", "there is a blank within this link", "[…](…)"),
    (r"\([^()]*\)\[(?:https?:|mailto:|tel:|www\.)", "a link is the other way round", "[…](…)"),
    (r"(?<!!)\[[^\]\[]*\]\([^)]*", "this is no link: a blank is in its address, or it is not closed", "[…](…)"),
    (r"^\|.*\|$", "there are no tables in a message; a list is read well on a phone", "- …"),
    (rf"^#{{1,6}}(?=[^\W\d_{_LETTER}])", "a heading has a blank after its `#`", "# …"),
    (r"^={3,}$", "a heading is a line that begins with `#`", "# …"),
)
_PATTERNS = tuple((re.compile(pattern, re.MULTILINE), text, meant) for pattern, text, meant in _LEFTOVERS)
_TIMES = re.compile(r"(?<=\d)\*(?=\d)")
_MARKDOWN = re.compile(r"\*\*[^*]+\*\*|\[[^\]]*\]\(")  # in a subject or a short form, which have none
_CONTEXT = (12, 6, 3, 0)  # characters around a sign by which it is found again, the most telling first


@lru_cache(512)  # the preview checks the folder at every save, and most messages are as they were
def check_message(message: Message) -> Sequence[Diagnostic]:
    """Return each sign that is left over, at its place."""
    return tuple(_leftovers(message))


def _leftovers(message: Message) -> Iterator[Diagnostic]:
    yield from _markdown_in_lines(message)
    body = message.source.body
    filled = _ESCAPED.sub(_POINT * 2, _filled(body.text))
    begins = [0, *(found.end() for found in re.finditer("\n", filled)), len(filled)]
    for token in PARSER.parse(filled):
        if token.type != "inline" or token.map is None:
            continue
        begin, end = (begins[line] for line in token.map)
        leftover = _leftover(token)
        for pattern, text, meant in _PATTERNS:
            if found := pattern.search(leftover):
                at = _offset(found, filled, begin, end)
                yield diagnostic("markdown_is_text", message.file, body.place(at), text, meant)
        times = _TIMES.search(filled, begin, end)
        if times and any(child.type == "em_open" for child in token.children or ()):
            text = "`*` between figures makes what follows lean, and is left out"
            yield diagnostic("markdown_is_text", message.file, body.place(times.start()), text, "×")


def _filled(text: str) -> str:
    """Return the text with letters in place of each placeholder, so that all else keeps its offset."""
    return _PLACEHOLDER.sub(lambda found: _LETTER * len(found[0]), text)


def _markdown_in_lines(message: Message) -> Iterator[Diagnostic]:
    """Markdown in the subject and the short form, which are one line of plain text each."""
    for part in (message.source.subject, message.source.short):
        if found := _MARKDOWN.search(_filled(part.text)):
            text = "there is no Markdown in a subject or a short form"
            yield diagnostic("markdown_is_text", message.file, part.place(found.start()), text)


def _offset(found: re.Match[str], filled: str, begin: int, end: int) -> int:
    """Return the offset in `filled[begin:end]` of what was found in the leftover text of that part."""
    text = found.string
    for width in _CONTEXT:
        before = text[max(found.start() - width, 0) : found.start()]
        at = filled.find(f"{before}{found[0]}{text[found.end() : found.end() + width]}", begin, end)
        if at >= 0:
            return at + len(before)
    return begin


def _leftover(token: Token) -> str:
    """Return what a paragraph or heading leaves as text, without the addresses that are written as links."""
    kept: list[str] = []
    children = token.children or []
    for before, child in zip([None, *children], children, strict=False):
        address = before is not None and before.type == "link_open" and before.info == "auto"
        kept.append("\0" if address else _text(child))
    return "".join(kept)


def _text(child: Token) -> str:
    match child.type:
        case "text":
            return child.content
        case "softbreak":
            return "\n"
        case "code_inline" if child.markup == "```":  # meant as a block of code
            return child.markup
        case _:
            return "\0"
