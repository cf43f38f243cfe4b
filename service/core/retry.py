"""What an attempt to deliver resulted in, and what follows from it."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from avisa.core.model import Reason
from avisa.core.quick_dataclass import dataclass


class Verdict(StrEnum):
    """How an attempt ended, as far as the channel can know."""

    ACCEPTED = "accepted"  # the next server took responsibility (RFC 5321 section 4.2.5)
    TEMPORARY = "temporary"
    PERMANENT = "permanent"  # this recipient or message will never be taken
    REFUSED_US = "refused_us"  # our configuration or reputation is refused; the customer is not to blame
    IN_DOUBT = "in_doubt"  # it may have been accepted; only the same bytes may be sent again


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a channel reports of one attempt. `text` holds no address, name or secret."""

    verdict: Verdict
    stage: str  # connect, greeting, ehlo, tls, auth, mail, rcpt, data, dot
    code: int | None = None
    text: str = ""
    at_least: timedelta = timedelta(0)  # do not try again sooner (greylisting)
    address_unknown: bool = False  # 5.1.x: the mailbox does not exist


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Back-off in real time: step n after attempt n, the last step for ever, until `give_up` has passed."""

    steps: tuple[timedelta, ...]
    give_up: timedelta


@dataclass(frozen=True, slots=True)
class Done:
    """It was accepted."""


@dataclass(frozen=True, slots=True)
class RetryAt:
    """Try again, not before `real`."""

    real: datetime
    in_doubt: bool = False


@dataclass(frozen=True, slots=True)
class GaveUp:
    """It will not be tried again."""

    reason: Reason


Step = Done | RetryAt | GaveUp


def next_step(
    receipt: Receipt,
    *,
    attempts: int,
    since_real: datetime,
    policy: RetryPolicy,
    now_real: datetime,
    jitter: float,
    doubted: bool = False,
) -> Step:
    """What follows from `receipt` after `attempts` attempts at what was decided at `since_real`.

    The wait is 75 to 125 % of its step, chosen by `jitter` in [0, 1), so that what failed together does not return
    together. Time alone ends nothing: a notification that an outage kept from being tried still gets every step.
    `doubted` says that an earlier attempt may have been accepted, whatever became of this one.
    """
    if receipt.verdict is Verdict.ACCEPTED:
        return Done()
    if receipt.verdict is Verdict.PERMANENT:
        return GaveUp(Reason.REFUSED)
    doubtful = doubted or receipt.verdict is Verdict.IN_DOUBT
    if now_real - since_real >= policy.give_up and attempts > len(policy.steps):
        return GaveUp(Reason.IN_DOUBT if doubtful else Reason.EXPIRED)
    step = policy.steps[min(attempts, len(policy.steps)) - 1]
    wait = max(step * (0.75 + jitter / 2), receipt.at_least)
    return RetryAt(now_real + wait, in_doubt=doubtful)
