"""`avisa counts`: every event and notification by what came of it."""

from __future__ import annotations

from avisa import views
from avisa.cli.answer import answer
from avisa.cli.session import read_store
from avisa.cli.views import tables


def counts() -> None:
    answer.give(read_store(views.counts), tables.counts)
