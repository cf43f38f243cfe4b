"""Which steps there are to die at."""

from __future__ import annotations

import random
from collections.abc import Collection

from tests.crash.campaign import AtInstant, Blow, OfSender, instants
from tests.tools.proxy import Step
from tests.tools.sink import Fault, Stage

# The steps that the sweep must know of; a counting run that does not come by all of them is itself a failure.
EXPECTED = frozenset(
    {("fetch", "after"), ("claim", "after"), ("due", "after"), ("transaction", "before")}
    | {
        (name, when)
        for name in ("load", "commit-of-intake", "commit-of-others", "begin", "deliver", "settle", "offset-commit")
        for when in ("before", "after")
    }
)
_TIMES = (1, 2, 4)
_TRANSACTIONS = (1, 2, 3, 5, 8, 13, 21, 34)  # of any kind, those of the start among them
_SMTP: tuple[Stage, ...] = ("connect", "ehlo", "mail", "rcpt", "data", "dot")


def all_steps(reached: Collection[tuple[str, str]]) -> list[Step]:
    """Every kind of step that a counting run came by, several times each. Raises if one is not there any more."""
    missing = EXPECTED - set(reached)
    if missing:
        raise LookupError(f"the counting run never came to {sorted(missing)}: this harness must follow the code")
    return [
        Step(name, "before" if when == "before" else "after", nth)
        for name, when in sorted(reached)
        for nth in (_TRANSACTIONS if name == "transaction" else _TIMES)
    ]


def smtp_blows() -> list[Blow]:
    """Killed at every stage of a mail, before and after the server did its part; and the connection cut there."""
    blows: list[Blow] = [Fault(stage="body", do="kill"), Fault(stage="body", do="cut")]
    for stage in _SMTP:
        nth = 1 if stage in ("connect", "ehlo") else 3
        blows += [Fault(stage=stage, when="before", do="kill", nth=nth), Fault(stage=stage, when="before", nth=nth)]
        blows += [Fault(stage=stage, when="after", do="kill", nth=nth), Fault(stage=stage, when="after", nth=nth)]
    return blows


def sender_blows(count: int, rng: random.Random) -> list[Blow]:
    """The sender process killed at every stage of a mail, and killed or frozen at random instants."""
    stages = [blow for blow in smtp_blows() if isinstance(blow, Fault) and blow.do == "kill"]
    at_instants = [blow for blow in instants(count, rng) if isinstance(blow, AtInstant)]
    killed = [OfSender(blow) for blow in [*stages, *at_instants]]
    return [*killed, *(OfSender(blow, frozen=True) for blow in at_instants[: max(1, count // 4)])]


def wrong_builds() -> dict[str, list[Blow]]:
    """What is wrong on purpose, and where dying shows it."""
    return {
        "offset_before_transaction": [Step("commit-of-intake", "before", nth) for nth in (1, 2, 3, 4)],
        "settled_before_receipt": [Step("deliver", "before", nth) for nth in (1, 2, 3, 4)],
    }
