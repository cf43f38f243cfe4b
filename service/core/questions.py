"""The owner is asked first: when, who, and which questions can still be answered.

Without news for the touchpoint's `ask_owner_at`, the order's owner is asked, once in each window. A question that
stays unanswered for the owner's `after` goes on to the next in line, and so does word of a stuck order. A question
moves no deadline: without an answer the customer gets the reminder when it is due.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from avisa.core import facts, working_time
from avisa.core.model import BLANK_NOTIFICATION, Alert, Notification, Order, Purpose, Rank, Reason, evolve
from avisa.core.plan import Plan, Span
from avisa.core.question import Asking, Question, QuestionState, Reply, Unheeded

ANSWERABLE = timedelta(days=7)  # after the end of the episode
_IN_LINE = frozenset({Alert.STUCK, Alert.PROMISE_BROKEN})  # alerts that somebody has to do something about
_MOST = 16  # questions that an order keeps
_BESIDE = 1 << 40  # behind whatever arrived with the rank of the status
_NONE = Asking()


def watched(order: Order, plan: Plan, now: datetime) -> Order:
    """The order to be woken when its next question is due, if that is earlier than it would be anyway."""
    if order.asking is None and plan.touchpoint(order.status).ask_owner_at is None:
        return order
    asking = order.asking or _NONE
    unheeded = [at for alert in asking.alerts if (at := _goes_on_at(alert, plan)) is not None]
    moments = [at for at in (_asks_at(order, plan, now), _passes_at(order, plan), *unheeded) if at is not None]
    due = min(moments, default=None)
    if due != asking.due:
        asking = replace(asking, due=due)
        order = evolve(order, asking=None if asking == _NONE else asking)
    if due is not None and (order.wake_at is None or due < order.wake_at):
        order = evolve(order, wake_at=due)
    return order


def ask_what_is_due(order: Order, plan: Plan, now: datetime) -> tuple[Order, Notification] | None:
    """Ask what is due by now, in the light of the plan as it is: the order that remembers it, and the question."""
    asks_at, owner = _asks_at(order, plan, now), facts.owner(order, plan)
    if owner is not None and asks_at is not None and asks_at <= now:
        return asked(order, owner, Reason.NO_NEWS, now, due=asks_at)
    passes_at, open_question = _passes_at(order, plan), newest_open(order)
    if open_question is not None and passes_at is not None and passes_at <= now:
        following = next_owner(open_question, plan)
        assert following is not None
        return asked(order, following, Reason.UNANSWERED, now, due=passes_at)
    return None


def with_alert(order: Order, alert: Alert, owner: str, plan: Plan, now: datetime) -> Order:
    """The order after its owner was alerted, which goes on to the next in line unless something happens."""
    asking = order.asking or _NONE
    others = tuple(it for it in asking.alerts if it.alert != alert)
    unheeded = Unheeded(alert=alert, owner=owner, at=now)
    if alert not in _IN_LINE or _goes_on_at(unheeded, plan) is None:
        return order if others == asking.alerts else evolve(order, asking=replace(asking, alerts=others))
    return evolve(order, asking=replace(asking, alerts=(*others, unheeded)))


def unheeded(order: Order, plan: Plan, now: datetime) -> tuple[Alert, str] | None:
    """An alert that goes on by now, and the owner it goes to; None if there is none."""
    for alert in order.asking.alerts if order.asking is not None else ():
        at, owner = _goes_on_at(alert, plan), plan.owners.get(alert.owner)
        if at is not None and at <= now and owner is not None and owner.next is not None:
            return Alert(alert.alert), owner.next
    return None


def heeded(asking: Asking | None) -> Asking | None:
    """What stays once something happened to the order: no alert goes on to the next in line."""
    if asking is None or not asking.alerts:
        return asking
    return replace(asking, alerts=())


def asked(order: Order, owner: str, reason: Reason, now: datetime, *, due: datetime) -> tuple[Order, Notification]:
    """Queue a question; return the order that remembers it, and the notification."""
    asking = order.asking or _NONE
    number = 1 + max((it.number for it in asking.questions if it.episode == order.episode), default=0)
    question = Question(
        episode=order.episode,
        number=number,
        status=order.status,
        owner=owner,
        rank=order.status_rank,
        asked_at=now,
    )
    order = evolve(order, asking=replace(asking, questions=(*asking.questions, question)[-_MOST:]))
    return notify_owner(order, Purpose.ASK_OWNER, str(number), owner, reason, now, due=due)


def notify_owner(
    order: Order,
    purpose: Purpose,
    ordinal: str,
    owner: str,
    reason: Reason,
    now: datetime,
    *,
    due: datetime | None = None,
) -> tuple[Order, Notification]:
    """Queue one message for an owner; return the order with its new `seq`, and the notification."""
    seq = order.seq + 1
    notification = evolve(
        BLANK_NOTIFICATION,
        key=f"{order.order_id}/{order.episode}/{purpose}/{ordinal}/owner:{owner}",
        order_id=order.order_id,
        episode=order.episode,
        status=order.status,
        purpose=purpose,
        ordinal=ordinal,
        recipient=f"owner:{owner}",
        seq=seq,
        reason=reason,
        decided_at=now,
        due=due,
    )
    return evolve(order, seq=seq, last_word_at=now), notification


def of_new_episode(asking: Asking | None, now: datetime) -> Asking | None:
    """What a new episode, which began at `now`, leaves of the questions: they can be answered for some days more."""
    if asking is None or not asking.questions:
        return None
    closed = (it if it.closed_at is not None else replace(it, closed_at=now) for it in asking.questions)
    return Asking(questions=tuple(closed))


def replied(order: Order, question: Question, reply: Reply, author: str, now: datetime) -> Order:
    """The order after this question was answered, and with it every later one of its episode."""
    asking = heeded(order.asking) or _NONE
    changed = (
        replace(it, reply=reply, replied_at=now, author=author)
        if it.episode == question.episode and it.number >= question.number and it.reply is None
        else it
        for it in asking.questions
    )
    on_track = reply is Reply.ON_TRACK and question.episode == order.episode
    return evolve(
        order,
        asking=replace(asking, questions=tuple(changed), on_track_at=now if on_track else asking.on_track_at),
        last_word_at=now,
    )


def find(order: Order, episode: int, number: int) -> Question | None:
    """The question of that number; None if it is not kept any more."""
    kept = order.asking.questions if order.asking is not None else ()
    return next((it for it in kept if (it.episode, it.number) == (episode, number)), None)


def answered(order: Order, question: Question) -> Question | None:
    """The question by which this one is answered: itself, or else a later one of its episode; None: by none yet."""
    if question.reply is not None:
        return question
    later = (it for it in (order.asking or _NONE).questions if it.episode == question.episode)
    return next(
        (it for it in later if it.number > question.number and it.reply in (Reply.TELL, Reply.ON_TRACK)), None
    )


def can_be_answered(order: Order, question: Question, now: datetime) -> bool:
    """True while nobody answered it, and its episode lasts or has not ended long ago."""
    lapses = question.closed_at is not None and question.closed_at + ANSWERABLE <= now
    return answered(order, question) is None and not lapses


def next_owner(question: Question, plan: Plan) -> str | None:
    """Who is next in line after the owner who was asked; None: the last one keeps the question."""
    owner = plan.owners.get(question.owner)
    return owner.next if owner is not None else None


def rank_of_answer(order: Order, question: Question, seen: Rank | None) -> Rank:
    """Where an answer ranks: beside the status that it was asked in, as the owner saw that.

    `seen` is the rank of the newest event of the episode that the owner could know of; None: the one that there was
    when the question was asked. So the answer outranks what the owner read, and nothing that came later.
    """
    base = max(question.rank, min(seen, order.status_rank)) if seen is not None else question.rank
    return (*base[:2], _BESIDE + question.number)


def rank_to_see(order: Order, question: Question) -> Rank:
    """The rank of the newest event that an owner who looks at this question now can know of."""
    return order.status_rank if question.episode == order.episode else question.rank


def state(order: Order, question: Question) -> QuestionState:
    """What became of a question so far."""
    if question.reply is not None:
        return QuestionState.PASSED_ON if question.reply is Reply.PASS_ON else QuestionState.ANSWERED
    return QuestionState.OPEN if question is newest_open(order) else QuestionState.UNANSWERED


def newest_open(order: Order) -> Question | None:
    """The question that waits for an answer; None if there is none."""
    newest = order.asking.questions[-1] if order.asking is not None and order.asking.questions else None
    return newest if newest is not None and newest.reply is None and newest.closed_at is None else None


def is_open(notification: Notification, order: Order) -> bool:
    """True if the question of this notification still waits for an answer."""
    question = newest_open(order)
    return question is not None and (question.episode, str(question.number)) == (
        notification.episode,
        notification.ordinal,
    )


def moves(before: Order | None, after: Order) -> dict[QuestionState, int]:
    """How many questions more, or less, are in each state than were."""
    if (before.asking if before is not None else None) is after.asking or after.asking is None:
        return {}
    found: dict[QuestionState, int] = {}
    for question in after.asking.questions:
        then = find(before, question.episode, question.number) if before is not None else None
        was, now = (state(before, then) if before is not None and then is not None else None), state(after, question)
        if was is not now:
            found[now] = found.get(now, 0) + 1
            if was is not None:
                found[was] = found.get(was, 0) - 1
    return found


def _asks_at(order: Order, plan: Plan, now: datetime) -> datetime | None:
    """When the owner is asked in the window that runs; None: not at all, or they were, or the reminder is due."""
    touchpoint = plan.touchpoint(order.status)
    ask, start = touchpoint.ask_owner_at, order.counted_from
    if ask is None or start is None or order.final or order.spent or facts.owner(order, plan) is None:
        return None
    for question in (order.asking or _NONE).questions:
        asked_since = question.episode == order.episode and question.asked_at > start
        # What is answered at its very begin began the window.
        if asked_since or (question.replied_at is not None and question.replied_at > start):
            return None
    if isinstance(ask, Span):
        at = working_time.add(start, ask, touchpoint.calendar)
    elif order.deadline is not None:
        at = working_time.part(start, order.deadline, ask, touchpoint.calendar)
    else:
        return None
    return at if order.deadline is None or max(at, now) < order.deadline else None


def _goes_on_at(unheeded: Unheeded, plan: Plan) -> datetime | None:
    """When an alert goes to the next in line; None: it stays."""
    owner = plan.owners.get(unheeded.owner)
    return None if owner is None or owner.next is None or owner.after is None else unheeded.at + owner.after


def _passes_at(order: Order, plan: Plan) -> datetime | None:
    """When the open question goes to the next in line; None: it stays."""
    question = newest_open(order)
    owner = plan.owners.get(question.owner) if question is not None and not order.final else None
    if question is None or owner is None or owner.next is None or owner.after is None:
        return None
    return question.asked_at + owner.after
