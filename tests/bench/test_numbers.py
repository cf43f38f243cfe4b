"""The pure parts of the bench. Speed itself is printed by `make bench`, never asserted."""

from __future__ import annotations

import pytest

from tests.bench.numbers import Numbers, Pace, Target, document, figure, middle, percentile, ratio, table
from tests.bench.orders import address, event, number_of


def pace(mails_per_s: float) -> Pace:
    return Pace(mails_per_s=mails_per_s, cpu_us={"service": 1e6 / mails_per_s}, rss_mb=100.0)


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


def test_bench_json_has_the_shape_of_the_contract() -> None:
    numbers = Numbers(mails_per_s=4911.17, cpu_us_per_mail=203.6, p50_ms=4.44, p99_ms=None, rss_mb=131.2)
    ratios = {"sqlite_to_naive_kept": ratio(4911.17, 307.2), "none": ratio(1, None)}
    assert document({"avisa_sqlite": numbers}, ratios) == {
        "variants": {
            "avisa_sqlite": {
                "mails_per_s": 4911.0,
                "cpu_us_per_mail": 203.6,
                "p50_ms": 4.44,
                "p99_ms": None,
                "rss_mb": 131.2,
            }
        },
        "ratios": {"sqlite_to_naive_kept": 15.99, "none": None},
    }


def test_every_order_has_a_customer_of_its_own() -> None:
    assert [number_of(address(number)) for number in range(1000)] == list(range(1000))
    assert event(5)["order_id"] == "A-5"
