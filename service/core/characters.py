"""Which characters of a text from outside may pass: into headers, bodies and links, into logs and onto terminals.

Letters, numbers, punctuation, symbols and blanks may, and up to four marks on one of them. Characters that nobody
sees may only where a script or an emoji needs them: joiners (RFC 5892, appendices A.1 and A.2), variation selectors
and the tags of three flags (UTS #51). All else, such as what reorders the text around it, is left out, or written as
an escape where an operator reads it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from unicodedata import category, combining

_MOST_MARKS = 4  # on one character: no language needs more

# What nearly every text is made of: ASCII, and letters, punctuation and amounts of the scripts that are used most.
_USUAL = re.compile(
    "[ -~\u00a0-\u00ac\u00ae-\u02c1\u0391-\u03a1\u03a3-\u03ff\u0400-\u0481\u048a-\u052f\u05d0-\u05ea\u0621-\u063a"
    "\u0641-\u064a\u2010-\u2027\u2030-\u205e\u20a0-\u20c0\u3001-\u3029\u3041-\u3096\u30a1-\u30ff\u4e00-\u9fff"
    "\uac00-\ud7a3]*"
)
_LINE_END = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_BLANK = "\t\u2800"  # U+2800 is the blank among the symbols of Braille

# Letters, marks and symbols that nobody sees (Unicode: Default_Ignorable_Code_Point), and what stands for an object.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\ufffc\U00016fe4\U0001d159"
    "\U000e0100-\U000e01ef]"
)
# Code points that Unicode keeps for pictographs and ideographs: Python may not know the newest of them yet.
_RESERVED = re.compile("[\U0001f000-\U0001faff\U00020000-\U0002fffd\U00030000-\U0003fffd]")

_ZWNJ, _ZWJ = "\u200c", "\u200d"
_JOINS = re.compile("[\u0620-\u06ff\u0710-\u07ff\u0840-\u0858\u0860-\u08c9\u1820-\u18aa\ufb50-\ufdff\ufe70-\ufefc]")
_PICTOGRAPH = re.compile("[\u2190-\u21ff\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff]")
_LOOK_OF_PICTOGRAPH = re.compile("[\ufe0f\U0001f3fb-\U0001f3ff]")
_WITH_TWO_LOOKS = re.compile("[#*0-9\u00a9\u00ae\u203c\u2049\u2122\u2139\u3030\u303d]")
_IDEOGRAPH = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003fffd]")
_MONGOLIAN = re.compile("[\u1820-\u18aa]")
_TAGS = {ord(letter): 0xE0000 + ord(letter) for letter in "begnlcstw"}
_FLAG = re.compile("\U0001f3f4(?:gbeng|gbsct|gbwls)".translate(_TAGS) + "\U000e007f")


def visible(text: str) -> str:
    """Return the text with only those characters that may pass. Every kind of line break becomes a line feed."""
    if text.isascii() and text.isprintable():
        return text
    if _USUAL.fullmatch(text):
        return text
    return _judged(_LINE_END.sub("\n", text), lambda _: "")


def is_plain_line(text: str) -> bool:
    """Return whether `one_line` surely leaves each of the texts as it is that are joined here by blanks."""
    return (
        _USUAL.fullmatch(text) is not None
        and "  " not in text
        and "\u00a0" not in text
        and not text.startswith(" ")
        and not text.endswith(" ")
    )


def hidden_at(text: str) -> int:
    """Return the place of the first character that may not pass; -1 if all may."""
    if _USUAL.fullmatch(text.replace("\n", " ").replace("\t", " ")):
        return -1
    return _judged(text, lambda _: "\0").find("\0")


def one_line(text: str) -> str:
    """Return the text with only those characters that may pass, in one line, with one blank between words."""
    return " ".join(visible(text).split())


def printable(text: str) -> str:
    """Return the text in one line, with what may not pass, and line breaks, written as escapes: an operator sees what
    is there, and nothing steers the terminal or reorders the line."""
    if text.isascii() and text.isprintable():
        return text
    return _judged(text.replace("\t", "\\t"), _escaped).replace("\n", "\\n")


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def _judged(text: str, instead: Callable[[str], str]) -> str:
    """Return the text with `instead` of each character that may not pass."""
    kept: list[str] = []
    before = "\n"  # the last character that passed
    marks = 0  # on it
    flag_ends = 0
    for place, character in enumerate(text):
        if character in _BLANK:
            passed, character = True, " "
        elif character == "\U0001f3f4" and (flag := _FLAG.match(text, place)):
            passed, flag_ends = True, flag.end()
        elif place < flag_ends:
            passed = True
        elif _UNSEEN.match(character) or character in (_ZWNJ, _ZWJ):
            passed = _needed(character, before, text[place + 1 : place + 2])
        elif category(character)[0] == "M":
            marks += 1
            passed = marks <= _MOST_MARKS and before != "\n"
        else:
            passed = _seen(character)
            marks = 0 if passed else marks
        kept.append(character if passed else instead(character))
        before = character if passed else before
    return "".join(kept)


def _seen(character: str) -> bool:
    """Return whether it is a letter, a number, a punctuation mark, a symbol, a blank or a line feed."""
    kind = category(character)
    if kind == "Cn":
        return _RESERVED.match(character) is not None
    return kind[0] in "LNPS" or kind == "Zs" or character == "\n"


def _needed(character: str, before: str, after: str) -> bool:
    """Return whether a character that nobody sees changes how its neighbours look."""
    if character in (_ZWNJ, _ZWJ):
        if 9 in (combining(before), combining(after) if after else 0):  # a virama of the scripts of India
            return True
        if _JOINS.match(before) and (character == _ZWJ or _JOINS.match(after)):
            return True
        of_pictograph = _PICTOGRAPH.match(before) or _LOOK_OF_PICTOGRAPH.match(before)
        return character == _ZWJ and bool(of_pictograph and _PICTOGRAPH.match(after))
    if "\ufe00" <= character <= "\ufe0f":
        return bool(_PICTOGRAPH.match(before) or _WITH_TWO_LOOKS.match(before) or _IDEOGRAPH.match(before))
    if character >= "\U000e0100":
        return _IDEOGRAPH.match(before) is not None
    return "\u180b" <= character <= "\u180f" and _MONGOLIAN.match(before) is not None
