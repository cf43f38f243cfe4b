"""The frame that every message stands in, its components and its own words: `templates/layout/`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import yaml
from jinja2.exceptions import TemplateSyntaxError

from service.ports import Problem
from service.rendering.allow import Inspector
from service.rendering.marks import RESERVED
from service.rendering.sandbox import Sandbox
from service.rendering.vocabulary import COMPONENTS, FILTERS, OWNERS_VARIABLES

FOLDER = "layout/"
_WORDS = f"{FOLDER}words.yaml"
_NEEDED = ("because", "to_owner", "unsubscribe", "now")
_OF_LAYOUT = frozenset({"lang", "subject", "short", "content", "words", "unsubscribe", "owner"})
_OF_COMPONENTS = frozenset({"words", "progress"})
_FILTERS = {**FILTERS, "label": 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What the layout says in one language; every text may hold placeholders."""

    texts: Mapping[str, str]
    stages: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layout:
    """The layout's files, inspected, and its words by locale."""

    files: Mapping[str, str]
    words: Mapping[str, Words]

    def words_in(self, locale: str) -> Words:
        """The words of the locale, else of its language, else English."""
        return self.words.get(locale) or self.words.get(locale.partition("-")[0]) or self.words["en"]

    def text(self, name: str) -> str:
        return self.files[FOLDER + name]


def read(files: Mapping[str, str]) -> Layout | list[Problem]:
    """The layout among the files of a template folder, or all that is wrong with it."""
    sandbox = Sandbox()
    kept: dict[str, str] = {}
    problems: list[Problem] = []
    for stem in ("layout", *COMPONENTS):
        for name in (f"{FOLDER}{stem}.html", f"{FOLDER}{stem}.txt"):
            text = files.get(name)
            if text is None:
                problems.append(Problem(code="missing_file", file=name, message="the layout needs this file"))
                continue
            extra = _OF_LAYOUT if stem == "layout" else _OF_COMPONENTS | set(COMPONENTS[stem])
            kept[name] = text.replace("\r\n", "\n")
            problems += inspect(sandbox, kept[name], name, frozenset(extra))
            if stem == "layout" and "{{ content }}" not in text:
                problems.append(
                    Problem(code="missing_content", file=name, message="the layout has no `{{ content }}`")
                )
    words = _read_words(files.get(_WORDS), sandbox)
    if isinstance(words, list):
        return problems + words
    return problems or Layout(files=kept, words=words)


def inspect(sandbox: Sandbox, text: str, file: str, extra: frozenset[str]) -> list[Problem]:
    """What is wrong with a piece of the layout, which has the names in `extra` besides the usual ones."""
    if RESERVED.search(text):
        return [Problem(code="not_allowed", file=file, message="a character that cannot stand in a template")]
    try:
        tree = sandbox.parse(text)
    except TemplateSyntaxError as error:
        return [Problem(code="syntax", file=file, line=error.lineno, message=error.message or "is no template")]
    inspector = Inspector(
        file=file, source=text, variables=OWNERS_VARIABLES, components=False, extra=extra, filters=_FILTERS
    )
    return inspector.template(tree)


def _read_words(text: str | None, sandbox: Sandbox) -> dict[str, Words] | list[Problem]:
    def wrong(message: str, line: int | None = None) -> list[Problem]:
        return [Problem(code="layout_words", file=_WORDS, line=line, message=message)]

    if text is None:
        return [Problem(code="missing_file", file=_WORDS, message="the layout needs this file")]
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        return wrong("this is not YAML", mark.line + 1 if mark else None)
    if not isinstance(document, dict) or "en" not in document:
        return wrong("there must be a map of words for each language, and one for `en`")
    read: dict[str, Words] = {}
    problems: list[Problem] = []
    for locale, entry in document.items():
        entry = entry if isinstance(entry, dict) else {}
        texts = {key: value for key, value in entry.items() if key != "stages"}
        stages = entry.get("stages") or {}
        missing = [key for key in _NEEDED if key not in texts]
        if missing:
            problems += wrong(f"`{locale}` has no `{missing[0]}`")
        if not isinstance(stages, dict) or not all(
            isinstance(word, str) for word in (*texts.values(), *stages.values())
        ):
            problems += wrong(f"`{locale}` may hold texts only, and `stages` with texts")
            continue
        for value in texts.values():
            problems += inspect(sandbox, value, _WORDS, frozenset({"owner"}))
        read[str(locale)] = Words(texts=texts, stages={str(key): word for key, word in stages.items()})
    return problems or read
