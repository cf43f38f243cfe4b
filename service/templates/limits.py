"""How much a message may be as it is written. All is counted when it is pressed, before it is used; what an order
makes of it is for `filling` to bound.

Loops have an allowance: as long as one can not exceed its share whatever the values are, it runs unwatched; else each
turn is counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jinja2 import nodes

LONGEST_MESSAGE = 8 * 1024  # octets of a file in UTF-8: four times the longest one shipped
MOST_PLACEHOLDERS = 300  # with statements, and those of the layout and its components: twice the most shipped
MOST_FILTERS = 400  # in both texts, with loops and the filters of the layout
MOST_TOKENS = 6_000  # that Jinja reads in one text, blanks too: twice what so many placeholders may have
MOST_TOGETHER = 240  # nodes within one `if` or `for` in one of the texts, attributes as three: twice the most shipped
MOST_SIGNS = 600  # characters that may mean something in Markdown, line ends too: ten times the most shipped
LONGEST_CONTENT = 32 * 1024  # characters of HTML that a message may become, without the layout
LONGEST_LAYOUT = 20 * 1024  # octets of a file of the layout in UTF-8: five times the longest one shipped
LONGEST_PAGE = 144 * 1024  # octets that Python keeps one of the texts in, before anything is filled in
LONGEST_STYLE = 500  # characters that the theme gives one element: eight times the longest one shipped

_OUTPUT = 12_000  # characters a value can come to: 2,000, each of them `&quot;`
_FILTER = 100  # what a filter may cost, in characters of output that would take as long
_NODE = 8
_UNWATCHED = 1024 * 1024  # what all loops of a message can come to that are not watched
_TURNS = 12  # of a loop that may go unwatched


class TooMuch(Exception):  # noqa: N818  a state of the message, told as a problem
    """The message is too large, or would become so."""


def kept(texts: Sequence[str]) -> int:
    """The octets in which Python keeps texts as one: for each character as many as the widest takes (PEP 393)."""
    return sum(map(len, texts)) * width(texts)


def width(texts: Sequence[str]) -> int:
    """The octets that each character takes of texts that are kept as one."""
    widest = max((max(text) for text in texts if not text.isascii()), default="")
    return 1 if widest < "\u0100" else 2 if widest < "\U00010000" else 4


class Allowance:
    """What the loops of one message may come to unwatched."""

    def __init__(self) -> None:
        self._left = _UNWATCHED

    def loop(self, body: Sequence[nodes.Node], *, within: bool) -> tuple[int, int]:
        """How many turns a loop, which may stand within another, may take without being watched, and what one costs
        besides what it says."""
        cost = _effort(body)
        inside = [it for node in body for it in every(node)]
        if within or any(isinstance(it, nodes.For) for it in inside):
            return 0, cost
        worst = cost + sum(_size(it) for it in inside if isinstance(it, nodes.Output))
        turns = min(_TURNS, self._left // max(worst, 1))
        self._left -= turns * worst
        return turns, cost


def _effort(body: Sequence[nodes.Node]) -> int:
    return sum(_FILTER if isinstance(it, nodes.Filter) else _NODE for node in body for it in every(node))


def _size(output: nodes.Output) -> int:
    """The most that it can say."""
    return sum(len(it.data) if isinstance(it, nodes.TemplateData) else _OUTPUT for it in output.nodes)


def every(node: nodes.Node) -> Iterator[nodes.Node]:
    """A node, and all within it. Jinja's own way through a tree takes three times as long."""
    left = [node]
    while left:
        node = left.pop()
        yield node
        left.extend(node.iter_child_nodes())
