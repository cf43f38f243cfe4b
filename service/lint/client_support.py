"""CSS and HTML in the layout that most mail programs do not support, by the tables of caniemail.com.

`python -m tests.lint.caniemail` makes `client_support.json` from them: by kind and word, who lacks it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from avisa.diagnostics.diagnostic import Diagnostic
from avisa.lint.codes import diagnostic
from avisa.templates.layout.theme import THEME
from avisa.templates.message_file import Part

Found = tuple[int, str, str]  # offset, kind, word

# Placeholders and comments are no CSS or HTML. Blanks of the same length replace them, so that offsets stay true.
_NOT_MARKUP = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}|<!--.*?-->|/\*.*?\*/", re.DOTALL)
_STYLE = re.compile(r"<style[^>]*>(.*?)</style>", re.DOTALL | re.IGNORECASE)
_STYLED = re.compile(r"""\sstyle\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
_IN_QUOTES = re.compile(r""":[ ]+(["'])(.*?)\1""")  # as the styles of a theme stand
_BLOCK = re.compile(r"\{([^{}]*)\}")
_DECLARATION = re.compile(r"(?:^|;)\s*([a-z-]+)\s*:([^;]*)", re.IGNORECASE)
_FUNCTION = re.compile(r"(?<![a-z-])([a-z-]++)\(", re.IGNORECASE)
_AT_RULE = re.compile(r"@[a-z-]+", re.IGNORECASE)
_SELECTOR = re.compile(r"::?[a-z-]+", re.IGNORECASE)
_TAG = re.compile(r"<([a-z][a-z0-9]*)\b([^>]*)>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""(?<=\s)([a-z-]+)(?=[\s=/>]|$)(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'>]+))?""", re.IGNORECASE)


def check_layout(texts: Mapping[str, str]) -> Iterator[Diagnostic]:
    """Each property, element … once a file, at its first place."""
    for file, text in sorted(texts.items()):
        if file == THEME:
            found_in = _in_theme(text)
        elif file.endswith(".html"):
            found_in = _in_html(_NOT_MARKUP.sub(lambda found: " " * len(found[0]), text))
        else:
            continue
        part = Part.of(text, (1, 1))
        reported: set[tuple[str, str]] = set()
        for offset, kind, word in sorted(found_in):
            without = _unsupported()[kind].get(word.lower())
            if without is None or (kind, word) in reported:
                continue
            reported.add((kind, word))
            code = "weak_html" if kind in ("elements", "attributes") else "weak_css"
            yield diagnostic(code, file, part.place(offset), f"`{word}` is not known to {', '.join(without)}")


@cache
def _unsupported() -> Mapping[str, Mapping[str, list[str]]]:
    table: dict[str, Any] = json.loads(files(__package__).joinpath("client_support.json").read_text("utf-8"))
    return table


def _in_theme(yaml: str) -> Iterator[Found]:
    for style in _IN_QUOTES.finditer(yaml):
        yield from _in_declarations(style[2], style.start(2))


def _in_html(html: str) -> Iterator[Found]:
    for sheet in _STYLE.finditer(html):
        yield from _in_css(sheet[1], sheet.start(1))
    for tag in _TAG.finditer(html):
        yield tag.start(1) - 1, "elements", tag[1]
        for attribute in _ATTRIBUTE.finditer(tag[2]):
            yield tag.start(2) + attribute.start(1), "attributes", attribute[1]
    for styled in _STYLED.finditer(html):
        group = 1 if styled[1] is not None else 2
        yield from _in_declarations(styled[group], styled.start(group))


def _in_css(css: str, begin: int) -> Iterator[Found]:
    for block in _BLOCK.finditer(css):
        yield from _in_declarations(block[1], begin + block.start(1))
    around = _BLOCK.sub(lambda block: " " * len(block[0]), css)
    for kind, pattern in (("at_rules", _AT_RULE), ("selectors", _SELECTOR)):
        yield from ((begin + found.start(), kind, found[0]) for found in pattern.finditer(around))


def _in_declarations(css: str, begin: int) -> Iterator[Found]:
    for declaration in _DECLARATION.finditer(css):
        yield begin + declaration.start(1), "properties", declaration[1]
        for function in _FUNCTION.finditer(declaration[2]):
            yield begin + declaration.start(2) + function.start(1), "functions", function[1]
