"""When owners are asked, and whether they still are.

There are two questions, and an order has one open question at a time:

    is there news?            the customer had none for the touchpoint's `ask_owner_at`; once in each window
    will the date be kept?    `ask_owner_before` before the promised date ends; once for each date in each episode

For example, a window of 48 h with `ask_owner_at: 60%` asks for news after 28.8 h. If both fall due together, only the
question about the date is asked, because its page shows all of the order. If a question is open already, the owner
who has it is asked about the date, too. A question about a date ends once the date moved, was kept, broken or
withdrawn, or has passed.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from avisa.core import facts, promises, questions, working_time
from avisa.core.evolve import evolve
from avisa.core.model import Notification, Order, Reason
from avisa.core.plan import Plan, Span
from avisa.core.question import Asking, Question

_NONE = Asking()


def watched(order: Order, plan: Plan, now: datetime) -> Order:
    """The order with the moment of its next question worked out; `wake_at` is moved forward to it if it was later."""
    touchpoint = plan.touchpoint(order.status)
    if order.asking is None and touchpoint.ask_owner_at is None and touchpoint.ask_owner_before is None:
        return order
    asking = order.asking or _NONE
    moments = [
        _for_news_at(order, plan, now),
        _about_date_at(order, plan, now),
        _passes_at(order, plan, now),
        *(questions.goes_on_at(alert, plan) for alert in asking.alerts),
    ]
    due = min((at for at in moments if at is not None), default=None)
    if due != asking.due:
        asking = replace(asking, due=due)
        order = evolve(order, asking=None if asking == _NONE else asking)
    if due is not None and (order.wake_at is None or due < order.wake_at):
        order = evolve(order, wake_at=due)
    return order


def ask_what_is_due(order: Order, plan: Plan, now: datetime) -> tuple[Order, Notification] | None:
    """Ask the question that is due by `now` under the plan in force; return the order that remembers it, and the
    notification. None: no question is due."""
    owner, question = facts.owner(order, plan), questions.newest_open(order)
    about, news, passes = (
        _about_date_at(order, plan, now),
        _for_news_at(order, plan, now),
        _passes_at(order, plan, now),
    )
    if owner is not None and about is not None and about <= now:
        assert order.promise is not None
        asked = question.owner if question is not None and question.owner in plan.owners else owner
        return questions.asked(order, asked, Reason.PROMISE_NEAR, now, due=about, promise=order.promise.date)
    still = None if question is None else date_asked(order, question, plan, now)
    if owner is not None and news is not None and news <= now:
        return questions.asked(order, owner, Reason.NO_NEWS, now, due=news, promise=still)
    if question is not None and passes is not None and passes <= now:
        following = questions.next_owner(question, plan)
        assert following is not None
        return questions.asked(order, following, Reason.UNANSWERED, now, due=passes, promise=still)
    return None


def date_asked(order: Order, question: Question, plan: Plan, now: datetime) -> str | None:
    """The promised date, as it stands now, that the question is about; None: the question asks for news, or the date
    moved, was kept, broken or withdrawn, or has passed."""
    if question.promise is None or not _stands(order, question.promise, plan) or promises.has_ended(order, plan, now):
        return None
    return order.promise.date if order.promise is not None else None


def is_open(notification: Notification, order: Order, plan: Plan) -> bool:
    """True if the question of this notification still waits for an answer."""
    question = questions.newest_open(order)
    if question is None or (question.episode, str(question.number)) != (notification.episode, notification.ordinal):
        return False
    return question.promise is None or _stands(order, question.promise, plan)


def has_passed(notification: Notification, order: Order, plan: Plan, now: datetime) -> bool:
    """True if the notification asks whether a date will be kept, and that date has passed."""
    question = questions.find(order, notification.episode, int(notification.ordinal))
    return question is not None and question.promise is not None and promises.has_ended(order, plan, now)


def _stands(order: Order, date: str, plan: Plan) -> bool:
    """True if the order's promise is active and still has this date, or one so near that the plan calls it no
    move."""
    promise = order.promise
    if promise is None or promise.date is None or promise.state not in promises.ACTIVE:
        return False
    return promise.date == date or promises.is_same(promise.date, date, plan, order)


def _about_date_at(order: Order, plan: Plan, now: datetime) -> datetime | None:
    """When the owner is asked whether the promised date will be kept; None: not at all, or they were in this
    episode."""
    before, promise = plan.touchpoint(order.status).ask_owner_before, order.promise
    if before is None or promise is None or promise.date is None or promise.state not in promises.ACTIVE:
        return None
    if order.final or facts.owner(order, plan) is None:
        return None
    for question in (order.asking or _NONE).questions:
        if question.episode == order.episode and question.promise and _stands(order, question.promise, plan):
            return None
    end = facts.promise_moment(promise.date, facts.zone(order, plan))
    return end - before if end > now else None


def _for_news_at(order: Order, plan: Plan, now: datetime) -> datetime | None:
    """When the owner is asked for news in the window that runs; None: not at all, they were asked already, or the
    reminder is due by then."""
    touchpoint = plan.touchpoint(order.status)
    ask, start = touchpoint.ask_owner_at, order.counted_from
    if ask is None or start is None or order.final or order.spent or facts.owner(order, plan) is None:
        return None
    for question in (order.asking or _NONE).questions:
        asked_since = question.episode == order.episode and question.asked_at > start
        # An answer at the very moment at which the window begins is what began it, so it does not count.
        if asked_since or (question.replied_at is not None and question.replied_at > start):
            return None
    if isinstance(ask, Span):
        at = working_time.add(start, ask, touchpoint.calendar)
    elif order.deadline is not None:
        at = working_time.part(start, order.deadline, ask, touchpoint.calendar)
    else:
        return None
    return at if order.deadline is None or max(at, now) < order.deadline else None


def _passes_at(order: Order, plan: Plan, now: datetime) -> datetime | None:
    """When the open question goes to the next owner in line; None: it stays with the owner who has it."""
    question = questions.newest_open(order)
    owner = plan.owners.get(question.owner) if question is not None and not order.final else None
    if question is None or owner is None or owner.next is None or owner.after is None:
        return None
    if question.promise is not None and date_asked(order, question, plan, now) is None:
        return None
    return question.asked_at + owner.after
