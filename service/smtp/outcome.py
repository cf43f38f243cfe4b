"""What a reply means for its mail: the table of outcomes, as one pure function."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import lru_cache
from typing import Literal

from avisa.core.retry import Receipt, Verdict
from avisa.smtp.reply import Reply

Stage = Literal["mail", "rcpt", "data", "dot"]

SERVICE_CLOSES = 421  # RFC 5321 section 3.8: may come in place of any reply
_TOO_BIG = 552
_NEEDS_AUTH = 530  # RFC 4954 section 6: in place of any reply, and about us
_GREYLIST = re.compile(rb"gr[ae]y-?list|postgrey", re.IGNORECASE)
_REPUTATION = re.compile(
    rb"block ?list|black ?list|spamhaus|spamcop|barracuda|dns[bw]l|\brbl\b|reputation|\blisted (?:at|by|in|on)\b",
    re.IGNORECASE,
)


def outcome(stage: Stage, reply: Reply, greylisted_for: timedelta) -> Receipt:
    """Return the receipt for a mail that was refused at `stage`, or accepted after the dot."""
    code = reply.code
    if code < 300:
        return _accepted(code)
    text = reply.enhanced
    if code < 500:
        return _later(stage, reply, greylisted_for)
    if code == _NEEDS_AUTH:
        return Receipt(verdict=Verdict.REFUSED_US, stage=stage, code=code, text=text)
    if stage == "mail":
        # A size concerns this message. Whatever else is wrong with MAIL is wrong with the sender, that is with us.
        too_big = code == _TOO_BIG or text == "5.3.4"
        verdict = Verdict.PERMANENT if too_big else Verdict.REFUSED_US
        return Receipt(verdict=verdict, stage=stage, code=code, text=text)
    if stage == "rcpt" and code == _TOO_BIG:
        return _later(stage, reply, greylisted_for)  # RFC 5321 section 4.5.3.1.10: to be read as 452
    unknown = stage == "rcpt" and text.startswith("5.1.")
    return Receipt(verdict=Verdict.PERMANENT, stage=stage, code=code, text=text, address_unknown=unknown)


def about_reputation(reply: Reply) -> bool:
    """Return whether a refusal may mean us rather than this recipient: it is a 5.7.1, or names a blocklist."""
    return reply.enhanced == "5.7.1" or _REPUTATION.search(reply.text) is not None


def _later(stage: Stage, reply: Reply, greylisted_for: timedelta) -> Receipt:
    # At RCPT every "later" may be greylisting, where a return that is too early counts against us.
    greylisted = stage == "rcpt" or reply.enhanced == "4.7.1" or _GREYLIST.search(reply.text) is not None
    return Receipt(
        verdict=Verdict.TEMPORARY,
        stage=stage,
        code=reply.code,
        text=reply.enhanced,
        at_least=greylisted_for if greylisted else timedelta(0),
    )


@lru_cache(maxsize=100)
def _accepted(code: int) -> Receipt:
    return Receipt(verdict=Verdict.ACCEPTED, stage="dot", code=code)
