"""`layout/theme.yaml`: the looks of what Markdown makes, as one `style` for each element.

A folder may have no such file. Markdown's elements then carry no style, and what a `<style>` of the layout says of
them holds alone: a style in the element would overrule it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from avisa.diagnostics.diagnostic import Diagnostic, Place
from avisa.diagnostics.suggest import closest_match
from avisa.diagnostics.yaml_errors import DocumentError
from avisa.diagnostics.yaml_reader import Path, parse
from avisa.templates.limits import LONGEST_STYLE
from avisa.templates.markdown.writers import ELEMENTS
from avisa.templates.reserved import RESERVED

THEME = "layout/theme.yaml"
_DECLARATION = re.compile(r"\s*-{0,2}[a-z][a-z-]*\s*:\s*\S.*", re.DOTALL)
_UNSAFE = re.compile(r"[<>{}@\\]|(?:url|expression|image|image-set)\(|/\*", re.IGNORECASE)
_COLOUR_AS_COMMENT = re.compile(r"\s#[0-9a-fA-F]{3}")


def read(text: str) -> tuple[Mapping[str, str], list[Diagnostic]]:
    """Return the style of each element that the theme names, and all that is wrong with the theme."""
    try:
        document = parse(text)
    except DocumentError as error:
        return {}, [error.diagnostic(THEME)]
    lines = text.split("\n")
    problems: list[Diagnostic] = []

    def wrong(path: Path, message: str, suggestion: str | None = None, *, key: bool = False) -> None:
        place = document.key(path) if key else document.at(path)
        problems.append(Diagnostic.at(place, "layout_theme", THEME, message, suggestion))

    entries = document.value or {}
    if not isinstance(entries, dict):
        wrong((), "there must be a map of elements, each with its style")
        return {}, problems
    styles: dict[str, str] = {}
    for element, value in entries.items():
        if element not in ELEMENTS:
            known = ", ".join(f"`{name}`" for name in ELEMENTS)
            message = f"Markdown makes no `{element}`; it makes {known}"
            wrong((element,), message, closest_match(element, ELEMENTS), key=True)
        elif not isinstance(value, str):
            wrong((element,), f'the style of `{element}` is one text: `{element}: "color:#1c5d86"`')
        elif objection := _objection(value):
            wrong((element,), objection)
        elif _loses_colour(lines, document.at((element,))):
            wrong((element,), "without quotes, ` #` begins a comment; put the style in quotes")
        else:
            styles[element] = " ".join(value.split()).rstrip("; ")
    return styles, problems


def _objection(style: str) -> str | None:
    """Return what is wrong with a style, None if nothing is."""
    if "{{" in style or "{%" in style:
        return "there are no placeholders in a theme"
    if RESERVED.search(style):
        return "a character that cannot stand in a template"
    if found := _UNSAFE.search(style):
        return f"`{found[0]}` cannot stand in the style of an element"
    if len(style) > LONGEST_STYLE:
        return f"a style has no more than {LONGEST_STYLE} characters"
    for declaration in style.split(";"):
        if declaration.strip() and not _DECLARATION.fullmatch(declaration):
            return f"`{declaration.strip()}` is no declaration, such as `color:#1c5d86`"
    return None


def _loses_colour(lines: Sequence[str], place: Place) -> bool:
    """Whether YAML takes a colour of a style without quotes, `border:1px solid #ccc`, for a comment."""
    written = lines[place.line - 1][place.column - 1 :] if place.line <= len(lines) else ""
    return written[:1] not in ("'", '"', "|", ">") and _COLOUR_AS_COMMENT.search(written) is not None
