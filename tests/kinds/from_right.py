"""The shipped messages with one more in Hebrew and Arabic each, which are written from right to left."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from avisa.catalog import Catalog
from avisa.core.model import Json
from avisa.ports import Mail, RenderedMessage
from tests.templates import harness as templates

LOCALES = ("he", "ar")
WRITTEN = Path(__file__).parent / "right_to_left"

ITEMS: list[Json] = [
    {"name": "Vase, blue, 30 cm", "quantity": 1},
    {"name": "אגרטל כחול, 30 cm", "quantity": 12},
    {"name": "مزهرية زرقاء 30 cm", "quantity": 1_200},
    {"name": "כוס", "quantity": 6},
]
KNOWN: dict[str, Json] = {
    "customer_name": "Dana Levi",
    "details_number": "A-1042/7",
    "details_items": ITEMS,
    "details_phone": "+972 50 123-4567",
    "reason": "The glaze (no. 7) needs one more day to dry.",
}


@cache
def files() -> dict[str, str]:
    """What is shipped, and `shipped` in both languages."""
    kept = templates.shipped()
    kept["layout/words.yaml"] += (WRITTEN / "words.yaml").read_text("utf-8")
    for locale in LOCALES:
        kept[f"messages/shipped/{locale}.md"] = (WRITTEN / f"{locale}.md").read_text("utf-8")
    return kept


@cache
def catalog() -> Catalog:
    return templates.catalog_of(files(), public_url="https://avisa.example.com")


def mailed(locale: str, **known: Json) -> tuple[RenderedMessage, Mail]:
    """`shipped` in a locale, with values of both directions where `known` has none of its own."""
    return templates.mailed(catalog(), "shipped", customer_locale=locale, **{**KNOWN, **known})
