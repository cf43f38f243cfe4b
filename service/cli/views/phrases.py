"""Each reason in plain words, for people who read a timeline."""

from __future__ import annotations

from avisa.core.model import Reason

PHRASES: dict[Reason, str] = {
    Reason.ENTERED: "a new status",
    Reason.FACTS_CHANGED: "the facts changed",
    Reason.REPEATED: "nothing new to tell",
    Reason.ALREADY_SEEN: "this event was taken in before",
    Reason.OLDER_THAN_KNOWN: "older than the status known; its facts were kept",
    Reason.NOT_TO_TELL: "recorded without telling, as the event asks",
    Reason.TOO_OLD_TO_TELL: "too long ago to be news",
    Reason.UNKNOWN_STATUS: "a status that the plan does not know",
    Reason.WINDOW_PASSED: "no news within the window",
    Reason.REMINDERS_SPENT: "no news, and no reminder is left",
    Reason.NO_NEWS: "no news for so long that the owner is asked",
    Reason.PROMISE_NEAR: "the promised date is so near that the owner is asked whether it will be kept",
    Reason.UNANSWERED: "nothing came of asking, or telling, the owner before",
    Reason.PASSED_ON: "the owner passed it on",
    Reason.ON_TRACK: "all is on track",
    Reason.PROMISE_AT_RISK: "the promised date is near, and the order still here",
    Reason.PROMISE_BROKEN: "the promised date passed without a word of it",
    Reason.SUPERSEDED: "something newer says it better",
    Reason.QUIET_HOURS: "waits until the quiet hours are over",
    Reason.BURST_WAIT: "waits a moment for what may follow",
    Reason.FREQUENCY_CAP: "waits, because a moved date was told a short while ago",
    Reason.SNOOZED: "waits, because an operator holds it back",
    Reason.BLIND: "waits until we can see the feed again",
    Reason.FLOOD: "too many mails within a while",
    Reason.GATHERED: "waits to be told in one mail with others of its kind",
    Reason.UNSUBSCRIBED: "they asked for no reminders",
    Reason.NO_ADDRESS: "there is no address",
    Reason.ACCEPTED: "the mail server took it",
    Reason.LISTED: "told in one mail with others of its kind",
    Reason.REFUSED: "refused for good",
    Reason.EXPIRED: "given up after trying long enough",
    Reason.IN_DOUBT: "it may have arrived; the answer was lost",
    Reason.CANNOT_RENDER: "its message could not be written",
    Reason.DROPPED_BY_OPERATOR: "dropped by an operator",
}


def phrase(reason: str | None) -> str:
    """What `reason` means; a reason without a phrase speaks for itself."""
    if reason is None:
        return ""
    try:
        return PHRASES.get(Reason(reason), reason.replace("_", " "))
    except ValueError:
        return reason.replace("_", " ")
