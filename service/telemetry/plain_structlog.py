"""structlog, imported without rich.

Where rich is installed, structlog imports it to draw exceptions. Avisa logs only type and place of an exception, so
rich would be 4 MB for nothing in a service that idles. Whoever imports structlog first must import it from here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def _absent(name: str) -> Iterator[None]:
    """Within this a package that is not imported yet cannot be imported (the import system's `sys.modules[name] =
    None`)."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]  # typeshed does not know of it
    try:
        yield
    finally:
        del sys.modules[name]


with _absent("rich"):
    import structlog as structlog
