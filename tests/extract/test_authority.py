"""The hand-made file holds together, and its names lead where they should."""

from __future__ import annotations

import re
from collections import defaultdict

import pytest

from app.extract import authority

ENTRIES = authority.entries()


def test_keys_iso_codes_and_items_are_unique() -> None:
    for field in ("key", "iso", "wikidata"):
        given = [value for entry in ENTRIES if (value := getattr(entry, field))]
        assert len(set(given)) == len(given), field
    countries = [entry for entry in ENTRIES if entry.kind == "country"]
    assert len(countries) >= 195
    assert all(re.fullmatch("[A-Z]{2}", entry.iso or "") for entry in countries)
    assert all(re.fullmatch(r"Q\d+", entry.wikidata) for entry in ENTRIES if entry.wikidata)
    assert all(re.fullmatch(r"[a-z0-9-]+", entry.key) for entry in ENTRIES)


def test_what_lies_in_a_country_names_one_that_is_there() -> None:
    codes = {entry.iso for entry in ENTRIES}
    assert {entry.country for entry in ENTRIES} <= codes


def test_no_name_means_two_of_a_type_unless_it_says_so() -> None:
    meant = defaultdict(set)
    for entry in ENTRIES:
        for name in entry.names:
            meant[entry.type, authority._key(name)].add(entry.key)
    by_key = {entry.key: entry for entry in ENTRIES}
    for (_, name), keys in meant.items():
        if len(keys) > 1:
            for key in keys:
                said = {authority._key(each) for each in by_key[key].ambiguous}
                assert name in said, (name, keys)


def test_marked_names_are_names_of_the_entry() -> None:
    for entry in ENTRIES:
        assert entry.weak | entry.ambiguous <= set(entry.names), entry.key
        assert len(set(entry.names)) == len(entry.names), entry.key
        assert all(name == name.strip() for name in entry.names)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("US", "country-us"),
        ("United States", "country-us"),
        ("U.S.", "country-us"),
        ("America", "country-us"),
        ("UN", "org-un"),
        ("the United Nations", "org-un"),
        ("Côte d’Ivoire", "country-ci"),
        ("cote d'ivoire", "country-ci"),
        ("Bogota", "city-co-bogota"),
        ("Bogotá", "city-co-bogota"),
    ],
)
def test_names_of_one_lead_to_it(name: str, key: str) -> None:
    assert [entry.key for entry in authority.lookup(name)] == [key]


@pytest.mark.parametrize("word", ["us", "Us", "who", "Ice", "", "Nobody"])
def test_words_are_no_acronyms(word: str) -> None:
    assert authority.lookup(word) == ()


def test_scanning_takes_the_longest_name() -> None:
    hits = list(authority.scan("A New York Times of New York; New Yorkers, US-based UNESCO"))
    assert [hit.name for hit in hits] == ["New York Times", "New York", "US", "UNESCO"]
