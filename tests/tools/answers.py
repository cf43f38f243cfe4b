"""What owners write for customers, made up."""

from __future__ import annotations

import random
from datetime import datetime, timedelta


def said_to_customer(rng: random.Random, number: int, now: datetime, *, farthest: int = 5) -> dict[str, str]:
    """A reason that nobody gave before, another date up to so many days from now, or both."""
    said = {}
    if rng.random() < 0.7:
        said["reason"] = f"Falta ainda uma peça, a {number}."
    if not said or rng.random() < 0.5:
        said["promised_at"] = (now + timedelta(days=rng.randint(1, farthest))).date().isoformat()
    return said
