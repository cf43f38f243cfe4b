"""Which way a message is written, and how a value of the other direction is kept apart from the words around it.

Readers see text in the order that the Unicode Bidirectional Algorithm (UAX #9) gives it. There, numbers and signs
take the direction of their neighbours: in an English sentence a Hebrew name would pull the number behind it to its
other side, and in a Hebrew one `30 cm` would be read as `cm 30`. An isolate ends that on both sides. Values hold none
of their own (`core.characters`), so one from outside can neither open nor close one of these.

Where nothing could be disturbed there is no isolate: a mail is written often, and who copies the number of an order
should not copy a character that nobody sees. So plain ASCII in a message from left to right is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape

from babel import Locale

# Letters and marks that are read from right to left (UAX #44: Bidi_Class R and AL), without the digits among them.
_RIGHT = (
    "\u0590-\u065f\u066a-\u06ef\u06fa-\u08ff\u200f\ufb1d-\ufdff\ufe70-\ufefc"
    "\U00010800-\U00010fff\U0001e800-\U0001efff"
)
_LEFT = rf"(?![{_RIGHT}])[^\W\d_]"
_STRONG = re.compile(rf"(?P<right>[{_RIGHT}])|[^\W\d_]")
_HAS_RIGHT = re.compile(rf"[{_RIGHT}\u0660-\u0669]").search  # Arabic digits turn what stands between them, too
# Letters from left to right; or a number in front, which would be drawn to such a letter before it.
_HAS_LEFT = re.compile(rf"{_LEFT}|\A[^{_RIGHT}\w]*+\d").search
# A number and what belongs to it, such as `30 cm`, beside words of the other direction, which would part the two. A
# bracket ends it, so that no isolate parts a pair.
_ENDS = rf"{_RIGHT}\n()\[\]{{}}"
_MEASURE = re.compile(
    rf"(?:\A|(?<=[{_ENDS}]))[^{_ENDS}\w]*?([-+±−]?\d[^{_ENDS}]*?{_LEFT}(?:[^{_ENDS}]*[^\W_])?[%°$€£¥₪]*)"
)

_SCRIPTS = frozenset({"Adlm", "Arab", "Aran", "Hebr", "Mand", "Nkoo", "Rohg", "Samr", "Syrc", "Thaa"})
_SCRIPT = re.compile(r"-([A-Z][a-z]{3})\b")

_LRM, _RLM, _PDI = "\u200e", "\u200f", "\u2069"
ISOLATE = "\u2068"  # begins one, whose direction is that of its first letter
_WHOLE = re.compile(f"{ISOLATE}(?:[^{ISOLATE}{_PDI}]|{ISOLATE}[^{ISOLATE}{_PDI}]*{_PDI})*{_PDI}")
SIGNS = "\u061c\u200e\u200f\u2068\u2069"  # that Avisa, and Babel in amounts, put into a text


@dataclass(frozen=True, slots=True)
class Direction:
    """The direction that a message is written in."""

    right_to_left: bool

    @classmethod
    def of(cls, locale: str) -> Direction:
        """Return the direction of a locale that Babel knows: of the script that it names, else of the one that CLDR
        knows its language to be written in."""
        if script := _SCRIPT.search(locale):
            return cls(script[1] in _SCRIPTS)
        return cls(Locale.parse(locale, sep="-").text_direction == "rtl")

    @property
    def name(self) -> str:
        """The value of `dir` in HTML."""
        return "rtl" if self.right_to_left else "ltr"

    @property
    def disturbs(self) -> Callable[[str], object]:
        """What finds something in a value that would disturb, or be disturbed by, the words of a message."""
        return _HAS_LEFT if self.right_to_left else _HAS_RIGHT

    def in_line(self, text: str) -> str:
        """Return a value for plain text or a header, isolated by characters."""
        return f"{ISOLATE}{_measures_apart(text, str, lambda measure: f'{ISOLATE}{measure}{_PDI}')}{_PDI}"

    def in_html(self, text: str) -> str:
        """Return a value, escaped, isolated by elements. Who copies it copies no signs then."""
        found = _STRONG.search(_MEASURE.sub("", text) or text)
        direction = "rtl" if found and found["right"] else "ltr"
        return _element(direction, _measures_apart(text, escape, lambda measure: _element("ltr", measure)))


def lines_of(text: str, right_to_left: bool) -> str:
    """Return the text of a message of that direction, or one with isolates, with a mark in front of each line that
    would be shown in the other direction.

    Programs that show plain text take a line's direction from its first letter. Some look into isolates for it, as
    `dir="auto"` of HTML does, and some do not (UAX #9, P2). A line that is all of the other direction, such as an
    address, stays so.
    """
    mark = _RLM if right_to_left else _LRM
    lines = text.split("\n")
    return "\n".join(f"{mark}{line}" if _begins_wrong(line, right_to_left) else line for line in lines)


def closed(text: str) -> str:
    """Return a text that was cut, with the isolates closed whose ends were cut off."""
    return text + _PDI * (text.count(ISOLATE) - text.count(_PDI))


def _element(direction: str, html: str) -> str:
    """Return an isolate. Gmail, Outlook and Yahoo drop a `<bdi>` and keep the span, whose `dir` isolates in browsers.
    Apple Mail knows both, but to an older WebKit `dir` was an embedding, and only `<bdi>` an isolate."""
    return f'<bdi><span dir="{direction}">{html}</span></bdi>'


def _measures_apart(text: str, written: Callable[[str], str], isolated: Callable[[str], str]) -> str:
    """Return the text, written, with each measure in it isolated. One of a single direction has none to part."""
    if not _HAS_RIGHT(text):
        return written(text)
    pieces, done = [], 0
    for measure in _MEASURE.finditer(text):
        pieces += [written(text[done : measure.start(1)]), isolated(written(measure[1]))]
        done = measure.end(1)
    return "".join([*pieces, written(text[done:])])


def _begins_wrong(line: str, right_to_left: bool) -> bool:
    bare = _WHOLE.sub("", line)
    if bare == line and not right_to_left:
        return False  # an operator wrote all of it, and saw how it looks
    directions = [bool(letter["right"]) for letter in _STRONG.finditer(bare)]
    if not directions:
        return bare != line
    first = _STRONG.search(line)
    looked_into = first is not None and bool(first["right"])
    return right_to_left in directions and not directions[0] == looked_into == right_to_left
