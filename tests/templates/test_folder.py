"""The template folder on disk, what the check says of it, and the preview."""

from __future__ import annotations

import os
from email.parser import BytesParser
from email.policy import SMTP
from pathlib import Path

import pytest

from avisa.lint import check
from avisa.preview.render import Preview, preview, write
from avisa.templates import template_folder
from avisa.templates.compile_folder import compile_folder
from avisa.templates.layout.layout import Layout, read
from tests.templates.harness import NOW, PLAIN, PLAN, SHIPPED, catalog_of, files, read_plan, usual

WORDS = "en:\n  because: Because.\n  to_owner: To you.\n  unsubscribe: No more\n  now: now\n  stages:\n"


def laid_out(folder: Path, texts: dict[str, str]) -> Path:
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def codes(folder: Path) -> list[tuple[str, str]]:
    return [(problem.code, problem.file) for problem in check(folder, read_plan)]


def test_the_shipped_folder_passes_its_check() -> None:
    assert check(SHIPPED, read_plan) == []
    assert template_folder.shipped().resolve() == SHIPPED


def test_only_files_that_belong_to_a_template_folder_are_read(tmp_path: Path) -> None:
    folder = laid_out(tmp_path, files())
    before = template_folder.read(folder)
    for stray in (
        ".git/x.md",
        "messages/.hidden/en.md",
        "messages/plain/.en.md.swp",
        "messages/plain/en.md~",
        "notes.txt",
    ):
        laid_out(folder, {stray: "{{ broken"})
    assert template_folder.read(folder) == before


def test_links_are_followed_inside_and_refused_outside(tmp_path: Path) -> None:
    folder = laid_out(tmp_path / "t", files())
    secret = tmp_path / "secret.md"
    secret.write_text(PLAIN)
    mounted = laid_out(folder / "..data", {"x.md": PLAIN}) / "x.md"
    (folder / "messages/plain/es.md").symlink_to(mounted)
    (folder / "messages/plain/ca.md").symlink_to(secret)
    (folder / "messages/plain/fr.md").symlink_to(folder / "gone.md")
    texts, problems = template_folder.read(folder)
    assert "messages/plain/es.md" in texts
    assert {(it.code, it.file) for it in problems} == {
        ("not_a_file", "messages/plain/ca.md"),
        ("unreadable", "messages/plain/fr.md"),
    }


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    folder = laid_out(tmp_path, files())
    (folder / "messages/plain/es.md").write_bytes(b"\xff\xfe")
    (folder / "messages/plain/ca.md").write_bytes(b"x" * 70_000)
    os.mkfifo(folder / "messages/plain/fr.md")
    (folder / "messages/plain/de.md").mkdir()
    _, problems = template_folder.read(folder)
    assert [(it.code, it.file) for it in problems] == [
        ("too_large", "messages/plain/ca.md"),
        ("not_a_file", "messages/plain/de.md"),
        ("not_utf8", "messages/plain/es.md"),
        ("not_a_file", "messages/plain/fr.md"),
    ]


def test_a_folder_that_is_not_there_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nothing"):
        check(tmp_path / "nothing", read_plan)


def test_the_check_says_what_is_missing(tmp_path: Path) -> None:
    texts = files()
    del texts["messages/shown/en.md"]
    texts["messages/plain/es.md"] = PLAIN
    texts["messages/plain/pt_BR.md"] = PLAIN
    texts["messages/Odd Name/en.md"] = PLAIN
    found = codes(laid_out(tmp_path, texts))
    assert ("missing_message", "plan.yaml") in found
    assert ("missing_locale", "messages/generic/es.md") in found
    assert ("bad_name", "messages/plain/pt_BR.md") in found
    assert ("bad_name", "messages/Odd Name/en.md") in found


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("layout/layout.html", None, "missing_file"),
        ("layout/words.yaml", None, "missing_file"),
        ("layout/layout.html", "<p>no slot</p>", "missing_content"),
        ("layout/layout.html", "{{ content }}{{ lipsum() }}", "unknown_component"),
        ("layout/button.html", "{% if url %}", "syntax"),
        ("layout/button.txt", "{{ urll }}", "unknown_name"),
        ("layout/words.yaml", "en: {because: 1}", "layout_words"),
        ("layout/words.yaml", "[", "not_yaml"),
        ("layout/words.yaml", "pt: {}", "layout_words"),
        ("layout/words.yaml", WORDS.replace("\n", "\u2028") + "    a: [b]", "layout_words"),
        ("layout/words.yaml", WORDS + '    a: "\\U00110000"\n', "not_yaml"),
        ("layout/words.yaml", WORDS + '    a: "\\UFFFFFFFF"\n', "not_yaml"),
        ("layout/words.yaml", "%YAML 1." + "9" * 5_000 + "\n---\n" + WORDS, "not_yaml"),
        ("layout/layout.html", "{{ content }}{% if order.x %}{{ unsubscribe }}{% endif %}", "may_be_missing"),
        ("layout/layout.html", "{{ content }}{% if order.x %}{{ words.now | upper }}{% endif %}", "not_allowed"),
        ("layout/layout.html", "{{ content }}{% if order.x %}{{ words.now.x }}{% endif %}", "not_allowed"),
        ("layout/layout.html", "{{ content }}{% if lang == 'en' %}a{% endif %}", "not_allowed"),
        ("layout/layout.html", "{{ content }}{% if order.x %}{{ owner.name }}{% endif %}", "may_be_missing"),
        ("layout/button.html", "{% if url %}{{ url.x }}{% endif %}", "unknown_name"),
        ("layout/words.yaml", "a: 2026-99-99", "layout_words"),
        ("layout/words.yaml", "a: " + "9" * 5_000, "layout_words"),
        ("layout/words.yaml", "a: !!bool x", "not_allowed"),
        ("layout/words.yaml", "a: &a {}\nb: {<<: *a}", "not_allowed"),
        ("layout/words.yaml", WORDS + "    confirmed: [x]\n", "layout_words"),
        ("layout/words.yaml", WORDS + '    confirmed: "\\ud800"\n', "not_allowed"),
        ("layout/words.yaml", WORDS + '    confirmed: "\\x1e"\n', "not_allowed"),
        ("layout/words.yaml", WORDS + '    a: b\n  more: "\\x1e"\n', "not_allowed"),
        ("layout/words.yaml", WORDS + "    a: " + "x" * 21_000, "too_large"),
        ("layout/words.yaml", WORDS + "".join(f"{it:03}: {{}}\n" for it in range(60)), "layout_words"),
        ("plan.yaml", None, "missing_file"),
    ],
)
def test_the_layout_is_checked_too(tmp_path: Path, name: str, text: str | None, code: str) -> None:
    texts = files()
    if text is None:
        del texts[name]
    else:
        texts[name] = text
    assert (code, name) in codes(laid_out(tmp_path, texts))


def test_the_words_of_a_language_are_words_whatever_yaml_takes_them_for(tmp_path: Path) -> None:
    """`no`, which is Norwegian, is not false, and a key of digits is one."""
    texts = files()
    texts["layout/words.yaml"] = WORDS + "    1: One\nno:\n" + WORDS.removeprefix("en:\n") + "    yes: Ja\n"
    layout = read(texts)
    assert isinstance(layout, Layout), layout
    assert layout.words_in("no-NO").stages == {"yes": "Ja"}
    assert layout.words_in("en").stages == {"1": "One"}


def test_a_warning_refuses_no_layout(tmp_path: Path) -> None:
    texts = files()
    texts["layout/words.yaml"] = WORDS + "    a: b\n  dear: Dear {name}\n"
    texts["layout/layout.html"] += "{% if order.totals %}{% endif %}"
    found = check(laid_out(tmp_path, texts), read_plan)
    assert {(it.code, it.file) for it in found if it.file.startswith("layout/")} == {
        ("stray_brace", "layout/words.yaml"),
        ("unlikely_name", "layout/layout.html"),
    }
    assert compile_folder(texts, catalog_of(texts).plan)[0] is not None


def test_a_slip_in_the_words_is_shown_where_it_stands(tmp_path: Path) -> None:
    texts = files()
    texts["layout/words.yaml"] = WORDS.replace("now: now", 'now: "a {{ orderr.id }}"')
    (problem,) = [it for it in check(laid_out(tmp_path, texts), read_plan) if it.file == "layout/words.yaml"]
    assert (problem.code, problem.line, problem.column) == ("unknown_name", 5, 14)


def test_a_long_subject_is_a_warning(tmp_path: Path) -> None:
    texts = files(plain=PLAIN.replace("subject: Order", "subject: " + "long " * 30))
    found = [it for it in check(laid_out(tmp_path, texts), read_plan) if it.code == "long_subject"]
    assert [(it.file, it.line, it.column, it.severity) for it in found] == [
        ("messages/plain/en.md", 2, 10, "warning")
    ]


def test_init_copies_out_and_touches_nothing_that_is_there(tmp_path: Path) -> None:
    written = template_folder.init(tmp_path / "mine")
    assert all(path.is_file() for path in written)
    assert check(tmp_path / "mine", read_plan) == []
    with pytest.raises(FileExistsError):
        template_folder.init(tmp_path / "mine")


def test_the_folder_in_use_is_the_one_set_else_the_one_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert template_folder.locate(Path("x")) == Path("x")
    assert template_folder.locate(None) == template_folder.shipped()
    laid_out(tmp_path / "templates", {"plan.yaml": PLAN})
    assert template_folder.locate(None) == Path("templates")


def test_a_preview_is_what_the_reader_gets(tmp_path: Path) -> None:
    shown = preview(usual(), "shown", now=NOW)
    assert isinstance(shown, Preview)
    written = write(shown, tmp_path / "out")
    assert [path.name for path in written] == ["mail.eml", "mail.html", "mail.txt", "short.txt"]
    message = BytesParser(policy=SMTP).parsebytes(written[0].read_bytes())
    assert message["Subject"] == shown.rendered.subject
    assert written[3].read_text() == shown.rendered.short + "\n"


@pytest.mark.parametrize(
    ("message", "more"), [("shwn", {}), ("shown", {"locale": "nl"}), ("shown", {"sample": "none"})]
)
def test_a_preview_of_what_is_not_there_is_refused(message: str, more: dict[str, str]) -> None:
    with pytest.raises(LookupError):
        preview(usual(), message, now=NOW, **more)


def test_every_message_can_be_previewed_in_every_language_and_sample() -> None:
    texts, _ = template_folder.read(SHIPPED)
    catalog = catalog_of(texts)
    for message in sorted({name.split("/")[1] for name in texts if name.startswith("messages/")}):
        for locale in catalog.renderer.locales(message):
            for sample in ("full", "bare", "odd"):
                assert isinstance(preview(catalog, message, now=NOW, locale=locale, sample=sample), Preview)
