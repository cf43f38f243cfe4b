"""The circuit breaker between us and the relay."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from avisa.core.retry import Receipt, Verdict

_LONGEST_WAIT = 60.0  # seconds
_STRIKES = 3  # connections in a row that ended before a mail got through
_REGROW_EVERY = 60.0  # seconds without a complaint after which one more connection is allowed


class RelayState(StrEnum):
    AVAILABLE = "available"
    UNREACHABLE = "unreachable"  # one connection after another is tried, and no mail
    REFUSING = "refusing"  # our configuration or our reputation is refused
    PROBING = "probing"  # connected again after a refusal: one mail at a time, until one gets through


class CircuitBreaker:
    """State, back-off and number of connections. It only keeps count; the channel acts. Times are loop times."""

    def __init__(self, connections: int, *, probe_every: float, jitter: Callable[[], float]) -> None:
        self.state = RelayState.AVAILABLE
        self.because: Receipt | None = None  # why the relay is not available
        self._probe_every = probe_every
        self._jitter = jitter
        self._failures = 0
        self._strikes = 0
        self._most = self._width = connections
        self._narrowed_at = 0.0

    @property
    def usable(self) -> bool:
        return self.state in (RelayState.AVAILABLE, RelayState.PROBING)

    @property
    def struck_out(self) -> bool:
        """A single lost connection is an accident; `_STRIKES` in a row are a fault of the relay."""
        return self._strikes >= _STRIKES

    def connected(self) -> None:
        """A session was opened."""
        if self.state is RelayState.UNREACHABLE:
            self.state, self.because = RelayState.AVAILABLE, None
        elif self.state is RelayState.REFUSING:
            self.state = RelayState.PROBING

    def strike(self) -> None:
        """A connection ended in trouble before a mail got through."""
        self._strikes += 1

    def answered(self) -> None:
        """A mail got its answer."""
        self._failures = self._strikes = 0

    def probe_succeeded(self) -> None:
        """While probing, an answer showed that the relay no longer refuses us."""
        self.state, self.because = RelayState.AVAILABLE, None

    def lost(self, because: Receipt) -> float:
        """The relay cannot be reached, or refuses us. Returns the seconds to wait before the next try."""
        self._strikes = 0
        if because.verdict is Verdict.REFUSED_US:
            self.state, self.because = RelayState.REFUSING, because
            return self._probe_every
        if self.state in (RelayState.REFUSING, RelayState.PROBING):
            self.state = RelayState.REFUSING  # its reason still holds
        else:
            self.state, self.because = RelayState.UNREACHABLE, because
        return self._back_off()

    def width(self, now: float) -> int:
        """Return how many connections may be open at `now`."""
        grown = int((now - self._narrowed_at) / _REGROW_EVERY)
        return min(self._most, self._width + grown)

    def narrow(self, to: int, now: float) -> None:
        """The relay allows no more than `to` connections."""
        self._width, self._narrowed_at = max(1, to), now

    def _back_off(self) -> float:
        """Return the next wait: twice the last one, up to a minute, less up to half so that replicas spread out."""
        wait = min(_LONGEST_WAIT, 2.0**self._failures)
        self._failures = min(self._failures + 1, 10)
        return wait * (0.5 + self._jitter() / 2)
