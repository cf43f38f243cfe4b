"""Who runs a command."""

from __future__ import annotations

import getpass

from avisa.cli.exits import usage


def login() -> str:
    """The login name of the user. Raises Failure if the machine knows none, as in some containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        raise usage("--author: whoever runs this has no login name; say who it is") from None
