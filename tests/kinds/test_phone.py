"""At the width of a telephone, a quantity stays on its line and a long number stays within its mail."""

from __future__ import annotations

import re

import pytest

from tests.mails.harness import LOCALES, shipped
from tests.templates.harness import mailed

QUANTITIES = [(1_200, "en", "1,200"), (1_200, "pt-PT", "1\u00a0200"), (12_345, "pt-PT", "12\u00a0345")]
LONG = "2026-" + "0" * 60 + "1042"


@pytest.mark.parametrize(("quantity", "locale", "shown"), QUANTITIES)
def test_a_quantity_does_not_break(quantity: int, locale: str, shown: str) -> None:
    items = [{"name": "Screws", "quantity": quantity}]
    rendered, _ = mailed(shipped(), "order-confirmed", customer_locale=locale, details_items=items)
    cell = re.search(r"<td[^>]*>×[^<]*</td>", rendered.html)
    assert cell is not None and f"×&nbsp;{shown}<" in cell[0]
    assert "word-break:normal" in cell[0]


@pytest.mark.parametrize("locale", LOCALES)
def test_a_long_number_breaks_wherever_it_stands(locale: str) -> None:
    rendered, _ = mailed(shipped(), "order-confirmed", customer_locale=locale, details_number=LONG)
    breaks = [found.start() for found in re.finditer("word-break:break-word", rendered.html)]
    body = rendered.html.index('class="sheet"')
    places = [found.start() for found in re.finditer(LONG, rendered.html) if found.start() > body]
    footer = rendered.html.index('class="dim" style="padding:2px')
    assert any(place > footer for place in places)
    assert len(breaks) == 2 and breaks[0] > body and breaks[1] > footer
