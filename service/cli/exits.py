"""How a command ends. Codes from 64 up are those of sysexits.h."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    DONE = 0
    FINDINGS = 1  # or the thing asked for is not there
    USAGE = 64
    FAULT = 70  # our own
    STORAGE = 74
    CONFIGURATION = 78


class Failure(Exception):  # noqa: N818 -- it is an outcome that `main` prints, no error of the program
    """A command cannot do what it was asked. `main` prints why, and ends with the exit code.

    `error` is one word for programs; `message` is for people, one line for each thing wrong.
    """

    def __init__(self, exit: Exit, error: str, message: str) -> None:
        super().__init__(message)
        self.exit = exit
        self.error = error
        self.message = message


def not_there(message: str) -> Failure:
    return Failure(Exit.FINDINGS, "not_found", message)


def usage(message: str) -> Failure:
    return Failure(Exit.USAGE, "usage", message)


def misconfigured(problems: list[str]) -> Failure:
    return Failure(Exit.CONFIGURATION, "configuration", "\n".join(problems))
