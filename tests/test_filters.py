from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import filters
from app.errors import ParameterError
from app.filters import Choice


@pytest.mark.parametrize(
    ("since", "first"),
    [
        ("2020", datetime(2020, 1, 1, tzinfo=UTC)),
        ("2020-02", datetime(2020, 2, 1, tzinfo=UTC)),
        ("2020-02-29", datetime(2020, 2, 29, tzinfo=UTC)),
        ("2020-02-29T12:30", datetime(2020, 2, 29, 12, 30, tzinfo=UTC)),
        ("2020-02-29T12:30:00Z", datetime(2020, 2, 29, 12, 30, tzinfo=UTC)),
        ("2020-02-29T12:30:00+03:00", datetime(2020, 2, 29, 9, 30, tzinfo=UTC)),
        ("2020-02-29T12:30:00 03:00", datetime(2020, 2, 29, 9, 30, tzinfo=UTC)),
        ("20200229", datetime(2020, 2, 29, tzinfo=UTC)),
        ("2020-02-29T18", datetime(2020, 2, 29, 18, tzinfo=UTC)),
        ("2020-02-29T18Z", datetime(2020, 2, 29, 18, tzinfo=UTC)),
    ],
)
def test_from_is_the_first_instant_of_what_it_names(since: str, first: datetime) -> None:
    assert filters.parse({}, since=since).since == first


@pytest.mark.parametrize(
    ("until", "end"),
    [
        ("2020", datetime(2021, 1, 1, tzinfo=UTC)),
        ("2020-02", datetime(2020, 3, 1, tzinfo=UTC)),
        ("2020-12", datetime(2021, 1, 1, tzinfo=UTC)),
        ("2020-02-28", datetime(2020, 2, 29, tzinfo=UTC)),
        ("9999", datetime.max.replace(tzinfo=UTC)),
        ("20200228", datetime(2020, 2, 29, tzinfo=UTC)),
        ("2020-02-29T12Z", datetime(2020, 2, 29, 13, tzinfo=UTC)),
        ("2020-02-29T12:30", datetime(2020, 2, 29, 12, 31, tzinfo=UTC)),
        ("2020-02-29T12:30:00Z", datetime(2020, 2, 29, 12, 30, 1, tzinfo=UTC)),
        ("2020-02-29T12:30:00.5Z", datetime(2020, 2, 29, 12, 30, 0, 500_001, tzinfo=UTC)),
        ("9999-12-31T23:59:59Z", datetime.max.replace(tzinfo=UTC)),
    ],
)
def test_to_includes_the_whole_period_that_it_names(until: str, end: datetime) -> None:
    assert filters.parse({}, until=until).until == end


@pytest.mark.parametrize(
    "value",
    [
        "",
        "soon",
        "2020-13",
        "2020-02-30",
        "20",
        "2020-1",
        "0000",
        "2020-02-29T99",
        "1e3",
        "٢٠٢٠",
        "202002",
        "20201301",
    ],
)
def test_a_bad_date_is_an_error_that_names_its_parameter(value: str) -> None:
    with pytest.raises(ParameterError) as caught:
        filters.parse({}, until=value)
    assert caught.value.name == "to"


def test_an_interval_that_ends_before_it_begins_is_an_error() -> None:
    with pytest.raises(ParameterError, match="after"):
        filters.parse({}, since="2021", until="2020")


def test_repeated_names_mean_any_and_a_dash_means_not() -> None:
    parsed = filters.parse({"place": ["Abu Dhabi", "-PARIS", "abu  dhabi", "Cairo"]})
    assert parsed.named == (("place", Choice(("abu dhabi", "cairo"), ("paris",))),)


@pytest.mark.parametrize("value", ["", "-", " "])
def test_an_empty_name_is_an_error(value: str) -> None:
    with pytest.raises(ParameterError, match="place"):
        filters.parse({"place": [value]})


@given(st.text(max_size=40))
def test_no_date_text_breaks_the_parser(value: str) -> None:
    try:
        parsed = filters.parse({}, since=value)
    except ParameterError:
        return
    assert parsed.since is not None
    assert parsed.since.tzinfo is not None


def test_periods_are_those_of_the_zone_unless_they_name_one() -> None:
    in_karachi = filters.parse(
        {}, since="2024-04-01", until="2024-04-01T10", time_zone="Asia/Karachi"
    )
    assert in_karachi.since == datetime(2024, 3, 31, 19, tzinfo=UTC)
    assert in_karachi.until == datetime(2024, 4, 1, 6, tzinfo=UTC)
    assert in_karachi.day_bounds == (
        datetime(2024, 4, 1, tzinfo=UTC),
        datetime(2024, 4, 1, 11, tzinfo=UTC),
    )
    assert filters.parse({}, since="2024-04-01T00Z", time_zone="Asia/Karachi").since == datetime(
        2024, 4, 1, tzinfo=UTC
    )


@pytest.mark.parametrize("tag", ["en", "EN", "en-GB", "en_us", "en-Latn-GB"])
def test_a_language_is_the_first_subtag(tag: str) -> None:
    assert filters.parse({"language": [tag]}).named == (("language", Choice(("en",))),)
