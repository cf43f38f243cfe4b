"""Promise 5: every event and every notification ends in exactly one counted state."""

from __future__ import annotations

from collections.abc import Sequence

from tests.oracle.course import Course
from tests.oracle.testimony import Counts, Latitude
from tests.oracle.verdict import Kind, Verdict

_OF_NEWS = frozenset({"entered", "repeated", "facts_changed"})  # which, depends on what an owner said meanwhile
_UNSETTLED = ("queued", "held", "sending", "retrying")


def check_counts(
    counts: Counts, courses: Sequence[Course], mails: set[str], latitude: Latitude, verdict: Verdict
) -> None:
    """Add up what `avisa counts` says, and hold it against records and mails; everything has been drained."""
    events, notifications = counts.events, counts.notifications
    by_reason: dict[str, int] = events["by_reason"]
    by_state: dict[str, int] = notifications["by_state"]

    def expect(true: bool, text: str) -> None:
        if not true:
            verdict.add(Kind.COUNTS, "-", text)

    read = events["read"]
    expect(read == sum(by_reason.values()) + events["dead_letters"], f"events do not add up: {dict(events)}")
    decided = notifications["decided"]
    expect(decided == sum(by_state.values()), f"notifications do not add up: {dict(notifications)}")
    for state in _UNSETTLED:
        expect(by_state.get(state, 0) == 0, f"{by_state.get(state, 0)} notifications are still {state}")
    sent, doubtful = by_state.get("sent", 0), by_state.get("in_doubt", 0)
    expect(sent <= len(mails) <= sent + doubtful, f"{sent} sent and {doubtful} in doubt, but {len(mails)} mails")

    steps = [step for course in courses for step in course.steps if not step.by_owner]
    unplaced = {id(step) for course in courses if not course.sure for step in course.steps}
    expect(read >= len(steps), f"{read} read of {len(steps)} published")
    again = read - len(steps)  # read once more after a kill or an outage
    may_be = bool(latitude.kills) or latitude.rereads
    expect(again == 0 or may_be, f"{read} read of {len(steps)} published, and nothing was away")
    reasons = [
        step.reasons | _OF_NEWS if id(step) in unplaced and step.reasons & _OF_NEWS else step.reasons
        for step in steps
    ]
    for reason in sorted(set(by_reason).union(*reasons)):
        least = sum(it == {reason} for it in reasons)
        most = sum(reason in it for it in reasons)
        if reason == "already_seen":
            least, most = least + again, most + again
        found = by_reason.get(reason, 0)
        expect(least <= found <= most, f"{reason}: {found} counted, {least} to {most} expected")
