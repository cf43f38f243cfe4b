"""The language in which a message is written: the customer's, or the nearest that the message has."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.core import get_global

_LAST_LOCALE = "en"
_ROOT = "root"


@lru_cache(4096)
def choose_locale(there: tuple[str, ...], wanted: str, brands: str) -> str | None:
    """The locale of `there` to write in, for a customer who wants `wanted` and a brand that speaks `brands`.

    For example, `pt-AO` falls back to its parent in CLDR, `pt-PT`, then to `pt`, then to another Portuguese (the
    brand's first), then to the brand's language, then to English, then to whatever there is. None if `there` is
    empty.
    """
    by_name = {_canonical(name): name for name in there}
    theirs, ours = _canonical(wanted), _canonical(brands)
    kin = (name for name in by_name if _language(name) == _language(theirs))
    siblings = sorted(kin, key=lambda name: (name.split("_")[:2] != theirs.split("_")[:2], name))  # its script first
    chain = [*_with_parents(theirs)]
    chain += [ours] if ours in siblings else siblings[:1]
    chain += [*_with_parents(ours), _LAST_LOCALE, *sorted(by_name)]
    return next((by_name[name] for name in chain if name in by_name), None)


@lru_cache(4096)
def spoken(there: tuple[str, ...], wanted: str) -> bool:
    """True if one of the locales is in the language of `wanted`, of whatever country."""
    language = _language(_canonical(wanted))
    return any(_language(_canonical(name)) == language for name in there)


def _canonical(locale: str) -> str:
    """CLDR's name of a locale, in lower case: `pt_BR.UTF-8` is `pt_br`, `iw` is `he`, `zh-TW` is `zh_hant_tw`."""
    written = locale.partition(".")[0].partition("@")[0].strip().replace("_", "-")
    try:
        return str(Locale.parse(written, sep="-")).casefold()
    except (UnknownLocaleError, ValueError):
        return written.replace("-", "_").casefold()


def _with_parents(locale: str) -> Iterator[str]:
    """A locale and those that CLDR has it fall back to (UTS #35, section 1.4: parent locales)."""
    while locale and locale != _ROOT:
        yield locale
        locale = _parents().get(locale, locale.rpartition("_")[0])


@lru_cache(1)
def _parents() -> dict[str, str]:
    """The parents that cutting off the last part of a locale would not give."""
    return {
        str(child).casefold(): str(parent).casefold() for child, parent in get_global("parent_exceptions").items()
    }


def _language(locale: str) -> str:
    return locale.partition("_")[0]
