"""Every link in the documents leads somewhere, and every file they name is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.readme import documents


@pytest.mark.parametrize(
    "document", [*documents.DOCUMENTS, documents.MANUAL], ids=lambda it: it.relative_to(documents.ROOT).as_posix()
)
def test_every_link_leads_to_a_file_or_heading_of_the_project(document: Path) -> None:
    broken = []
    for link in documents.links(document):
        file, _, anchor = link.partition("#")
        target = (document.parent / file).resolve() if file else document
        there = target.is_relative_to(documents.ROOT) and target.exists()
        if not there or (anchor and anchor not in documents.anchors(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("document", documents.DOCUMENTS, ids=lambda it: it.relative_to(documents.ROOT).as_posix())
def test_every_file_named_in_backticks_exists(document: Path) -> None:
    assert [path for path in documents.paths(document) if not (documents.ROOT / path).exists()] == []


def test_every_document_is_linked_from_the_readme() -> None:
    linked = {(documents.ROOT / link.partition("#")[0]).resolve() for link in documents.links(documents.README)}
    assert set(documents.DOCUMENTS) - {documents.README} <= linked


def test_what_the_code_cites_is_a_section_of_the_documents() -> None:
    """`docs/design.md (Gate)`, or `docs/reference.md, Metrics`; the code cites no other pages of ours."""
    elsewhere = re.compile(r"\b(DESIGN|CONTRACT) \d|\(K\d+\)")
    cited = re.compile(r"(docs/\w+\.md)(?:, | \()([A-Z]\w+)")
    broken = []
    for module in [*(documents.ROOT / "service").rglob("*.py"), *(documents.ROOT / "tests").rglob("*.py")]:
        text = module.read_text("utf-8")
        broken += [f"{module}: {other[0]}" for other in elsewhere.finditer(text)]
        for document, section in cited.findall(text):
            file = documents.ROOT / document
            if not file.exists() or not any(name.startswith(section.lower()) for name in documents.anchors(file)):
                broken.append(f"{module}: {document}, {section}")
    assert broken == []
