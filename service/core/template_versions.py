"""Versions of the operators' words, how each came of the one before, and whose words are to be in force.

**What a version is.** The plan, the messages and the layout, as they were put in force at one moment. Their
*content* is a hash of the files alone; so the same words are the same content wherever they lie. (What names a
catalog, and stands in a draft, says besides which libraries render it, because they decide octets too. Other
libraries make no other version: nobody changed a word.) Versions are numbered from 1, one after the other, and
never change or go. The newest is the *head*: it is to be in force, in every replica. Its *parent* is the content
of the one before it, which it took the place of.

**How a version comes about.** Somebody saves a file in the folder that a replica follows, or pushes a folder by
hand, or rolls back: then the head has the content of an earlier version, and is a new version all the same.
Whoever adds a version says which number it is to have; of two who want the same one, the second looks again.

**Of which version a folder was made** is the one that this folder (host and path) was last seen to equal, or that
was pulled into it. Nothing is written into a folder to know this: it may be read-only, or under version control.

**What becomes of a folder**, when a replica starts, when its files change, and when the head does:

- It equals the head: nothing is to do.
- It holds the words of an earlier version: it is *stale*. The head stays, and that is said aloud. So it is for all
  folders after a roll-back, and with a replica that was away while the others got new words. No number of restarts
  makes two folders take turns: at a start no content becomes a version twice.
- But if it was edited *back* before our eyes, by somebody who had the head before them, that is an edit.
- It holds words that never were in force, and was made of the head: they are *new*, and become the next version.
  After a roll-back so are those made of what was taken back, since every folder holds that; whoever saves a file
  there sees at once what comes of it.
- Nobody knows of what it was made: a folder put there with a new release. Its words are new.
- It holds words that never were in force, and was made of an earlier version: it has gone *astray*. To use it would
  undo what others did meanwhile, were it only to roll back to that very version. The head stays, and somebody has to
  merge. So two replicas with different folders agree on the first that was edited, and do not take turns for ever.
- The shipped folder is what is used for want of another. It becomes a version only while nobody made one of their
  own; so a new release of Avisa takes nobody's words away.

Who pushes by hand may be far away, so there the head must be what the folder was made of, and nothing else will do,
unless there is no version yet, or only the shipped words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Origin(StrEnum):
    """How a version came about."""

    SHIPPED = "shipped"  # nobody wrote other words yet
    FOLDER = "folder"  # a replica found them in the folder that it follows
    PUSH = "push"
    ROLLBACK = "rollback"


class Standing(StrEnum):
    """What a folder is to the head."""

    EQUAL = "equal"
    NEW = "new"
    STALE = "stale"
    ASTRAY = "astray"


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """The words that were put in force at one moment, and by whom."""

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
    """What there is to know of a folder, but for the words themselves."""

    content: str
    made_of: int | None  # the number of a version that it equalled, or that was pulled into it
    shipped: bool = False
    watched: bool = False  # it equalled `made_of` before the eyes of this very process


def standing(folder: Folder, lineage: Lineage) -> Standing:
    """What the folder is to the head, by the rules above."""
    if not lineage:
        return Standing.NEW
    head = lineage[0]
    if folder.content == head.content:
        return Standing.EQUAL
    known = newest(folder.content, lineage) is not None
    if folder.shipped:
        return Standing.STALE if known or head.origin is not Origin.SHIPPED else Standing.NEW
    up_to_date = folder.made_of in _may_be_replaced(lineage)
    if known:
        source = numbered(folder.made_of, lineage)
        edited_back = folder.watched and up_to_date and source is not None and source.content != folder.content
        return Standing.NEW if edited_back else Standing.STALE
    if folder.made_of is None or up_to_date:
        return Standing.NEW
    return Standing.ASTRAY


def may_push(made_of: int | None, lineage: Lineage) -> bool:
    """Whether a folder that was made of version `made_of` may be pushed by hand."""
    return not lineage or lineage[0].origin is Origin.SHIPPED or made_of == lineage[0].number


def newest(content: str, lineage: Lineage) -> Version | None:
    """The newest version with this content."""
    return next((version for version in lineage if version.content == content), None)


def numbered(number: int | None, lineage: Lineage) -> Version | None:
    return next((version for version in lineage if version.number == number), None)


def _may_be_replaced(lineage: Lineage) -> set[int | None]:
    """The head; and, while heads are roll-backs, what each took back."""
    numbers: set[int | None] = {lineage[0].number}
    for version in lineage:
        if version.origin is not Origin.ROLLBACK:
            break
        numbers.add(version.number - 1)
    return numbers


def following(
    lineage: Lineage, *, content: str, catalog: str, origin: Origin, author: str, note: str | None, at: datetime
) -> Version:
    """The version to come after the head."""
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
