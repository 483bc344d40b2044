from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import ParameterError
from app.search import histogram
from app.search.engine import Bucket, Unit


def counts(*days: str) -> Counter[int]:
    return Counter(date.fromisoformat(day).toordinal() for day in days)


@pytest.mark.parametrize(
    ("unit", "starts"),
    [
        ("day", ["2024-02-28", "2024-02-29", "2024-03-01"]),
        ("week", ["2024-02-26"]),
        ("month", ["2024-02-01", "2024-03-01"]),
        ("year", ["2024-01-01"]),
    ],
)
def test_periods_without_articles_are_there_too(unit: Unit, starts: list[str]) -> None:
    found = histogram.histogram(counts("2024-02-28", "2024-03-01", "2024-03-01"), unit)
    assert [bucket.start.isoformat() for bucket in found] == starts
    assert sum(bucket.count for bucket in found) == 3


def test_bounds_widen_a_histogram_and_coverage_stands_beside() -> None:
    bounds = (date(2024, 1, 30).toordinal(), date(2024, 4, 1).toordinal())
    found = histogram.histogram(
        counts("2024-02-28"), "month", counts("2024-02-01", "2024-02-28", "2024-03-05"), bounds
    )
    assert found == [
        Bucket(date(2024, 1, 1), 0, 0),
        Bucket(date(2024, 2, 1), 1, 2),
        Bucket(date(2024, 3, 1), 0, 1),
        Bucket(date(2024, 4, 1), 0, 0),
    ]


def test_nothing_found_within_no_bounds_is_no_period() -> None:
    assert histogram.histogram(Counter(), "day") == []
    bounds = (date(2024, 1, 1).toordinal(), date(2025, 1, 1).toordinal())
    assert histogram.histogram(Counter(), "year", None, bounds) == [
        Bucket(date(2024, 1, 1), 0),
        Bucket(date(2025, 1, 1), 0),
    ]


def test_too_many_periods_that_hold_articles_are_refused() -> None:
    days = range(700_000, 700_000 + histogram.MOST_BUCKETS)
    assert len(histogram.histogram(Counter(days), "day")) == histogram.MOST_BUCKETS
    with pytest.raises(ParameterError, match="narrow the dates"):
        histogram.histogram(Counter([*days, 1]), "day")


def test_periods_without_articles_do_not_count_and_are_left_out_of_a_long_time() -> None:
    long = counts("0001-01-01", "2024-01-01", "2024-01-03")
    found = [(str(bucket.start), bucket.count) for bucket in histogram.histogram(long, "day")]
    assert found == [("0001-01-01", 1), ("2024-01-01", 1), ("2024-01-03", 1)]
    bounds = (date(1, 1, 1).toordinal(), date(2024, 12, 31).toordinal())
    covered = histogram.histogram(counts("2024-01-01"), "day", counts("2020-02-02"), bounds)
    assert covered == [Bucket(date(2020, 2, 2), 0, 1), Bucket(date(2024, 1, 1), 1, 0)]


@given(
    st.lists(st.dates(date(1990, 1, 1), date(1999, 12, 31)), min_size=1, max_size=30),
    st.sampled_from(["day", "week", "month", "year"]),
)
def test_each_article_is_counted_in_its_period(days: list[date], unit: Unit) -> None:
    found = histogram.histogram(Counter(day.toordinal() for day in days), unit)
    starts = [bucket.start for bucket in found]
    assert starts == sorted(set(starts))
    for bucket, end in zip(found, [*starts[1:], date.max], strict=True):
        assert bucket.count == sum(1 for day in days if bucket.start <= day < end)
        if end != date.max:
            longest = {"day": 1, "week": 7, "month": 31, "year": 366}[unit]
            assert timedelta(days=1) <= end - bucket.start <= timedelta(days=longest)


def test_the_commonest_values_come_first_and_ties_by_name() -> None:
    assert histogram.top(Counter(b=2, a=2, c=5, d=1), 3) == [("c", 5), ("a", 2), ("b", 2)]


def test_hours_are_those_of_the_zone_and_empty_ones_stand_between() -> None:
    kolkata = ZoneInfo("Asia/Kolkata")
    instants = [datetime(2024, 3, 31, 1, 10, tzinfo=UTC), datetime(2024, 3, 31, 3, 29, tzinfo=UTC)]
    hours = Counter(histogram.hour_in(kolkata, at) for at in instants)
    found = histogram.histogram(hours, "hour", time_zone="Asia/Kolkata")
    assert [(bucket.start.isoformat(), bucket.count) for bucket in found] == [
        ("2024-03-31T06:00:00+05:30", 1),
        ("2024-03-31T07:00:00+05:30", 0),
        ("2024-03-31T08:00:00+05:30", 1),
    ]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Australia/Lord_Howe"])
def test_hours_go_on_where_clocks_are_set(zone: str) -> None:
    local = ZoneInfo(zone)
    year = [datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 6, 1, tzinfo=UTC)]
    found = histogram.histogram(
        Counter(histogram.hour_in(local, at) for at in year), "hour", time_zone=zone
    )
    starts = [bucket.start for bucket in found]
    assert starts == sorted(set(starts))
    assert len(starts) in {24 * 152 + 1, 24 * 152 + 2}


def test_a_day_alone_is_in_the_first_hour_of_that_day() -> None:
    hour = histogram.hour_in(
        ZoneInfo("Asia/Karachi"), datetime(2024, 3, 31, tzinfo=UTC), is_day=True
    )
    (bucket,) = histogram.histogram(Counter([hour]), "hour", time_zone="Asia/Karachi")
    assert bucket.start.isoformat() == "2024-03-31T00:00:00+05:00"
