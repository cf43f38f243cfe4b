"""Markdown that customers would see as it was typed, because messages do not have it or because of a slip in it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from markdown_it.token import Token

from avisa.diagnostics.diagnostic import Diagnostic
from avisa.lint.codes import problem
from avisa.lint.message import Message
from avisa.templates.markdown.parser import PARSER

_PLACEHOLDER = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_ESCAPED = re.compile(r"\\[^\w\s]")
_LETTER, _POINT = "\uff2f", "\uff0e"  # stand in for what is said, and for signs that are meant as they stand
# What is left as text, what to say of it, and what was meant.
_LEFT = (
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
_PATTERNS = tuple((re.compile(pattern, re.MULTILINE), told, meant) for pattern, told, meant in _LEFT)
_TIMES = re.compile(r"(?<=\d)\*(?=\d)")
_OF_BODIES = re.compile(r"\*\*[^*]+\*\*|\[[^\]]*\]\(")  # where there is no Markdown, as in a subject
_AROUND = (12, 6, 3, 0)  # characters by which a sign is told from others like it


def of_markdown(message: Message) -> Iterator[Diagnostic]:
    """Each sign that is left over, at its place."""
    yield from _of_lines(message)
    body = message.source.body
    filled = _ESCAPED.sub(_POINT * 2, _filled(body.text))
    begins = [0, *(found.end() for found in re.finditer("\n", filled)), len(filled)]
    for token in PARSER.parse(filled):
        if token.type != "inline" or token.map is None:
            continue
        begin, end = (begins[line] for line in token.map)
        text = _text(token)
        for pattern, told, meant in _PATTERNS:
            if found := pattern.search(text):
                at = _place(found, filled, begin, end)
                yield problem("markdown_is_text", message.file, body.place(at), told, meant)
        times = _TIMES.search(filled, begin, end)
        if times and any(child.type == "em_open" for child in token.children or ()):
            told = "`*` between figures makes what follows lean, and is left out"
            yield problem("markdown_is_text", message.file, body.place(times.start()), told, "×")


def _filled(text: str) -> str:
    """With letters where something will be said, so that all else stays at its place."""
    return _PLACEHOLDER.sub(lambda found: _LETTER * len(found[0]), text)


def _of_lines(message: Message) -> Iterator[Diagnostic]:
    """Subject and short form are one line of text each."""
    for part in (message.source.subject, message.source.short):
        if found := _OF_BODIES.search(_filled(part.text)):
            told = "there is no Markdown in a subject or a short form"
            yield problem("markdown_is_text", message.file, part.place(found.start()), told)


def _place(found: re.Match[str], filled: str, begin: int, end: int) -> int:
    """Where in `filled` stands what was found in the text that is left of a part of it."""
    text = found.string
    for around in _AROUND:
        before = text[max(found.start() - around, 0) : found.start()]
        at = filled.find(f"{before}{found[0]}{text[found.end() : found.end() + around]}", begin, end)
        if at >= 0:
            return at + len(before)
    return begin


def _text(token: Token) -> str:
    """What is left as text of a paragraph or heading; not what is an address."""
    kept: list[str] = []
    children = token.children or []
    for before, child in zip([None, *children], children, strict=False):
        address = before is not None and before.type == "link_open" and before.info == "auto"
        kept.append("\0" if address else _left(child))
    return "".join(kept)


def _left(child: Token) -> str:
    match child.type:
        case "text":
            return child.content
        case "softbreak":
            return "\n"
        case "code_inline" if child.markup == "```":  # what was meant as a block
            return child.markup
        case _:
            return "\0"
