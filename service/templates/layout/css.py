"""The styles of a layout, read strictly.

What is worked into elements is understood to the last sign: simple selectors, and declarations. All else that holds
together stays for the head, as it is written: what is for some media, and selectors that ask for more. What could be
read in two ways (an escape, a quote or bracket that is never closed) is refused, so nothing that is understood here
means something else to a mail program (CSS Syntax Level 3, section 5).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from avisa.templates.layout.html_scanner import BLANKS
from avisa.templates.layout.selectors import Selector, is_known, selector_of
from avisa.templates.limits import MOST_STYLED, TooMuch

_TOKEN = re.compile(
    rf"""(?P<comment>/\*[^*]*+(?:\*(?!/)[^*]*+)*+\*/)|(?P<text>"[^"\n\r\f]*+"|'[^'\n\r\f]*+'|url\([^"'(){BLANKS}\\<]*+\))"""
    rf"""|(?P<blank>[{BLANKS}]++)|(?P<sign>[{{}}()\[\];,:])|(?P<word>(?:[^{BLANKS}{{}}()\[\];,:"'\\</]|/(?!\*))++)""",
    re.IGNORECASE | re.ASCII,
)
_ODD = {
    '"': "the quotes that begin here are not closed in their line",
    "'": "the quotes that begin here are not closed in their line",
    "/": "this comment is never closed",
}
_CLOSING = {"{": "}", "(": ")", "[": "]"}
_CLOSED = frozenset(_CLOSING.values())
_NO_BLANK_BEHIND = frozenset("{};,:( ")
_NO_BLANK_BEFORE = frozenset("{};,) ")
_NAME = re.compile(r"-?[a-z_][\w-]*|--[^ ]+", re.IGNORECASE | re.ASCII)
_QUOTED = re.compile(rf"[{BLANKS}]*[\"']")
_AT_FIRST_ONLY = re.compile("@(?:import|charset|namespace)", re.IGNORECASE)
_IMPORTANT = re.compile(rf"[{BLANKS}]*![{BLANKS}]*important$", re.IGNORECASE | re.ASCII)


class Flawed(Exception):  # noqa: N818  a state of the styles, told as a problem
    """The styles can be read in two ways, or in none; `offset` is where that shows."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Declaration:
    """`color: red !important`; names in small letters, but for those that authors invent."""

    name: str
    value: str
    important: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """What is declared of the elements that one of the selectors finds."""

    selectors: tuple[Selector, ...]
    declared: tuple[Declaration, ...]
    text: str  # for the head, where it cannot be told which elements these are

    def needs(self, unwritten: frozenset[str]) -> bool:
        """Whether it styles what is `unwritten`, or stands in it."""
        around = {it.tag for selector in self.selectors for it in selector.compounds} & {"html", "body"}
        return not unwritten.isdisjoint({*around, *(it.compounds[0].tag for it in self.selectors)})


@dataclass(frozen=True, slots=True)
class Sheet:
    """One `<style>`: the rules to be worked in, and what stays in the head."""

    rules: tuple[Rule, ...]
    kept: str
    size: int  # parts of selectors, and declarations


@lru_cache(64)
def read(text: str) -> Sheet:
    """The styles of `text`. Raises Flawed and TooMuch."""
    return _Reading(text).sheet()


def declarations(text: str) -> tuple[Declaration, ...]:
    """What a `style` declares. Raises Flawed and TooMuch."""
    return _Reading(text).declarations()


class _Reading:
    """One reading of one text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._rules: list[Rule] = []
        self._kept: list[str] = []
        self._size = 0
        self._begun = False  # a rule

    def sheet(self) -> Sheet:
        prelude: list[str] = []
        block: list[str] | None = None
        depth = 0
        for sign in self._tokens():
            depth += (sign in _CLOSING) - (sign in _CLOSED)
            if block is not None:
                if depth == 0:
                    self._rule(prelude, block)
                    prelude, block = [], None
                else:
                    block.append(sign)
            elif sign == "{" and depth == 1:
                block = []
            elif sign == ";" and depth == 0:
                self._statement(_tight(prelude))
                prelude = []
            else:
                prelude.append(sign)
        if _tight(prelude):
            raise Flawed("what stands at the end of these styles is no rule", len(self._text))
        return Sheet(tuple(self._rules), "".join(self._kept), self._size)

    def _statement(self, text: str) -> None:
        if not text.startswith("@"):
            raise Flawed("a `;` stands between rules, and would take the next one with it", self._text.find(";"))
        if not (self._begun and _AT_FIRST_ONLY.match(text)):  # else it has no effect, and would get one
            self._kept.append(f"{text};")

    def declarations(self) -> tuple[Declaration, ...]:
        return tuple(self._declared(list(self._tokens())))

    def _tokens(self) -> Iterator[str]:
        """The words and signs of it, with brackets in pairs. Comments count as blanks, and all blanks are one."""
        opened: list[tuple[str, int]] = []
        at, before, joined = 0, " ", False
        while at < len(self._text):
            found = _TOKEN.match(self._text, at)
            if found is None:
                raise Flawed(_ODD.get(self._text[at], f"within styles there can be no `{self._text[at]}`"), at)
            sign = found[0]
            if found.lastgroup in ("blank", "comment"):
                joined = joined or (found.lastgroup == "comment" and before != " ")
                sign = " "
            elif joined and sign not in _NO_BLANK_BEFORE:
                raise Flawed("a comment can stand between rules, declarations and words, but not within one", at)
            else:
                joined = False
            if sign in _CLOSED:
                if not opened:
                    raise Flawed(f"there is nothing open that `{sign}` could close", at)
                opening, place = opened.pop()
                if _CLOSING[opening] != sign:
                    raise Flawed(f"this `{opening}` is never closed", place)
            elif sign in _CLOSING:
                opened.append((sign, at))
            yield sign
            if sign == "(" and before[-3:].lower() == "url" and not _QUOTED.match(self._text, found.end()):
                raise Flawed("the address of a `url()` stands in quotes, or without blanks and brackets", at)
            before = " " if sign in _NO_BLANK_BEHIND else sign
            at = found.end()
        if opened:
            raise Flawed(f"this `{opened[-1][0]}` is never closed", opened[-1][1])

    def _count(self, parts: int = 1) -> None:
        self._size += parts
        if self._size > MOST_STYLED:
            raise TooMuch("the layout has too many styles")

    def _rule(self, prelude: Sequence[str], block: Sequence[str]) -> None:
        self._begun = True
        asked = _tight(prelude)
        if asked.startswith("@") or "{" in block:
            self._kept.append(f"{asked}{{{_tight(block)}}}")
            return
        simple: list[Selector] = []
        others: list[str] = []
        for text in map(_tight, _split(prelude, ",")):
            self._count(1 + text.count(" ") + text.count(">"))
            if not text:
                raise Flawed("a selector is missing here", max(self._text.find(","), 0))
            selector = selector_of(text)
            if selector is None:
                others.append(text)
            else:
                simple.append(selector)
        declared = tuple(self._declared(block))
        text = f"{{{_tight(block).removesuffix(';')}}}"
        if not all(map(is_known, others)):  # a reader who does not know one of them passes over all
            self._kept.append(asked + text)
            return
        if simple and declared:
            self._rules.append(Rule(tuple(simple), declared, asked + text))
        if others:
            self._kept.append(",".join(others) + text)

    def _declared(self, block: Sequence[str]) -> Iterator[Declaration]:
        """As every reader does, what is no declaration is passed over."""
        for tokens in _split(block, ";"):
            self._count()
            name, _, value = _tight(tokens).partition(":")
            name, important = name.strip(" "), _IMPORTANT.search(value)
            value = value[: important.start()] if important else value
            if _NAME.fullmatch(name) and value:
                yield Declaration(name if name.startswith("--") else name.lower(), value, important is not None)


def _split(tokens: Sequence[str], between: str) -> Iterator[Sequence[str]]:
    """The pieces between signs that stand in no brackets."""
    begin = depth = 0
    for place, sign in enumerate(tokens):
        depth += (sign in _CLOSING) - (sign in _CLOSED)
        if sign == between and depth == 0:
            yield tokens[begin:place]
            begin = place + 1
    yield tokens[begin:]


def _tight(tokens: Sequence[str]) -> str:
    """The same in as few characters as mean the same."""
    made: list[str] = []
    blank = False
    for sign in tokens:
        if sign == " ":
            blank = True
            continue
        apart = sign not in _NO_BLANK_BEFORE and sign[0] != "!"
        if made and blank and apart and made[-1] not in _NO_BLANK_BEHIND:
            made.append(" ")
        if sign == "}" and made and made[-1] == ";":
            made.pop()
        made.append(sign)
        blank = False
    return "".join(made)
