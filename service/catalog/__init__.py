"""The plan and all messages as one frozen, checked value; the shelf it stands on; the versions it goes through."""

from service.catalog.catalog import Catalog, Installation
from service.catalog.language import choose_locale
from service.catalog.letter import Letter, Press, letter_of
from service.catalog.shelf import PLAN, MakePress, ReadPlan, Shelf, content_of, examine, files_of
from service.catalog.versions import STALE, Already, Found, NotOfHead, Unfit, Versions

__all__ = [
    "PLAN",
    "STALE",
    "Already",
    "Catalog",
    "Found",
    "Installation",
    "Letter",
    "MakePress",
    "NotOfHead",
    "Press",
    "ReadPlan",
    "Shelf",
    "Unfit",
    "Versions",
    "choose_locale",
    "content_of",
    "examine",
    "files_of",
    "letter_of",
]
