"""Why the service does not start."""

from __future__ import annotations


class Misconfigured(Exception):  # noqa: N818 -- the operator reads it: what is so, a line for each problem
    """The service cannot start as it is set up; `problems` has one line for each thing that is wrong."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
