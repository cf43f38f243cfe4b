"""The oracle: an independent judge of what Avisa did.

It reads what was published, the plan, and what the mail server received; it imports nothing from
`service` and recomputes from the rules alone what must, what may and what must not have been sent.
"""

from tests.oracle.judge import judge
from tests.oracle.plan import Plan, read_plan
from tests.oracle.testimony import Answered, Counts, Latitude, Published, Received, message_id, read_mail
from tests.oracle.verdict import Kind, Verdict, Violation

__all__ = [
    "Answered",
    "Counts",
    "Kind",
    "Latitude",
    "Plan",
    "Published",
    "Received",
    "Verdict",
    "Violation",
    "judge",
    "message_id",
    "read_mail",
    "read_plan",
]
