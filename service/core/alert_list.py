"""Alerts of one kind to one owner: the first goes out at once, those of the next hour together in one mail.

For example, 60 orders get an unknown status within a minute. The owner reads of one at once, and an hour later of 59
in a list. The list is the mail of the alert that leads it; the others are settled with that mail.
"""

from __future__ import annotations

from datetime import timedelta

from avisa.core.model import Notification, Purpose, State

EVERY = timedelta(hours=1)
MOST_TOLD = 10_000  # alerts that one mail settles
MOST_SHOWN = 50  # orders that one mail names; it counts the others


def kind_and_owner(notification: Notification) -> str | None:
    """The kind of an alert and its recipient, such as `stuck/owner:care`: what is gathered in one list. None for a
    notification that is no alert."""
    if notification.purpose is not Purpose.OWNER_ALERT:
        return None
    return f"{notification.ordinal}/{notification.recipient}"


def may_lead(notification: Notification) -> bool:
    """True for an alert whose mail may list other alerts, too: no attempt has begun, and it has waited before, either
    for the hour to pass or for the mail server."""
    alert = notification.purpose is Purpose.OWNER_ALERT
    return alert and not notification.begun and notification.state is not State.QUEUED
