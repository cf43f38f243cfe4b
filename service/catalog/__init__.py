"""The plan and all messages as one frozen, checked value: the one in force, earlier ones, and their versions."""

from avisa.catalog.active import PLAN, CatalogCache, CompileFolder, ReadPlan, content_of, examine
from avisa.catalog.catalog import Catalog, Installation
from avisa.catalog.kept import KeptCatalog
from avisa.catalog.locale import choose_locale
from avisa.catalog.render_input import Renderer
from avisa.catalog.versions import STALE, Already, Found, NotOfHead, Unfit, Versions

__all__ = [
    "PLAN",
    "STALE",
    "Already",
    "Catalog",
    "CatalogCache",
    "CompileFolder",
    "Found",
    "Installation",
    "KeptCatalog",
    "NotOfHead",
    "ReadPlan",
    "Renderer",
    "Unfit",
    "Versions",
    "choose_locale",
    "content_of",
    "examine",
]
