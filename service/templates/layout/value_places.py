"""Where in a page the values of its placeholders stand: that decides how one of the other direction is kept apart.

Among words an element does it. In the title, and in the line that the list of mails shows, which is read without its
elements, characters do it. In an attribute nothing does: no words stand beside it, and programs act on it.
"""

from __future__ import annotations

from collections.abc import Container

from avisa.templates.jinja.codegen import IN_ATTRIBUTE, IN_LINE
from avisa.templates.layout.html_scanner import TEXT_ONLY, TOKEN
from avisa.templates.markdown.placeholders import MARK


def value_places(page: str, of_lines: Container[int]) -> list[str | None]:
    """Return the place of each mark of a checked page, in their order; None among words. `of_lines` are the numbers
    of the marks in subject and short form."""
    places: list[str | None] = []
    end, within = 0, ""

    def look(start: int, stop: int, *, in_tag: bool = False) -> None:
        for mark in MARK.finditer(page, start, stop):
            in_line = within in TEXT_ONLY or int(mark[1]) in of_lines
            places.append(IN_ATTRIBUTE if in_tag else IN_LINE if in_line else None)

    for token in TOKEN.finditer(page):
        look(end, token.start())
        look(*token.span(), in_tag=True)
        end, within = token.end(), "" if token["close"] else (token["tag"] or "").lower()
    look(end, len(page))
    return places
