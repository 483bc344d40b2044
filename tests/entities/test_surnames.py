"""A surname alone, across articles: the dominant full name of the archive, whatever the order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.articles import removal
from app.entities import merging
from app.entities import read as entities
from tests.entities.test_read import id_of, load, story, sweep
from tests.factories import save
from tests.fake_extractor import FakeExtractor

if TYPE_CHECKING:
    from pathlib import Path
    from uuid import UUID

    from app.store.database import Database

PEOPLE = (
    "Boris Zelensky",
    "Boris Zelenskyy",
    "Ann Khan",
    "Imran Khan",
    "Khan",
    "Zelenskyy",
    "Nancy Khan",
)
FAKE = FakeExtractor(names={name: ("person", name, None) for name in PEOPLE})


def people(database: Database) -> list[tuple[str, int]]:
    with database.reading() as session:
        listed = entities.listing(session).items
    return [(each.name, each.article_count) for each in listed]


def read(database: Database, folder: Path, *said: str) -> list[UUID]:
    saved = save(database, [story(number, each) for number, each in enumerate(said)])
    sweep(database, folder, FAKE)
    return [each.id for each in saved]


@pytest.mark.parametrize("said", [("Imran Khan", "Khan"), ("Khan", "Imran Khan")])
def test_a_surname_alone_is_the_only_bearer(
    database: Database, tmp_path: Path, said: tuple[str, ...]
) -> None:
    for number, each in enumerate(said):
        save(database, [story(number, each)])
        sweep(database, tmp_path, FAKE)
    assert people(database) == [("Imran Khan", 2)]


def test_a_surname_of_several_is_nobodys(database: Database, tmp_path: Path) -> None:
    read(database, tmp_path, "Imran Khan", "Ann Khan", "Khan")
    assert sorted(people(database)) == [("Ann Khan", 1), ("Imran Khan", 1), ("Khan", 1)]


def test_who_stands_beside_the_surname_does_not_lend_it(database: Database, tmp_path: Path) -> None:
    read(database, tmp_path, "Nancy Khan, Khan", "Khan")
    assert sorted(people(database)) == [("Khan", 2), ("Nancy Khan", 1)]


def test_a_surname_goes_back_when_its_bearer_is_removed(database: Database, tmp_path: Path) -> None:
    full, _ = read(database, tmp_path, "Imran Khan", "Khan")
    with database.transaction() as session:
        removal.remove(session, full)
    assert people(database) == [("Khan", 1)]


def test_an_operators_word_holds_against_the_archive(database: Database, tmp_path: Path) -> None:
    read(database, tmp_path, "Imran Khan", "Khan", "Ann Khan")
    with database.transaction() as session:
        merging.merge(session, id_of("Khan"), id_of("Ann Khan"))
    assert sorted(people(database)) == [("Ann Khan", 2), ("Imran Khan", 1)]


def test_spellings_of_a_name_are_one(database: Database, tmp_path: Path) -> None:
    read(database, tmp_path, "Boris Zelensky", "Boris Zelenskyy", "Zelenskyy")
    assert [count for _, count in people(database)] == [3]


def test_a_name_in_a_query_is_a_surname_too(database: Database, tmp_path: Path) -> None:
    read(database, tmp_path, "Imran Khan", "Ann Khan", "Boris Zelenskyy")
    with database.reading() as session:
        found = entities.terms(session, "person", ["khan", "zelensky"])
    assert {key: len(terms) for key, terms in found.items()} == {"khan": 2, "zelensky": 1}


def test_names_of_one_person_load_in_any_order(database: Database, tmp_path: Path) -> None:
    load(database, tmp_path, "Ada Byron", "Byron")
    assert people(database) == [("Ada Byron", 2)]
