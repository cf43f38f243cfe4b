"""The questions of an order to its owners: who was asked what, and which can still be answered.

`question_due` works out when a question is due. A question that stays unanswered for the owner's `after` goes on to
the owner's `next`, and so does an alert about a stuck order or a broken promise. A question moves no deadline:
without an answer, the customer gets the reminder when it is due.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from avisa.core.evolve import evolve
from avisa.core.model import Alert, Notification, Order, Purpose, Rank, Reason
from avisa.core.notification_key import key_of
from avisa.core.plan import Plan
from avisa.core.question import Asking, Question, QuestionState, Reply, Unheeded

ANSWERABLE = timedelta(days=7)  # after the end of the episode
_IN_LINE = frozenset({Alert.STUCK, Alert.PROMISE_BROKEN})  # somebody has to act on these, so they go on
_MOST = 16  # questions that an order keeps
_BESIDE = 1 << 40  # as the last part of a rank, it stands behind every event of the same moment that arrived
_NONE = Asking()


def with_alert(order: Order, alert: Alert, owner: str, plan: Plan, now: datetime) -> Order:
    """The order after the alert to this owner. An alert on which somebody has to act is kept, and goes on to the next
    owner in line unless something happens to the order before."""
    asking = order.asking or _NONE
    others = tuple(it for it in asking.alerts if it.alert != alert)
    unheeded = Unheeded(alert=alert, owner=owner, at=now)
    if alert not in _IN_LINE or goes_on_at(unheeded, plan) is None:
        return order if others == asking.alerts else evolve(order, asking=replace(asking, alerts=others))
    return evolve(order, asking=replace(asking, alerts=(*others, unheeded)))


def unheeded(order: Order, plan: Plan, now: datetime) -> tuple[Alert, str] | None:
    """An alert that goes on to the next owner in line by `now`, and that owner; None if there is none."""
    for alert in order.asking.alerts if order.asking is not None else ():
        at, owner = goes_on_at(alert, plan), plan.owners.get(alert.owner)
        if at is not None and at <= now and owner is not None and owner.next is not None:
            return Alert(alert.alert), owner.next
    return None


def heeded(asking: Asking | None) -> Asking | None:
    """What is kept of the questions after something happened to the order: no alert goes on any more."""
    if asking is None or not asking.alerts:
        return asking
    return replace(asking, alerts=())


def asked(
    order: Order, owner: str, reason: Reason, now: datetime, *, due: datetime, promise: str | None = None
) -> tuple[Order, Notification]:
    """Ask this owner whether the date `promise` will be kept or, without a date, whether there is news; return the
    order that remembers the question, and the notification to queue."""
    asking = order.asking or _NONE
    number = 1 + max((it.number for it in asking.questions if it.episode == order.episode), default=0)
    question = Question(
        episode=order.episode,
        number=number,
        status=order.status,
        owner=owner,
        rank=order.status_rank,
        asked_at=now,
        promise=promise,
    )
    kept = (*asking.questions, _in_window(question, order))[-_MOST:]
    order = evolve(order, asking=replace(asking, questions=kept))
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
    notification = Notification(
        key=key_of(order.order_id, order.episode, purpose, ordinal, f"owner:{owner}"),
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
    """The questions once a new episode began at `now`: those of the episode before are closed. None: there are no
    questions."""
    if asking is None or not asking.questions:
        return None
    closed = (it if it.closed_at is not None else replace(it, closed_at=now) for it in asking.questions)
    return Asking(questions=tuple(closed))


def replied(order: Order, question: Question, reply: Reply, author: str, now: datetime) -> Order:
    """The order after this question was answered. The reply also answers the questions that were asked later in the
    same episode, unless they have a reply of their own."""
    asking = heeded(order.asking) or _NONE
    changed = (
        _in_window(replace(it, reply=reply, replied_at=now, author=author), order)
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


def _in_window(question: Question, order: Order) -> Question:
    return replace(question, counted_from=order.counted_from, messages=order.messages)


def in_window_before(order: Order) -> Order:
    """The order after its newest message never left: the window before goes on. Where a question was asked or
    answered in that window, the window begins again when it began, so that the owner is asked once in it."""
    asking = order.asking or _NONE
    found = [it for it in asking.questions if (it.episode, it.messages) == (order.episode, order.messages - 1)]
    if not found:
        return order
    moved = tuple(replace(it, messages=order.messages) if it in found else it for it in asking.questions)
    return evolve(order, asking=replace(asking, questions=moved), counted_from=found[-1].counted_from)


def find(order: Order, episode: int, number: int) -> Question | None:
    """The question of this number in this episode; None if the order does not keep it any more."""
    kept = order.asking.questions if order.asking is not None else ()
    return next((it for it in kept if (it.episode, it.number) == (episode, number)), None)


def answered(order: Order, question: Question) -> Question | None:
    """The question whose reply answers this one: the question itself, or a later one of its episode. None: this one
    is not answered yet."""
    if question.reply is not None:
        return question
    later = (it for it in (order.asking or _NONE).questions if it.episode == question.episode)
    return next(
        (it for it in later if it.number > question.number and it.reply in (Reply.TELL, Reply.ON_TRACK)), None
    )


def can_be_answered(order: Order, question: Question, now: datetime) -> bool:
    """True while the question is not answered, and its episode lasts or ended less than `ANSWERABLE` ago."""
    lapses = question.closed_at is not None and question.closed_at + ANSWERABLE <= now
    return answered(order, question) is None and not lapses


def next_owner(question: Question, plan: Plan) -> str | None:
    """The key of the owner who is next in line after the owner who was asked; None: nobody is."""
    owner = plan.owners.get(question.owner)
    return owner.next if owner is not None else None


def rank_of_answer(order: Order, question: Question, seen: Rank | None) -> Rank:
    """The rank of the facts of an answer: just behind the newest event that the owner could know of.

    `seen` is the rank of that event, as `rank_to_see` returned it for the page that the owner answered; None: the
    page did not send it, and the moment of the question counts. So an answer outranks what the owner read, and
    nothing that came later.
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
    """The question that waits for an answer in the present episode; None if there is none."""
    newest = order.asking.questions[-1] if order.asking is not None and order.asking.questions else None
    return newest if newest is not None and newest.reply is None and newest.closed_at is None else None


def moves(before: Order | None, after: Order) -> dict[QuestionState, int]:
    """By state, how many more questions (below 0: fewer) are in it after a change of the order than before."""
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


def goes_on_at(unheeded: Unheeded, plan: Plan) -> datetime | None:
    """When an alert goes to the next owner in line; None: it stays with the owner who got it."""
    owner = plan.owners.get(unheeded.owner)
    return None if owner is None or owner.next is None or owner.after is None else unheeded.at + owner.after
