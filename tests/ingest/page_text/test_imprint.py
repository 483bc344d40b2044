"""Lines that say in several parts who wrote a story and when."""

from __future__ import annotations

import pytest

from app.ingest.page_text.imprint import parse


@pytest.mark.parametrize(
    ("line", "byline", "published", "updated"),
    [
        ("Jane Roe Published May 9, 2020", "Jane Roe", "May 9, 2020", None),
        (
            "Jane Roe · CBC News · Posted: May 09, 2020 | Last Updated: May 10, 2020",
            "Jane Roe",
            "May 09, 2020",
            "May 10, 2020",
        ),
        (
            "Publié le 09 mai 2020 à 14h35, modifié le 11 mai 2020 à 09h01",
            None,
            "09 mai 2020 à 14h35",
            "11 mai 2020 à 09h01",
        ),
        ("Анна Шевченко — Субота, 9 травня 2020", "Анна Шевченко", "9 травня 2020", None),
        ("9 maggio 2020 (modifica il 11 maggio 2020)", None, "9 maggio 2020", "11 maggio 2020"),
        ("Madrid - 09 may 2020", None, "09 may 2020", None),
        ("Published - May 08, 2020 - NEW DELHI", None, "May 08, 2020", None),
        ("۹ مه ۲۰۲۰ - ۲۰ اردیبهشت ۱۳۹۹", None, "۹ مه ۲۰۲۰", None),
        ("山田太郎 2020年5月9日", "山田太郎", "2020年5月9日", None),
        ("TNN / May 9, 2020", "TNN", "May 9, 2020", None),
    ],
)
def test_each_part_is_read(
    line: str, byline: str | None, published: str, updated: str | None
) -> None:
    found = parse(line)
    assert found is not None
    assert (found.byline, found.published, found.updated) == (byline, published, updated)


@pytest.mark.parametrize(
    "line",
    [
        "The vote on May 9, 2020 was close",
        "He was born on 9 May 1920 in Rome",
        "Harbor vote of 9 May 2020",
        "A file photo shows the port on May 9, 2020",
        "Jane Roe · CBC News",
        "9 May 2020 " * 20,
    ],
)
def test_a_line_that_says_more_or_no_day_is_none(line: str) -> None:
    assert parse(line) is None
