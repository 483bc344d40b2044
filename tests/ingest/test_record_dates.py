"""Dates of records: every form that is unambiguous, and nothing guessed."""

from __future__ import annotations

import doctest
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ingest import record_dates
from app.ingest.record_dates import Column

DAY = "2021-03-02T00:00:00+00:00"


def read(value: Any, zone: str | None = None) -> tuple[str | None, str | None]:
    found = Column(ZoneInfo(zone) if zone else None).take(value)
    return found.at.isoformat() if found.at else None, found.precision


@pytest.mark.parametrize(
    "value",
    [
        *("2021-03-02", "20210302", 20210302, "2021-W09-2", "2021W092", "2021-061", "2021061"),
        *("2021/3/2", "2021.03.02", "2.3.2021", "02.03.2021", "March 2, 2021", "2 Mar. 2021"),
        *("Tuesday, March 2nd, 2021", "2 mars 2021", "2. März 2021", "2 de marzo de 2021"),
        *("2021年3月2日", "2 марта 2021", "2-Mar-2021"),
    ],
)
def test_a_day_is_a_day(value: Any) -> None:
    assert read(value) == (DAY, "day")


@pytest.mark.parametrize(
    ("value", "at", "precision"),
    [
        ("2021-03-02T08:15:00Z", "08:15:00", "second"),
        ("2021-03-02T08:15Z", "08:15:00", "minute"),
        ("2021-03-02 09:15:00+01:00", "08:15:00", "second"),
        ("2021-03-02 09:15:00 +0100", "08:15:00", "second"),
        ("2021-03-02T08:15:07.123456789Z", "08:15:07", "second"),
        ("2021-03-02 08:15:00 UTC", "08:15:00", "second"),
        ("20210302T081500Z", "08:15:00", "second"),
        ("Tue, 02 Mar 2021 09:15:00 +0100", "08:15:00", "second"),
        ("2 Mar 2021 03:15 EST", "08:15:00", "minute"),
        ("Tue Mar 2 08:15:00 +0000 2021", "08:15:00", "second"),
        ("Mon Mar 02 2021 09:15:00 GMT+0100 (CET)", "08:15:00", "second"),
        ("March 2, 2021 3:15 AM EST", "08:15:00", "minute"),
        (1614672900, "08:15:00", "second"),
        (1614672900.7, "08:15:00", "second"),
        (1614672900000, "08:15:00", "second"),
        ("1614672900", "08:15:00", "second"),
        ("1614672900000000", "08:15:00", "second"),
    ],
)
def test_an_instant_is_in_utc(value: Any, at: str, precision: str) -> None:
    assert read(value) == (f"2021-03-02T{at}+00:00", precision)


@pytest.mark.parametrize(
    "value",
    ["2021-03-02 08:15:00", "20210302081500", "2 Mar 2021 08:15:00", "2 mars 2021 à 08:15:00"],
)
def test_a_time_without_a_zone_is_of_the_caller_s_zone_or_a_day(value: str) -> None:
    assert read(value, "Europe/Berlin") == ("2021-03-02T07:15:00+00:00", "second")
    assert read(value) == (DAY, "day")
    assert Column().take(value).doubt == "has no time zone: only its day is kept"


@pytest.mark.parametrize(
    "value",
    [
        *("0000-00-00 00:00:00", "2021-02-31", "2021-13-02", "2021-03", "2021", 2021, "March 2021"),
        *(
            "yesterday",
            "5 hours ago",
            "Tuesday",
            "03/02/21",
            "2021-03-02T25:00Z",
            "soon",
            "x" * 500,
        ),
        *(True, None, [], float("nan"), float("inf"), -5, 10**30, 12.5, "99999999999999999999"),
    ],
)
def test_what_is_no_full_date_is_none(value: Any) -> None:
    found = Column().take(value)
    assert (found.at, found.precision) == (None, None)
    assert found.doubt


@pytest.mark.parametrize("zone", ["IST", "BST", "CST"])
def test_a_zone_s_name_that_several_share_is_none(zone: str) -> None:
    assert read(f"March 2, 2021 10:00 {zone}") == (DAY, "day")


def test_the_other_dates_of_a_column_tell_the_order() -> None:
    column = Column()
    assert column.is_open("03/02/2021")
    assert column.take("03/02/2021").doubt == "may be day or month first"
    assert not column.is_open("25/02/2021")
    assert not column.is_open("03/02/2021")
    assert column.take("03/02/2021").at == datetime(2021, 2, 3, tzinfo=UTC)
    assert column.take("02/25/2021").doubt == "has another order of day and month than the column"


def test_a_day_that_is_its_month_needs_no_order() -> None:
    assert not Column().is_open("02/02/2021")
    assert read("02/02/2021") == ("2021-02-02T00:00:00+00:00", "day")


@given(st.lists(st.tuples(st.integers(1, 31), st.integers(1, 12)), min_size=1), st.booleans())
def test_no_column_has_two_orders(days: list[tuple[int, int]], day_first: bool) -> None:
    column = Column()
    written = [f"{d:02}/{m:02}/2021" if day_first else f"{m:02}/{d:02}/2021" for d, m in days]
    for each in written:
        column.is_open(each)
    for each, (day, month) in zip(written, days, strict=True):
        at = column.take(each).at
        assert at is None or (at.day, at.month) in {(day, month)} | (
            {(month, day)} if day == month else set()
        )


@given(st.text(max_size=90) | st.floats() | st.integers() | st.from_regex(r"\d+[/-]\d+[/-]\d+ .*"))
def test_no_value_crashes(value: Any) -> None:
    column = Column()
    column.is_open(value)
    found = column.take(value)
    assert (found.at is None) == (found.precision is None)
    assert found.at is None or found.at.utcoffset() is not None


@pytest.mark.parametrize("number", [float("inf"), float("-inf"), float("nan")])
def test_a_number_without_end_is_no_date(number: float) -> None:
    column = Column()
    column.is_open(number)
    assert column.take(number).at is None


def test_the_examples_hold() -> None:
    assert doctest.testmod(record_dates).failed == 0
