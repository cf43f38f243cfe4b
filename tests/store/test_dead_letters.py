"""Dead letters have an end: only the newest are kept whole, and after 90 days they are forgotten."""

from __future__ import annotations

from datetime import timedelta

import pytest

from avisa.ports import DeadLetter
from avisa.store import Store, dead_letters
from tests.builders import NOW
from tests.store.harness import unreadable

DAY = timedelta(days=1)


async def _set_aside(store: Store, *offsets: int, value: bytes = b"{") -> None:
    await store.orders.commit([], dead_letters=[unreadable(offset, value) for offset in offsets], now=NOW)


async def _all(store: Store) -> list[DeadLetter]:
    """Each with its value."""
    return await store.queries.dead_letters_by_id([letter.id for letter in await store.queries.dead_letters()])


async def test_only_the_newest_are_kept_whole(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead_letters, "MOST_WHOLE", 3)
    await _set_aside(store, 1, 2)
    await _set_aside(store, 3, 4, 5)
    letters = await _all(store)
    assert [(letter.record.position.offset, letter.whole) for letter in letters] == [
        (1, False),
        (2, False),
        (3, True),
        (4, True),
        (5, True),
    ]
    first, last = letters[0], letters[-1]
    assert (first.record.value, first.record.key, first.record.headers) == (None, None, ())
    assert (first.reason, first.message, first.size, first.sha256) == (last.reason, last.message, 1, last.sha256)
    assert last.record.value == b"{"


async def test_their_values_have_an_end_together(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead_letters, "MOST_BYTES", 3_000)
    for offset in range(5):
        await _set_aside(store, offset, value=b"x" * 1_000)
    assert [letter.whole for letter in await _all(store)] == [False, False, True, True, True]


async def test_as_many_are_shortened_as_it_takes(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead_letters, "_SHORTEN_AT_ONCE", 2)
    await _set_aside(store, *range(9))
    monkeypatch.setattr(dead_letters, "MOST_WHOLE", 3)
    await _set_aside(store, 9)
    assert [letter.record.position.offset for letter in await _all(store) if letter.whole] == [7, 8, 9]
    monkeypatch.setattr(dead_letters, "MOST_BYTES", 0)
    await _set_aside(store, 10)
    assert not any(letter.whole for letter in await _all(store))


async def test_what_is_no_longer_whole_waits_for_no_copy(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead_letters, "MOST_WHOLE", 1)
    await _set_aside(store, 1, 2)
    (left,) = await store.operations.uncopied_dead_letters(10)
    assert left.record.position.offset == 2


async def test_a_list_has_no_values(store: Store) -> None:
    await _set_aside(store, 1)
    (letter,) = await store.queries.dead_letters()
    assert (letter.record.value, letter.record.key, letter.record.headers) == (None, None, ())
    assert letter.whole


async def test_they_are_forgotten_and_still_counted(store: Store) -> None:
    await _set_aside(store, 1, 2, 3)
    await store.operations.replayed(1)
    before = await store.queries.counts()
    assert before.dead_letters == 2
    assert await store.operations.forget_dead_letters(before=NOW, limit=9) == 0
    assert await store.operations.forget_dead_letters(before=NOW + DAY, limit=2) == 2
    assert await store.operations.forget_dead_letters(before=NOW + DAY, limit=2) == 1
    assert await store.queries.dead_letters() == []
    assert await store.queries.counts() == before
