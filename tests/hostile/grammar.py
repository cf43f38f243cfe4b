"""Messages that somebody might write to do harm: valid Jinja in Markdown with front matter, and what is nearly so.

Everything comes from one `random.Random`, so that a seed gives the same messages again.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

ROOTS = [
    "customer", "order", "status", "reason", "next_step", "promise", "next_update", "reminder", "brand", "owner",
    "progress", "words", "content", "unsubscribe", "_zone", "self", "loop", "it", "environment", "context", "cycler",
    "lipsum", "namespace", "joiner", "range", "dict", "caller", "button", "items", "config", "request", "x", "a", "b",
    "ａ", "__import__", "none", "True",
]  # fmt: skip
ATTRIBUTES = [
    "name", "first_name", "id", "number", "url", "items", "total", "currency", "note", "parts", "date", "state",
    "previous", "last", "color", "logo", "reply_to", "customer_name", "__class__", "__init__", "__globals__", "mro",
    "_secret", "keys", "get", "upper", "format", "format_map", "__subclasses__", "gi_frame", "append", "x", "size",
]  # fmt: skip
FILTERS = [
    "day", "date", "time", "datetime", "money", "number", "default", "lower", "upper", "capitalize", "trim", "join",
    "length", "safe", "attr", "map", "format", "xmlattr", "escape", "e", "select", "groupby", "tojson", "center",
    "replace", "batch", "sum", "pprint", "_link", "_list", "_as_is", "_part", "_stage", "label", "string", "list",
]  # fmt: skip
USUAL_FILTERS = FILTERS[:13]
COMPONENTS = ["button", "items", "progress", "rating", "cycler", "lipsum", "range", "super", "loop", "open", "eval"]
TEXTS = [
    "x", "", " ", "**", "<b>", "</td></table>", "{{", "%}", "#}", "\\n", "\\x1e", "\\ue000", "\\ue0010", "\\ud800",
    "\\x00", "\\u202e", "%999999999d", "{0.__class__}", "javascript:alert(1)", "https://x.example/?a=b&c=d", "&#106;",
    "&#xE000;0&#xE001;", "=?utf-8?q?x?=", "\\r\\nBcc: x@x.example", "<!--", "-->", "é", "🚚", "٣", "https://",
    "'", "a" * 300,
]  # fmt: skip
PLAIN_TEXTS = [text for text in TEXTS if "\\" not in text]
NUMBERS = ["0", "1", "-1", "5", "1.5", "1e999", "9" * 30, "0x10", "1_000", "9" * 5_000, "0b11", "1e-400"]
SPELT = [
    "Hello", "a *b* c", "**b**", "***b***", "_u_", "`code`", "``a`b``", "# Head", "###### Head", "> quote", "- item",
    "* item", "1. one", "0. zero", "999999999. many", "---", "***", "a\\\nb", "a  \nb", "\\*a\\*", "&lt;b&gt;",
    "&amp;",
    "&#60;script&#62;", "&#x3c;", "&#xE000;0&#xE001;", "&#57344;1&#57345;", "&#5734{# #}4;2&#57345;", "&#0;",
    "&#xD800;",
    "&nbsp;", "&NotAnEntity;", "<b>x</b>", "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<!-- x -->",
    "<!--", "-->", "]]>", "<![CDATA[x]]>", "<?php x ?>", "</title>", "</style>", "<style>*{}</style>",
    "<svg/onload=x>",
    "<https://x.example>", "<mailto:a@b.example>", "<a@b.example>", "<javascript:x>", "<data:x>", "<x-y:z>",
    "[x](https://x.example)", "[x](<https://x.example/a b>)", "[x](https://x.example 'title')", "[x]()", "[x](#y)",
    "[x](javascript:alert(1))", "[x](JaVa&#83;cript:x)", "[x](\\javascript:x)", "[x](java&Tab;script:x)", "[x](//x)",
    "[x](https:x)", "[x](https://x.example/\"onclick=x)", "[x][y]", "[y]: https://x.example",
    "![x](https://x.example/i)",
    "![x](javascript:x)", "[a [b](https://b.example) c](https://c.example)", "| a | b |\n|---|---|\n| c | d |",
    "    indented", "\tcode", "```\nfence\n```", "~~~\nx", "Head\n====", "a\n---", "+ a\n  + b\n    + c", "<",
    ">", "&",
    '"', "'", "}}", "%}", "#}", "*", "**", "_", "`", "[", "](", ")", "\\", "!", "=?utf-8?q?x?=", "{", "\u200f",
    "\u2028",
    "\ufeff", "\ufffe", "\x0b", "\x1e", "\x00", "\x85", "e\u0301\u0301\u0301", "🏴‍☠️", "\U000e0001", "ﬀ",
    "javascript:", "- [ ] x",
]  # fmt: skip
ALWAYS = [
    "order.number",
    "order.id",
    "customer.name",
    "customer.first_name",
    "status",
    "brand.name",
    "reminder.number",
]
MAY_BE = [
    "order.items", "order.note", "order.url", "order.total", "order.parts", "order.x", "order.weird", "reason",
    "next_step",
    "promise", "promise.date", "promise.previous", "next_update", "reminder.last", "brand.url", *ALWAYS,
]  # fmt: skip
WITH_ARGUMENT = ["money", "join", "default"]
COMPARISONS = ["==", "!=", "<", ">", "<=", ">=", "in", "is", "not in"]
OPENERS = [
    "{{",
    "{%",
    "{#",
    "{% raw %}",
    "{%- ",
    "{{- ",
    "{% if ",
    "{% for ",
    "{% endraw %}",
    "{% endif %}",
    "{% endfor %}",
]


_REFUSED = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe]|&#(?:xE|5)|\]\((?!<?https)|<(?:java|data|x-y)|[{%#]}|[{]$"
)
ALLOWED = [piece for piece in SPELT if not _REFUSED.search(piece)]


class Author:
    """Writes one message after another."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.sly = True  # whether the message uses, nearly always, only what is allowed
        self._locals: list[str] = []

    def message(self) -> str:
        """A whole file."""
        self.sly = self.random.random() < 0.7
        end = self.random.choices(["\n", "\r\n", "\r"], [20, 2, 1])[0]
        subject = self._line() if self._seldom(10) else "s {{ order.number }}"
        short = self._line() if self._seldom(10) else "s"
        body = "".join(self._block() for _ in range(self.random.randint(1, 7)))
        return f"---\nsubject: {subject}\nshort: {short}\n---\n{body}\n".replace("\n", end)

    def piece(self) -> str:
        """A piece of a body."""
        return self._block()

    def _line(self) -> str:
        return "".join(self._inline(0) for _ in range(self.random.randint(1, 3))).replace("\n", " ")

    def _seldom(self, of: int) -> bool:
        return self.random.randrange(of) == 0

    def _pick(self, *ways: tuple[int, Callable[[], str]]) -> str:
        weights = [weight for weight, _ in ways]
        return self.random.choices([way for _, way in ways], weights)[0]()

    # ------------------------------------------------------------ Markdown

    def _block(self, depth: int = 0) -> str:
        return self._pick(
            (12, lambda: self._paragraph(depth)),
            (4, lambda: self._list(depth)),
            (2, lambda: f"{'#' * self.random.randint(1, 7)} {self._inline(depth)}\n\n"),
            (2, lambda: "> " * self.random.randint(1, 4) + f"{self._inline(depth)}\n\n"),
            (4, lambda: self._choice(depth, "\n")),
            (4, lambda: self._loop(depth, "\n")),
            (0 if self.sly and self._locals else 4, lambda: f"{{{{ {self._component(depth)} }}}}\n\n"),
            (1, lambda: self._other_statement(depth)),
            (1, self._swarm),
        )

    def _paragraph(self, depth: int) -> str:
        count = self.random.randint(1, 5)
        between = self.random.choice([" ", "", "\n", "\\\n", "  \n"])
        return between.join(self._inline(depth) for _ in range(count)) + self.random.choice(["\n\n", "\n", ""])

    def _list(self, depth: int) -> str:
        bullet = self.random.choice(["- ", "* ", "1. ", "7) ", "  - "])
        items = "".join(f"{bullet}{self._inline(depth)}\n" for _ in range(self.random.randint(1, 4)))
        return items + ("\n" if self.random.random() < 0.8 else "")

    def _inline(self, depth: int) -> str:
        return self._pick(
            (8, self._spelt),
            (10, lambda: f"{{{{ {self._expression(depth)} }}}}"),
            (3, lambda: self._choice(depth, "")),
            (2, lambda: self._loop(depth, "")),
            (4, lambda: self._link(depth)),
            (3, lambda: self._wrapped(depth)),
            (0 if self.sly else 1, lambda: f"{{{{ {self._component(depth)} }}}}"),
            (1, lambda: self._other_statement(depth)),
            (0 if self.sly else 1, lambda: self.random.choice(OPENERS)),
            (1, lambda: f"{{# {self._spelt()} #}}"),
            (1, lambda: f"{{% raw %}}{self._spelt()}{{{{ x }}}}{{% endraw %}}"),
        )

    def _spelt(self) -> str:
        return self.random.choice(ALLOWED if self.sly and not self._seldom(60) else SPELT)

    def _wrapped(self, depth: int) -> str:
        left, right = self.random.choice(
            [("*", "*"), ("**", "**"), ("`", "`"), ("_", "_"), ("[", "](https://x.example)"), ("<", ">"), ("&", ";"),
             ("&#", ";"), ("<!--", "-->"), ("<b title=", ">"), ("![", "](https://x.example/y)"), ("\\", "")]
        )  # fmt: skip
        return left + self._inline(depth + 1) + right if depth < 4 else left + right

    def _link(self, depth: int) -> str:
        text = self._inline(depth + 1) if depth < 3 else "x"
        said = f"{{{{ {self._expression(depth)} }}}}"
        if self.sly and not self._seldom(20):
            usual = [
                said,
                f"https://x.example/{said}",
                f"{said}{said}",
                f"mailto:{said}",
                f"tel:{said}",
                f"{said}javascript:x",
            ]
            return f"[{text}]({self.random.choice(usual)})"
        target = self.random.choice(
            [said, f"https://x.example/{said}", f"{said}/y", f"{said}{said}", f"mailto:{said}", f"javascript:{said}",
             f"{{{{ '' }}}}javascript:{said}", f"https://{said}.example/{said}?{said}#{said}", f"<{said}>",
             f"https://x.example '{said}'", f"https://x.example/{self._spelt()}", f"data{said}:x",
             "https://x.example/{% if reason %}y{% endif %}", f"tel:{said}", f"/{said}", f"ja{said}vascript:x"]
        )  # fmt: skip
        return f"[{text}]({target})" if not self._seldom(8) else f"<{target}>"

    def _swarm(self) -> str:
        """Much of one thing: what parsers take long for."""
        piece = self.random.choice(
            ["*", "**a ", "[", "](", "[a](", "<", "<a ", "`", "` ", "> ", "- ", "![", "&", "&#", "_a", "*a_",
             "\\", "{{ 1 }}",
             "{# x #}", "a\n", "(", "\n\n\n", "<!--", "{{ order.number }}", "\t", " ", "\u00a0", "1. "]
        )  # fmt: skip
        return piece * self.random.choice([10, 100, 400]) + "\n\n"

    # ------------------------------------------------------------ Jinja

    def _choice(self, depth: int, gap: str) -> str:
        if depth > 3:
            return "x"
        inside = self._block if gap else self._inline
        text = f"{{% if {self._test(depth)} %}}{gap}{inside(depth + 1)}{gap}"
        if self._seldom(4):
            text += f"{{% elif {self._test(depth)} %}}{gap}{inside(depth + 1)}{gap}"
        if self._seldom(3):
            text += f"{{% else %}}{gap}{inside(depth + 1)}{gap}"
        return text + ("{% endif %}" if not self._seldom(30) else "") + gap

    def _loop(self, depth: int, gap: str) -> str:
        if depth > 3:
            return "x"
        if self.sly and len(self._locals) == 2:
            return "x"
        over = self._pick(
            (6, lambda: self.random.choice(["order.items", "order.parts", "order.x"])),
            (2, self._asked if self.sly else self._path),
            (0 if self.sly else 2, lambda: self._wild(depth)),
        )
        names = (
            ["a", "b", "it", "ａ", "x", "text", "class", "l_1_a"]
            if self.sly
            else ["loop", "self", "order", "_y", "if"]
        )
        name = self.random.choice(names)
        inside = self._block if gap else self._inline
        self._locals.append(name)
        bullet = "- " if gap and self._seldom(2) else ""
        body = f"{{% for {name} in {over} %}}{gap}{bullet}{inside(depth + 1)}{gap}"
        self._locals.pop()
        return body + (f"{{% else %}}{gap}x{gap}" if self._seldom(6) else "") + "{% endfor %}" + gap

    def _other_statement(self, depth: int) -> str:
        if self.sly and not self._seldom(40):
            return "{# x #}"
        expression = self._wild(depth)
        return self.random.choice(
            [f"{{% set x = {expression} %}}", "{% include '/etc/passwd' %}", "{% import 'os' as os %}",
             "{% from 'os' import system %}", "{% extends 'layout' %}", "{% block b %}x{% endblock %}",
             "{% macro m(a) %}{{ m(a) }}{% endmacro %}{{ m(1) }}",
             f"{{% with x = {expression} %}}{{{{ x }}}}{{% endwith %}}",
             "{% filter safe %}<b>{% endfilter %}", "{% autoescape false %}{{ reason }}{% endautoescape %}",
             "{% call(x) button('a','b') %}{% endcall %}", "{% do x %}", "{% debug %}", "{% continue %}",
             "{% trans %}x{% endtrans %}",
             f"{{% for a in order.items recursive %}}{{{{ loop({expression}) }}}}{{% endfor %}}", "{% import os %}"]
        )  # fmt: skip

    def _component(self, depth: int) -> str:
        return self._pick(
            (5, lambda: f"button({self._expression(depth)}, {self._expression(depth)})"),
            (3, lambda: "items(order.items)"),
            (1, lambda: f"items({self._expression(depth)})"),
            (3, lambda: "progress()"),
            (0 if self.sly else 2, lambda: f"{self.random.choice(COMPONENTS)}({self._wild(depth)})"),
            (0 if self.sly else 1, lambda: f"button(*{self._wild(depth)}, **{self._wild(depth)})"),
        )

    def _expression(self, depth: int) -> str:
        return self._value(depth) if self.sly and not self._seldom(150) else self._wild(depth)

    def _test(self, depth: int) -> str:
        if not self.sly:
            return self._wild(depth)
        if depth > 5:
            return self._asked()
        deeper = depth + 1
        return self._pick(
            (8, self._asked),
            (2, lambda: f"not {self._test(deeper)}"),
            (2, lambda: f"{self._test(deeper)} {self.random.choice(['and', 'or'])} {self._test(deeper)}"),
            (3, lambda: f"{self._asked()} {self.random.choice(['==', '!='])} {self._value(deeper)}"),
            (3, lambda: f"{self._value(deeper)} {self.random.choice(['<', '>', '<=', '>='])} {self._value(deeper)}"),
        )

    def _value(self, depth: int) -> str:
        """What is allowed, each piece for itself."""
        if depth > 5:
            return self._safe()
        deeper = depth + 1
        return self._pick(
            (6, self._safe),
            (4, lambda: f"{self._asked()} | default({self._value(deeper)})"),
            (6, lambda: f"{self._value(deeper)} | {self.random.choice(USUAL_FILTERS)}"),
            (2, lambda: f"{self._value(deeper)} | {self.random.choice(WITH_ARGUMENT)}({self._value(deeper)})"),
            (2, lambda: f"({self._value(deeper)} if {self._test(deeper)} else {self._value(deeper)})"),
            (1, lambda: f"(not {self._test(deeper)})"),
        )

    def _safe(self) -> str:
        return self._pick((5, lambda: self.random.choice(ALWAYS)), (2, self._constant))

    def _asked(self) -> str:
        if self._locals and self.random.random() < 0.6:
            return self.random.choice(self._locals) + self.random.choice(["", ".name", ".parts", ".x"])
        return self.random.choice(MAY_BE)

    def _constant(self) -> str:
        if self._seldom(3):
            return self.random.choice(NUMBERS if self._seldom(30) else ["0", "1", "5", "1.5", "30"])
        if self.sly and not self._seldom(20):
            return repr(self.random.choice(PLAIN_TEXTS))
        return repr(self.random.choice(TEXTS)).replace("\\\\", "\\")

    def _wild(self, depth: int) -> str:
        if depth > 5:
            return self._atom()
        deeper = depth + 1
        return self._pick(
            (14, self._atom),
            (8, lambda: f"{self._wild(deeper)} | {self._filter(deeper)}"),
            (2, lambda: f"{self._wild(deeper)} {self.random.choice(['and', 'or'])} {self._wild(deeper)}"),
            (2, lambda: f"not {self._wild(deeper)}"),
            (3, lambda: f"{self._wild(deeper)} {self.random.choice(COMPARISONS)} {self._atom()}"),
            (2, lambda: f"{self._wild(deeper)} if {self._wild(deeper)} else {self._wild(deeper)}"),
            (1, lambda: f"({self._wild(deeper)})"),
            (1, lambda: self._harm(deeper)),
        )

    def _filter(self, depth: int) -> str:
        name = self.random.choice(FILTERS if self._seldom(8) else USUAL_FILTERS)
        return name if not self._seldom(3) else f"{name}({self._wild(depth)})"

    def _atom(self) -> str:
        return self._pick((12, self._path), (6, self._constant))

    def _path(self) -> str:
        if self.random.random() < 0.7:
            return self._asked()
        return ".".join([self.random.choice(ROOTS), *self.random.choices(ATTRIBUTES, k=self.random.randint(0, 3))])

    def _harm(self, depth: int) -> str:
        inner = self._atom()
        return self.random.choice(
            [f"{inner}[{self._atom()}]", f"{inner}({self._atom()})", f"{inner}.__class__.__mro__[1].__subclasses__()",
             f"{inner} % {self._atom()}", f"{inner} * 999999999", f"{inner} ~ {self._atom()}", f"{inner} ** {inner}",
             f"[{inner}] * 99999999", f"({inner}, {inner})", f"{{'a': {inner}}}", f"-{inner}", f"{inner} is defined",
             f"{inner} | attr('__class__')", f"{inner} | map('format')",
             f"cycler.__init__.__globals__.os.system({inner})",
             "lipsum.__globals__['os'].popen('id').read()", "self._TemplateReference__context",
             f"{inner}.format({inner})",
             "'{0.__class__}'.format(order)", "().__class__.__base__", "range(99999999)", f"{inner}[1:2]",
             f"{inner}.0"]
        )  # fmt: skip
