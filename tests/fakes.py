"""Clocks and a channel that do as a test tells them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from avisa.core.retry import Receipt, Verdict
from avisa.ports import Mail

START = datetime(2026, 3, 2, 10, tzinfo=UTC)  # a Monday

ACCEPTED = Receipt(verdict=Verdict.ACCEPTED, stage="dot", code=250)


class HandClock:
    """Stands still until it is moved. Virtual time runs `speed` times as fast, from START on."""

    def __init__(self, speed: float = 1.0) -> None:
        self.speed = speed
        self._real = START

    def now(self) -> datetime:
        return self.to_virtual(self._real)

    def real(self) -> datetime:
        return self._real

    def to_virtual(self, real: datetime) -> datetime:
        return START + (real - START) * self.speed

    def to_real(self, virtual: datetime) -> datetime:
        return START + (virtual - START) / self.speed

    def pass_real(self, span: timedelta) -> None:
        self._real += span


class RealClock:
    """Runs with the clock of the machine, `ahead` of it if a test asks so. Virtual time is real time."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        return self.real()

    def real(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def to_virtual(self, real: datetime) -> datetime:
        return real

    def to_real(self, virtual: datetime) -> datetime:
        return virtual

    def pass_real(self, span: timedelta) -> None:
        self.ahead += span


class ScriptedChannel:
    """Keeps the mails, and returns the receipts of `script` one by one; with none left it accepts.

    While `open` is false it is offered nothing.
    """

    refusal: Receipt | None = None
    connections = 0

    def __init__(self) -> None:
        self.open = True
        self.mails: list[Mail] = []
        self.script: list[Receipt | asyncio.Future[Receipt]] = []

    async def deliver(self, mail: Mail, ours: Callable[[], bool] = lambda: True) -> Receipt:
        if not ours():
            return Receipt(verdict=Verdict.TEMPORARY, stage="mail")
        self.mails.append(mail)
        receipt = self.script.pop(0) if self.script else ACCEPTED
        return receipt if isinstance(receipt, Receipt) else await receipt
