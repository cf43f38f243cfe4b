"""The layout of a template folder, not read yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

FOLDER = "layout/"


@dataclass(frozen=True, slots=True, eq=False)
class LayoutFiles:
    """The files of a layout, by path. The same files are the same object, so that what was compiled with them can be
    used again."""

    files: Mapping[str, str]

    @classmethod
    def of(cls, files: Mapping[str, str]) -> LayoutFiles:
        """Those among the files of a template folder."""
        return _layout_files(tuple(sorted(item for item in files.items() if item[0].startswith(FOLDER))))


@lru_cache(4)
def _layout_files(items: tuple[tuple[str, str], ...]) -> LayoutFiles:
    return LayoutFiles(dict(items))
