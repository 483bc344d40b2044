"""What a whole line of a page is, and what of a text is furniture."""

from __future__ import annotations

import pytest

from app.ingest.page_text.boilerplate import Kind, byline, is_name, kind, sift, tail


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


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Jane Doe", True),
        ("OMAR HADDAD", True),
        ("Noor bin Abdullah al-Haddad", True),
        ("Jane", False),
        ("Jane Doe,", False),
        ("Cars in Riyadh", False),
        ("Jane " + "Doe" * 20, False),
    ],
)
def test_a_name_is_a_few_capitalised_words(line: str, expected: bool) -> None:
    assert is_name(line) is expected


@pytest.mark.parametrize(
    ("texts", "end"),
    [
        (["One.", "Related"], 1),
        (["One.", "Most Popular", "A storm closes roads", "Is it over?"], 1),
        (["One.", "Topics:", "Riyadh", "Related", "A storm"], 1),
        (["One.", "Tags: ports, storms"], 1),
        (["One.", "Search form", "Search", "Enter your keywords"], 1),
        (["One.", "© 2020 A PUBLISHER, All Rights Reserved And subject to terms."], 1),
        (["One.", "Home"], 1),
        (["One.", "Related", "A storm came."], 3),
        (["One.", "Related", "• A storm"], 3),
        (["One.", "Home", "Lions 2", "Away", "Tigers 1"], 5),
        (["One.", "Topics", "A storm"], 3),
        (["One.", "Copyright 2020 was the name of the bill"], 2),
        (["One.", "Related", "x" * 200], 3),
        (["Related", "A storm"], 0),
        ([], 0),
    ],
)
def test_the_page_s_own_end_begins_where_only_titles_follow(texts: list[str], end: int) -> None:
    assert tail(texts) == end
