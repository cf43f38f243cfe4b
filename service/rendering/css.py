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

from service.rendering.bounds import MOST_STYLED, TooMuch

_BLANKS = " \t\n\r\f"
_TOKEN = re.compile(
    rf"""(?P<comment>/\*[^*]*+(?:\*(?!/)[^*]*+)*+\*/)|(?P<text>"[^"\n\r\f]*+"|'[^'\n\r\f]*+'|url\([^"'(){_BLANKS}\\<]*+\))"""
    rf"""|(?P<blank>[{_BLANKS}]++)|(?P<sign>[{{}}()\[\];,:])|(?P<word>(?:[^{_BLANKS}{{}}()\[\];,:"'\\</]|/(?!\*))++)""",
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
_NAME = re.compile(r"-{0,2}[a-z_][\w-]*", re.IGNORECASE | re.ASCII)
_IMPORTANT = re.compile(rf"[{_BLANKS}]*![{_BLANKS}]*important$", re.IGNORECASE | re.ASCII)
_PART = re.compile(r">|[^ >]+")
_COMPOUND = re.compile(
    r"(?P<tag>\*|[a-z][a-z0-9]*)?(?P<named>(?:[.#]-?[a-z_][\w-]*)*)(?P<first>:first-child)?", re.IGNORECASE | re.ASCII
)


class Flawed(Exception):  # noqa: N818  a state of the styles, told as a problem
    """The styles can be read in two ways, or in none; `offset` is where that shows."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Compound:
    """What a selector asks of one element."""

    tag: str | None
    classes: tuple[str, ...]
    id: str | None
    first: bool  # of its parent's elements


@dataclass(frozen=True, slots=True)
class Selector:
    """A chain of elements, the one that is styled first, then those around it."""

    compounds: tuple[Compound, ...]
    child: tuple[bool, ...]  # whether the next one must be the parent, and not only somewhere around
    specificity: tuple[int, int, int]


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


@dataclass(frozen=True, slots=True)
class Sheet:
    """One `<style>`: the rules to be worked in, and what stays in the head."""

    rules: tuple[Rule, ...]
    kept: str
    size: int  # selectors and declarations


@lru_cache(64)
def read(text: str, *, unwritten: frozenset[str] = frozenset()) -> Sheet:
    """The styles of `text`. Those for elements that are `unwritten`, since every parser puts them in, stay for the
    head. Raises Flawed and TooMuch."""
    return _Reading(text, unwritten).sheet()


@lru_cache(256)
def declarations(text: str) -> tuple[Declaration, ...]:
    """What a `style` declares. Raises Flawed and TooMuch."""
    return _Reading(text).declarations()


class _Reading:
    """One reading of one text."""

    def __init__(self, text: str, unwritten: frozenset[str] = frozenset()) -> None:
        self._text = text
        self._unwritten = unwritten
        self._rules: list[Rule] = []
        self._kept: list[str] = []
        self._size = 0

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
                self._kept.append(f"{_tight(prelude)};")
                prelude = []
            else:
                prelude.append(sign)
        if _tight(prelude):
            raise Flawed("what stands at the end of these styles is no rule", len(self._text))
        return Sheet(tuple(self._rules), "".join(self._kept), self._size)

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
            before = " " if sign in _NO_BLANK_BEHIND else sign
            at = found.end()
        if opened:
            raise Flawed(f"this `{opened[-1][0]}` is never closed", opened[-1][1])

    def _count(self) -> None:
        self._size += 1
        if self._size > MOST_STYLED:
            raise TooMuch("the layout has too many styles")

    def _rule(self, prelude: Sequence[str], block: Sequence[str]) -> None:
        asked = _tight(prelude)
        if asked.startswith("@") or "{" in block:
            self._kept.append(f"{asked}{{{_tight(block)}}}")
            return
        simple: list[Selector] = []
        others: list[str] = []
        for tokens in _split(prelude, ","):
            self._count()
            text = _tight(tokens)
            selector = _selector(text)
            if selector is None or not self._can_be_found(selector):
                others.append(text)
            else:
                simple.append(selector)
        declared = tuple(self._declared(block))
        if simple and declared:
            self._rules.append(Rule(tuple(simple), declared))
        if others:
            self._kept.append(f"{','.join(others)}{{{_tight(block).removesuffix(';')}}}")

    def _can_be_found(self, selector: Selector) -> bool:
        """Whether it is written what it styles; of what is around, the parts of tables are known all the same."""
        around = {it.tag for it in selector.compounds} & {"html", "body"}
        return not self._unwritten & {*around, selector.compounds[0].tag}

    def _declared(self, block: Sequence[str]) -> Iterator[Declaration]:
        """As every reader does, what is no declaration is passed over."""
        for tokens in _split(block, ";"):
            self._count()
            name, _, value = _tight(tokens).partition(":")
            name, important = name.strip(), _IMPORTANT.search(value)
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
    if any(sign != " " for sign in tokens[begin:]):
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


def _selector(text: str) -> Selector | None:
    """A selector of tags, classes, ids and first children, for what stands in or directly in what; None: another."""
    compounds: list[Compound] = []
    child: list[bool] = []
    directly = False
    for part in _PART.findall(text):
        if part == ">":
            if directly or not compounds:
                return None
            directly = True
            continue
        compound = _compound(part)
        if compound is None:
            return None
        if compounds:
            child.append(directly)
        compounds.append(compound)
        directly = False
    if directly or not compounds:
        return None
    specificity = (
        sum(it.id is not None for it in compounds),
        sum(len(it.classes) + it.first for it in compounds),
        sum(it.tag is not None for it in compounds),
    )
    return Selector(tuple(reversed(compounds)), tuple(reversed(child)), specificity)


def _compound(part: str) -> Compound | None:
    found = _COMPOUND.fullmatch(part)
    if found is None:
        return None
    named = re.findall(r"[.#][^.#]+", found["named"])
    ids = [name[1:] for name in named if name[0] == "#"]
    if len(ids) > 1:
        return None
    tag = None if found["tag"] in (None, "*") else found["tag"].lower()
    classes = tuple(sorted({name[1:] for name in named if name[0] == "."}))
    return Compound(tag, classes, ids[0] if ids else None, found["first"] is not None)
