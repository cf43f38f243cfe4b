"""A folder has an end as a whole, by files and by bytes, and of its messages only those used last stay
compiled: so no folder that is accepted needs more memory than the smallest machine has."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from babel.localedata import locale_identifiers

from avisa.core.plan import Plan
from avisa.templates import limits, template, template_folder
from avisa.templates.compile_folder import compile_folder
from avisa.templates.layout.layout_files import LayoutFiles
from avisa.templates.template import Template
from tests.templates.harness import PLAIN, catalog_of, files, mailed, read_plan, usual
from tests.templates.test_folder import laid_out

KIB = 1024
HEAD = "---\nsubject: s\nshort: s\n---\n"

# How many messages of so many bytes: the code of what is said, None if the folder is taken.
FOLDERS = {
    "350 of 6 KiB": (350, 6 * KIB, "too_many"),
    "40 of 60 KiB": (40, 60 * KIB, "too_many"),
    "1 of 70 KiB": (1, 70 * KIB, "too_large"),
    "2,000 of 50 bytes": (2_000, 50, "too_many"),  # and the layout and the plan
    "300 of 6 KiB": (300, 6 * KIB, None),
}


@pytest.mark.parametrize(("count", "size", "code"), FOLDERS.values(), ids=FOLDERS)
def test_a_folder_has_an_end_as_a_whole(count: int, size: int, code: str | None, tmp_path: Path) -> None:
    folder = laid_out(tmp_path, files())
    text = HEAD + "x" * (size - len(HEAD))
    for number in range(count):
        (folder / f"messages/m{number}").mkdir()
        (folder / f"messages/m{number}/en.md").write_text(text)
    texts, problems = template_folder.read(folder)
    assert [problem.code for problem in problems] == ([code] if code else [])
    assert sum(len(text.encode()) for text in texts.values()) <= limits.LONGEST_FOLDER
    assert len(texts) <= limits.MOST_FILES


def test_a_folder_has_an_end_in_languages() -> None:
    folder = files()
    known = sorted(locale.replace("_", "-") for locale in locale_identifiers())
    for locale in known[:300]:
        for message in ("plain", "shown"):
            folder[f"messages/{message}/{locale}.md"] = PLAIN
    plan = read_plan(folder["plan.yaml"])
    assert isinstance(plan, Plan)
    renderer, problems = compile_folder(folder, plan)
    assert renderer is None
    assert [it.message for it in problems if it.code == "too_many"] == ["no more than 100 languages are read"]
    assert len(problems) < 2_000


def _template(number: int, body: str = "") -> Template:
    return Template("messages/m/en.md", "en", f"{HEAD}{number} {body}\n", LayoutFiles.of(files()), for_owner=False)


def _characters(written: Template) -> int:
    compiled = written.compiled()
    assert compiled is not None
    return compiled.program.size


def test_what_was_used_last_stays_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    templates = [_template(number) for number in range(5)]
    size = _characters(templates[0])
    monkeypatch.setattr(template, "_cache", template._CompileCache())
    monkeypatch.setattr(template, "MOST_COMPILED", 3 * size + size // 2)
    first = [it.compiled() for it in templates[:3]]
    assert templates[0].compiled() is first[0]
    templates[3].compiled()  # displaces the second, which was used longest ago
    assert templates[0].compiled() is first[0]
    assert templates[2].compiled() is first[2]
    assert templates[1].compiled() is not first[1]


@pytest.mark.parametrize("body", ["", "x" * 4_000, "é" * 2_000, "{{ order.number }} " * 100, "{{ custmer }}"])
def test_more_messages_than_have_room_take_turns(body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = template._CompileCache()
    monkeypatch.setattr(template, "_cache", cache)
    monkeypatch.setattr(template, "MOST_COMPILED", 40_000)
    for number in range(8):
        _template(number, body).compiled()
        assert cache._size == sum(map(template._size, cache._results.values())) <= 40_000


def test_of_very_many_messages_only_the_first_are_compiled_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    cache = template._CompileCache()
    monkeypatch.setattr(template, "_cache", cache)
    few = {f"m{number}": {"en": _template(number)} for number in range(3)}
    many = few | {f"n{number}": {"en": _template(number)} for number in range(limits.MOST_AHEAD)}
    renderer = replace(usual().renderer, messages=many)
    compilations = renderer.compilations([*few, "not in the folder", *many])
    assert len(compilations) == limits.MOST_AHEAD
    for compilation in compilations[:3]:
        compilation()
    assert list(cache._results) == [few[name]["en"] for name in few]


def test_a_mail_is_the_same_when_its_message_was_displaced(monkeypatch: pytest.MonkeyPatch) -> None:
    catalog = catalog_of()
    before = mailed(catalog)
    monkeypatch.setattr(template, "MOST_COMPILED", 0)
    _template(0).compiled()
    assert mailed(catalog) == before
    assert mailed(catalog_of(files(plain=PLAIN + "More.\n"))) == before
