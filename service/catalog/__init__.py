"""The plan and all messages as one frozen, checked value; and the shelf that keeps every one put in force."""

from service.catalog.catalog import Catalog, Installation
from service.catalog.language import choose_locale
from service.catalog.letter import Letter, Press
from service.catalog.shelf import PLAN, MakePress, ReadPlan, Shelf, examine

__all__ = [
    "PLAN",
    "Catalog",
    "Installation",
    "Letter",
    "MakePress",
    "Press",
    "ReadPlan",
    "Shelf",
    "choose_locale",
    "examine",
]
