"""Markdown that customers would see as it was typed, because messages do not have it or because of a slip in it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from markdown_it.token import Token

from service.ports import Problem
from service.rendering.check.codes import problem
from service.rendering.check.message import Message
from service.rendering.markdown import PARSER

# What is no sign of Markdown: placeholders, and what was escaped because it is meant as it stands.
_NO_SIGN = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}|\\[^\w\s]", re.DOTALL)
# What is left as text, what to say of it, and what was meant.
_LEFT = (
    (r"\*\*", "this `**` has no other to be bold with, or a blank is in the way", "**…**"),
    (r"~~", "nothing can be struck out in a message", None),
    (r"```", "there are no blocks of code in a message", "`…`"),
    (r"(?<=\])[ ]+(?=\((?:https?:|mailto:|tel:|www\.|0))", "there is a blank within this link", "[…](…)"),
    (r"(?<!!)\[[^\]\[]*\]\([^)]*", "this is no link: a blank is in its address, or it is not closed", "[…](…)"),
    (r"^\|.*\|$", "there are no tables in a message; a list is read well on a phone", "- …"),
    (r"^#{1,6}(?=[^\W\d_])", "a heading has a blank after its `#`", "# …"),
    (r"^={3,}$", "a heading is a line that begins with `#`", "# …"),
)
_PATTERNS = tuple((re.compile(pattern, re.MULTILINE), told, meant) for pattern, told, meant in _LEFT)


def of_markdown(message: Message) -> Iterator[Problem]:
    """Each sign that is left over, at its place."""
    body = message.source.body
    filled = _NO_SIGN.sub(lambda found: re.sub(r"[^\n]", "0", found[0]), body.text)
    begins = [0, *(found.end() for found in re.finditer("\n", filled)), len(filled)]
    for token in PARSER.parse(filled):
        if token.type != "inline" or token.map is None:
            continue
        begin, end = (begins[line] for line in token.map)
        text = _text(token)
        for pattern, told, meant in _PATTERNS:
            if found := pattern.search(text):
                again = pattern.search(filled, begin, end)
                at = again.start() if again else max(filled.find(found[0], begin, end), begin)
                yield problem("markdown_is_text", message.file, body.place(at), told, meant)


def _text(token: Token) -> str:
    """What is left as text of a paragraph or heading."""
    return "".join(map(_left, token.children or ()))


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
