from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import articles
from app.errors import NotFound
from tests import factories
from tests.factories import draft, save

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.articles import Saved, Whole
    from app.database import Database
    from app.ingest.draft import Draft


def outcomes(saved: Sequence[Saved]) -> list[str]:
    return [each.outcome for each in saved]


def whole(database: Database, saved: Saved) -> Whole:
    with database.reading() as session:
        return articles.get(session, saved.id)


def last_change(database: Database) -> int:
    with database.reading() as session:
        return articles.last_change(session)


def test_a_saved_article_comes_back_in_every_field(database: Database) -> None:
    given = draft(
        summary=("One point", "Another"),
        caption="A full reservoir",
        credit="AFP",
        byline="Ada Byron",
        dateline="DUBAI/RIYADH",
        places=("Dubai", "Riyadh"),
        source="The Hill Post",
        url="https://example.org/rain?utm_source=x",
        language="en",
        section="World",
        warnings=("byline: taken from a line of its own",),
    )
    (saved,) = save(database, [given])
    found = whole(database, saved)
    for name in ("headline", "body", "caption", "credit", "byline", "dateline", "source"):
        assert getattr(found, name) == getattr(given, name)
    for name in ("language", "section", "published_at", "published_precision"):
        assert getattr(found, name) == getattr(given, name)
    for name in ("summary", "places", "warnings"):
        assert getattr(found, name) == list(getattr(given, name))
    assert found.url == "https://example.org/rain"
    assert found.word_count == 15
    assert found.change == 1
    assert found.related == []
    (seen,) = found.sources
    assert (seen.path, seen.position, seen.reader) == ("pages/rain.txt", 0, "page_text")
    assert seen.sha256 == given.origin.sha256
    assert seen.loaded_at.tzinfo is not None


def test_a_page_without_a_source_takes_the_publisher_and_nothing_else_does(
    database: Database,
) -> None:
    page, line = save(database, [draft(page="p"), draft("Other")])
    assert whole(database, page).source == "The Valley News"
    assert whole(database, line).source is None


def test_save_twice_takes_one_change(database: Database) -> None:
    assert outcomes(save(database, [draft()])) == ["saved"]
    assert outcomes(save(database, [draft()])) == ["unchanged"]
    assert last_change(database) == 1


def test_one_transaction_is_one_change(database: Database) -> None:
    save(database, [factories.numbered(1), factories.numbered(2)])
    save(database, [factories.numbered(3)])
    with database.reading() as session:
        assert sorted(change for _, change in articles.versions(session)) == [1, 1, 2]


def test_a_newer_version_is_a_revision_under_the_same_id(database: Database) -> None:
    (first,) = save(database, [draft(day="2024-03-01")])
    newer = draft(body=draft().body + "\n\nMore rain is expected.", day="2024-03-02")
    (second,) = save(database, [newer])
    assert second == articles.Saved(first.id, "revised")
    found = whole(database, second)
    assert found.body == newer.body
    assert found.change == 2


def test_an_older_version_is_stale_and_its_input_is_kept(database: Database) -> None:
    (first,) = save(database, [draft(day="2024-03-02")])
    older = draft(body=draft().body + "\n\nOld.", day="2024-03-01", path="pages/old.txt")
    assert outcomes(save(database, [older])) == ["stale"]
    found = whole(database, first)
    assert found.body == draft().body
    assert [seen.path for seen in found.sources] == ["pages/rain.txt", "pages/old.txt"]


def _versions() -> list[Draft]:
    lead = draft().body
    return [
        draft(body=lead + "\n\nFirst.", day="2024-03-01", path="a.txt"),
        draft(body=lead + "\n\nSecond of two.", day="2024-03-02", path="b.txt"),
        draft(body=lead + "\n\nSecond of two, and longer.", day="2024-03-02", path="c.txt"),
        draft(body=lead + "\n\nOf no date at all and the longest of them.", day=None, path="d.txt"),
    ]


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_the_newest_and_fullest_version_wins_in_any_order(
    database: Database, order: tuple[int, ...]
) -> None:
    versions = _versions()
    for number in order:
        (saved,) = save(database, [versions[number]])
    found = whole(database, saved)
    assert found.body == versions[2].body
    assert {seen.path for seen in found.sources} == {"a.txt", "b.txt", "c.txt", "d.txt"}
    change = last_change(database)
    again = [outcomes(save(database, [versions[number]]))[0] for number in order]
    assert [again[order.index(number)] for number in range(4)] == [
        *("stale", "stale", "unchanged", "stale")
    ]
    assert last_change(database) == change


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_versions_in_one_call_end_as_in_many(database: Database, order: tuple[int, ...]) -> None:
    versions = _versions()
    saved = save(database, [versions[number] for number in order])
    assert len({each.id for each in saved}) == 1
    assert whole(database, saved[0]).body == versions[2].body
    assert last_change(database) == 1


def test_a_corrected_input_replaces_what_it_said_before(database: Database) -> None:
    (first,) = save(database, [draft(body="It rained for a week in the north here, twice over.")])
    corrected = draft(body="It rained for a week in the north here.")
    assert outcomes(save(database, [corrected])) == ["revised"]
    assert whole(database, first).body == corrected.body
    assert len(whole(database, first).sources) == 1


def test_a_correction_can_be_taken_back(database: Database) -> None:
    lead = "It rained for a week in the north"
    for body in (f"{lead} of it.", f"{lead}.", f"{lead} of it."):
        (saved,) = save(database, [draft(body=body)])
        assert saved.outcome in ("saved", "revised")
        assert whole(database, saved).body == body


def test_a_better_reader_replaces_what_the_last_one_read(database: Database) -> None:
    save(database, [draft(credit="AFP)")])
    (saved,) = save(database, [draft(credit="AFP", reader_version=2)])
    assert saved.outcome == "revised"
    assert whole(database, saved).credit == "AFP"


def test_two_stories_of_one_headline_stay_two(database: Database) -> None:
    saved = save(database, [draft(body="It rained."), draft(body="Oil prices fell.")])
    assert outcomes(saved) == ["saved", "saved"]


def test_an_article_seen_on_two_pages_keeps_both(database: Database) -> None:
    one = draft("One", path="1.txt", page="p1")
    two = draft("Two", path="2.txt", page="p2")
    further = [draft("Further", path=f"{n}.txt", position=1, page=f"p{n}") for n in (1, 2)]
    first = save(database, [one, further[0]])
    second = save(database, [two, further[1]])
    assert outcomes(second) == ["saved", "unchanged"]
    found = whole(database, second[1])
    assert [seen.path for seen in found.sources] == ["1.txt", "2.txt"]
    assert {each.headline for each in found.related} == {"One", "Two"}
    assert [each.headline for each in whole(database, first[0]).related] == ["Further"]
    assert found.change == 2, "a new input is a change of what the article shows"


def test_the_articles_of_a_page_are_related_in_page_order(database: Database) -> None:
    page = [draft(f"Story {n}", position=n, page="p") for n in range(4)]
    saved = save(database, page)
    found = whole(database, saved[2])
    assert [each.headline for each in found.related] == ["Story 0", "Story 1", "Story 3"]
    assert [each.id for each in found.related] == [saved[0].id, saved[1].id, saved[3].id]


def test_an_article_of_a_thousand_pages_shows_fifty_of_its_relations(database: Database) -> None:
    drafts = [
        each
        for n in range(60)
        for each in (
            draft(f"Story {n}", path=f"{n}.txt", page=f"p{n}"),
            draft("Everywhere", path=f"{n}.txt", position=1, page=f"p{n}"),
        )
    ]
    saved = save(database, drafts)
    assert len(whole(database, saved[1]).related) == articles.MOST_RELATED


def test_a_removed_article_leaves_a_tombstone(database: Database) -> None:
    saved = save(database, [draft("One", page="p"), draft("Two", position=1, page="p")])
    with database.transaction() as session:
        articles.remove(session, saved[0].id)
    with database.reading() as session:
        with pytest.raises(NotFound):
            articles.get(session, saved[0].id)
        (tombstone,) = articles.changed_since(session, 1, limit=10)
        assert articles.removed_since(session, 1) == {saved[0].id}
    assert (tombstone.id, tombstone.change, tombstone.document) == (saved[0].id, 2, None)
    assert whole(database, saved[1]).related == []


def test_loading_a_removed_article_brings_it_back(database: Database) -> None:
    (first,) = save(database, [draft()])
    with database.transaction() as session:
        articles.remove(session, first.id)
    (again,) = save(database, [draft()])
    assert again == articles.Saved(first.id, "saved")
    with database.reading() as session:
        (change,) = articles.changed_since(session, 0, limit=10)
    assert (change.change, change.document is not None) == (3, True)


def test_removing_what_is_not_there_says_so_and_takes_no_change(database: Database) -> None:
    with pytest.raises(NotFound), database.transaction() as session:
        articles.remove(session, uuid4())
    assert last_change(database) == 0


def test_replace_prefers_what_it_is_given(database: Database) -> None:
    (saved,) = save(database, [draft(day="2024-03-02", places=("Cairo",))])
    other = draft("Other headline", "Other text.", day="2020-01-01", places=("Dubai",), path="http")
    with database.transaction() as session:
        articles.replace(session, saved.id, other, publisher=None)
    found = whole(database, saved)
    assert (found.headline, found.body, found.places) == (
        "Other headline",
        "Other text.",
        ["Dubai"],
    )
    with pytest.raises(NotFound), database.transaction() as session:
        articles.replace(session, uuid4(), other, publisher=None)


def test_saving_nothing_is_nothing(database: Database) -> None:
    assert save(database, []) == []
    assert last_change(database) == 0


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(1, 3), st.integers(0, 4), st.sampled_from("ab")),
        max_size=12,
    )
)
def test_loading_everything_again_changes_nothing(
    database: Database, stories: list[tuple[int, int, int, str]]
) -> None:
    inputs = {}
    for story, day, words, path in stories:
        text = f"Story {story} of the valley goes on and on" + " and on" * words
        inputs[story, path] = draft(
            f"Story {story}", text, day=f"2024-03-0{day}", path=f"{path}{story}.txt"
        )
    save(database, list(inputs.values()))
    before = last_change(database)
    assert set(outcomes(save(database, list(inputs.values())))) <= {"unchanged", "stale"}
    assert last_change(database) == before
