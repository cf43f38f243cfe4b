"""The judge: holds what was sent against what had to be, could be and must not be sent.

It looks up what each mail is about, sets doubles apart, and then takes one order after the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from tests.oracle.alerts import Alerts
from tests.oracle.case import Case
from tests.oracle.course import course_of
from tests.oracle.names import Name, Sent, names_of
from tests.oracle.plan import Plan
from tests.oracle.sums import check_counts
from tests.oracle.testimony import Answered, Counts, Latitude, Published, Received, message_id
from tests.oracle.verdict import Kind, Verdict


def judge(
    published: Sequence[Published],
    received: Sequence[Received],
    plan: Plan,
    latitude: Latitude,
    counts: Counts | None = None,
    answers: Sequence[Answered] = (),
) -> Verdict:
    """Everything that is wrong with `received`, in the order of receipt; `published` in the order of publishing.

    Each order must have an address of its own.
    """
    verdict = Verdict()
    records: dict[str, list[Published]] = defaultdict(list)
    order_at: dict[str, str] = {}
    for record in published:
        records[record.order_id].append(record)
        address = (record.event.get("customer") or {}).get("email")
        if address:
            order_at[address] = record.order_id
    reminded = defaultdict(list)
    for mail in received:
        if mail.purpose in ("reminder", "promise_at_risk", "promise_broken") and mail.to in order_at:
            reminded[order_at[mail.to]].append(mail.at)
    answered = defaultdict(list)
    for answer in answers:
        answered[answer.order_id].append(answer)
        if answer.acted > 1:
            text = f"the answer to question {answer.number} of episode {answer.episode} acted {answer.acted} times"
            verdict.add(Kind.DUPLICATE, answer.order_id, text)
    courses = {
        order_id: course_of(order_id, rows, plan, latitude, reminded[order_id], answered[order_id])
        for order_id, rows in records.items()
    }
    verdict.answers = sum(len(course.answers) for course in courses.values())
    verdict.unplaced = sum(not course.sure for course in courses.values())
    names = {
        message_id(name.key, domain): name
        for course in courses.values()
        for name in names_of(course, plan)
        for domain in plan.domains
    }
    alerts = Alerts()
    first: dict[str, Received] = {}
    sent: dict[str, list[Sent]] = defaultdict(list)
    for mail in received:
        name = names.get(mail.message_id)
        if name is None or name.purpose != mail.purpose:
            order_id = order_at.get(mail.to, "?")
            verdict.add(Kind.UNEXPECTED, order_id, f"{mail.purpose} {mail.subject!r} at {mail.at}")
            continue
        if mail.message_id in first:
            _check_double(name, first[mail.message_id], mail, sent[name.order_id], latitude, verdict)
            continue
        first[mail.message_id] = mail
        verdict.order_of[mail.message_id] = name.order_id
        verdict.mails[mail.purpose] += 1
        sent[name.order_id].append(Sent(name, mail))
        alerts.take(name, mail)
    alerts.check(latitude, verdict)
    for order_id, course in courses.items():
        numbers = {str((row.event.get("details") or {}).get("number", order_id)) for row in records[order_id]}
        Case(course, sent[order_id], plan, latitude, verdict, alerts, numbers).hear()
    if counts is not None:
        check_counts(counts, list(courses.values()), set(first), latitude, verdict)
    return verdict


def _check_double(
    name: Name, first: Received, again: Received, sent: list[Sent], latitude: Latitude, verdict: Verdict
) -> None:
    """Promise 4: a second copy only where the first one's receipt may have been lost, and then the same mail."""
    if first.digest != again.digest:
        verdict.add(Kind.OTHER_BYTES, name.order_id, f"{name.key} at {first.at} and {again.at}")
    if not latitude.excuses(first.at, again.at):
        verdict.add(Kind.DUPLICATE, name.order_id, f"{name.key} at {first.at} and {again.at}")
        return
    verdict.excused += 1
    newest = max((mail.name.episode for mail in sent if mail.name.to_customer), default=0)
    if name.to_customer and name.episode < newest:
        verdict.add(Kind.OUT_OF_ORDER, name.order_id, f"{name.key} again at {again.at}, after episode {newest}")
