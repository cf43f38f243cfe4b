"""How mails look: pictures without a text, colours that are hard to see, links that are not safe."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from avisa.core import context
from avisa.core.plan import Plan
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.diagnostics.yaml_reader import Document
from avisa.lint.codes import problem
from avisa.lint.style import insecure_links
from avisa.templates.message_file import Part

_PICTURE = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
_ALT = re.compile(r"\salt\s*=", re.IGNORECASE)
_ADDRESS = re.compile(r"(?:\b(?:href|src|background|action)\s*=\s*|\burl\()[\"']?(?=http://)", re.IGNORECASE)
_SHEET = "#ffffff"  # what buttons stand on, near enough in any light layout
_OF_TEXT, _OF_SHAPES = 4.5, 3.0  # WCAG 2.2 sections 1.4.3 and 1.4.11


def of_layout(files: Mapping[str, str]) -> Iterator[Diagnostic]:
    """Pictures and links of the layout."""
    for file, text in sorted(files.items()):
        part = Part.of(text, (1, 1))
        for picture in _PICTURE.finditer(text):
            if not _ALT.search(picture[0]):
                yield problem("no_alt", file, part.place(picture.start()), "this picture has no `alt`", 'alt=""')
        for address in _ADDRESS.finditer(text):  # and not what merely looks like one: `xmlns`, a doctype
            _, instead = next(insecure_links(text[address.end() :]))
            yield problem("insecure_link", file, part.place(address.end()), "this link is not encrypted", instead)


def of_brands(plan: Plan, document: Document, file: str) -> Iterator[Diagnostic]:
    """Colours and links of the brands."""
    for key, brand in plan.brands.items():
        for name in ("url", "logo"):
            given = getattr(brand, name) or ""
            for _, instead in insecure_links(given):
                place = document.at(("brands", key, name))
                yield problem(
                    "insecure_link", file, (place.line, place.column), f"`{name}` is not encrypted", instead
                )
        if brand.color is None:
            continue
        place = document.at(("brands", key, "color"))
        ink = str(context.brand_facts(brand)["on_color"])
        for against, least, what in (
            (ink, _OF_TEXT, f"the text of a button, {ink},"),
            (_SHEET, _OF_SHAPES, "a white sheet"),
        ):
            if (ratio := contrast(brand.color, against)) < least:
                told = f"{brand.color} has a contrast of {ratio:.1f} to 1 with {what} and needs {least:g}"
                yield problem("low_contrast", file, (place.line, place.column), told, _darker(brand.color))
                break


def _darker(color: str) -> str:
    """The same colour, as much darker as it has to be for white text on it, and so for a white sheet beneath."""
    channels = [int(color[place : place + 2], 16) for place in (1, 3, 5)]
    while contrast(color, _SHEET) < _OF_TEXT:
        channels = [channel * 19 // 20 for channel in channels]
        color = "#" + "".join(f"{channel:02x}" for channel in channels)
    return color


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours `#rrggbb`, from 1 to 21 (WCAG 2.2, definition)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: str) -> float:
    """Relative luminance (WCAG 2.2, definition)."""
    channels = (int(color[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
