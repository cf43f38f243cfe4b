"""What was measured of a variant, and how it is shown. Nothing here measures."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import ceil, comb

FEWEST = 6  # rounds that tell in which interval their median lies, with 95 %
SLOWER = 1.03  # in multiples of what it is compared with: from here on it counts as slower


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """Of one variant. None is what it has not, or what was not measured."""

    mails_per_s: float
    cpu_us_per_mail: float  # of the service's processes; their threads, the interpreter and the kernel included
    postgres_cpu_us_per_mail: float  # of the server's processes, what the waiting variants ask of it included
    p50_ms: float | None = None  # from publishing an event to its mail's acceptance, at half of `mails_per_s`
    p99_ms: float | None = None
    rss_mb: float | None = None  # at most, of all processes of the variant together
    idle_mb: float | None = None  # once it is ready, before the first event


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """One turn of a variant."""

    mails_per_s: float
    cpu_us: Mapping[str, float]  # a mail: of the service, and of what it shares the cores with


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """One variant in multiples of another: the median over the rounds, and between which two the median of many more
    rounds would lie, in 19 of 20 benches."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.3g} [{self.low:.3g}..{self.high:.3g}]"

    @property
    def verdict(self) -> str:
        """Whether the one needs more than the other, as far as these rounds can tell."""
        if self.high < SLOWER:
            return "not slower"
        return "SLOWER" if self.low > SLOWER else "undecided: more rounds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is aimed at. `got` is None if it was not measured in this run."""

    what: str
    got: float | None
    wanted: float
    at_most: bool = False
    unit: str = ""

    @property
    def verdict(self) -> str:
        if self.got is None:
            return "not measured"
        met = self.got <= self.wanted if self.at_most else self.got >= self.wanted
        return "met" if met else "MISSED"

    def cells(self) -> list[str]:
        """What is asked, what came out, and whether that is enough."""
        sign = "≤" if self.at_most else "≥"
        return [self.what, f"{sign} {self.wanted:g}{self.unit}", figure(self.got, self.unit), self.verdict]


def percentile(values: Sequence[float], q: float) -> float:
    """The smallest value that `q` per cent of all do not exceed (nearest rank)."""
    if not values:
        raise ValueError("there is no percentile of nothing")
    return sorted(values)[max(1, ceil(len(values) * q / 100)) - 1]


def middle(paces: Sequence[Pace]) -> Pace:
    """The median of each number over the rounds."""
    return Pace(
        mails_per_s=statistics.median(pace.mails_per_s for pace in paces),
        cpu_us={name: statistics.median(pace.cpu_us[name] for pace in paces) for name in paces[0].cpu_us},
    )


def paired(these: Sequence[float], those: Sequence[float]) -> Ratio:
    """`these` in multiples of `those`, round by round: what slows the machine for minutes slows both.

    Raises ValueError if there is not one of each in every round, or if there are fewer than six rounds.
    """
    if len(these) < FEWEST:
        raise ValueError(f"{len(these)} rounds are too few for an interval: at least {FEWEST}")
    ratios = sorted(this / that for this, that in zip(these, those, strict=True))
    spared = _outside(len(ratios))
    return Ratio(median=statistics.median(ratios), low=ratios[spared], high=ratios[-1 - spared])


def _outside(many: int) -> int:
    """How many of so many sorted values lie, on each side, outside of the interval that holds the true median with a
    probability of 95 % (of the sign test)."""
    spared, below = 0, 1
    while (below := below + comb(many, spared + 1)) / 2**many <= 0.025:
        spared += 1
    return spared


def figure(value: float | None, unit: str = "") -> str:
    """A number with as many digits as tell something."""
    if value is None:
        return "-"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}{unit}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as they need; the first to the left, the others to the right."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        rest = [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
        return "  ".join([cells[0].ljust(widths[0]), *rest]).rstrip()

    return "\n".join([line(head), line(["-" * width for width in widths]), *map(line, rows)])


def ratio(this: float | None, that: float | None) -> float | None:
    """`this` in multiples of `that`."""
    return None if this is None or not that else this / that


def document(variants: Mapping[str, Numbers], ratios: Mapping[str, float | Ratio | None]) -> dict[str, object]:
    """What `bench.json` holds (docs/reference.md, JSON). Of a ratio of rounds the median, and its interval apart."""
    shown = {name: {key: _rounded(value) for key, value in asdict(one).items()} for name, one in variants.items()}
    medians = {name: one.median if isinstance(one, Ratio) else one for name, one in ratios.items()}
    between = {name: [one.low, one.high] for name, one in ratios.items() if isinstance(one, Ratio)}
    return {
        "variants": shown,
        "ratios": {name: _rounded(value) for name, value in medians.items()},
        "intervals": {name: [_rounded(end) for end in ends] for name, ends in between.items()},
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")
