"""Whose words are in force: what a folder is to the head, whatever happened before."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avisa.core.template_versions import (
    Folder,
    FolderState,
    Lineage,
    Origin,
    Version,
    is_fast_forward,
    newest,
    next_version,
    numbered,
    state_of,
)

AT = datetime(2026, 3, 2, 10, tzinfo=UTC)


def lineage(contents: str, *origins: Origin) -> list[Version]:
    """Versions with one letter of content each, the oldest first; the last ones came about as `origins` say."""
    first: list[Version] = []
    ways = [Origin.FOLDER] * (len(contents) - len(origins)) + list(origins)
    for content, origin in zip(contents, ways, strict=True):
        first.insert(
            0, next_version(first, content=content, catalog=content, origin=origin, author="ana", note=None, at=AT)
        )
    return first


def stands(content: str, based_on: int | None, versions: Lineage, **more: bool) -> FolderState:
    return state_of(Folder(content=content, based_on=based_on, **more), versions)


def test_each_version_has_the_one_before_for_its_parent() -> None:
    versions = lineage("ABA")
    assert [(one.number, one.content, one.parent) for one in versions] == [
        (3, "A", "B"),
        (2, "B", "A"),
        (1, "A", None),
    ]


BACK = lineage("ABA", Origin.ROLLBACK)
TWICE = lineage("ABCBA", Origin.ROLLBACK, Origin.ROLLBACK)


@pytest.mark.parametrize(
    ("content", "based_on", "versions", "answer"),
    [
        ("A", None, [], FolderState.AHEAD),
        ("A", None, lineage("A"), FolderState.UP_TO_DATE),
        ("A", 1, lineage("AB"), FolderState.BEHIND),
        ("A", None, lineage("AB"), FolderState.BEHIND),
        ("B", 1, lineage("A"), FolderState.AHEAD),
        ("B", None, lineage("A"), FolderState.AHEAD),
        ("C", 1, lineage("AB"), FolderState.DIVERGED),
        ("C", 9, lineage("AB"), FolderState.DIVERGED),
        # rolled back: the folder holds what was taken back, and stays stale until somebody edits it
        ("B", 2, BACK, FolderState.BEHIND),
        ("C", 2, BACK, FolderState.AHEAD),
        ("C", 3, BACK, FolderState.AHEAD),
        ("C", 1, BACK, FolderState.DIVERGED),  # it waited for somebody to merge it, and still does
        ("D", 3, TWICE, FolderState.AHEAD),
        ("D", 4, TWICE, FolderState.AHEAD),
        ("D", 2, TWICE, FolderState.DIVERGED),
        # what was taken back before another edit is history
        ("D", 2, lineage("ABAC", Origin.ROLLBACK, Origin.FOLDER), FolderState.DIVERGED),
    ],
)
def test_the_state_of_a_folder_follows_from_its_content_and_the_versions(
    content: str, based_on: int | None, versions: Lineage, answer: FolderState
) -> None:
    assert stands(content, based_on, versions) is answer


def test_an_edit_back_counts_only_before_our_eyes() -> None:
    assert stands("A", 2, lineage("AB"), watched=True) is FolderState.AHEAD
    assert stands("A", 2, lineage("AB")) is FolderState.BEHIND, "it may be another folder of that name"
    assert stands("A", 2, lineage("ABC"), watched=True) is FolderState.BEHIND
    assert stands("B", 2, BACK, watched=True) is FolderState.BEHIND, "nobody touched it"


def test_the_shipped_words_give_way_to_any_other() -> None:
    shipped = lineage("S", Origin.SHIPPED)
    assert stands("T", None, shipped, shipped=True) is FolderState.AHEAD, "a new release of Avisa"
    assert stands("S", None, lineage("ST", Origin.SHIPPED, Origin.SHIPPED), shipped=True) is FolderState.BEHIND
    assert stands("T", None, lineage("SA", Origin.SHIPPED, Origin.PUSH), shipped=True) is FolderState.BEHIND
    assert stands("A", None, shipped) is FolderState.AHEAD


@pytest.mark.parametrize(
    ("based_on", "versions", "answer"),
    [
        (None, [], True),
        (None, lineage("S", Origin.SHIPPED), True),
        (None, lineage("A"), False),
        (1, lineage("A"), True),
        (1, lineage("AB"), False),
        (2, BACK, False),
    ],
)
def test_who_may_push_by_hand(based_on: int | None, versions: Lineage, answer: bool) -> None:
    assert is_fast_forward(based_on, versions) is answer


@dataclass
class Replica:
    """One that follows a folder, as `catalog.versions` does; `based_on` outlives its process."""

    content: str
    based_on: int | None = None
    held: str | None = None
    said: list[FolderState] = field(default_factory=list)

    def look(self, versions: list[Version]) -> bool:
        """Whether it added a version."""
        source = numbered(self.based_on, versions)
        watched = source is not None and source.content == self.held
        folder = Folder(content=self.content, based_on=self.based_on, watched=watched)
        stands = state_of(folder, versions)
        self.said.append(stands)
        if stands is FolderState.DIVERGED:
            return False
        self.held = self.content
        if stands is not FolderState.AHEAD:
            equal = newest(self.content, versions)
            assert equal is not None
            self.based_on = equal.number
            return False
        new = next_version(
            versions, content=self.content, catalog="", origin=Origin.FOLDER, author="", note=None, at=AT
        )
        versions.insert(0, new)
        self.based_on = new.number
        return True


_STEPS = st.one_of(
    st.tuples(st.just("edit"), st.integers(0, 2), st.sampled_from("ABCDEF")),
    st.tuples(st.just("restart"), st.integers(0, 2), st.just("")),
    st.tuples(st.just("rollback"), st.integers(0, 9), st.just("")),
)


@given(st.lists(st.sampled_from("ABC"), min_size=3, max_size=3), st.lists(_STEPS, max_size=25))
def test_replicas_come_to_rest_and_never_take_turns(folders: list[str], steps: list[tuple[str, int, str]]) -> None:
    versions: list[Version] = []
    replicas = [Replica(content) for content in folders]
    for step, number, content in steps:
        if step == "edit":
            replicas[number].content = content
            replicas[number].look(versions)
        elif step == "restart":
            replicas[number].held = None
        elif versions:
            target = versions[number % len(versions)]
            if target.content != versions[0].content:
                back = next_version(
                    versions, content=target.content, catalog="", origin=Origin.ROLLBACK, author="", note=None, at=AT
                )
                versions.insert(0, back)
        rounds = 0
        while sum(replica.look(versions) for replica in replicas):
            rounds += 1
            assert rounds <= len(replicas), "each folder is a version once at the most"
        head = versions[0]
        for replica in replicas:  # from now on every start leaves it at that
            assert not replace(replica, held=None, said=[]).look(versions)
        assert versions[0] is head


@given(st.lists(st.sampled_from("ABCDE"), min_size=2, max_size=2, unique=True), st.integers(2, 9))
def test_two_different_folders_agree_on_one(folders: list[str], restarts: int) -> None:
    versions = lineage("X")
    replicas = [Replica(content) for content in folders]
    for _ in range(restarts):
        for replica in replicas:
            replica.held = None
            replica.look(versions)
    assert len(versions) == 3, "each became a version once, and the second stayed"
    assert versions[0].content == folders[1]
