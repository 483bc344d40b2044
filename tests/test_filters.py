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
        ("2020-02-29T12:30:00Z", datetime(2020, 2, 29, 12, 30, 0, 1, tzinfo=UTC)),
    ],
)
def test_to_includes_the_whole_period_that_it_names(until: str, end: datetime) -> None:
    assert filters.parse({}, until=until).until == end


@pytest.mark.parametrize(
    "value",
    ["", "soon", "2020-13", "2020-02-30", "20", "2020-1", "0000", "2020-02-29T99", "1e3", "٢٠٢٠"],
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
