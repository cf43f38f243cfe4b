"""The states of a notification, and every move between two of them.

A notification is born when its decision is stored: QUEUED; or SENDING, if its first attempt begins in the same
transaction; or DROPPED, if something later in the same batch overtook it. From there:

    who moves it    what happened
    ------------    -------------------------------------------------------------------------
    commit          a newer decision superseded it before any attempt: DROPPED
    gate            not yet: HELD, or RETRYING if an earlier attempt is in doubt
                    never: DROPPED, or IN_DOUBT if an earlier attempt is in doubt
    begin           an attempt starts and its draft is stored: SENDING
    receipt         accepted: SENT; temporary trouble or a lost answer: RETRYING
                    refused for good or given up: FAILED; given up in doubt: IN_DOUBT
    list            an alert is told by the mail of another one: when that is sent DROPPED, when it fails FAILED
    renderer        the message cannot be written: RETRYING until an operator mends it, at last FAILED
    operator        `avisa outbox drop`: DROPPED; `avisa outbox retry` of what failed or had no address: QUEUED

SENT and IN_DOUBT are final, and so is DROPPED, unless it was for want of an address. FAILED is settled too, but an
operator may queue it again; so they may what was dropped for want of an address.
"""

from __future__ import annotations

from collections.abc import Mapping

from avisa.core.model import State

BORN = frozenset({State.QUEUED, State.SENDING, State.DROPPED})

LEGAL_MOVES: Mapping[State, frozenset[State]] = {
    State.QUEUED: frozenset({State.HELD, State.SENDING, State.RETRYING, State.DROPPED, State.FAILED}),
    State.HELD: frozenset({State.SENDING, State.RETRYING, State.DROPPED, State.FAILED}),
    State.SENDING: frozenset({State.RETRYING, State.SENT, State.DROPPED, State.FAILED, State.IN_DOUBT}),
    State.RETRYING: frozenset({State.HELD, State.SENDING, State.DROPPED, State.FAILED, State.IN_DOUBT}),
    State.SENT: frozenset(),
    State.DROPPED: frozenset({State.QUEUED}),  # for want of an address, by an operator
    State.FAILED: frozenset({State.QUEUED}),
    State.IN_DOUBT: frozenset(),
}


def may_move(before: State | None, after: State) -> bool:
    """True if a notification may go from `before` to `after`; `before` is None at its birth.

    To stay in a state is no move, and always allowed: a hold can be prolonged, an attempt in doubt made again.
    """
    if before is None:
        return after in BORN
    return before is after or after in LEGAL_MOVES[before]
