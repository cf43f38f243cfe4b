"""The pure parts of the bench. Speed itself is printed by `make bench`, never asserted."""

from __future__ import annotations

import pytest

from tests.bench.numbers import (
    Numbers,
    Pace,
    Ratio,
    Target,
    document,
    figure,
    middle,
    paired,
    percentile,
    ratio,
    table,
)
from tests.bench.orders import address, event, number_of


def pace(mails_per_s: float) -> Pace:
    return Pace(mails_per_s=mails_per_s, cpu_us={"service": 1e6 / mails_per_s})


def test_a_percentile_is_one_of_the_values() -> None:
    values = [float(n) for n in range(100, 0, -1)]
    assert percentile(values, 50) == 50
    assert percentile(values, 99) == 99
    assert percentile(values, 100) == 100
    assert percentile([7.0], 1) == 7.0
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 50)


def test_one_bad_round_does_not_move_the_middle() -> None:
    assert middle([pace(1000), pace(20), pace(1100)]) == pace(1000)


def test_a_target_says_plainly_whether_it_is_met() -> None:
    assert Target(what="", got=15.0, wanted=15).verdict == "met"
    assert Target(what="", got=14.9, wanted=15).verdict == "MISSED"
    assert Target(what="", got=121.0, wanted=120, at_most=True).verdict == "MISSED"
    assert Target(what="", got=None, wanted=1).verdict == "not measured"


def test_a_table_lines_its_columns_up() -> None:
    assert table(["", "mails/s"], [["naive", figure(307.2)], ["avisa_sqlite", figure(4_911.0)]]).splitlines() == [
        "              mails/s",
        "------------  -------",
        "naive             307",
        "avisa_sqlite    4,911",
    ]


def test_rounds_on_a_machine_that_changes_its_speed_still_tell_the_ratio() -> None:
    speeds = [1.0, 2.1, 1.9, 1.0, 1.1, 1.6, 0.9, 1.2]
    now, then = [1.1 * speed for speed in speeds], [1.0 * speed for speed in speeds]
    assert str(paired(now, then)) == "1.1 [1.1..1.1]"
    assert paired(now, then).verdict == "SLOWER"
    assert paired(then, now).verdict == "not slower"
    with pytest.raises(ValueError, match="shorter"):
        paired(now, then[1:])
    with pytest.raises(ValueError, match="too few"):
        paired(now[:5], then[:5])


def test_what_the_rounds_cannot_tell_is_undecided() -> None:
    assert paired([0.9, 1.2, 1.0, 1.3, 0.8, 1.1], [1.0] * 6).verdict == "undecided: more rounds"
    assert Ratio(median=1.0, low=0.98, high=1.02).verdict == "not slower"


@pytest.mark.parametrize(("rounds", "low", "high"), [(6, 1, 6), (8, 1, 8), (9, 2, 8), (12, 3, 10), (40, 14, 27)])
def test_the_interval_is_that_of_the_sign_test(rounds: int, low: int, high: int) -> None:
    """As tabled for the confidence interval of a median, at 95 %."""
    found = paired([float(n) for n in range(rounds, 0, -1)], [1.0] * rounds)
    assert (found.low, found.high) == (low, high)


def test_bench_json_has_the_shape_of_the_contract() -> None:
    numbers = Numbers(
        mails_per_s=4911.17,
        cpu_us_per_mail=203.6,
        postgres_cpu_us_per_mail=0.0,
        p50_ms=4.44,
        p99_ms=None,
        rss_mb=131.2,
    )
    ratios = {"sqlite_to_naive_kept": Ratio(median=15.987, low=14.2, high=16.1), "none": ratio(1, None)}
    assert document({"avisa_sqlite": numbers}, ratios) == {
        "variants": {
            "avisa_sqlite": {
                "mails_per_s": 4911.0,
                "cpu_us_per_mail": 203.6,
                "postgres_cpu_us_per_mail": 0.0,
                "p50_ms": 4.44,
                "p99_ms": None,
                "rss_mb": 131.2,
                "idle_mb": None,
            }
        },
        "ratios": {"sqlite_to_naive_kept": 15.99, "none": None},
        "intervals": {"sqlite_to_naive_kept": [14.2, 16.1]},
    }


def test_every_order_has_a_customer_of_its_own() -> None:
    assert [number_of(address(number)) for number in range(1000)] == list(range(1000))
    assert event(5)["order_id"] == "A-5"
