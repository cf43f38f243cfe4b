"""HTML without what only its author needs: each octet of it would be filled, encoded and sent with every mail."""

from __future__ import annotations

import re
from functools import partial

# Around these, blanks are never shown. Around all others they may be: between two words in bold there is one.
_APART = r"""!doctype|html|head|meta|title|body|div|table|tr|td|th|p|h[1-6]|ul|ol|li|blockquote|hr|br(?=>)"""
_BLANK = r"[ \t\n\r\f]"  # to HTML; a no-break space and its like are text
_BEFORE = rf"(?:(?<!{_BLANK}){_BLANK}++)?"  # a run of blanks, tried at its first only: it may be as long as the file
_REST = r"""(?:[^>"]++|"[^"]*+")*+>"""  # of a tag
_PIECE = re.compile(
    rf"""<!--.*?-->|{_BEFORE}(?:<style>(?P<css>.*?)</style>|(?P<implied></?tbody>)"""
    rf"""|(?P<apart></?(?:{_APART})\b{_REST})){_BLANK}*+|<{_REST}""",
    re.DOTALL | re.IGNORECASE | re.ASCII,
)
# Where such a style stands, blanks may be shown around any element.
_SHOWS_BLANKS = re.compile(
    rf"<(?:{_APART})\b[^<>]*display\s*:\s*inline|<style>[^<]*display\s*:\s*inline|white-space\s*:\s*(?:pre|break)"
    r"|<style>[^<]*\bbr\b",
    re.IGNORECASE | re.ASCII,
)
_OUT_OF_THE_FLOW = re.compile(r"display\s*:\s*none|float\s*:|^<table\b.*\salign=", re.IGNORECASE | re.DOTALL)
_TWO_BODIES = re.compile(
    rf"<tbody{_BLANK}|</tbody>(?:{_BLANK}++|<!--(?:(?!-->).)*+-->)*+<tbody", re.IGNORECASE | re.DOTALL
)
_CSS = re.compile(
    rf"""(?P<text>"(?:[^"\\]|\\.)*+"|'(?:[^'\\]|\\.)*+'|/\*.*?\*/)|{_BEFORE}"""
    rf"""(?:;(?={_BLANK}*\}})|(?P<sign>[{{}};,]|:(?= )|!(?=important))){_BLANK}*+""",
    re.DOTALL,
)


def tightened(html: str) -> str:
    """The same page to every reader, in fewer octets. It must hold no `pre` and no `textarea`."""
    if _SHOWS_BLANKS.search(html):
        return html
    # Every reader puts a `tbody` where one was taken out, but no two.
    return _PIECE.sub(partial(_tight, bodies=_TWO_BODIES.search(html) is not None), html)


def _tight(piece: re.Match[str], *, bodies: bool) -> str:
    if (css := piece["css"]) is not None:
        tight = _CSS.sub(lambda found: found["text"] or found["sign"] or "", css).strip()
        return f"<style>{tight}</style>"
    if piece["implied"]:
        return piece[0] if bodies else ""
    return piece[0] if not piece["apart"] or _OUT_OF_THE_FLOW.search(piece["apart"]) else piece["apart"]
