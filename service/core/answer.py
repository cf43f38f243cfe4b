"""What an owner's answer means for the order and for its customer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from avisa.core import episodes, facts, promises, question_due, questions, repeats
from avisa.core.decision import Decision
from avisa.core.model import Order, Rank, Reason
from avisa.core.plan import Plan
from avisa.core.question import Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer to the question `number` of an episode.

    `facts` has the fields of a TELL that the owner filled in: `reason`, `next_step`, `promised_at` (a day, such as
    `2026-03-09`). `seen` is the rank of the newest event that the owner saw (`questions.rank_to_see`). `author` is
    the address that the question was sent to.
    """

    episode: int
    number: int
    reply: Reply
    facts: Mapping[str, str] = field(default_factory=dict)
    seen: Rank | None = None
    author: str = ""


def decided(order: Order, answer: Answer, plan: Plan, now: datetime) -> Decision:
    """The decision on an answer; `now` is in UTC.

    An answer acts once. If the question was answered before, has lapsed or is forgotten, nothing changes, and the
    reason is ALREADY_SEEN. If the answer is to pass the question on and nobody is next in line, nothing changes
    either, and the decision has no reason.

    An answer is a fact about the status that the owner was asked in. After the order has moved on, its reason is
    history, but its date counts unless a newer event gave another one.
    """
    question = questions.find(order, answer.episode, answer.number)
    if question is None or not questions.can_be_answered(order, question, now):
        return Decision(order=order, reason=Reason.ALREADY_SEEN)
    known = questions.replied(order, question, answer.reply, answer.author, now)
    match answer.reply:
        case Reply.TELL:
            rank = questions.rank_of_answer(order, question, answer.seen)
            known = episodes.with_facts(known, facts.merged(order.facts, answer.facts, rank))
            known = promises.after_answer(known, plan, now)
            return repeats.on_answer(order, known, plan.touchpoint(order.status), plan, now)
        case Reply.ON_TRACK:
            promised = order.facts.get("promised_at")
            if promised is not None and promised.rank <= questions.rank_of_answer(order, question, answer.seen):
                known = promises.on_track(known, plan, now)  # the author could know of this date
            return Decision(order=known, reason=Reason.ON_TRACK)
        case Reply.PASS_ON:
            following = questions.next_owner(question, plan)
            if following is None:
                return Decision(order=order, reason=None)
            if question.closed_at is not None:
                return Decision(order=known, reason=Reason.PASSED_ON)
            date = question_due.date_asked(order, question, plan, now)
            known, notification = questions.asked(known, following, Reason.PASSED_ON, now, due=now, promise=date)
            return Decision(order=known, notifications=(notification,), reason=Reason.PASSED_ON)
