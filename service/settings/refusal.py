"""Why the service does not start, for the operator."""

from __future__ import annotations


class Misconfigured(Exception):  # noqa: N818 -- it is an answer for the operator, a line for each thing wrong
    """The start is refused; `problems` has one line for each thing that is wrong."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
