"""Mails that wait for a connection."""

from __future__ import annotations

from collections import OrderedDict, deque

from avisa.smtp.delivery import Delivery


class FairQueue:
    """First in, first out within a recipient domain; the domains take turns.

    It counts the connections that each domain holds, so that a slow domain holds no more than its share.
    """

    def __init__(self) -> None:
        self._domains: OrderedDict[str, deque[Delivery]] = OrderedDict()  # in order of turn
        self._held: dict[str, int] = {}

    def __bool__(self) -> bool:
        return bool(self._domains)

    def put(self, delivery: Delivery) -> None:
        self._domains.setdefault(delivery.domain, deque()).append(delivery)

    def put_first(self, delivery: Delivery) -> None:
        self._domains.setdefault(delivery.domain, deque()).appendleft(delivery)
        self._domains.move_to_end(delivery.domain, last=False)

    def take(self, share: int) -> Delivery | None:
        """Return the next mail of a domain that holds fewer than `share` connections; it now holds one more."""
        for domain in tuple(self._domains):
            self._domains.move_to_end(domain)
            held = self._held.get(domain, 0)
            if held < share and (delivery := self.take_of(domain)) is not None:
                self._held[domain] = held + 1
                return delivery
        return None

    def take_of(self, domain: str) -> Delivery | None:
        """Return the next mail of `domain`, for a connection that the domain already holds."""
        queue = self._domains.get(domain)
        while queue:
            delivery = queue.popleft()
            if not queue:
                del self._domains[domain]
            if not delivery.answer.done():  # else it was given up while it waited
                return delivery
        return None

    def release(self, domain: str) -> None:
        """`domain` now holds one connection less."""
        held = self._held[domain] - 1
        if held:
            self._held[domain] = held
        else:
            del self._held[domain]

    def others(self, domain: str) -> bool:
        """Return whether mail to another domain than `domain` waits."""
        return len(self._domains) > 1 or (len(self._domains) == 1 and domain not in self._domains)

    def startable(self, share: int, enough: int) -> int:
        """Return how many more connections could be used now, at most `enough`."""
        total = 0
        for domain, queue in self._domains.items():
            total += max(0, min(len(queue), share - self._held.get(domain, 0)))
            if total >= enough:
                return enough
        return total

    def drain(self) -> list[Delivery]:
        """Remove and return every mail that waits."""
        everything = [delivery for queue in self._domains.values() for delivery in queue]
        self._domains.clear()
        return everything
