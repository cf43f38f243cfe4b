"""`avisa config`: the settings and where they come from."""

from __future__ import annotations

from avisa.cli.answer import answer
from avisa.cli.session import load_settings
from avisa.cli.views import tables
from avisa.settings import describe


def config() -> None:
    answer.give({"settings": describe(load_settings())}, tables.settings)
