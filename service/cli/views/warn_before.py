"""What `avisa check --live` prints about warnings of promised dates, for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType

from avisa.cli.views.tables import table


def text(rows: Sequence[Mapping[str, Any]]) -> RenderableType:
    """For each touchpoint that warns, what its `warn_before` would have done with the orders of the store."""
    heads = ("touchpoint", "warn_before", "orders", "warned", "late", "right", "missed", "95 % by")
    shown = []
    for row in rows:
        right = f"{row['late'] / row['warned']:.0%}" if row["warned"] else ""
        by = "" if row["catches_95_h"] is None else f"{row['catches_95_h']} h"
        shown.append(
            (
                row["status"],
                f"{row['hours']:g} h",
                row["orders"],
                row["warned"],
                row["late"],
                right,
                row["missed"],
                by,
            )
        )
    return table(heads, shown, numbers=heads[1:])
