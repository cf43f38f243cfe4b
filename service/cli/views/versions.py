"""Versions of plan and messages: their JSON, the history, and what differs between two."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from avisa import views
from avisa.cli.answer import legible
from avisa.cli.views.timeline import moment
from avisa.core.characters import printable
from avisa.core.template_versions import Lineage, Version
from avisa.ports import InForce

_FEWEST = 4  # digits of a hash that may name a version


def find(lineage: Lineage, named: str) -> list[Version]:
    """The version of that number; else the newest for each content whose hash begins so. The name of a catalog, as
    a timeline shows it, begins with the hash of its content."""
    if named.isdecimal():
        numbered = [version for version in lineage if version.number == int(named)]
        if numbered:
            return numbered
    begin = named.partition("-")[0].casefold()
    if len(begin) < _FEWEST:
        return []
    newest: dict[str, Version] = {}
    for version in lineage:
        if version.content.startswith(begin):
            newest.setdefault(version.content, version)
    return list(newest.values())


def version_json(version: Version) -> dict[str, Any]:
    return {
        "version": version.number,
        "hash": version.content,
        "parent": version.parent,
        "at": views.moment(version.at),
        "author": version.author,
        "note": version.note,
        "origin": str(version.origin),
    }


def history_json(lineage: Lineage, replicas: Sequence[InForce]) -> list[dict[str, Any]]:
    """The JSON of `avisa templates history`."""
    return [
        version_json(version)
        | {"newest": place == 0, "in_force_on": [it.replica for it in replicas if it.version == version.number]}
        for place, version in enumerate(lineage)
    ]


_HOW = {
    "shipped": "came with this release of Avisa",
    "folder": "found in the folder",
    "push": "pushed",
    "rollback": "rolled back",
}


def history(versions: list[dict[str, Any]]) -> RenderableType:
    """What `avisa templates history` prints for people."""
    if not versions:
        return Text("Nothing was put in force yet.", style="bright_black")
    return Group(*(line for one in versions for line in _version(one)))


def _version(one: dict[str, Any]) -> Iterator[RenderableType]:
    yield Text.assemble(
        (f"version {one['version']}", "bold"),
        f"  {moment(one['at'])}  {printable(one['author'])}, {_HOW[one['origin']]}",
    )
    if one["note"]:
        yield Text(f"    {printable(one['note'])}")
    last = f"    {one['hash']}" + (f" after {one['parent']}" if one["parent"] else "")
    if one["in_force_on"]:
        last += f"; in force on {printable(', '.join(one['in_force_on']))}"
    yield Text(last, style="bright_black")


def difference(before: str, old: Mapping[str, str], after: str, new: Mapping[str, str]) -> dict[str, Any]:
    """What differs, as a unified diff for each file; `before` and `after` say whose the files are."""
    files = [
        {"file": name, "change": _change(name, old, new), "diff": "".join(_lines(name, before, old, after, new))}
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    ]
    return {"from": before, "to": after, "files": files}


def _change(name: str, old: Mapping[str, str], new: Mapping[str, str]) -> str:
    return "added" if name not in old else "removed" if name not in new else "changed"


def _lines(name: str, before: str, old: Mapping[str, str], after: str, new: Mapping[str, str]) -> Iterator[str]:
    for line in difflib.unified_diff(
        old.get(name, "").splitlines(keepends=True),
        new.get(name, "").splitlines(keepends=True),
        f"{name} ({before})" if name in old else "/dev/null",
        f"{name} ({after})" if name in new else "/dev/null",
    ):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def patch(document: dict[str, Any]) -> str:
    """What `avisa templates diff` prints for people."""
    if not document["files"]:
        return f"{document['from']} and {document['to']} are the same."
    return legible("".join(file["diff"] for file in document["files"]))
