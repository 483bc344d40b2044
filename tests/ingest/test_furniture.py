"""What a whole line of a page is, and what of a text is furniture."""

from __future__ import annotations

import pytest

from app.ingest.furniture import Kind, byline, kind, sift


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", Kind.BLANK),
        ("Short Url", Kind.SHORT_URL),
        ("SHORT URL:", Kind.SHORT_URL),
        ("Short Url https://arab.news/abc", Kind.SHORT_URL),
        ("Short Url is a service", Kind.TEXT),
        ("Updated 09 May 2020", Kind.UPDATED),
        ("Last updated: 9 May 2020", Kind.UPDATED),
        ("Updated 5 hours ago", Kind.UPDATED),
        ("Updated 09 May 2020, he read", Kind.TEXT),
        ("Updated guidance", Kind.TEXT),
        ("Follow", Kind.FOLLOW),
        ("FOLLOW", Kind.FOLLOW),
        ("Follow the money", Kind.TEXT),
        ("1 / 4", Kind.COUNTER),
        ("4 / 4", Kind.COUNTER),
        ("5 / 4", Kind.TEXT),
        ("0 / 4", Kind.TEXT),
        ("9/11", Kind.TEXT),
        ("Share", Kind.SHARE),
        ("Share the load", Kind.TEXT),
        ("Skip to main content", Kind.NAVIGATION),
        ("https://example.com/a", Kind.ADDRESS),
        ("https://example.com/a says", Kind.TEXT),
        ("Follow" * 50, Kind.TEXT),
    ],
)
def test_a_line_is_known_by_its_own_words(line: str, expected: Kind) -> None:
    assert kind(line) is expected


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("By John Smith", "John Smith"),
        ("BY JOHN SMITH", "JOHN SMITH"),
        ("By John Smith and Omar al-Haddad", "John Smith and Omar al-Haddad"),
        ("By the sea", None),
        ("By 2020, all was well", None),
        ("ARAB NEWS STAFF", "ARAB NEWS STAFF"),
        ("John Smith", None),
        ("By " + "John " * 30, None),
    ],
)
def test_a_byline_names_an_author(line: str, name: str | None) -> None:
    assert byline(line) == name


@pytest.mark.parametrize(
    ("texts", "kept"),
    [
        (["One.", "Follow", "Two."], ["One.", "Two."]),
        (["One.", "Print", "Two."], ["One.", "Print", "Two."]),
        (["One.", "Print", "Share", "Two."], ["One.", "Two."]),
        (["Share", "One.", "Two.", "Print"], ["One.", "Two."]),
        (["1 / 2", "One.", "2 / 2"], ["One."]),
        (["•", "One.", "• •", "• Two."], ["One.", "• Two."]),
        (["Follow", "Share"], []),
        ([], []),
    ],
)
def test_buttons_go_and_a_sub_heading_stays(texts: list[str], kept: list[str]) -> None:
    assert sift(texts) == kept
