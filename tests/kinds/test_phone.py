"""At the width of a telephone, a quantity stays on its line and a long number stays within its mail."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.mails.harness import LOCALES, asked, shipped
from tests.templates.harness import mailed
from tests.tools.parts import needs

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


NUMBERS = {"of its parts": "2026-0311-ABCDEFGH-0123456789-00001042-X", "in one": "2" * 39 + "X"}
DRAWN = """({
    wide: view.document.documentElement.scrollWidth - width,
    quantities: [...view.document.querySelectorAll("td.line + td.line")].map((cell) => {
        const range = view.document.createRange();
        range.selectNodeContents(cell);
        return [cell.textContent, new Set([...range.getClientRects()].map((it) => it.top)).size];
    }),
    furthest: Math.max(...[...view.document.querySelectorAll(".card p, .card td.line")].map((element) => {
        const range = view.document.createRange();
        range.selectNodeContents(element);
        return Math.max(...[...range.getClientRects()].map((it) => it.right));
    })),
    inner: view.document.querySelector(".sheet").getBoundingClientRect().right - 24,
})"""


@needs("chromium")
@pytest.mark.parametrize("number", NUMBERS)
def test_a_browser_as_wide_as_a_telephone_draws_it_so(number: str, tmp_path: Path) -> None:
    items = [{"name": "Screws, stainless steel", "quantity": 1_200}, {"name": "Screws" * 9, "quantity": 12_345}]
    known = {"details_number": NUMBERS[number], "details_items": items}
    mails = {
        locale: mailed(shipped(), "order-confirmed", customer_locale=locale, **known)[0].html for locale in LOCALES
    }
    for name, drawn in asked(DRAWN, mails, tmp_path, widths=[320]).items():
        assert drawn["wide"] <= 0, name
        assert [re.sub(r"\D", "", text) for text, _ in drawn["quantities"]] == ["1200", "12345"], name
        assert [lines for _, lines in drawn["quantities"]] == [1, 1], name
        assert drawn["furthest"] <= drawn["inner"] + 0.5, name
