"""The language in which a message is written: the customer's, or the nearest that the message has."""

from __future__ import annotations

from functools import lru_cache

_LAST_LOCALE = "en"


@lru_cache(4096)
def choose_locale(there: tuple[str, ...], wanted: str, brands: str) -> str | None:
    """The locale of `there` to write in, for a customer who wants `wanted` and a brand that speaks `brands`.

    For example, `pt-BR` falls back to `pt`, then to another Portuguese (the brand's first), then to the brand's
    language, then to English, then to whatever there is. None if `there` is empty.
    """
    by_name = {name.casefold(): name for name in there}
    ours = _canonical(brands)
    chain = [_canonical(wanted), _canonical(wanted).partition("-")[0]]
    siblings = sorted(name for name in by_name if name.startswith(chain[1] + "-"))
    chain += [ours] if ours in siblings else siblings[:1]
    chain += [ours, ours.partition("-")[0], _LAST_LOCALE, *sorted(by_name)]
    return next((by_name[name] for name in chain if name in by_name), None)


@lru_cache(4096)
def spoken(there: tuple[str, ...], wanted: str) -> bool:
    """True if one of the locales is in the language of `wanted`, of whatever country."""
    language = _canonical(wanted).partition("-")[0]
    return any(_canonical(name).partition("-")[0] == language for name in there)


def _canonical(locale: str) -> str:
    """A language tag in lower case with hyphens; `pt_BR.UTF-8` is `pt-br`."""
    return locale.partition(".")[0].strip().replace("_", "-").casefold()
