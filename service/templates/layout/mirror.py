"""A layout for languages that are written from right to left: what stands left in it stands right.

Most mail programs know none of the properties that follow the direction by themselves, such as `padding-inline`
(caniemail.com), so a layout says `left` and `right`, as it looks in English. The mirror swaps the two in the
properties and values that mean a side.
"""

from __future__ import annotations

import re

_ALIGN = re.compile(r"""(\salign\s*=\s*["']?)(left|right)\b""", re.IGNORECASE)
_STYLED = re.compile(r"""(\sstyle\s*=\s*)("[^"]*"|'[^']*')""", re.IGNORECASE)
_SHEET = re.compile(r"(<style[^>]*>)(.*?)(?=</style>)", re.DOTALL | re.IGNORECASE)
_BLOCK = re.compile(r"(?<=\{)[^{}]*(?=\})")
_SIDE = re.compile(r"\([^()]*\)|\b(left|right)\b", re.IGNORECASE)  # an address in brackets names no side
_VALUE = re.compile(r"(?:\{\{.*?\}\}|\([^()]*\)|[^\s({])+")
_IMPORTANT = re.compile(r"\s*!important\s*$", re.IGNORECASE)

_FOUR_SIDES = frozenset(
    "padding margin inset border-width border-style border-color mso-padding-alt mso-margin-alt".split()
)
_SAYS_SIDE = frozenset("float clear text-align background background-position".split())
_SWAPPED = {"left": "right", "right": "left"}


def mirrored(html: str) -> str:
    """Return the file of a layout, mirrored."""
    html = _ALIGN.sub(lambda found: found[1] + _SWAPPED[found[2].lower()], html)
    html = _STYLED.sub(lambda found: found[1] + mirrored_style(found[2]), html)
    return _SHEET.sub(lambda found: found[1] + _BLOCK.sub(lambda block: mirrored_style(block[0]), found[2]), html)


def mirrored_style(style: str) -> str:
    """Return declarations, mirrored. They may stand in quotes."""
    quote = style[:1] if style[:1] in ("'", '"') else ""
    bare = style[len(quote) : len(style) - len(quote)]
    return quote + ";".join(map(_declaration, bare.split(";"))) + quote


def _declaration(declaration: str) -> str:
    if "{%" in declaration:
        return declaration  # what it says is only known when it is filled
    name, colon, value = declaration.partition(":")
    word = name.strip().lower()
    important = _IMPORTANT.search(value)
    tail = important[0] if important else ""
    sides = _VALUE.findall(value.removesuffix(tail))
    if word in _FOUR_SIDES and len(sides) == 4:
        top, right, bottom, left = sides
        value = f"{top} {left} {bottom} {right}{tail}"
    elif word == "border-radius" and 2 <= len(sides) <= 4 and "/" not in value:
        first, second = sides[:2]
        third = sides[2] if len(sides) > 2 else first
        fourth = sides[3] if len(sides) > 3 else second
        value = f"{second} {first} {fourth} {third}{tail}"
    elif word in _SAYS_SIDE:
        value = _SIDE.sub(_other_side, value)
    return _SIDE.sub(_other_side, name) + colon + value


def _other_side(found: re.Match[str]) -> str:
    return _SWAPPED[found[1].lower()] if found[1] else found[0]
