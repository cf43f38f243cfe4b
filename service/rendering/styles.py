"""Styles, worked into the elements they are for: mail programs look for them there.

The inliner writes a rule into each element that it matches, so a page may come out many times as large as it was.
How large it can become at most is counted before.
"""

from __future__ import annotations

import re
from collections import Counter

import css_inline

from service.rendering.bounds import LONGEST_PAGE, MOST_ASKED, MOST_DECLARED, MOST_TAGS, TooMuch, kept

_REST = r"""(?:[^>"']++|"[^"]*+"|'[^']*+')*+>"""  # of a tag
_STYLE = re.compile(rf"<!--.*?-->|<style\b{_REST}(.*?)</style|<{_REST}", re.DOTALL | re.IGNORECASE | re.ASCII)
_RULE = re.compile(r"(?:^|(?<=[{}]))([^{}]*)\{([^{}]*)\}")
_FOR_SOME_MEDIA = re.compile(r"@media[^{}]{1,60}\{")
_FEW = 4  # of these; what else is no rule may be a value with braces in it, and counts for every element
_BLANKS = re.compile(r"[ \t\n\r\f]+")
_PARTS = re.compile(r"[ \t\n\r\f>+~]+")
# What the last part of a selector asks of an element; what it asks besides makes it match fewer.
_LAST = re.compile(r"([a-z][a-z0-9]*)?((?:\.[\w-]+)*)(?::[a-z-]+(?:\(\))?)*", re.IGNORECASE | re.ASCII)
_BRACE = re.compile("[{}]")
_CLOSED = re.compile(
    r""""[^"]*+"|'[^']*+'|/\*.*?\*/|\[[^\]"']*+(?:"[^"]*+"|'[^']*+')?[^\]"']*+\]""",
    re.DOTALL,
)
_NESTED = re.compile(r"\([^()]*+\)")
_MOST_NESTED = 4  # of these within one another; whatever is deeper is in doubt
_OPEN = re.compile(r"""["'(\[]|/\*""")
_TAG = re.compile(r"<([a-z][a-z0-9]*)", re.IGNORECASE | re.ASCII)
_CLASS = re.compile(r"""\sclass\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE | re.ASCII)
_ESCAPED = re.compile("&(?!#?\\w+;)|\xa0|>")  # what an HTML serialiser writes in up to six characters


def inlined(page: str) -> str:
    """HTML with its rules in its elements; only those for some media stay in the head. Raises TooMuch."""
    style = "".join(_STYLE.findall(page))
    tags = Counter(tag.lower() for tag in _TAG.findall(page))
    tags.update(tbody=tags["tr"], colgroup=tags["col"], html=1, head=1, body=1)  # every parser puts them in
    number = tags.total()
    declared, asked = style.count(":") ** 2 * number, _asked(style, number, len(page))
    if number > MOST_TAGS or declared > MOST_DECLARED or asked > MOST_ASKED:
        raise TooMuch("the layout has too many elements, or too many styles for so many")
    grown = len(page) + _grown(style, page, tags) + 5 * (len(_ESCAPED.findall(page)) - number)
    if kept([page]) * grown > LONGEST_PAGE * len(page):
        raise TooMuch("it comes to too much text, or to too much with the styles of the layout in each element")
    made: str = css_inline.inline(page, keep_at_rules=True, minify_css=True, load_remote_stylesheets=False)
    if kept([made]) > LONGEST_PAGE:
        raise TooMuch("it comes to too much text")
    return made


def _asked(style: str, number: int, length: int) -> int:
    """How often an element is looked at to find those that rules are for: once for each selector, again for what it
    asks besides and for what stands around, for a sibling with all that came before, and for a piece of an attribute
    letter by letter (of a page that has so many)."""
    within = 10 * sum(map(style.count, ">+*")) + 5 * style.count("(") + 2 * style.count("[")
    one_by_one = (style.count(",") + style.count("{") + within) * number
    return one_by_one + style.count("~") * number**2 // 8 + style.count("*=") * number * length // 100


def _doubtful(style: str) -> bool:
    """Whether it may be read in another way than here: a name that is spelt with escapes, a brace in a text."""
    if "\\" in style:
        return True
    pieces = [_CLOSED.sub("", piece) for piece in _BRACE.split(style)]
    for _ in range(_MOST_NESTED):
        pieces = [_NESTED.sub("", piece) for piece in pieces]
    return any(map(_OPEN.search, pieces))


def _grown(style: str, page: str, tags: Counter[str]) -> int:
    """The most characters that rules can come to in elements."""
    classes = Counter(name for found in _CLASS.findall(page) for name in _BLANKS.split("".join(found)))
    everything = tags.total()
    if any("&" in name for name in classes) or _doubtful(style):
        return len(style) * everything
    grown = 0
    rest = len(style) - sum(len(begun) + len("}") for begun in _FOR_SOME_MEDIA.findall(style)[:_FEW])
    for selectors, declared in _RULE.findall(style):
        rest -= len(selectors) + len(declared) + 2
        grown += len(declared) * sum(_matched(one, tags, classes) for one in selectors.split(","))
    return grown + rest * everything


def _matched(selector: str, tags: Counter[str], classes: Counter[str]) -> int:
    """The most elements that a selector can match."""
    last = _LAST.fullmatch(_PARTS.split(selector.strip())[-1])
    if last is None:
        return tags.total()
    named = [classes[name] for name in last[2].split(".")[1:]]
    if last[1]:
        named.append(tags[last[1].lower()])
    return min(named, default=tags.total())
