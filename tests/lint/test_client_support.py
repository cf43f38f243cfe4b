"""CSS and HTML that mail programs do not support, found wherever it stands in a layout."""

from __future__ import annotations

import pytest

from avisa.lint.client_support import check_layout
from tests.lint.caniemail import CLIENTS, named, unsupported


def found(html: str) -> list[tuple[str, int | None, int | None, str]]:
    return [
        (it.code, it.line, it.column, it.message.split("`")[1]) for it in check_layout({"layout/layout.html": html})
    ]


@pytest.mark.parametrize(
    ("html", "code", "column", "word"),
    [
        ("<style>a { position: fixed }</style>", "weak_css", 12, "position"),
        ("<style>@media (x) { a { color: red; POSITION:fixed } }</style>", "weak_css", 37, "POSITION"),
        ("<style>@font-face { src: x }</style>", "weak_css", 8, "@font-face"),
        ("<style>p:not(.x) { color: red }</style>", "weak_css", 9, ":not"),
        ("<style>p::before { color: red }</style>", "weak_css", 9, "::before"),
        ("<style>p { width: calc(1px + 2px) }</style>", "weak_css", 19, "calc"),
        ('<p style="color: red; position: fixed">', "weak_css", 23, "position"),
        ("<p style='position: fixed'>", "weak_css", 11, "position"),
        ('<p style="background: {{ brand.color }}; transform: none">', "weak_css", 42, "transform"),
        ("<video>", "weak_html", 1, "video"),
        ('<img alt="" srcset="x">', "weak_html", 13, "srcset"),
        ("<p hidden>", "weak_html", 4, "hidden"),
    ],
)
def test_unsupported_css_and_html_is_found_at_its_place(html: str, code: str, column: int, word: str) -> None:
    assert found(html) == [(code, 1, column, word)]
    assert found(f"\n{html}") == [(code, 2, column, word)]


@pytest.mark.parametrize(
    "html",
    [
        "<style>a { color: red; display: none; } @media (max-width: 480px) { a { margin: 0 } }</style>",
        "<style>/* position: fixed */ .position { color: red }</style>",
        "<!--[if mso]><video></video><![endif]-->",
        '{% if brand.logo %}<img src="{{ brand.logo }}" alt="position: fixed" width="1">{% endif %}',
        "position: fixed; calc(1px) :not(x)",
        '<p title="hidden video">a &lt; b</p>',
    ],
)
def test_supported_css_comments_and_plain_text_are_not_reported(html: str) -> None:
    assert found(html) == []


def test_each_unsupported_word_is_reported_once_a_file() -> None:
    assert len(found("<style>a { position: fixed } b { position: fixed }</style>" * 3)) == 1


def test_only_html_files_are_searched() -> None:
    assert list(check_layout({"layout/layout.txt": "<video>", "messages/x/en.md": "<video>"})) == []


def test_the_table_has_what_few_clients_support() -> None:
    def feature(title: str, category: str, knows: int) -> dict[str, object]:
        stats: dict[str, dict[str, dict[str, str]]] = {}
        for place, (family, platform) in enumerate(CLIENTS):
            stats.setdefault(family, {})[platform] = {"2019": "y", "2026": "y" if place < knows else "n"}
        return {"title": title, "category": category, "stats": stats}

    tables = {
        "last_update_date": "2026-05-13 14:45",
        "data": [
            feature("position", "css", 3),
            feature("color", "css", len(CLIENTS)),
            feature("cursor", "css", 0),
            feature("<video> element", "html", 0),
            feature("webp", "image", 0),
        ],
    }
    made = unsupported(tables)
    assert set(made) == {"source", "updated", "properties", "elements"}
    assert list(made["properties"]) == ["position"]
    assert made["properties"]["position"] == list(CLIENTS.values())[3:]
    assert list(made["elements"]["video"]) == list(CLIENTS.values())


@pytest.mark.parametrize(
    ("category", "title", "names"),
    [
        ("css", "@font-face", [("at_rules", "@font-face")]),
        ("css", "@media (prefers-color-scheme)", []),
        ("css", ":nth-child", [("selectors", ":nth-child")]),
        ("css", "lch(), oklch()", [("functions", "lch"), ("functions", "oklch")]),
        ("css", "CSS Variables (Custom Properties)", [("functions", "var")]),
        ("css", "gap, column-gap", [("properties", "gap"), ("properties", "column-gap")]),
        ("css", "margin-inline & margin-block", [("properties", "margin-inline"), ("properties", "margin-block")]),
        ("html", "srcset and sizes attributes", [("attributes", "srcset"), ("attributes", "sizes")]),
        ("html", "Embedded <svg> image", [("elements", "svg")]),
        ("others", "AMP", []),
    ],
)
def test_titles_of_features_become_the_words_in_mails(
    category: str, title: str, names: list[tuple[str, str]]
) -> None:
    assert list(named(category, title)) == names
