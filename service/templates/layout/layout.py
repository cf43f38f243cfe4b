"""The frame that every message stands in, its components and its own words: `templates/layout/`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from weakref import WeakKeyDictionary

from avisa.diagnostics.diagnostic import Diagnostic, Place
from avisa.diagnostics.suggest import closest_match
from avisa.diagnostics.yaml_errors import DocumentError
from avisa.diagnostics.yaml_reader import Path, Value, parse
from avisa.templates.jinja import parser
from avisa.templates.jinja.checker import TemplateChecker
from avisa.templates.jinja.formats import is_locale, tidy_locale
from avisa.templates.jinja.parse_errors import TemplateSyntaxProblem
from avisa.templates.jinja.variables import BESIDES, COMPONENTS, FILTERS, OWNERS_VARIABLES, STANDS_ALONE, VARIABLES
from avisa.templates.layout import html_scanner, mail_html, placeholder_contexts, theme
from avisa.templates.layout.layout_files import FOLDER, LayoutFiles
from avisa.templates.limits import LONGEST_LAYOUT, TooMuch
from avisa.templates.message_file import Part
from avisa.templates.reserved import RESERVED

WORDS = f"{FOLDER}words.yaml"
FILES = tuple(f"{FOLDER}{stem}.{ending}" for stem in ("layout", *COMPONENTS) for ending in ("html", "txt"))
_MOST_LANGUAGES = 60
_MOST_REFUSED = 30  # problems of one file
_LINE_END = re.compile("\r\n|[\r\n\x85\u2028\u2029]")  # YAML's (1.1, section 4.2)
_NEEDED = ("because", "to_owner", "unsubscribe", "now")
# What the layout, and a component, can say besides the variables of messages.
OF_LAYOUT = STANDS_ALONE | {"unsubscribe", "owner"}
OF_COMPONENTS = frozenset({"dir", "words", "progress"})
_FILTERS = {**FILTERS, "label": 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutTexts:
    """What the layout says in one language; every text may hold placeholders."""

    texts: Mapping[str, str]
    stages: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layout:
    """The layout's files, checked, its words by locale, and the style of each element that Markdown makes."""

    files: Mapping[str, str]
    words: Mapping[str, LayoutTexts]
    theme: Mapping[str, str]
    warnings: tuple[Diagnostic, ...] = ()

    def words_in(self, locale: str) -> LayoutTexts:
        """Return the texts of the locale, else of its language, else English."""
        return self.words.get(locale) or self.words.get(locale.partition("-")[0]) or self.words["en"]

    def text(self, name: str) -> str:
        return self.files[FOLDER + name]


def read(files: Mapping[str, str]) -> Layout | list[Diagnostic]:
    """Return the layout among the files of a template folder, or all that is wrong with it.

    As long as the `LayoutFiles` are kept, they give the same object, so that what was compiled with it can be used
    again.
    """
    own = LayoutFiles.of(files)
    made = _made.get(own)
    if made is None:
        made = _made[own] = _read(own.files)
    return made if isinstance(made, Layout) else list(made)


_made: WeakKeyDictionary[LayoutFiles, Layout | list[Diagnostic]] = WeakKeyDictionary()


def _read(files: Mapping[str, str]) -> Layout | list[Diagnostic]:
    kept: dict[str, str] = {}
    problems: list[Diagnostic] = []
    for name in FILES:
        text = files.get(name)
        if text is None:
            problems.append(Diagnostic(code="missing_file", file=name, message="the layout needs this file"))
            continue
        kept[name] = text.replace("\r\n", "\n")
        problems += _check(name, text)
    words, wrong = _read_words(files.get(WORDS))
    problems += wrong
    styles, wrong = _read_theme(files.get(theme.THEME, ""))
    problems += wrong
    if any(problem.severity == "error" for problem in problems):
        return problems
    return Layout(files=kept, words=words, theme=styles, warnings=tuple(problems))


@lru_cache(32)  # of ten files an operator saves one at a time
def _check(name: str, text: str) -> Sequence[Diagnostic]:
    """What is wrong with one of `FILES`."""
    if len(text.encode(errors="replace")) > LONGEST_LAYOUT:
        return [_too_large(name)]
    stem = name.removeprefix(FOLDER).partition(".")[0]
    own = set() if stem == "layout" else {*COMPONENTS[stem], *BESIDES.get(stem, ())}
    extra = OF_LAYOUT if stem == "layout" else OF_COMPONENTS | own
    problems = check_part(Part.of(text.replace("\r\n", "\n"), (1, 1)), name, frozenset(extra))
    if stem == "layout" and "{{ content }}" not in text:
        message = "the layout has no `{{ content }}`, where the message goes"
        problems.append(Diagnostic.at((1, 1), "missing_content", name, message))
    return problems


def check_part(
    part: Part, file: str, extra: frozenset[str], variables: Mapping[str, Sequence[str] | None] = OWNERS_VARIABLES
) -> list[Diagnostic]:
    """Return what is wrong with a piece of the layout, which has the names in `extra` besides the usual ones."""
    if odd := RESERVED.search(part.text):
        message = "a character that cannot stand in a template"
        return [Diagnostic.at(part.place(odd.start()), "not_allowed", file, message)]
    checker = TemplateChecker(
        file=file, part=part, variables=variables, components=False, extra=extra, filters=_FILTERS
    )
    try:
        tree = parser.parse(part.text)
        problems = checker.check(tree)
        if file.endswith(".html") and not any(problem.severity == "error" for problem in problems):
            page = html_scanner.Page.of(tree)
            refused = [
                Diagnostic.at(part.place(it.offset), "not_for_mails", file, it.message, it.suggestion)
                for it in islice(mail_html.refusals(page), _MOST_REFUSED)
            ]
            problems += refused
            if not refused and (flaw := html_scanner.flaw(page) or placeholder_contexts.flaw(page, extra)):
                problems.append(Diagnostic.at(part.place(flaw[0]), "layout_html", file, flaw[1]))
        return problems
    except TemplateSyntaxProblem as error:
        return [error.diagnostic(file, part)]
    except TooMuch as much:
        return [Diagnostic(code="too_large", file=file, message=str(much))]
    except (RecursionError, MemoryError, ValueError):  # of Jinja's parser, or the checker
        return [Diagnostic(code="too_deep", file=file, message="this is nested too deep")]


def _read_theme(text: str) -> tuple[Mapping[str, str], list[Diagnostic]]:
    if len(text.encode(errors="replace")) > LONGEST_LAYOUT:
        return {}, [_too_large(theme.THEME)]
    return theme.read(text)


def _read_words(text: str | None) -> tuple[dict[str, LayoutTexts], list[Diagnostic]]:
    if text is None:
        return {}, [Diagnostic(code="missing_file", file=WORDS, message="the layout needs this file")]
    if len(text.encode(errors="replace")) > LONGEST_LAYOUT:
        return {}, [_too_large(WORDS)]
    try:
        document = parse(text)
    except DocumentError as error:
        return {}, [error.diagnostic(WORDS)]

    def wrong(path: Path, message: str, suggestion: str | None = None) -> list[Diagnostic]:
        return [Diagnostic.at(document.key(path), "layout_words", WORDS, message, suggestion)]

    if not isinstance(document.value, dict) or "en" not in document.value:
        return {}, wrong((), "there must be a map of words for each language, and one for `en`")
    if len(document.value) > _MOST_LANGUAGES:
        return {}, wrong((), f"there are words for more than {_MOST_LANGUAGES} languages")
    lines = _LINE_END.split(text)
    read: dict[str, LayoutTexts] = {}
    problems: list[Diagnostic] = []
    for locale, entry in document.value.items():
        if not is_locale(locale):
            problems += wrong((locale,), f"`{locale}` is no language", tidy_locale(locale))
            continue
        entries = entry if isinstance(entry, dict) else {}
        if missing := [key for key in _NEEDED if not entries.get(key)]:
            near = closest_match(missing[0], sorted(entries.keys() - set(_NEEDED)))
            place = (locale, missing[0]) if missing[0] in entries else (locale, near or "")
            problems += wrong(place, f"`{locale}` has no `{missing[0]}`", missing[0] if near else None)
        texts = _texts({key: value for key, value in entries.items() if key != "stages"})
        stages = _texts(entries.get("stages") or {})
        if texts is None or stages is None:
            no_texts = (key for key, value in entries.items() if key != "stages" and not isinstance(value, str))
            message = f"`{locale}` may hold texts only, and `stages` with texts"
            problems += wrong((locale, next(no_texts, "stages")), message)
            continue
        for key, value in texts.items():
            variables = OWNERS_VARIABLES if key == "to_owner" else VARIABLES
            extra = frozenset({"more"} & {key})
            problems += check_part(_part(lines, document.at((locale, key)), value), WORDS, extra, variables)
        for key, value in stages.items():
            if "{{" in value or "{%" in value:
                problems += wrong((locale, "stages", key), "there are no placeholders in what a stage is called")
            if RESERVED.search(value):
                problems += wrong((locale, "stages", key), "a character that cannot stand in a template")
        read[locale] = LayoutTexts(texts=texts, stages=stages)
    return read, problems


def _texts(value: Value) -> dict[str, str] | None:
    """A map of texts; None if it is none."""
    texts = {key: text for key, text in value.items() if isinstance(text, str)} if isinstance(value, dict) else {}
    return texts if isinstance(value, dict) and len(texts) == len(value) else None


def _part(lines: Sequence[str], place: Place, value: str) -> Part:
    """A text of the words, and where it stands."""
    line = lines[place.line - 1]
    quoted = line[place.column - 1 : place.column] in ("'", '"')
    return Part.of(value, (place.line, place.column + quoted))


def _too_large(file: str) -> Diagnostic:
    return Diagnostic(
        code="too_large", file=file, message=f"a file of the layout has no more than {LONGEST_LAYOUT // 1024} KiB"
    )
