from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest

from app import filters
from app.articles import changes, identity, removal
from app.articles import read as articles
from app.errors import NotFound
from tests import factories
from tests.factories import draft, numbered, save

if TYPE_CHECKING:
    from app.articles.read import Order
    from app.filters import Filters
    from app.store.database import Database


def walk(
    database: Database, order: Order = "newest", wanted: Filters | None = None, *, limit: int = 3
) -> list[str]:
    """The headlines of all pages; asserts that every page states the same total."""
    after = None
    found: list[str] = []
    totals = set()
    while True:
        with database.reading() as session:
            page = articles.listing(
                session, wanted or filters.parse({}), order, limit=limit, after=after
            )
        found += [article.headline for article in page.items]
        totals.add(page.total)
        after = page.after
        if after is None:
            assert totals == {len(found)}
            return found


def test_an_unknown_id_is_not_found(database: Database) -> None:
    with database.reading() as session, pytest.raises(NotFound, match="no article"):
        articles.get(session, uuid4())


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_a_list_goes_by_date_and_ends_with_the_undated(database: Database, limit: int) -> None:
    days = ["2024-03-02", None, "2024-03-01", "2024-03-03", "2024-03-02", None, None]
    save(database, [numbered(n, day=day) for n, day in enumerate(days)])
    newest = walk(database, limit=limit)
    oldest = walk(database, "oldest", limit=limit)

    def number(headline: str) -> int:
        return int(headline.split()[1])

    assert [days[number(headline)] for headline in newest] == [
        *("2024-03-03", "2024-03-02", "2024-03-02", "2024-03-01", None, None, None)
    ]
    assert [days[number(headline)] for headline in oldest][:4] == [
        *("2024-03-01", "2024-03-02", "2024-03-02", "2024-03-03")
    ]
    assert newest == walk(database, limit=3)
    assert sorted(oldest) == sorted(newest)


def test_pages_are_stable_while_articles_are_added(database: Database) -> None:
    save(database, [numbered(n, day=f"2024-03-{10 + n}") for n in range(9)])
    everything = filters.parse({})
    seen: list[UUID] = []
    after = None
    for added in range(100, 200, 2):
        with database.reading() as session:
            page = articles.listing(session, everything, "newest", limit=2, after=after)
        seen += [article.id for article in page.items]
        after = page.after
        if after is None:
            break
        save(database, [numbered(added, day="2024-03-31"), numbered(added + 1, day="2024-03-14")])
    assert len(seen) == len(set(seen))
    with database.reading() as session:
        headlines = {articles.get(session, id_).headline for id_ in seen}
    assert {numbered(n).headline for n in range(9)} <= headlines


@pytest.fixture
def varied(database: Database) -> Database:
    save(
        database,
        [
            draft("Rain in Cairo", "A.", places=("Cairo",), source="Nile Post", day="2020-05-09"),
            draft("Two cities", "B.", places=("Dubai", "Cairo"), language="en", day="2020-06-01"),
            draft("Abu Dhabi", "C.", places=("Abu Dhabi",), section="Sport", day="2021-01-01"),
            draft("Opinion", "D.", source="Nile Post", language="ar", day=None),
        ],
    )
    return database


@pytest.mark.parametrize(
    ("wanted", "headlines"),
    [
        ({"place": ["cairo"]}, {"Rain in Cairo", "Two cities"}),
        ({"place": ["CAIRO", "ABU  DHABI"]}, {"Rain in Cairo", "Two cities", "Abu Dhabi"}),
        ({"place": ["-Dubai"]}, {"Rain in Cairo", "Abu Dhabi", "Opinion"}),
        ({"place": ["Cairo", "-Dubai"]}, {"Rain in Cairo"}),
        ({"source": ["nile post"]}, {"Rain in Cairo", "Opinion"}),
        ({"source": ["-Nile Post"]}, {"Two cities", "Abu Dhabi"}),
        ({"language": ["en"]}, {"Two cities"}),
        ({"language": ["-en"]}, {"Rain in Cairo", "Abu Dhabi", "Opinion"}),
        ({"section": ["sport"]}, {"Abu Dhabi"}),
        ({"source": ["Nile Post"], "place": ["Cairo"]}, {"Rain in Cairo"}),
        ({"place": ["Atlantis"]}, set()),
    ],
)
@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_filters_by_name(
    varied: Database, wanted: dict[str, list[str]], headlines: set[str], order: Order
) -> None:
    found = walk(varied, order, filters.parse(wanted), limit=2)
    assert set(found) == headlines
    assert len(found) == len(headlines)


@pytest.mark.parametrize(
    ("since", "until", "headlines"),
    [
        ("2020-05-09", None, {"Rain in Cairo", "Two cities", "Abu Dhabi"}),
        ("2020-05-10", None, {"Two cities", "Abu Dhabi"}),
        (None, "2020-05-09", {"Rain in Cairo"}),
        (None, "2020-05-08", set()),
        (None, "2020", {"Rain in Cairo", "Two cities"}),
        ("2020-06", "2020-06", {"Two cities"}),
        ("2020-12-31T20:00:00-05:00", None, set()),
    ],
)
def test_filters_by_date_leave_undated_articles_out(
    varied: Database, since: str | None, until: str | None, headlines: set[str]
) -> None:
    assert set(walk(varied, wanted=filters.parse({}, since=since, until=until))) == headlines


def test_changes_come_whole_and_in_order(database: Database) -> None:
    save(database, [numbered(n) for n in range(3)])
    save(database, [numbered(n) for n in range(3, 6)])
    with database.transaction() as session:
        removal.remove(session, save_id(database, 0))
    with database.reading() as session:
        first = changes.changed_since(session, 0, limit=1)
        rest = changes.changed_since(session, 1, limit=2)
        last = changes.changed_since(session, 2, limit=2)
        assert changes.changed_since(session, 3, limit=2) == []
    assert [change.change for change in first] == [1, 1]
    assert [change.change for change in rest] == [2, 2, 2]
    assert [(change.change, change.document) for change in last] == [(3, None)]


def test_changes_of_long_articles_come_few_at_a_time(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(6):
        save(database, [numbered(n)])
    with database.transaction() as session:
        removal.remove(session, save_id(database, 0))
    length = len(numbered(1).body)
    monkeypatch.setattr(changes, "MOST_CHARS", 2 * length)
    monkeypatch.setattr(changes, "_LOOKED_AT", 1)
    seen, cursor = [], 0
    with database.reading() as session:
        while some := changes.changed_since(session, cursor, limit=100):
            seen.append([each.change for each in some])
            cursor = seen[-1][-1]
    assert seen == [[2, 3, 4], [5, 6, 7]]  # the first was removed by the last change
    monkeypatch.setattr(changes, "MOST_CHARS", 0)
    with database.reading() as session:
        assert [each.change for each in changes.changed_since(session, 0, limit=100)] == [2]


def save_id(database: Database, number: int) -> UUID:
    """The id of a numbered article that is stored already."""
    with database.reading() as session:
        given = numbered(number)
        found = identity.article_id(
            url=None, source=given.source, headline=given.headline, body=given.body
        )
        assert articles.get(session, found)
        return found


def test_states_are_those_of_now(database: Database) -> None:
    kept, gone = save(database, [numbered(1), numbered(2)])
    with database.transaction() as session:
        removal.remove(session, gone.id)
    unknown = uuid4()
    with database.reading() as session:
        states = {each.id: each for each in changes.states(session, [kept.id, gone.id, unknown])}
    assert states[kept.id].change == 1
    assert states[kept.id].document is not None
    assert (states[gone.id].change, states[gone.id].document) == (2, None)
    assert (states[unknown].change, states[unknown].document) == (0, None)


def test_warned_lists_what_readers_were_not_sure_of(database: Database) -> None:
    save(database, [numbered(1), numbered(2, warnings=("caption: it may be the headline",))])
    with database.reading() as session:
        (found,) = articles.warned(session)
    assert found["headline"] == factories.numbered(2).headline
    assert found["warnings"] == ["caption: it may be the headline"]
