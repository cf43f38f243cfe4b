"""The cheap and pure first: a broken rule is told before a broker is started."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.tools.kafka", "tests.tools.postgres"]  # one server for all who need a real one

# A machine that is busy makes no example wrong.
settings.register_profile("calm", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("calm")

_FIRST = ("core", "plan", "settings", "events", "rendering", "words", "oracle")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        folder = item.nodeid.split("/")[1]
        return _FIRST.index(folder) if folder in _FIRST else len(_FIRST)

    items.sort(key=place)
