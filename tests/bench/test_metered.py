"""The bench takes hold of the service at its doors, which must be there."""

from __future__ import annotations

from tests.bench.metered import DOORS


def test_every_metered_function_exists() -> None:
    gone = [f"{holder.__name__}.{name}" for holder, name, _ in DOORS if not hasattr(holder, name)]
    assert not gone
