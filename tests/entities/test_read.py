from __future__ import annotations

import random
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest

from app import filters
from app.articles import changes as articles_changes
from app.articles import read as articles
from app.articles import removal
from app.entities import cooccurrence, mentions, merging
from app.entities import read as entities
from app.entities.counts import MOST_COOCCURRING, fullest
from app.errors import Moved, NotFound, RequestError
from app.services import extraction
from tests import factories
from tests.factories import draft, save
from tests.fake_extractor import NAMES, FakeExtractor

if TYPE_CHECKING:
    from pathlib import Path

    from sqlmodel import Session

    from app.ingest.draft import Draft
    from app.search.engine import PageKey
    from app.store.database import Database

LEAD = "The seven towns of the northern coast met."


def story(number: int, said: str, **more: Any) -> Draft:
    """An article whose body says `said`, and whose identity does not depend on it."""
    guid = f"urn:story:{number}"
    return draft(f"Story {number}", f"{LEAD} {said}.", path=f"{number}.txt", guid=guid, **more)


def sweep(database: Database, tmp_path: Path, extractor: FakeExtractor | None = None) -> None:
    extraction.sweep(database, extractor or FakeExtractor(), tmp_path / "lock")


def load(database: Database, tmp_path: Path, *said: str, **more: Any) -> list[UUID]:
    """Store articles that say something, and extract them."""
    saved = save(database, [story(n, each, **more) for n, each in enumerate(said)])
    sweep(database, tmp_path)
    return [each.id for each in saved]


def id_of(name: str, type_: str = "person", known: str | None = None) -> UUID:
    return mentions.entity_key(type_, name, known).id


def names(session: Session, **more: Any) -> list[str]:
    return [each.name for each in entities.listing(session, **more).items]


BYRON, DIAZ = id_of("Ada Byron"), id_of("Omar Díaz")
MUSCAT, CAIRO = id_of("Muscat", "place"), id_of("Cairo", "place")


# --- identity and names


def test_an_id_depends_on_type_and_folded_name_alone() -> None:
    assert id_of("OMAR DIAZ") == id_of("Omar Díaz") != id_of("Omar Díaz", "place")


def test_a_known_entity_has_one_id_whatever_it_is_called() -> None:
    by_key = id_of("U.S.", "place", "country-us")
    assert (
        by_key == id_of("United States", "place", "country-us") == id_of("united states", "place")
    )
    assert by_key != id_of("U.S.", "place")


def test_ids_do_not_depend_on_the_order_of_loading(tmp_path: Path) -> None:
    said = ["Byron met Omar Díaz", "Ada Byron in Muscat", "United States and the UN"]
    found = []
    for folder, order in (("a", said), ("b", said[::-1])):
        with factories.store(tmp_path / folder) as database:
            load(database, tmp_path / folder, *order)
            with database.reading() as session:
                listed = entities.listing(session).items
        found.append({each.id: (each.name, each.article_count) for each in listed})
    assert found[0] == found[1]
    assert len(found[0]) == 5


def test_the_name_shown_is_the_fullest_common_form(database: Database, tmp_path: Path) -> None:
    forms: dict[str, Any] = {
        "Omar Diaz": ("person", "Omar Diaz", None),
        "OMAR DIAZ": ("person", "OMAR DIAZ", None),
        "Omar Díaz": ("person", "Omar Díaz", None),
    }
    said = ["Omar Díaz"] * 3 + ["Omar Diaz"] * 2 + ["OMAR DIAZ"]
    save(database, [story(n, each) for n, each in enumerate(said)])
    sweep(database, tmp_path, FakeExtractor(names=forms))
    with database.reading() as session:
        whole = entities.get(session, DIAZ)
    assert (whole.name, whole.aliases) == ("Omar Díaz", [])


@pytest.mark.parametrize(
    ("forms", "articles_", "shown"),
    [
        ([("Khan", 90), ("Imran Khan", 30)], 100, "Imran Khan"),
        ([("Khan", 90), ("Imran Khan", 3)], 100, "Khan"),
        ([("KHAN", 5), ("Khan", 3)], 8, "Khan"),
        ([("One", 1), ("Two", 1), ("Six", 1), ("Ten", 1), ("Red", 1), ("Tan", 1)], 6, "One"),
        ([], 0, None),
    ],
)
def test_fullest_and_common(
    forms: list[tuple[str, int]], articles_: int, shown: str | None
) -> None:
    assert fullest(forms, articles_) == shown


# --- one entity


def test_an_entity_tells_what_it_is_called_how_often_and_since_when(
    database: Database, tmp_path: Path
) -> None:
    save(
        database,
        [
            story(1, "Ada Byron. Byron. Byron", day="2024-03-05"),
            story(2, "ADA BYRON", day="2024-01-02"),
            story(3, "Byron", day=None),
        ],
    )
    sweep(database, tmp_path)
    with database.reading() as session:
        whole = entities.get(session, BYRON)
    assert (whole.name, whole.type, whole.aliases) == ("Ada Byron", "person", ["Byron"])
    assert (whole.article_count, whole.mention_count) == (3, 5)
    assert (whole.first_seen, whole.last_seen) == (date(2024, 1, 2), date(2024, 3, 5))
    assert (whole.wikidata, whole.iso) == (None, None)


def test_a_known_entity_has_what_the_authority_file_says(
    database: Database, tmp_path: Path
) -> None:
    load(database, tmp_path, "United States")
    with database.reading() as session:
        whole = entities.get(session, id_of("", "place", "country-us"))
        assert names(session, beginning="amer") == ["United States"]
    assert (whole.name, whole.iso, whole.wikidata) == ("United States", "US", "Q30")
    assert "America" in whole.aliases


def test_an_entity_that_nobody_mentions_is_not_found(database: Database) -> None:
    with database.reading() as session, pytest.raises(NotFound, match="no entity with id"):
        entities.get(session, BYRON)


def test_an_entity_without_articles_still_answers_and_is_not_listed(
    database: Database, tmp_path: Path
) -> None:
    (id_,) = load(database, tmp_path, "Ada Byron")
    with database.transaction() as session:
        removal.remove(session, id_)
    with database.reading() as session:
        whole = entities.get(session, BYRON)
        listed = entities.listing(session)
    assert (whole.name, whole.article_count, whole.mention_count) == ("Ada Byron", 0, 0)
    assert (whole.first_seen, whole.last_seen, whole.aliases) == (None, None, [])
    assert (listed.items, listed.total) == ([], 0)


# --- lists


def test_the_list_goes_by_count_or_by_name(database: Database, tmp_path: Path) -> None:
    load(database, tmp_path, "Ada Byron, Omar Díaz, Muscat", "Omar Díaz, Muscat", "Muscat")
    with database.reading() as session:
        assert names(session) == ["Muscat", "Omar Díaz", "Ada Byron"]
        assert names(session, sort="name") == ["Ada Byron", "Muscat", "Omar Díaz"]
        assert names(session, type_="person") == ["Omar Díaz", "Ada Byron"]
        assert names(session, type_="person", sort="name") == ["Ada Byron", "Omar Díaz"]


@pytest.mark.parametrize("sort", ["count", "name"])
@pytest.mark.parametrize("wanted", [filters.Filters(), filters.parse({}, since="2000")])
def test_pages_of_the_list_follow_one_another(
    database: Database, tmp_path: Path, sort: Any, wanted: filters.Filters
) -> None:
    load(database, tmp_path, *[", ".join(list(NAMES)[n:]) for n in range(0, 12, 2)])
    with database.reading() as session:
        whole = entities.listing(session, wanted, sort=sort, limit=100)
        found: list[UUID] = []
        after: PageKey | None = None
        while True:
            page = entities.listing(session, wanted, sort=sort, limit=2, after=after)
            assert page.total == whole.total == len(whole.items)
            found += [each.id for each in page.items]
            if (after := page.after) is None:
                break
    assert found == [each.id for each in whole.items]


@pytest.mark.parametrize(
    ("beginning", "found"),
    [
        ("ada", ["Ada Byron"]),
        ("BYR", ["Ada Byron"]),
        ("omar di", ["Omar Díaz"]),
        ("Ömar Dí", ["Omar Díaz"]),
        ("u", ["United Nations"]),
        ("un", ["United Nations"]),
        ("nations", []),
    ],
)
def test_the_list_finds_beginnings_of_names_and_aliases(
    database: Database, tmp_path: Path, beginning: str, found: list[str]
) -> None:
    load(database, tmp_path, "Byron, Omar Díaz, UN")
    with database.reading() as session:
        assert names(session, beginning=beginning) == found
        assert entities.listing(session, beginning=beginning).total == len(found)


def test_with_filters_the_list_counts_what_passes(database: Database, tmp_path: Path) -> None:
    save(
        database,
        [
            story(1, "Ada Byron. Byron in Muscat", day="2024-03-05", section="World"),
            story(2, "Ada Byron", day="2024-02-02", section="World"),
            story(3, "Omar Díaz", day="2023-01-01"),
        ],
    )
    sweep(database, tmp_path)
    with database.reading() as session:
        found = entities.listing(session, filters.parse({"section": ["world"]}))
        march = entities.listing(session, filters.parse({}, since="2024-03"))
        about = entities.listing(session, filters.parse({"place": ["muscat"]}), type_="person")
    assert [(e.name, e.article_count, e.mention_count) for e in found.items] == [
        *(("Ada Byron", 2, 3), ("Muscat", 1, 1))
    ]
    assert found.items[0].first_seen == date(2024, 2, 2)
    assert {e.name for e in march.items} == {"Ada Byron", "Muscat"}
    assert [e.name for e in about.items] == ["Ada Byron"]


# --- articles by entity


@pytest.mark.parametrize(
    ("named", "found"),
    [
        ({"entity": [str(BYRON)]}, {0, 1}),
        ({"entity": [str(BYRON).upper()]}, {0, 1}),
        ({"person": ["ada byron"]}, {0, 1}),
        ({"person": ["Byron"]}, {0, 1}),
        ({"entity": ["byron"], "place": ["muscat"]}, {0}),
        ({"entity": ["byron", "Omar Díaz"]}, {0, 1, 2}),
        ({"entity": ["-byron"]}, {2, 3}),
        ({"organization": ["byron"]}, set()),
        ({"entity": [str(UUID(int=5))]}, set()),
        ({"place": ["Doha"]}, {3}),
        ({"place": [str(MUSCAT), "doha"]}, {0, 3}),
        ({"place": ["-Doha"]}, {0, 1, 2}),
        ({"place": ["cairo"]}, {1}),
    ],
)
def test_articles_are_filtered_by_ids_names_and_aliases(
    database: Database, tmp_path: Path, named: dict[str, list[str]], found: set[int]
) -> None:
    saved = save(
        database,
        [
            story(0, "Ada Byron in Muscat"),
            story(1, "Byron, she said", dateline="CAIRO", places=["Cairo"]),
            story(2, "Omar Díaz"),
            story(3, "Nobody", dateline="DOHA", places=["Doha"]),
        ],
    )
    sweep(database, tmp_path)
    ids = [each.id for each in saved]
    with database.reading() as session:
        listed = articles.listing(session, filters.parse(named), "newest", limit=20, after=None)
    assert {ids.index(each.id) for each in listed.items} == found
    assert listed.total == len(found)


# --- related


def test_related_counts_common_articles_and_says_how_surprising_they_are(
    database: Database, tmp_path: Path
) -> None:
    said = ["Ada Byron, Cairo"] * 4 + ["Ada Byron, Muscat"] * 5 + ["Omar Díaz, Muscat"] * 11
    load(database, tmp_path, *said)
    with database.reading() as session:
        strongest = cooccurrence.related(session, BYRON)
        commonest = cooccurrence.related(session, BYRON, sort="count")
    assert [(e.entity.name, e.count) for e in strongest.items] == [("Cairo", 4), ("Muscat", 5)]
    assert [e.entity.name for e in commonest.items] == ["Muscat", "Cairo"]
    assert strongest.total == 2
    cairo, muscat = strongest.items
    assert (cairo.expected, muscat.expected) == (1.8, 7.2)
    assert cairo.strength > 0 > muscat.strength


@pytest.mark.parametrize("sort", ["strength", "count"])
def test_pages_of_related_follow_one_another(database: Database, tmp_path: Path, sort: Any) -> None:
    chance = random.Random(5)
    people = {f"Person{chr(65 + n)}": ("person", f"Person{chr(65 + n)}", None) for n in range(26)}
    said = [
        ", ".join(["PersonA", *chance.sample(sorted(people), chance.randrange(1, 9))])
        for _ in range(30)
    ]
    save(database, [story(n, each) for n, each in enumerate(said)])
    sweep(database, tmp_path, FakeExtractor(names=people))  # type: ignore[arg-type]
    own = id_of("PersonA")
    for wanted in (filters.Filters(), filters.parse({}, since="2000")):
        with database.reading() as session:
            whole = cooccurrence.related(session, own, wanted, sort=sort, limit=100)
            found: list[UUID] = []
            after: PageKey | None = None
            while True:
                page = cooccurrence.related(session, own, wanted, sort=sort, limit=4, after=after)
                found += [each.entity.id for each in page.items]
                if (after := page.after) is None:
                    break
        assert found == [each.entity.id for each in whole.items]
        assert len(found) == whole.total
        key = [e.strength if sort == "strength" else e.count for e in whole.items]
        assert key == sorted(key, reverse=True)


def test_related_by_filters_and_type(database: Database, tmp_path: Path) -> None:
    save(
        database,
        [
            story(1, "Ada Byron, Omar Díaz, Cairo", day="2024-03-05"),
            story(2, "Ada Byron, Muscat", day="2023-03-05"),
        ],
    )
    sweep(database, tmp_path)
    since = filters.parse({}, since="2024")
    with database.reading() as session:
        recent = cooccurrence.related(session, BYRON, since, sort="count")
        places = cooccurrence.related(session, BYRON, type_="place")
        recent_places = cooccurrence.related(session, BYRON, since, type_="place")
    assert {each.entity.name for each in recent.items} == {"Omar Díaz", "Cairo"}
    assert {each.entity.name for each in places.items} == {"Cairo", "Muscat"}
    assert [each.entity.name for each in recent_places.items] == ["Cairo"]
    assert (places.total, recent_places.total) == (2, 1)


def test_an_article_of_very_many_entities_pairs_the_most_mentioned(
    database: Database, tmp_path: Path
) -> None:
    people = {f"Name{n}x": ("place", f"Name{n}x", None) for n in range(MOST_COOCCURRING + 50)}
    said = f"{', '.join(people)}. Name7x again and Name249x again"
    save(database, [story(1, said)])
    sweep(database, tmp_path, FakeExtractor(names=people))  # type: ignore[arg-type]
    with database.reading() as session:
        last = cooccurrence.related(session, id_of("Name249x", "place"))
        left_out = cooccurrence.related(session, id_of("Name248x", "place"))
    assert (last.total, left_out.total) == (MOST_COOCCURRING - 1, 0)


# --- timeline


def test_a_timeline_has_its_empty_periods(database: Database, tmp_path: Path) -> None:
    days = ["2024-01-30", "2024-01-31", "2024-03-01", None]
    save(database, [story(n, "Ada Byron", day=day) for n, day in enumerate(days)])
    sweep(database, tmp_path)
    every = filters.Filters()
    with database.reading() as session:
        months = entities.timeline(session, BYRON, every, "month")
        local = entities.timeline(
            session, BYRON, filters.Filters(time_zone="Asia/Karachi"), "month"
        )
        since = filters.parse({}, since="2024-03", until="2024-04")
        some = entities.timeline(session, BYRON, since, "month")
    counted = [(each.start, each.count) for each in months]
    assert counted == [(date(2024, 1, 1), 2), (date(2024, 2, 1), 0), (date(2024, 3, 1), 1)]
    assert local == months
    assert [each.count for each in some] == [1, 0]


def test_a_timeline_counts_the_days_of_its_zone(database: Database, tmp_path: Path) -> None:
    at = datetime(2024, 1, 31, 22, 30, tzinfo=UTC)
    save(database, [story(1, "Ada Byron", day=None, published_at=at, published_precision="minute")])
    sweep(database, tmp_path)
    with database.reading() as session:
        (utc,) = entities.timeline(session, BYRON, filters.Filters(), "day")
        (karachi,) = entities.timeline(
            session, BYRON, filters.Filters(time_zone="Asia/Karachi"), "day"
        )
    assert (utc.start, karachi.start) == (date(2024, 1, 31), date(2024, 2, 1))


def test_the_timeline_of_what_has_no_article_is_empty(database: Database, tmp_path: Path) -> None:
    (id_,) = load(database, tmp_path, "Ada Byron")
    with database.transaction() as session:
        removal.remove(session, id_)
    with database.reading() as session:
        assert entities.timeline(session, BYRON, filters.Filters(), "day") == []
        assert cooccurrence.related(session, BYRON).total == 0


# --- decisions


def test_merged_entities_are_one(database: Database, tmp_path: Path) -> None:
    ids = load(database, tmp_path, "Ada Byron", "Ada King Byron", "Ada King Byron, Ada Byron")
    king = id_of("Ada King Byron")
    with database.transaction() as session:
        assert merging.merge(session, king, BYRON) == 2
    with database.reading() as session:
        whole = entities.get(session, BYRON)
        with pytest.raises(Moved) as moved:
            entities.get(session, king)
        changes = dict(articles_changes.versions(session))
        shown = articles.get(session, ids[1]).mentions
        found = names(session, beginning="ada king")
        by_old_id = articles.listing(
            session, filters.parse({"entity": [str(king)]}), "newest", limit=9, after=None
        )
    assert moved.value.merged_into == str(BYRON)
    assert (whole.article_count, whole.mention_count) == (3, 4)
    assert (whole.name, whole.aliases) == ("Ada King Byron", ["Ada Byron"])
    assert [changes[id_] for id_ in ids] == [2, 3, 3]
    assert [(each.entity_id, each.surface) for each in shown] == [(BYRON, "Ada King Byron")]
    assert found == ["Ada King Byron"]
    assert by_old_id.total == 3


def test_decisions_outlive_another_extraction(database: Database, tmp_path: Path) -> None:
    ids = load(database, tmp_path, "Ada Byron", "Ada Byron, Muscat", "Ada King Byron", "Cairo")
    with database.transaction() as session:
        merging.merge(session, id_of("Ada King Byron"), BYRON)
        other = merging.split(session, BYRON, "Ada Byron (sailor)", [ids[1]])
        merging.rename(session, MUSCAT, "Masqat")

    def seen() -> list[Any]:
        with database.reading() as session:
            every = [entities.get(session, id_) for id_ in (BYRON, other, MUSCAT)]
            return [(e.name, e.aliases, e.article_count, e.mention_count) for e in every]

    before = seen()
    assert before == [
        ("Ada King Byron", ["Ada Byron"], 2, 2),
        ("Ada Byron (sailor)", ["Ada Byron"], 1, 1),
        ("Masqat", ["Muscat"], 1, 1),
    ]
    sweep(database, tmp_path, FakeExtractor("fake 2", {"Cairo": ("place", "Cairo", None)}))
    assert [each[2] for each in seen()] == [0, 0, 0]
    sweep(database, tmp_path, FakeExtractor("fake 3"))
    assert seen() == before
    with database.transaction() as session:
        removal.remove(session, ids[1])
    save(database, [story(1, "Ada Byron, Muscat", day="2024-03-02")])
    with database.transaction() as session:
        removal.restore(session, ids[1])
    sweep(database, tmp_path, FakeExtractor("fake 3"))
    assert seen() == before


def test_merging_a_part_back_undoes_the_split(database: Database, tmp_path: Path) -> None:
    ids = load(database, tmp_path, "Ada Byron", "Ada Byron")
    with database.transaction() as session:
        other = merging.split(session, BYRON, "Ada Byron (sailor)", ids[:1])
    with database.transaction() as session:
        assert merging.merge(session, other, BYRON) == 1
    with database.reading() as session:
        assert entities.get(session, BYRON).article_count == 2
        with pytest.raises(Moved):
            entities.get(session, other)


def test_a_part_can_be_split_again(database: Database, tmp_path: Path) -> None:
    ids = load(database, tmp_path, "Ada Byron", "Ada Byron", "Ada Byron")
    with database.transaction() as session:
        sailor = merging.split(session, BYRON, "Ada Byron (sailor)", ids[:2])
        poet = merging.split(session, sailor, "Ada Byron (poet)", ids[1:2])
    with database.reading() as session:
        counts = [entities.get(session, id_).article_count for id_ in (BYRON, sailor, poet)]
    assert counts == [1, 1, 1]
    with database.transaction() as session:
        merging.split(session, poet, "Ada Byron", ids[1:2])
    with database.reading() as session:
        counts = [entities.get(session, id_).article_count for id_ in (BYRON, sailor, poet)]
    assert counts == [2, 1, 0]


def test_a_renamed_entity_keeps_name_and_id_and_its_articles_take_a_change(
    database: Database, tmp_path: Path
) -> None:
    (id_,) = load(database, tmp_path, "Ada Byron")
    with database.transaction() as session:
        assert merging.rename(session, BYRON, "Countess of Lovelace") == 1
    save(database, [story(9, "Ada King Byron, Ada Byron")])
    sweep(database, tmp_path)
    with database.reading() as session:
        whole = entities.get(session, BYRON)
        assert whole.name == "Countess of Lovelace"
        assert names(session, beginning="countess") == ["Countess of Lovelace"]
        assert names(session, beginning="ada b") == ["Countess of Lovelace"]
        assert articles.get(session, id_).change == 3


def test_a_decision_about_nothing_is_refused(database: Database, tmp_path: Path) -> None:
    ids = load(database, tmp_path, "Ada Byron", "Omar Díaz")
    with database.transaction() as session:
        with pytest.raises(NotFound):
            merging.merge(session, uuid4(), BYRON)
        with pytest.raises(RequestError, match="one entity already"):
            merging.merge(session, BYRON, BYRON)
        with pytest.raises(NotFound, match="no article with Ada Byron"):
            merging.split(session, BYRON, "Ada Byron (sailor)", [ids[1]])
        with pytest.raises(RequestError, match="choose another one"):
            merging.split(session, BYRON, "ada byron", [ids[0]])
        with pytest.raises(RequestError, match="at least one letter"):
            merging.rename(session, BYRON, "  ")


def test_merges_in_a_row_lead_to_the_last_heir(database: Database, tmp_path: Path) -> None:
    load(database, tmp_path, "Ada Byron", "Ada King Byron", "Omar Díaz")
    king = id_of("Ada King Byron")
    with database.transaction() as session:
        merging.merge(session, king, BYRON)
        merging.merge(session, king, DIAZ)
    with database.reading() as session:
        for id_ in (king, BYRON):
            with pytest.raises(Moved) as moved:
                entities.get(session, id_)
            assert moved.value.merged_into == str(DIAZ)
        assert entities.get(session, DIAZ).article_count == 3


def test_a_split_outlives_the_merging_of_its_origin(database: Database, tmp_path: Path) -> None:
    ids = load(database, tmp_path, "Ada Byron", "Ada Byron", "Ada King Byron")
    king = id_of("Ada King Byron")
    with database.transaction() as session:
        sailor = merging.split(session, BYRON, "Ada Byron (sailor)", ids[:1])
        merging.merge(session, BYRON, king)
    for version in ("fake 1", "fake 2"):
        sweep(database, tmp_path, FakeExtractor(version))
        with database.reading() as session:
            counts = [entities.get(session, id_).article_count for id_ in (king, sailor)]
        assert counts == [2, 1]
