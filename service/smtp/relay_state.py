"""How things stand between us and the relay."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from avisa.core.retry import Receipt, Verdict

_LONGEST_WAIT = 60.0
_STRIKES = 3  # connections in a row that ended before a mail got through
_REGROW_EVERY = 60.0  # one more connection after this long without a complaint


class Standing(StrEnum):
    OPEN = "open"
    DOWN = "down"  # it can not be reached; one connection keeps trying
    REFUSED = "refused"  # it will not have us: configuration or reputation
    PROBATION = "probation"  # it has us again; one mail at a time until one is through


class RelayState:
    """Standing, back-off and width. Times are loop times in seconds; it does nothing by itself."""

    def __init__(self, connections: int, *, probe_every: float, jitter: Callable[[], float]) -> None:
        self.standing = Standing.OPEN
        self.because: Receipt | None = None  # why it is not open
        self._probe_every = probe_every
        self._jitter = jitter
        self._failures = 0
        self._strikes = 0
        self._most = self._width = connections
        self._narrowed_at = 0.0

    @property
    def usable(self) -> bool:
        return self.standing in (Standing.OPEN, Standing.PROBATION)

    @property
    def struck(self) -> bool:
        """Now and then a connection is lost; so many in a row are a rule."""
        return self._strikes >= _STRIKES

    def reached(self) -> None:
        """A session was opened."""
        if self.standing is Standing.DOWN:
            self.standing, self.because = Standing.OPEN, None
        elif self.standing is Standing.REFUSED:
            self.standing = Standing.PROBATION

    def strike(self) -> None:
        """A connection ended in trouble before a mail got through."""
        self._strikes += 1

    def served(self) -> None:
        """A mail got its answer."""
        self._failures = self._strikes = 0

    def taken(self) -> None:
        """On probation, an answer showed that the relay has us again."""
        self.standing, self.because = Standing.OPEN, None

    def lost(self, because: Receipt) -> float:
        """It can not be reached, or refuses us; answers how long to wait before the next try."""
        self._strikes = 0
        if because.verdict is Verdict.REFUSED_US:
            self.standing, self.because = Standing.REFUSED, because
            return self._probe_every
        if self.standing in (Standing.REFUSED, Standing.PROBATION):
            self.standing = Standing.REFUSED  # and what it refused still stands
        else:
            self.standing, self.because = Standing.DOWN, because
        return self.back_off()

    def back_off(self) -> float:
        """The next wait: doubled each time up to a minute, and spread by up to half so that replicas part."""
        wait = min(_LONGEST_WAIT, 2.0**self._failures)
        self._failures = min(self._failures + 1, 10)
        return wait * (0.5 + self._jitter() / 2)

    def width(self, now: float) -> int:
        """How many connections to hold at most."""
        grown = int((now - self._narrowed_at) / _REGROW_EVERY)
        return min(self._most, self._width + grown)

    def narrow(self, to: int, now: float) -> None:
        """The relay lets us have no more than `to` connections."""
        self._width, self._narrowed_at = max(1, to), now
