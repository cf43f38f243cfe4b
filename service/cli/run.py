"""`avisa run`: the service itself."""

from __future__ import annotations

from avisa.cli.exits import misconfigured
from avisa.cli.session import load_settings
from avisa.settings.errors import Misconfigured


def run() -> int:
    settings = load_settings()
    from avisa import app  # here, for it takes much longer than to find a setting wrong

    try:
        return app.run(settings)
    except Misconfigured as refusal:
        raise misconfigured(refusal.problems) from None
