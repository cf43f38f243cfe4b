"""Whether a refusal means this recipient, or us."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from datetime import timedelta
from itertools import islice

from avisa.core.retry import Receipt, Verdict

WINDOW = 300.0  # seconds
ENOUGH = 3  # distinct recipients refused within the window: that is no coincidence
_REMEMBERED = 10_000  # recipients


class Reputation:
    """Weighs refusals that speak of policy or blocklists, so that no customer is marked as refused because of us.

    For example: one recipient is refused by policy, and the mail is tried again after the window. If it is refused
    again, the refusal counts. But if three recipients are refused so within the window, it is we who are refused.
    """

    def __init__(self) -> None:
        # By recipient, the times of the first and of the last refusal; in the order of the last refusals.
        self._refused: OrderedDict[bytes, tuple[float, float]] = OrderedDict()

    def weigh(self, receipt: Receipt, recipient: bytes, *, now: float, probing: bool) -> Receipt:
        """Return the receipt for a permanent refusal by policy at the loop time `now`."""
        first, _ = self._refused.get(recipient, (now, now))
        self._refused[recipient] = first, now
        self._refused.move_to_end(recipient)
        if len(self._refused) > _REMEMBERED:
            self._refused.popitem(last=False)
        newest = islice(reversed(self._refused.values()), ENOUGH)
        crowd = sum(now - last <= WINDOW for _, last in newest)
        if crowd >= ENOUGH or probing:
            return replace(receipt, verdict=Verdict.REFUSED_US)
        if now - first > WINDOW:
            return receipt
        wait = timedelta(seconds=WINDOW - (now - first) + 1)
        return replace(receipt, verdict=Verdict.TEMPORARY, at_least=wait)
