"""A customer reads the language that CLDR has theirs fall back to, however its name is spelt."""

from __future__ import annotations

import pytest

from avisa.catalog.locale import choose_locale, spoken

SHIPPED = ("ca", "en", "es", "pt-BR", "pt-PT")
CHOSEN = [
    (SHIPPED, "pt-AO", "pt-PT"),
    (SHIPPED, "pt-MZ", "pt-PT"),
    (SHIPPED, "PT-ao", "pt-PT"),
    (SHIPPED, "pt_AO.UTF-8", "pt-PT"),
    (SHIPPED, "pt-BR", "pt-BR"),
    (SHIPPED, "en-GB", "en"),
    (SHIPPED, "es-MX", "es"),
    (SHIPPED, "ca-ES-valencia", "ca"),
    (SHIPPED, "de@euro", "en"),
    (SHIPPED, "", "en"),
    (SHIPPED, "no-such-thing-at-all", "en"),
    (("en", "es-419", "es-ES"), "es-MX", "es-419"),
    (("en", "zh", "zh-Hant"), "zh-TW", "zh-Hant"),
    (("en", "zh", "zh-Hant"), "zh-HK", "zh-Hant"),
    (("en", "zh-CN", "zh-TW"), "zh-HK", "zh-TW"),
    (("en", "zh-CN", "zh-TW"), "zh-SG", "zh-CN"),
    (("en", "sr", "sr-Latn"), "sr-Latn-RS", "sr-Latn"),
    (("en", "he"), "iw-IL", "he"),
    (("en", "he"), "iw", "he"),
    (("en", "zh", "zh-Hant"), "zh-Hans-CN", "zh"),
    (("en", "nb"), "no", "nb"),
    (("en", "nb"), "no-NO", "nb"),
    (("en", "nb"), "nn-NO", "nb"),
    (("en", "no"), "nb-NO", "no"),
    (("en", "en-GB"), "EN-gb", "en-GB"),
    (("en", "en-GB"), "en_GB.UTF-8", "en-GB"),
    (("en", "en-GB"), "en-GB-u-hc-h23", "en-GB"),
    (("en", "en-GB"), "en-GB,en;q=0.9", "en-GB"),
    (SHIPPED, "pt_PT@euro", "pt-PT"),
]


@pytest.mark.parametrize(("there", "wanted", "chosen"), CHOSEN)
def test_the_nearest_language_is_chosen(there: tuple[str, ...], wanted: str, chosen: str) -> None:
    assert choose_locale(there, wanted, "en") == chosen


def test_a_language_is_spoken_under_its_old_name() -> None:
    assert spoken(("he",), "iw-IL")
    assert not spoken(("he",), "yi")
