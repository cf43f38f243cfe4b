"""The language in which a message is written: the customer's, or the nearest that the message has. And the country
whose dates and amounts it shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.core import get_global, parse_locale

_LAST_LOCALE = "en"
_ROOT = "root"
# What does not name a locale: encoding and modifier of POSIX, the less wanted locales of an `Accept-Language`, and
# the extensions of BCP 47 (section 2.1), each of which a single letter or digit begins.
_BESIDES = re.compile(r"[.@,;].*|[-_][0-9A-Za-z][-_].*", re.DOTALL)


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


@lru_cache(4096)
def format_locale(words: str, wanted: str | None, brands: str) -> str:
    """The locale in which a message writes dates, amounts and numbers, if its words are in `words`, the customer
    wants `wanted`, if anything, and the brand speaks `brands`.

    That is the language and script of the words, as they are written in the customer's country: no sentence holds a
    date of another language. For example, English words have `11 March` for `en-GB`, and for `de-CH` too (CLDR's
    `en-CH`). Where the customer names no country, or CLDR does not know the language there, it is the country of the
    brand, if that speaks the language of the words; else `words` itself.
    """
    spoken_here = Locale.parse(words, sep="-")
    script = _script(spoken_here)
    theirs, ours = _country(_canonical(wanted or "")), _canonical(brands)
    same = _language(ours) == _language(_canonical(words))
    for country in filter(None, (theirs, _country(ours) if same else None)):
        if country == spoken_here.territory:
            return words
        try:
            found = Locale.parse(f"{spoken_here.language}_{script}_{country}")
        except (UnknownLocaleError, ValueError):
            continue
        if _script(found) == script:
            return str(found).replace("_", "-")
    return words


def _canonical(locale: str) -> str:
    """CLDR's name of a locale, in lower case: `pt_BR.UTF-8` is `pt_br`, `iw` is `he`, `zh-TW` is `zh_hant_tw`."""
    written = _BESIDES.sub("", locale.strip()).strip().replace("_", "-")
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
    """What the locale and its parents all speak: `no` for `nb_no` and for `nn`."""
    *_, last = (locale, *_with_parents(locale))
    return last.partition("_")[0]


def _country(locale: str) -> str | None:
    """The country, or part of the world, that a locale names."""
    try:
        return parse_locale(locale)[1]
    except ValueError:
        return None


def _script(locale: Locale) -> str | None:
    """The script that a locale is written in, also if its name does not say so (UTS #35, likely subtags)."""
    likely = get_global("likely_subtags").get(locale.language)
    return locale.script or (parse_locale(likely)[2] if likely else None)
