"""What a test needs, told by its markers; and those that need nothing first: they fail before a broker is started."""

from __future__ import annotations

import gc
from typing import Any

import pytest
import structlog

from tests import depth
from tests.tools import parts, time_left

pytest_plugins = ["tests.tools.kafka", "tests.tools.postgres"]  # one server for all who need a real one

depth.register()

_configure = structlog.configure


def _configure_without_cache(**how: Any) -> None:
    """A logger that is cached would go on as one test has set it up, in every test after it."""
    _configure(**how | {"cache_logger_on_first_use": False})


structlog.configure = _configure_without_cache

# structlog's own way of showing an exception draws each frame with its values, for seconds.
structlog.configure(processors=[structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)])

# Catalogs and schemas live as long as a run, and the collector would look at all of them again and again.
gc.set_threshold(100_000, 50, 100)


def pytest_collection_finish() -> None:
    gc.freeze()  # modules and tests stay, too


def pytest_configure(config: pytest.Config) -> None:
    for part in parts.PARTS:
        config.addinivalue_line("markers", f"needs_{part}: skipped on a machine without")
    config.addinivalue_line("markers", "unit: needs no part and no patience; run by `make unit`")


@pytest.hookimpl(tryfirst=True)  # before pytest chooses by markers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        assert isinstance(item, pytest.Function)
        if not parts.mark(item) and item.get_closest_marker("long") is None:
            item.add_marker("unit")
    items.sort(key=lambda item: item.get_closest_marker("unit") is None)


def pytest_runtest_setup(item: pytest.Item) -> None:
    time_left.see_to(item)
    parts.see_to(item)
