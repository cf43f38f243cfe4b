"""What the customer knows of the parts of an order, and which message tells it.

Each part has a `Word`, and so has the whole order: it holds for the parts that no event has named yet.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace

from avisa.core import parts
from avisa.core.evolve import evolve
from avisa.core.model import Notification, Order, Purpose, Reason
from avisa.core.part import Part, Parts, Word
from avisa.core.plan import Plan


def unknown_to_customer(order: Order, ids: Collection[str], status: str) -> tuple[list[str], list[str]]:
    """Two lists of the parts `ids`, which have come to `status` with no message that tells it: those of which it is
    news; and those that are back where the customer believes them to be, as the message that says otherwise waits."""
    others = [part_id for part_id in ids if _word(order, part_id).status != status]
    back = [part_id for part_id in others if believed(order, part_id) == status]
    return [part_id for part_id in others if part_id not in back], back


def believed(order: Order, part_id: str) -> str | None:
    """The status in which the customer believes a part to be. A message counts once an attempt at it began."""
    word = _word(order, part_id)
    unsent = any(it.seq == word.seq and not it.begun for it in order.pending)
    return word.before if unsent else word.status


def with_word(order: Order, ids: Collection[str], status: str, seq: int) -> Order:
    """The order once the message `seq` is to tell that these parts are in `status`; 0: no message has to tell it."""
    assert order.parts is not None
    kept = order.parts
    known = tuple(
        replace(part, word=Word(status, believed(order, part.id), seq)) if part.id in ids else part
        for part in kept.known
    )
    word = Word(status, believed(order, parts.WHOLE), seq) if parts.WHOLE in ids else kept.word
    return evolve(order, parts=replace(kept, known=known, word=word))


def subjects(order: Order, seq: int) -> list[str]:
    """The ids of the parts of which the message `seq` tells what is newest for the customer."""
    if order.parts is None:
        return []
    ids = [part.id for part in order.parts.known if part.word.seq == seq]
    return [*ids, parts.WHOLE] if order.parts.word.seq == seq and parts.has_placed_others(order) else ids


def about(order: Order, notification: Notification) -> list[Part]:
    """The parts that a message is about, by number; none if it is about the order alone."""
    ids = _ids_about(order, notification)
    return [part for part in parts.known(order) if part.id in ids]


def is_about_others(order: Order, notification: Notification) -> bool:
    """True if a message is also about the parts that no event has named. They have no ids, but numbers: those that
    follow the numbers of the named ones."""
    return parts.WHOLE in _ids_about(order, notification) and parts.has_placed_others(order)


def _ids_about(order: Order, notification: Notification) -> Collection[str]:
    """The parts of which an update tells. Where newer messages tell of all its parts (and it is sent all the same, as
    the plan's `always` says), those for which it was decided."""
    if notification.purpose is not Purpose.UPDATE:
        return ()
    return subjects(order, notification.seq) or notification.parts


def stands(notification: Notification, order: Order, plan: Plan) -> bool:
    """True if a message is still worth sending: for one of its parts it is the newest that was decided, and that part
    has not ended in another status since."""
    left = (parts.status(order, part_id) for part_id in subjects(order, notification.seq))
    return any(it == notification.status or not plan.touchpoint(it).final for it in left)


def is_untrue_of_all(notification: Notification, order: Order) -> bool:
    """True if a message of an order that had no parts then tells a status which the customer is to know of no part
    any more. For example, while "cancelled" waits, the only parcel is said to be shipped still."""
    if order.parts is None or notification.parts or notification.reason is not Reason.ENTERED:
        return False
    words = [part.word for part in order.parts.known]
    if parts.has_placed_others(order):
        words.append(order.parts.word)
    return all(word.status != notification.status for word in words)


def unsaid(order: Order, unsent: Iterable[Notification]) -> Order:
    """The order after these messages were superseded before they left: the customer knows what they knew before."""
    seqs = {it.seq for it in unsent}
    return _with_each(order, lambda word: _before(word) if word.seq in seqs else word)


def with_unheard_ends(order: Order, plan: Plan) -> Order:
    """The order after an event that nobody is told. Of a part that has ended, a message that waits and says something
    else will not tell: the customer knows what they knew before."""
    if order.parts is None:
        return order
    unsent = {it.seq for it in order.pending if not it.begun}

    def ended(part: Part) -> bool:
        present = parts.newest(part, order)[1]
        return part.word.seq in unsent and present != part.word.status and plan.touchpoint(present).final

    known = tuple(replace(it, word=_before(it.word)) if ended(it) else it for it in order.parts.known)
    return evolve(order, parts=replace(order.parts, known=known))


def without_word(order: Order, seq: int) -> Order:
    """The order after the message `seq` could not reach its customer: `missed` finds what it was to tell."""
    return _with_each(order, lambda word: replace(word, seq=-seq) if word.seq == seq else word)


def missed(order: Order) -> dict[str, list[str]]:
    """The parts of which a message told that could not reach the customer: their ids by the status that it told."""
    found: dict[str, list[str]] = {}
    for part in parts.known(order):
        if part.word.seq < 0 and part.word.status is not None:
            found.setdefault(part.word.status, []).append(part.id)
    return found


def _before(word: Word) -> Word:
    return Word(word.before, word.before)


def _with_each(order: Order, changed: Callable[[Word], Word]) -> Order:
    """The order with every word changed: those of its parts, and the one of the whole order."""
    if order.parts is None:
        return order
    known = tuple(replace(part, word=changed(part.word)) for part in order.parts.known)
    return evolve(order, parts=replace(order.parts, known=known, word=changed(order.parts.word)))


def _word(order: Order, part_id: str) -> Word:
    kept = order.parts or Parts()
    part = parts.named(kept, part_id)
    return part.word if part is not None else kept.word
