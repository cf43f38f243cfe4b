"""Versions of plan and messages, and whether a folder may become the next one. The model is git's, with one branch.

**A version** is the plan, the messages and the layout as they were put in force at one moment. Versions are numbered
from 1, never change and never go. The newest is the *head*, and every replica has the head in force. The *content* of
a version is a hash of its files, so the same files have the same content wherever they lie. The *parent* of a version
is the content of the version before it. A release of Avisa with other libraries makes no new version, although the
same files may then give other bytes: nobody changed a word.

**A version is added** when somebody saves a file in a folder that a replica follows, pushes a folder by hand, or
rolls back. A rollback is a new version with the content of an older one. Of two who want to add the same number, the
second looks again.

**A folder is based on** the version that it was last seen to equal, or that was pulled into it. The store remembers
this by host and path; nothing is written into the folder, which may be read-only or under version control.

A replica compares its folder with the head when it starts, when a file changes and when the head changes. For
example, with versions 1 and 2, of which 2 is the head:

    the folder holds            based on    state
    ----------------            --------    -----
    the files of 2              any         UP_TO_DATE   nothing to do
    the files of 1              1           BEHIND       the head stays, and the operator is told
    the files of 1              2           BEHIND       the same, unless this process saw the folder equal 2 before:
                                            AHEAD        then somebody edited it back, and it becomes version 3
    new files                   2           AHEAD        they become version 3
    new files                   unknown     AHEAD        a folder never seen before; its files become version 3
    new files                   1           DIVERGED     the head stays, and somebody has to merge

So two replicas with different folders agree on the one that was edited first and never take turns, and a restart
never adds a version that was there before. There are three exceptions:

- After a rollback every replica's folder still holds the files that were rolled back. Such a folder counts as based
  on the head, so the next save there becomes a new version.
- The shipped folder becomes a version only while nobody has made one of their own. So a new release of Avisa replaces
  nobody's words.
- Whoever pushes by hand may be far away. So a push must be based on the head itself, unless there is no version yet
  or only the shipped one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Origin(StrEnum):
    """How a version was added."""

    SHIPPED = "shipped"  # the files that come with Avisa
    FOLDER = "folder"  # a replica found the files in the folder that it follows
    PUSH = "push"
    ROLLBACK = "rollback"


class FolderState(StrEnum):
    """How a folder compares with the head."""

    UP_TO_DATE = "up_to_date"
    AHEAD = "ahead"
    BEHIND = "behind"
    DIVERGED = "diverged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version, without its files."""

    number: int  # from 1
    content: str  # hexadecimal hash of the files
    catalog: str  # the name under which the files are kept
    parent: str | None  # the content before; None: there was none
    origin: Origin
    author: str
    note: str | None = None
    at: datetime


Lineage = Sequence[Version]  # newest first, without a gap


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A folder, without its files."""

    content: str
    based_on: int | None  # the number of a version; None: unknown
    shipped: bool = False
    watched: bool = False  # this very process saw it equal `based_on`


def state_of(folder: Folder, lineage: Lineage) -> FolderState:
    """How the folder compares with the head, by the rules above."""
    if not lineage:
        return FolderState.AHEAD
    head = lineage[0]
    if folder.content == head.content:
        return FolderState.UP_TO_DATE
    known = newest(folder.content, lineage) is not None
    if folder.shipped:
        return FolderState.BEHIND if known or head.origin is not Origin.SHIPPED else FolderState.AHEAD
    based_on_head = folder.based_on in _counts_as_head(lineage)
    if known:
        base = numbered(folder.based_on, lineage)
        edited_back = folder.watched and based_on_head and base is not None and base.content != folder.content
        return FolderState.AHEAD if edited_back else FolderState.BEHIND
    if folder.based_on is None or based_on_head:
        return FolderState.AHEAD
    return FolderState.DIVERGED


def is_fast_forward(based_on: int | None, lineage: Lineage) -> bool:
    """True if a folder based on version `based_on` may be pushed by hand."""
    return not lineage or lineage[0].origin is Origin.SHIPPED or based_on == lineage[0].number


def newest(content: str, lineage: Lineage) -> Version | None:
    """The newest version with this content."""
    return next((version for version in lineage if version.content == content), None)


def numbered(number: int | None, lineage: Lineage) -> Version | None:
    """The version of this number; None if there is none."""
    return next((version for version in lineage if version.number == number), None)


def _counts_as_head(lineage: Lineage) -> set[int | None]:
    """Numbers of the head and, as long as the versions from there on are rollbacks, of what each rolled back."""
    numbers: set[int | None] = {lineage[0].number}
    for version in lineage:
        if version.origin is not Origin.ROLLBACK:
            break
        numbers.add(version.number - 1)
    return numbers


def next_version(
    lineage: Lineage, *, content: str, catalog: str, origin: Origin, author: str, note: str | None, at: datetime
) -> Version:
    """The version after the head."""
    head = lineage[0] if lineage else None
    return Version(
        number=head.number + 1 if head else 1,
        content=content,
        catalog=catalog,
        parent=head.content if head else None,
        origin=origin,
        author=author,
        note=note,
        at=at,
    )
