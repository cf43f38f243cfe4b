"""The service runs on uvloop, and so do these tests; what leans on a transport's habits runs on asyncio's too."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
import uvloop

_ON_BOTH = {"test_connections", "test_truth"}


def pytest_asyncio_loop_factories(item: pytest.Item) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    both = item.nodeid.partition("::")[0].rpartition("/")[2].removesuffix(".py") in _ON_BOTH
    factories: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"uvloop": uvloop.new_event_loop}
    return factories | ({"asyncio": asyncio.new_event_loop} if both else {})
