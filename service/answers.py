"""The way in for owners: an answer is decided and committed like an event.

    token -> question -> decide -> commit; again from the question if another process changed the order meanwhile

To look at a question changes nothing. An answer acts once, however often it is sent, because the order remembers that
the question was answered.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

import orjson

from avisa.core import context, decide, facts, questions
from avisa.core.answer import Answer
from avisa.core.fold import Fold
from avisa.core.model import Json, Notification, Order, Rank, Reason
from avisa.core.plan import Plan
from avisa.core.question import Question, Reply
from avisa.core.question_token import read_question_token
from avisa.dispatch.settlements import Now
from avisa.ports import Asked, CatalogCache, Clock, Entry, OrderBook, Queries
from avisa.write_path import DecidedOrder, WritePath


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What an owner sent with the form."""

    reply: Reply
    facts: dict[str, str]  # as in `Answer.facts`
    seen: Rank | None = None  # `Shown.seen` of the page that they filled in; None: the form did not have it


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the page of a question shows to an owner."""

    state: Literal["open", "answered", "lapsed"]
    locale: str  # the owner's; if the plan has none, the brand's
    time_zone: str  # the brand's
    today: date  # the day that it is where the customer lives
    values: dict[str, Json]  # the variables of a message to owners (`core.context`)
    seen: Rank  # of the newest event that the page shows; the form sends it back
    next_owner: str | None  # the name of the owner next in line; None: the question cannot be passed on
    customer_locale: str | None  # the language in which the customer reads what the owner writes
    answered: Question | None = None  # the question whose reply answers this one
    acted: Reason | None = None  # of the decision on an answer sent just now; None: nothing was changed by one


class Answers:
    """Looks up questions by the tokens of their links, and takes the answers."""

    def __init__(
        self,
        orders: OrderBook,
        queries: Queries,
        catalogs: CatalogCache,
        clock: Clock,
        write_path: WritePath,
        *,
        secret: bytes,
    ) -> None:
        self._orders = orders
        self._queries = queries
        self._catalogs = catalogs
        self._clock = clock
        self._write_path = write_path
        self._secret = secret

    async def look(self, token: str) -> Shown | None:
        """What the page of this token shows; None if we did not sign the token, or the order is forgotten."""
        asked = await self._asked(token)
        if asked is None:
            return None
        order, question = await self._question(asked.notification)
        return None if order is None or question is None else self._shown(order, question, asked)

    async def take(self, token: str, written: Written) -> Shown | None:
        """Decide and commit an answer, and return what the page shows after it; None as in `look`.

        `acted` is None if the answer changed nothing: the question was answered before or has lapsed, or it was to be
        passed on and nobody is next in line.
        """
        asked = await self._asked(token)
        if asked is None:
            return None
        notification = asked.notification
        while True:
            send_now = await self._write_path.capacity()
            at = Now.of(self._clock)
            plan = self._catalogs.in_force.plan
            order, question = await self._question(notification)
            if order is None or question is None:
                return None
            answer = Answer(
                episode=question.episode,
                number=question.number,
                reply=written.reply,
                facts=written.facts,
                seen=written.seen,
                author=_sent_to(asked, plan, question),
            )
            decision = decide.on_answer(order, answer, plan, at.virtual)
            if decision.reason is None or decision.reason is Reason.ALREADY_SEEN:
                return self._shown(order, question, asked)
            decided = DecidedOrder(Fold(order))
            decided.add(decision, at.virtual)
            decided.entries.append(
                Entry(
                    order_id=order.order_id,
                    at=at.virtual,
                    kind="answer",
                    reason=decision.reason,
                    status=question.status,
                    episode=question.episode,
                    key=notification.key,
                    author=answer.author,
                )
            )
            if not await self._write_path.commit([decided], at=at, send_now=send_now):
                return self._shown(decided.fold.latest(), question, asked, acted=decision.reason)

    async def _asked(self, token: str) -> Asked | None:
        link = read_question_token(self._secret, token)
        return None if link is None else await self._queries.question(link)

    async def _question(self, notification: Notification) -> tuple[Order | None, Question | None]:
        order = (await self._orders.load({notification.order_id})).get(notification.order_id)
        if order is None:
            return None, None
        return order, questions.find(order, notification.episode, int(notification.ordinal))

    def _shown(self, order: Order, question: Question, asked: Asked, *, acted: Reason | None = None) -> Shown:
        now, plan = self._clock.now(), self._catalogs.in_force.plan
        known = facts.view(order)
        brand, owner = plan.brand(known.get("brand")), plan.owners.get(question.owner)
        question = questions.find(order, question.episode, question.number) or question
        answered = questions.answered(order, question)
        can_be_answered = questions.can_be_answered(order, question, now)
        following = plan.owners.get(questions.next_owner(question, plan) or "")
        locale = known.get("customer.locale")
        return Shown(
            state="answered" if answered else "open" if can_be_answered else "lapsed",
            locale=(owner.locale if owner else None) or brand.locale,
            time_zone=brand.time_zone,
            today=now.astimezone(facts.zone(order, plan)).date(),
            values=context.build(order, asked.notification, plan, now, known),
            seen=questions.rank_to_see(order, question),
            next_owner=following.name if following is not None and question.closed_at is None else None,
            customer_locale=locale if isinstance(locale, str) else brand.locale,
            answered=answered,
            acted=acted,
        )


def _sent_to(asked: Asked, plan: Plan, question: Question) -> str:
    """The address that the link was sent to."""
    if asked.draft is not None:
        address: str = orjson.loads(asked.draft.json)["to"]
        return address
    owner = plan.owners.get(question.owner)
    return owner.email if owner is not None else ""
