"""What the currency of an order is: a code of ISO 4217, however written, or a symbol that means one currency."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from functools import cache, lru_cache
from unicodedata import category

from babel import Locale
from babel.numbers import list_currencies

from avisa.core.model import Json
from avisa.templates.limits import MOST_LOCALES

NO_BREAK = "\u00a0"
_FIGURES = re.compile(r"[-+\u2212]?\d+(?:[.,'\u2019\s]\d+)*-?")


@cache
def _codes() -> frozenset[str]:
    return frozenset(list_currencies())


def code_of(written: str, locale: Locale) -> str | None:
    """Return the code of a currency that is written as a code, in whatever case, or as a symbol that means no other
    currency in the locale; None for anything else."""
    tidy = written.strip()
    if tidy.upper() in _codes():
        return tidy.upper()
    return _by_symbol(locale).get(tidy)


@lru_cache(MOST_LOCALES)
def _by_symbol(locale: Locale) -> Mapping[str, str]:
    """The currencies whose symbol means no other one in the locale."""
    counted = Counter(locale.currency_symbols.values())
    return {symbol: str(code) for code, symbol in locale.currency_symbols.items() if counted[symbol] == 1}


def is_figures(value: Json) -> bool:
    """Return whether it is an amount as somebody typed it, such as `1.234,50`: figures with marks between them."""
    return _FIGURES.fullmatch(str(value).strip()) is not None


def is_unit(text: str) -> bool:
    """Return whether it says in what an amount is: it has a letter or the sign of a currency."""
    return any(category(character)[0] == "L" or category(character) == "Sc" for character in text)


def apart(text: str, symbol: str) -> str:
    """Return an amount with a blank between the letters of its symbol and the figures, as CLDR has it ("currency
    spacing") and Babel has not: `CHF 99.95`, but `$99.95`."""
    before, found, after = text.partition(symbol)
    if found and before[-1:].isdigit() and sticks(symbol[0]):
        before += NO_BREAK
    if found and after[:1].isdigit() and sticks(symbol[-1]):
        found += NO_BREAK
    return before + found + after


def sticks(character: str) -> bool:
    """Return whether a figure beside the character would look like a part of the same word."""
    return category(character)[0] not in "SZ"
