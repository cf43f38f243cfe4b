"""Whether all can read a mail: pictures without a text, colours with little contrast; and links that are not safe."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from avisa.core.context import brand_facts, contrast
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.lint.codes import diagnostic
from avisa.lint.located_plan import LocatedPlan
from avisa.lint.style import insecure_links
from avisa.templates.message_file import Part

_PICTURE = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
_ALT = re.compile(r"\salt\s*=", re.IGNORECASE)
_ADDRESS = re.compile(r"(?:\b(?:href|src|background)\s*=\s*|\burl\()[\"']?(?=http://)", re.IGNORECASE)
_SHEET = "#ffffff"  # what buttons stand on, near enough in any light layout
_TEXT_CONTRAST, _SHAPE_CONTRAST = 4.5, 3.0  # the least there may be (WCAG 2.2 sections 1.4.3 and 1.4.11)


def check_layout(files: Mapping[str, str]) -> Iterator[Diagnostic]:
    """Pictures without `alt` and links without encryption in the layout."""
    for file, html in sorted(files.items()):
        part = Part.of(html, (1, 1))
        for picture in _PICTURE.finditer(html):
            if not _ALT.search(picture[0]):
                text = "this picture has no `alt`"
                yield diagnostic("no_alt", file, part.place(picture.start()), text, 'alt=""')
        for address in _ADDRESS.finditer(html):  # not all that looks like one: `xmlns`, a doctype
            _, instead = next(insecure_links(html[address.end() :]))
            yield diagnostic("insecure_link", file, part.place(address.end()), "this link is not encrypted", instead)


def check_brands(located: LocatedPlan) -> Iterator[Diagnostic]:
    """Links of brands without encryption, and colours on which a button could not be read."""
    for key, brand in located.plan.brands.items():
        for name in ("url", "logo"):
            for _, instead in insecure_links(getattr(brand, name) or ""):
                place = located.at("brands", key, name)
                yield diagnostic("insecure_link", located.file, place, f"`{name}` is not encrypted", instead)
        if brand.color is None:
            continue
        place = located.at("brands", key, "color")
        ink = str(brand_facts(brand)["on_color"])
        for against, least, what in (
            (ink, _TEXT_CONTRAST, f"the text of a button, {ink},"),
            (_SHEET, _SHAPE_CONTRAST, "a white sheet"),
        ):
            if (ratio := contrast(brand.color, against)) < least:
                text = f"{brand.color} has a contrast of {ratio:.1f} to 1 with {what} and needs {least:g}"
                yield diagnostic("low_contrast", located.file, place, text, _darker(brand.color))
                break


def _darker(color: str) -> str:
    """Return the colour made darker until white text can be read on it, and so the colour itself on a white sheet."""
    channels = [int(color[place : place + 2], 16) for place in (1, 3, 5)]
    while contrast(color, _SHEET) < _TEXT_CONTRAST:
        channels = [channel * 19 // 20 for channel in channels]
        color = "#" + "".join(f"{channel:02x}" for channel in channels)
    return color
