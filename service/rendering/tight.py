"""HTML without what only its author needs: each octet of it would be filled, encoded and sent with every mail."""

from __future__ import annotations

import re

# Around these, blanks are never shown. Around all others they may be: between two words in bold there is one.
_APART = r"""!doctype|html|head|meta|title|body|div|table|tr|td|th|p|h[1-6]|ul|ol|li|blockquote|hr|br"""
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
    rf"<(?:{_APART})\b[^<>]*display\s*:\s*inline|<style>[^<]*display\s*:\s*inline|white-space\s*:\s*(?:pre|break)",
    re.IGNORECASE | re.ASCII,
)
_CSS = re.compile(
    rf"""(?P<text>"(?:[^"\\]|\\.)*+"|'(?:[^'\\]|\\.)*+'|/\*.*?\*/)|{_BEFORE}"""
    rf"""(?:;(?={_BLANK}*\}})|(?P<sign>[{{}};,]|:(?= )|!(?=important))){_BLANK}*+""",
    re.DOTALL,
)


def tightened(html: str) -> str:
    """The same page to every reader, in fewer octets. It must hold no `pre` and no `textarea`."""
    return html if _SHOWS_BLANKS.search(html) else _PIECE.sub(_tight, html)


def _tight(piece: re.Match[str]) -> str:
    if (css := piece["css"]) is not None:
        tight = _CSS.sub(lambda found: found["text"] or found["sign"] or "", css).strip()
        return f"<style>{tight}</style>"
    if piece["implied"]:
        return ""  # every reader puts a `tbody` where it was
    return piece["apart"] or piece[0]
