"""Words that mail programs take for an address and make a link of, such as `evil.example/x` or `www.evil.example`.

A customer's name or a note is typed by strangers, and is sent in the shop's name. So where such a word stands in one
of them it is broken: `evil. example/x` is text to every mail program, and still says what was typed.
"""

from __future__ import annotations

import re

_DOTS = ".\uff0e\u2024\ufe52"  # what is a dot once normalised (NFKC)
# In a label may be whatever a host can be registered with: marks, which many scripts write their vowels with, and
# even emoji. `\w` has neither, so all is taken beyond Latin that is no blank and no punctuation of ours.
_BEYOND = r"\u0300-\u1fff\u200c\u200d\u20d0-\u2fff\u3003-\ufe51\ufe53-\uff0d\uff0f-\uff60\uff62-\U0010ffff"
_LABEL = rf"[\w{_BEYOND}-]"
_HAS_DOT = re.compile(f"[{_DOTS}]").search
_LABELS = re.compile(rf"(?<!{_LABEL}){_LABEL}++(?:[{_DOTS}]{_LABEL}++)++")
# What can end a host. `1.5`, `U.S.A.` and `z.B.` have none in them, `evil.com`, `evil.xn--p1ai` and `Node.js` have.
_TOP = re.compile(
    rf"[{_DOTS}](?:xn--[\w-]+|[^\W\d_](?:[^\W\d_]|[{_BEYOND}])++(?![^\W_]))|^www[{_DOTS}]", re.IGNORECASE
)
# Numbers name a host where a path or a port is behind them; else they are a version.
_NUMERIC = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}(?=[/:]\S)")
_BEHIND_DOT = re.compile(f"(?<=[{_DOTS}])")
# The dots of Chinese and Japanese end their sentences, too, but not between the letters of alphabets.
_IDEOGRAPHIC = re.compile("(?<=[A-Za-z0-9\u00c0-\u10ff][\u3002\uff61])(?=[A-Za-z\u00c0-\u10ff]{2})")
# Of what programs of mail and telephones make a link without two slashes, and of a share of Windows.
_SCHEME = re.compile(
    r":(?:(?<=[a-z0-9+]:)(?=//)|(?=\S)(?:(?<=\b(?:sip|sms|tel):)|(?<=\b(?:file|news|sips|xmpp):)|(?<=\bskype:)"
    r"|(?<=\b(?:callto|mailto):)|(?<=\b(?:facetime|whatsapp):)))|\\(?=\\\w)",
    re.IGNORECASE,
)


def has_host(text: str) -> bool:
    """Return whether a mail program may make a link of some word of the text."""
    return without_links(text) != text


def without_links(text: str) -> str:
    """Return the text with a blank in each word that a mail program may make a link of."""
    if "." in text or (not text.isascii() and _HAS_DOT(text)):
        text = _LABELS.sub(_broken, text)
    if ":" in text or "\\\\" in text:
        text = _SCHEME.sub(r"\g<0> ", text)
    if "\u3002" in text or "\uff61" in text:
        text = _IDEOGRAPHIC.sub(" ", text)
    return text


def _broken(labels: re.Match[str]) -> str:
    is_host = _TOP.search(labels[0]) or _NUMERIC.match(labels.string, labels.start())
    return _BEHIND_DOT.sub(" ", labels[0]) if is_host else labels[0]
