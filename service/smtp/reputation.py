"""Telling "we do not want this recipient" from "we do not want you"."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from datetime import timedelta
from itertools import islice

from avisa.core.retry import Receipt, Verdict

WINDOW = 300.0  # seconds
ENOUGH = 3  # distinct recipients refused so within the window are no coincidence
_REMEMBERED = 10_000  # recipients


class Reputation:
    """Weighs refusals that speak of policy or blocklists, so that no customer is marked for what is about us.

    The first such refusal of a recipient is only put off; `ENOUGH` of them soon after each other mean us. A
    recipient refused so again after the window, with no such crowd around, is refused for good.
    """

    def __init__(self) -> None:
        self._refused: OrderedDict[bytes, tuple[float, float]] = OrderedDict()  # first and last, oldest last first

    def weigh(self, receipt: Receipt, recipient: bytes, *, now: float, on_probation: bool) -> Receipt:
        """What a permanent refusal comes to at the loop time `now`."""
        first, _ = self._refused.get(recipient, (now, now))
        self._refused[recipient] = first, now
        self._refused.move_to_end(recipient)
        if len(self._refused) > _REMEMBERED:
            self._refused.popitem(last=False)
        newest = islice(reversed(self._refused.values()), ENOUGH)
        crowd = sum(now - last <= WINDOW for _, last in newest)
        if crowd >= ENOUGH or on_probation:
            return replace(receipt, verdict=Verdict.REFUSED_US)
        if now - first > WINDOW:
            return receipt
        wait = timedelta(seconds=WINDOW - (now - first) + 1)
        return replace(receipt, verdict=Verdict.TEMPORARY, at_least=wait)
