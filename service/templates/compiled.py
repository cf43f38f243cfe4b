"""A compiled message: what is left of its file once Markdown, layout and components are one."""

from __future__ import annotations

from dataclasses import dataclass

from avisa.templates.jinja.formats import Formats
from avisa.templates.jinja.program import Program

SEPARATOR = "\x1e"  # stands in no value: core.context takes control characters out


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """One message in one language, ready to be filled. Its plain program writes subject, short and plain text, with
    `SEPARATOR` between them."""

    file: str
    formats: Formats  # of its language
    right_to_left: bool
    program: Program
