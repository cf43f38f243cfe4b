"""Ending in time on a machine that is too slow for all tests.

`AVISA_TEST_UNTIL` is a moment in seconds since 1970, as of `date +%s`. A test that would begin later is skipped,
and named so in the summary. Unit tests take six tenths of the time that is left when a run begins, so that some is
left for those that need a real part.
"""

from __future__ import annotations

import os
import time

import pytest

WHY = "no time left"
_UNITS_SHARE = 0.6

_began = time.time()
_until = float(os.environ.get("AVISA_TEST_UNTIL", "inf"))


def see_to(item: pytest.Item) -> None:
    """Skip the test if its time has passed."""
    share = _UNITS_SHARE if item.get_closest_marker("unit") else 1
    if time.time() > _began + (_until - _began) * share:
        pytest.skip(WHY)
