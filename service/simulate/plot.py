"""A picture of the silence of customers, in two colours: if only events were told, and with the plan's reminders and
notices.

The left half shows the share of customers who hear nothing for longer than so many days. The right half shows the
silence in each touchpoint: its median (the dot) and its 95th percentile (the end of the line).
"""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from avisa.core.distribution import Distribution
from avisa.core.plan import Plan
from avisa.simulate.figures import Figures

NAMES = ("silence.svg", "silence.png")

_BEFORE, _AFTER, _GRID = "#9a9a9a", "#1f5fbf", "#dddddd"
_SIZE, _DPI = (11.0, 4.6), 150  # inches, dots an inch
_TENTHS_A_DAY = 240  # a `Distribution` counts durations in tenths of an hour
_SHOWN = 0.99  # the longest silences, one in a hundred, are cut off: they would flatten all others


def write(figures: Figures, plan: Plan, folder: Path) -> list[Path]:
    """Write the picture to the folder as SVG and PNG, and return their paths. Raises OSError if that fails."""
    folder.mkdir(parents=True, exist_ok=True)
    # So text stays text in an SVG, and the same figures make the same bytes.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "avisa", "font.size": 10}):
        drawn = Figure(figsize=_SIZE, layout="constrained")
        left, right = drawn.subplots(1, 2, width_ratios=(3, 2))
        _curves(left, figures)
        _touchpoints(right, figures, plan)
        paths = [folder / name for name in NAMES]
        for path in paths:
            drawn.savefig(path, dpi=_DPI, metadata={"Date": None} if path.suffix == ".svg" else None)
    return paths


def _curves(axes: Axes, figures: Figures) -> None:
    for silences, label, color in (
        (figures.silence_before, "events alone", _BEFORE),
        (figures.silence, "with this plan", _AFTER),
    ):
        days, shares = _left_silent(silences)
        axes.step(days, shares, where="post", color=color, linewidth=2, label=label)
    most = max((it.share(_SHOWN) or 0) for it in (figures.silence, figures.silence_before))
    axes.set(xlim=(0, max(most / _TENTHS_A_DAY, 1)), ylim=(0, 100), xlabel="days")
    axes.set_title("Customers who hear nothing for longer than …")
    axes.yaxis.set_major_formatter(PercentFormatter())
    axes.legend(frameon=False)
    _plain(axes)


def _left_silent(silences: Distribution) -> tuple[list[float], list[float]]:
    """The points of a curve: days, and the share of orders, in percent, that had a longer silence."""
    whole = silences.counts.total()
    days, shares, longer = [0.0], [100.0], whole
    for tenths in sorted(silences.counts):
        longer -= silences.counts[tenths]
        days.append(tenths / _TENTHS_A_DAY)
        shares.append(100 * longer / whole)
    return days, shares


def _touchpoints(axes: Axes, figures: Figures, plan: Plan) -> None:
    statuses = [
        status
        for status in reversed([*plan.touchpoints])
        if status in figures.touchpoints and figures.touchpoints[status].silence.counts
    ]
    for place, status in enumerate(statuses):
        silences = figures.touchpoints[status]
        for distribution, color, shift in (
            (silences.silence_before, _BEFORE, 0.14),
            (silences.silence, _AFTER, -0.14),
        ):
            median, most = ((distribution.share(share) or 0) / _TENTHS_A_DAY for share in (0.5, 0.95))
            axes.plot([median, most], [place + shift] * 2, color=color, linewidth=3, solid_capstyle="butt")
            axes.plot([median], [place + shift], color=color, marker="o", markersize=7)
    axes.set_yticks(range(len(statuses)), statuses)
    axes.set(ylim=(-0.6, len(statuses) - 0.4), xlabel="days")
    axes.set_title("Silence by touchpoint: median and 95 %")
    axes.set_xlim(left=0)
    _plain(axes)


def _plain(axes: Axes) -> None:
    axes.grid(color=_GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
