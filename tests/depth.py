"""How much those tests try that use chance or have dear variants: in `make test` and CI as much as they say, in the
inner loop, `make unit`, a tenth of that."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from hypothesis import HealthCheck, settings

INNER = "inner"  # `pytest --hypothesis-profile inner`
_FULL = 100  # examples of a property that names no number
_PART = 10

_Variant = TypeVar("_Variant")


def register() -> None:
    """Make the full depth the one that counts, until pytest is asked for another."""
    # A machine that is busy makes no example wrong.
    settings.register_profile(
        "calm", deadline=None, print_blob=True, max_examples=_FULL, suppress_health_check=[HealthCheck.too_slow]
    )
    settings.register_profile(INNER, settings.get_profile("calm"), max_examples=_FULL // _PART)
    settings.load_profile("calm")


def rounds(count: int) -> int:
    """Return how often to try what `make test` tries `count` times."""
    return max(1, count * settings.default.max_examples // _FULL)


def examples(count: int) -> settings:
    """Return the settings of a property that `make test` tries on `count` examples."""
    return settings(max_examples=rounds(count))


def some(variants: Iterable[_Variant]) -> list[_Variant]:
    """Return those variants of one attack that are tried; `make test` tries all."""
    return list(variants)[:: _FULL // settings.default.max_examples]
