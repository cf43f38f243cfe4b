"""A message file becomes one compiled message, which gives two texts: subject, short and plain text, and the HTML.

Markdown, layout and components become one here, once, when the message is compiled. What remains for each mail is to
fill in values, which are only ever text: nothing parses them again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from html import escape

from jinja2 import nodes

from avisa.diagnostics.diagnostic import Diagnostic
from avisa.templates import message_file
from avisa.templates.compiled import SEPARATOR, Compiled
from avisa.templates.jinja import parser
from avisa.templates.jinja.checker import TemplateChecker
from avisa.templates.jinja.codegen import generate
from avisa.templates.jinja.desugar import desugar, link_of
from avisa.templates.jinja.direction import Direction
from avisa.templates.jinja.filters import functions
from avisa.templates.jinja.formats import formats_of
from avisa.templates.jinja.parse_errors import TemplateSyntaxProblem
from avisa.templates.jinja.paths import walk
from avisa.templates.jinja.scopes import is_prose
from avisa.templates.jinja.variables import BESIDES, COMPONENTS, OWNERS_VARIABLES, VARIABLES
from avisa.templates.layout.layout import Layout
from avisa.templates.layout.minify import minify
from avisa.templates.layout.mirror import mirrored, mirrored_style
from avisa.templates.layout.value_places import value_places
from avisa.templates.limits import LONGEST_MESSAGE, LONGEST_PAGE, MOST_SIGNS, TooMuch
from avisa.templates.markdown.parser import MarkdownProblem, parse
from avisa.templates.markdown.placeholders import Bind, EndBind, Marks
from avisa.templates.markdown.writers import HtmlWriter, TextWriter
from avisa.templates.message_file import Part, Source

_SIGNS = "\n*_`[<&!\\-+#>|~:"
_NUMBERED = re.compile(r"\d[.)](?=\s|$)")
_TOO_MANY_SIGNS = "there is too much Markdown in it, or too many lines"
_WITHOUT_WORDS = {"more": "+ {{ more | number }}"}  # for a layout that was written before there was the word
_DIR = ' dir="{{ dir }}"'
_LOOKS_LIKE_HTML = re.compile(r"</?(?![A-Za-z]+:|[^\s<>]+@)[A-Za-z][^<>{}\n]*>.*|<!--.*")  # one a line is enough


def compile_message(
    text: str, *, file: str, locale: str, layout: Layout, for_owner: bool
) -> tuple[Compiled | None, list[Diagnostic]]:
    """Return the compiled message, None if it cannot be used, and what is wrong with it."""
    if len(text.encode(errors="replace")) > LONGEST_MESSAGE:
        message = f"a message has no more than {LONGEST_MESSAGE // 1024} KiB"
        return None, [Diagnostic(code="too_large", file=file, message=message)]
    if text.count("\n") + text.count("\r") - text.count("\r\n") > MOST_SIGNS:
        return None, [Diagnostic(code="too_large", file=file, message=_TOO_MANY_SIGNS)]
    parts = message_file.read(text, file=file)
    if isinstance(parts, list):
        return None, parts
    try:
        return _Compilation(parts, locale, layout, for_owner).compiled()
    except TooMuch as much:
        return None, [Diagnostic(code="too_large", file=file, message=str(much))]
    except (RecursionError, MemoryError, SyntaxError, ValueError):  # of Jinja's, or Python's, compiler
        return None, [Diagnostic(code="too_deep", file=file, message="this is nested too deep")]


class _Frame:
    """The layout in one language, each piece of it parsed once for all messages."""

    def __init__(self, layout: Layout, locale: str) -> None:
        self._layout = layout
        self._texts = layout.words_in(locale)
        self._trees: dict[str, nodes.Template] = {}
        self.direction = Direction.of(locale)
        self.functions = functions(self._texts.stages, self.direction)
        # A layout that does not ask for the direction was written for one, and is left as it is.
        self._mirrors = self.direction.right_to_left and _DIR in layout.text("layout.html")
        self.theme = {tag: mirrored_style(style) if self._mirrors else style for tag, style in layout.theme.items()}

    def file(self, name: str) -> nodes.Template:
        text = self._layout.text(name)
        if name.endswith(".html") and self._mirrors:
            text = mirrored(text)
        # From left to right is what HTML does without being told, and each byte goes out with every mail.
        return self._tree(name, text if self.direction.right_to_left else text.replace(_DIR, ""))

    def word(self, name: str) -> nodes.Template:
        return self._tree(f"words.{name}", self._texts.texts.get(name) or _WITHOUT_WORDS.get(name, ""))

    def _tree(self, name: str, text: str) -> nodes.Template:
        if name not in self._trees:
            self._trees[name] = desugar(parser.parse(text))
        return self._trees[name]


_frame = lru_cache(8)(_Frame)  # a folder is compiled locale by locale


class _Compilation:
    """The compilation of one message: its marks, and what was found wrong so far."""

    def __init__(self, parts: Source, locale: str, layout: Layout, for_owner: bool) -> None:
        self._parts = parts
        self._locale = locale
        self._frame = _frame(layout, locale)
        self._variables = OWNERS_VARIABLES if for_owner else VARIABLES
        self._marks = Marks()
        self._problems: list[Diagnostic] = []
        self._components = 0  # characters
        self._in_lines = range(0)  # the marks of subject and short form in the page

    def compiled(self) -> tuple[Compiled | None, list[Diagnostic]]:
        subject = self._parsed(self._parts.subject)
        short = self._parsed(self._parts.short)
        body = self._parsed(self._parts.body, components=True)
        if subject is None or short is None or body is None or self._refused():
            return None, self._problems
        self._warn_of_html()
        markdown = self._marks.to_text(body.body)
        if sum(map(markdown.count, _SIGNS)) + len(_NUMBERED.findall(markdown)) > MOST_SIGNS:
            raise TooMuch(_TOO_MANY_SIGNS)
        try:
            tree = parse(markdown, self._marks)
            html = HtmlWriter(self._marks, lambda call: self._component(call, "html"), self._frame.theme).write(tree)
            text = TextWriter(self._marks, lambda call: self._component(call, "txt")).write(tree)
        except MarkdownProblem as flaw:
            self._problems.append(self._placed(flaw))
            return None, self._problems
        if len(html) > LONGEST_PAGE:
            raise TooMuch("it comes to too much text")
        plain = SEPARATOR.join(
            [
                self._marks.to_text(subject.body).strip(),
                self._marks.to_text(short.body).strip(),
                self._laid_out("txt", text, subject, short),
            ]
        )
        page = minify(self._laid_out("html", html, subject, short))
        trees = self._marks.to_nodes(plain), self._marks.to_nodes(page, value_places(page, self._in_lines))
        file, functions, from_right = self._parts.file, self._frame.functions, self._frame.direction.right_to_left
        program = generate(*trees, file=file, functions=functions, right_to_left=from_right)
        formats = formats_of(self._locale)
        compiled = Compiled(file=file, formats=formats, right_to_left=from_right, program=program)
        return compiled, self._problems

    def _refused(self) -> bool:
        return any(problem.severity == "error" for problem in self._problems)

    def _parsed(self, part: Part, *, components: bool = False) -> nodes.Template | None:
        try:
            tree = parser.parse(part.text)
        except TemplateSyntaxProblem as error:
            self._problems.append(error.diagnostic(self._parts.file, part))
            return None
        checker = TemplateChecker(
            file=self._parts.file,
            part=part,
            variables=self._variables,
            components=components,
        )
        self._problems += checker.check(tree)
        if self._refused():
            return None
        for node in walk(tree):
            node.lineno = part.place(node.lineno or 0)[0]  # from here on lines are enough
        return desugar(tree)

    def _placed(self, flaw: MarkdownProblem) -> Diagnostic:
        """Return the diagnostic of a problem, at its word: in its line if that is known, else where the word stands
        as an address."""
        body = self._parts.body
        word = flaw.word or ""
        if flaw.line is not None:
            line = body.text.split("\n")[flaw.line - body.begins[0][0]]
            place = flaw.line, max(line.find(word), 0) + 1
        else:
            found = max(body.text.find(f"({word}"), body.text.find(f"<{word}"))
            place = body.place(found + 1 if found >= 0 else max(body.text.find(word), 0))
        return Diagnostic.at(place, flaw.code, self._parts.file, str(flaw), flaw.suggestion)

    def _warn_of_html(self) -> None:
        for found in _LOOKS_LIKE_HTML.finditer(self._parts.body.text):
            place = self._parts.body.place(found.start())
            message = "HTML is shown as it is written; messages are Markdown"
            meant = "{# … #}" if found[0].startswith("<!--") else None
            self._problems.append(Diagnostic.at(place, "html_is_text", self._parts.file, message, meant, "warning"))

    # ------------------------------------------------------------ layout

    def _component(self, call: nodes.Expr, kind: str) -> str:
        """Return a component as text with marks, its arguments bound to their names."""
        assert isinstance(call, nodes.Call)
        assert isinstance(call.node, nodes.Name)
        names = COMPONENTS[call.node.name]
        values = [_guarded(name, argument) for name, argument in zip(names, call.args, strict=True)]
        if call.node.name == "items":
            names = (*names, *BESIDES["items"])
            order = nodes.Name("order", "load", lineno=call.lineno)
            url = nodes.Getattr(order, "url", "load", lineno=call.lineno)
            more = nodes.Filter(call.args[0], "_more", [], [], None, None, lineno=call.lineno)
            values += [more, _guarded("url", url)]
        written = self._layout_part(f"{call.node.name}.{kind}", line=call.lineno)
        self._components += len(written)
        if self._components > LONGEST_PAGE:
            raise TooMuch("it comes to too much text")
        if not names:
            return written
        return self._marks.put(Bind(names, tuple(values))) + written + self._marks.put(EndBind())

    def _laid_out(self, kind: str, content: str, subject: nodes.Template, short: nodes.Template) -> str:
        known = {"content": content.rstrip("\n"), "lang": self._locale}
        before = len(self._marks)
        for name, tree in (("subject", subject), ("short", short)):
            known[name] = self._marks.to_text(tree.body, literal=_literal(kind)).strip()
        self._in_lines = range(before, len(self._marks))
        return self._layout_part(f"layout.{kind}", known=known)

    def _layout_part(self, name: str, *, known: Mapping[str, str] | None = None, line: int = 1) -> str:
        """Return a file of the layout as text with marks."""
        literal = _literal(name.rpartition(".")[2])

        def slot(expr: nodes.Expr) -> str | None:
            match expr:
                case nodes.Name(name="dir"):
                    return self._frame.direction.name
                case nodes.Name() if known and expr.name in known:
                    return known[expr.name]
                case nodes.Getattr(node=nodes.Name(name="words"), attr=word):
                    return self._marks.to_text(self._frame.word(word).body, literal=literal, line=line)
            return None

        return self._marks.to_text(self._frame.file(name).body, slot=slot, line=line)


def _guarded(name: str, argument: nodes.Expr) -> nodes.Expr:
    """Return the argument of a component, made a link or a list where its name says so, or one line."""
    if name == "url":
        return link_of(argument)
    made = "_list" if name == "items" else "_flat" if is_prose(argument) else None
    return nodes.Filter(argument, made, [], [], None, None, lineno=argument.lineno) if made else argument


def _literal(kind: str) -> Callable[[str], str]:
    """Return how literal text is written into the HTML or the plain text."""
    return escape if kind == "html" else str
