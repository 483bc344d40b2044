"""Dates as pages print them."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime

import pytest

from app.ingest.page_text.dates import FIRST_YEAR, LAST_YEAR, Printed, parse

MAY_9 = Printed(datetime(2020, 5, 9, tzinfo=UTC), "day")


@pytest.mark.parametrize(
    "text",
    [
        *("09 May 2020", "9 May 2020", "09 MAY 2020", "9 may 2020", "9th May 2020", "May 9, 2020"),
        *("May 09 2020", "2020-05-09", "Saturday 9 May 2020", "Sat, 09 May 2020", "9 May, 2020"),
        *(
            "09-May-2020",
            "09 May 2020 14:05",
            "May 09, 202014:05",
            "9 May 2020, at 2:05 pm",
            "09 May 2020 14:05:59",
        ),
    ],
)
def test_a_day_is_midnight_utc(text: str) -> None:
    assert parse(text) == MAY_9


@pytest.mark.parametrize("month", range(1, 13))
def test_months_go_by_their_name_or_its_first_letters(month: int) -> None:
    expected = Printed(datetime(2021, month, 7, tzinfo=UTC), "day")
    name = calendar.month_name[month]
    for form in (name, name[:3], f"{name[:3]}.", name.lower(), name.upper()):
        assert parse(f"7 {form} 2021") == expected
    assert parse("7 Sept 2021") == Printed(datetime(2021, 9, 7, tzinfo=UTC), "day")


@pytest.mark.parametrize(
    ("zone", "hour", "minute"),
    [
        ("GMT", 14, 5),
        ("UTC", 14, 5),
        ("Z", 14, 5),
        ("GMT+3", 11, 5),
        ("UTC-05:30", 19, 35),
        ("+0300", 11, 5),
    ],
)
def test_a_time_counts_with_a_zone_that_is_a_number(zone: str, hour: int, minute: int) -> None:
    at = datetime(2020, 5, 9, hour, minute, tzinfo=UTC)
    assert parse(f"09 May 2020 14:05 {zone}") == Printed(at, "minute")


def test_twelve_hours_are_told_by_their_half() -> None:
    assert parse("9 May 2020 12:05 am GMT") == Printed(
        datetime(2020, 5, 9, 0, 5, tzinfo=UTC), "minute"
    )
    assert parse("9 May 2020 12:05 p.m. GMT") == Printed(
        datetime(2020, 5, 9, 12, 5, tzinfo=UTC), "minute"
    )
    assert parse("9 May 2020 2:05pm GMT") == Printed(
        datetime(2020, 5, 9, 14, 5, tzinfo=UTC), "minute"
    )


@pytest.mark.parametrize(
    ("text", "doubt"),
    [
        ("09 May 2020 14:05 PKT", "has a time zone that is not a number: only its day is kept"),
        ("09 May 2020 25:05 GMT", "has a time that no clock shows: only its day is kept"),
        ("09 May 2020 14:05 GMT+99", "has a time that no clock shows: only its day is kept"),
    ],
)
def test_a_doubtful_time_leaves_the_day(text: str, doubt: str) -> None:
    assert parse(text) == Printed(MAY_9.at, "day", doubt)


@pytest.mark.parametrize(
    ("text", "doubt"),
    [
        *(
            (f"{text}", "is not a day of the calendar")
            for text in (
                "31 February 2020",
                "00 May 2020",
                "32 May 2020",
                "29 Feb 2021",
                "2020-13-01",
            )
        ),
        *(
            (f"9 May {year}", "has a year out of range")
            for year in ("0000", "0", "9999", "20200", FIRST_YEAR - 1, LAST_YEAR + 1)
        ),
        ("09 Foo 2020", "names no month that is known"),
        *(
            (text, "is relative to an unknown time")
            for text in (
                "2 min 59 sec ago",
                "5 hours ago",
                "an hour ago",
                "just now",
                "Yesterday",
                "yesterday at 10:00",
            )
        ),
    ],
)
def test_what_is_no_day_gives_no_instant(text: str, doubt: str) -> None:
    assert parse(text) == Printed(None, None, doubt)


@pytest.mark.parametrize(
    "text", ["", "9 May", "May 2020", "figures show a rise", "long ago he", "x" * 500]
)
def test_what_does_not_look_like_a_date_is_none(text: str) -> None:
    assert parse(text) is None


def test_the_first_and_last_year_count() -> None:
    for year in (FIRST_YEAR, LAST_YEAR):
        assert parse(f"9 May {year}") == Printed(datetime(year, 5, 9, tzinfo=UTC), "day")
