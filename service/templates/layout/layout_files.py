"""The layout of a template folder, not read yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from weakref import WeakValueDictionary

FOLDER = "layout/"


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class LayoutFiles:
    """The files of a layout, by path. As long as something compiled with them is kept, the same files are the same
    object, so that it can be used again."""

    files: Mapping[str, str]

    @classmethod
    def of(cls, files: Mapping[str, str]) -> LayoutFiles:
        """Those among the files of a template folder."""
        items = tuple(sorted(item for item in files.items() if item[0].startswith(FOLDER)))
        return _kept.setdefault(items, cls(dict(items)))


_kept: WeakValueDictionary[tuple[tuple[str, str], ...], LayoutFiles] = WeakValueDictionary()
