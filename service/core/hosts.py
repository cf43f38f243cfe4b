"""Words that mail programs take for an address and make a link of, such as `evil.example/x` or `www.evil.example`.

A customer's name or a note is typed by strangers, and is sent in the shop's name. So where such a word stands in one
of them it is broken: `evil. example/x` is text to every mail program, and still says what was typed.
"""

from __future__ import annotations

import re

_DOTS = ".\uff0e\u2024"  # what is read as a dot in a host, or looks like one
_LABELS = re.compile(rf"(?<![\w-])[\w-]++(?:[{_DOTS}][\w-]++)++")
# What can end a host. `1.5`, `U.S.A.` and `z.B.` have none in them, `evil.com`, `evil.xn--p1ai` and `Node.js` have.
_TOP = re.compile(rf"[{_DOTS}](?:xn--[\w-]+|[^\W\d_]{{2,}}(?![^\W_]))|^www[{_DOTS}]", re.IGNORECASE)
_BEHIND_DOT = re.compile(f"(?<=[{_DOTS}])")
# The dots of Chinese and Japanese end sentences, too, but not between Latin letters.
_IDEOGRAPHIC = re.compile("(?<=[A-Za-z0-9][\u3002\uff61])(?=[A-Za-z]{2})")
_SCHEME = re.compile(r"(?<=[a-z0-9+]):(?=//)|(?<=\bmailto):(?=\S)|(?<=\b(?:tel|sms)):(?=\S)", re.IGNORECASE)


def has_host(text: str) -> bool:
    """Return whether a mail program may make a link of some word of the text."""
    return without_links(text) != text


def without_links(text: str) -> str:
    """Return the text with a blank in each word that a mail program may make a link of."""
    if "." in text or not text.isascii():
        text = _LABELS.sub(_broken, text)
    if ":" in text:
        text = _SCHEME.sub(": ", text)
    if "\u3002" in text or "\uff61" in text:
        text = _IDEOGRAPHIC.sub(" ", text)
    return text


def _broken(labels: re.Match[str]) -> str:
    return _BEHIND_DOT.sub(" ", labels[0]) if _TOP.search(labels[0]) else labels[0]
