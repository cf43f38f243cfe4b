"""The page in a real browser: a saved file changes what is shown, and the page stays where it is."""

from __future__ import annotations

import asyncio

from tests.preview.test_page import Table, table
from tests.tools import chromium
from tests.tools.parts import needs

__all__ = ["table"]


@needs("chromium")
async def test_the_page_follows_a_saved_file_and_stays_where_it_is(table: Table) -> None:
    following = asyncio.create_task(table.previewed.follow())
    try:
        await asyncio.to_thread(watched, table)
    finally:
        following.cancel()


def watched(table: Table) -> None:
    frame = "document.getElementById('shipped.en').querySelector('iframe')"
    with chromium.opened() as page:
        page.open(str(table.client.base_url))
        page.asked(f"{frame}.scrollIntoView()")  # until then it is not even loaded
        page.until(f"{frame}.contentDocument.body && {frame}.contentDocument.body.innerText.includes('1042')")
        page.until(f"{frame}.clientHeight === {frame}.contentDocument.documentElement.offsetHeight")
        page.asked("window.before = [scrollY, document.getElementById('shipped.pt-PT')]")
        table.edit("messages/shipped/en.md", "has left us", "HAS LEFT THE BUILDING")
        page.until(f"{frame}.contentDocument.body && {frame}.contentDocument.body.innerText.includes('THE BUILDING')")
        assert page.asked("before[0] > 0 && before[0] === scrollY")
        assert page.asked("before[1] === document.getElementById('shipped.pt-PT')")  # untouched
        table.edit("messages/shipped/en.md", "{{ order.number }}** HAS", "{{ order.nmbr }}** HAS")
        page.until("document.getElementById('state').textContent === '1 error'")
        assert page.asked("document.getElementById('shipped.en').innerText.includes('order.nmbr')")
        assert page.asked("document.querySelectorAll('#names i').length === 1")
        assert page.asked(f"{frame} === null")
