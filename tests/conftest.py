"""The cheap and pure first: a broken rule is told before a broker is started."""

from __future__ import annotations

import pytest

pytest_plugins = ["tests.tools.kafka", "tests.tools.postgres"]  # one server for all who need a real one

_FIRST = ("core", "plan", "settings", "events", "rendering", "words", "oracle")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        folder = item.nodeid.split("/")[1]
        return _FIRST.index(folder) if folder in _FIRST else len(_FIRST)

    items.sort(key=place)
