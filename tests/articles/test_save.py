from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from app.articles import changes, expiry, history, removal
from app.articles import read as articles
from app.articles import save as saving
from app.articles.versions import Given, Story, Version
from app.errors import Gone, KeyTaken, Moved, NotFound
from app.store import sequence
from app.store.models import metadata
from tests import factories
from tests.factories import draft, save

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.articles.read import WholeArticle
    from app.articles.save import Saved
    from app.ingest.draft import Draft
    from app.store.database import Database


def outcomes(saved: Sequence[Saved]) -> list[str]:
    return [each.outcome for each in saved]


def whole(database: Database, saved: Saved) -> WholeArticle:
    with database.reading() as session:
        return articles.get(session, saved.id)


def last_change(database: Database) -> int:
    with database.reading() as session:
        return sequence.last_change(session)


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
        assert sorted(change for _, change in changes.versions(session)) == [1, 1, 2]


URL = "https://example.org/rain"


def test_a_newer_version_is_a_revision_under_the_same_id(database: Database) -> None:
    (first,) = save(database, [draft(day="2024-03-01", url=URL)])
    newer = draft(body=draft().body + "\n\nMore rain is expected.", day="2024-03-02", url=URL)
    (second,) = save(database, [newer])
    assert second == saving.Saved(first.id, "revised")
    found = whole(database, second)
    assert (found.body, found.version, found.change) == (newer.body, 2, 2)


def test_an_older_version_is_stale_and_its_text_and_input_are_kept(database: Database) -> None:
    (first,) = save(database, [draft(day="2024-03-02", url=URL)])
    lead = draft().body
    older = draft(body=lead + "\n\nOld.", day="2024-03-01", url=URL, path="pages/old.txt")
    assert outcomes(save(database, [older])) == ["stale"]
    found = whole(database, first)
    assert (found.body, found.version) == (lead, 1)
    assert [seen.path for seen in found.sources] == ["pages/rain.txt", "pages/old.txt"]
    with database.reading() as session:
        assert [each.version for each in history.versions(session, first.id).items] == [2, 1]
        assert history.version(session, first.id, 2)["body"] == older.body


def _versions() -> list[Draft]:
    lead = draft().body
    return [
        draft(body=lead + "\n\nFirst.", day="2024-03-01", path="a.txt", url=URL),
        draft(
            body=lead + "\n\nThe last of three, and short.", path="b.txt", url=URL, day="2024-03-03"
        ),
        draft(
            body=lead + "\n\nSecond of three, and much longer.",
            path="c.txt",
            url=URL,
            day="2024-03-02",
        ),
        draft(
            body=lead + "\n\nOf no date at all and the longest of them.",
            day=None,
            path="d.txt",
            url=URL,
        ),
    ]


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_the_newest_version_shows_in_any_order(database: Database, order: tuple[int, ...]) -> None:
    versions = _versions()
    for number in order:
        (saved,) = save(database, [versions[number]])
    found = whole(database, saved)
    assert found.body == versions[1].body
    assert {seen.path for seen in found.sources} == {"a.txt", "b.txt", "c.txt", "d.txt"}
    change = last_change(database)
    for number in order:
        assert outcomes(save(database, [versions[number]])) == ["unchanged"]
    assert last_change(database) == change


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_versions_in_one_call_end_as_in_many(database: Database, order: tuple[int, ...]) -> None:
    versions = _versions()
    saved = save(database, [versions[number] for number in order])
    assert len({each.id for each in saved}) == 1
    assert whole(database, saved[0]).body == versions[1].body
    assert last_change(database) == 1


def test_a_correction_of_the_same_date_shows_though_it_is_shorter(database: Database) -> None:
    (first,) = save(database, [draft(body="It rained for a week in the north here, twice over.")])
    corrected = draft(body="It rained for a week in the north here.")
    assert outcomes(save(database, [corrected])) == ["revised"]
    assert whole(database, first).body == corrected.body


def test_equal_lines_of_one_input_are_one_source(database: Database) -> None:
    saved = save(database, [draft(position=1), draft(position=7)])
    assert outcomes(saved) == ["saved", "unchanged"]
    (seen,) = whole(database, saved[0]).sources
    assert seen.position == 1
    assert outcomes(save(database, [draft(position=9)])) == ["unchanged"]
    assert last_change(database) == 1


def test_a_teaser_never_shows_over_a_full_text(database: Database) -> None:
    full, teaser = draft(url=URL), draft(body="It rained for a …", url=URL, day="2024-03-05")
    saved = save(database, [full, teaser])
    assert outcomes(saved) == ["saved", "stale"]
    other = [replace(each, url=f"{URL}/2") for each in (teaser, full)]
    assert outcomes(save(database, other)) == ["saved", "revised"]
    assert whole(database, saved[0]).body == full.body


def test_a_better_reader_replaces_what_the_last_one_read(database: Database) -> None:
    save(database, [draft(credit="AFP)")])
    (saved,) = save(database, [draft(credit="AFP", reader_version=2)])
    assert saved.outcome == "revised"
    assert whole(database, saved).credit == "AFP"


def test_a_recurring_story_of_another_day_stays_another(database: Database) -> None:
    saved = save(database, [draft(), draft(day="2024-04-05")])
    assert outcomes(saved) == ["saved", "saved"]
    assert saved[0].id != saved[1].id


def test_one_guid_for_two_stories_leaves_them_two_with_a_warning(database: Database) -> None:
    one = draft("Dam holds", "It held.", url="https://a.example/1", guid="9", source="Post")
    other = draft("Oil is up", "By a lot.", url="https://a.example/2", guid="9", source="Post")
    saved = save(database, [one, other])
    assert outcomes(saved) == ["saved", "saved"]
    assert "guid" in whole(database, saved[1]).warnings[0]
    assert saved[1].warned


def test_entries_of_a_live_blog_are_articles_and_the_first_keeps_the_url(
    database: Database,
) -> None:
    live = "https://a.example/live"
    saved = save(
        database,
        [
            draft("Gates opened", "Engineers opened two gates.", url=f"{live}#1", guid="a:1"),
            draft("Buses turned", "Four buses drove home again.", url=f"{live}#2", guid="a:2"),
        ],
    )
    assert outcomes(saved) == ["saved", "saved"]
    assert [whole(database, each).url for each in saved] == [live, None]
    assert "url" in whole(database, saved[1]).warnings[0]


def test_a_guid_is_that_of_its_publisher(database: Database) -> None:
    one = draft("Sawmill sells", "It sells its horses.", guid="1001", source="Tarn Post")
    other = draft("Tide clock stops", "It stops at noon.", guid="1001", source="Kanal Nord")
    saved = save(database, [one, other])
    assert saved[0].id != saved[1].id


def test_a_story_under_its_guid_may_change_address_headline_and_date(database: Database) -> None:
    sent = [
        draft("Fire", "It burned on Saturday.", url="https://a.example/1", guid="t-1", source="A"),
        draft(
            "Fire at the old tannery",
            "Three people were hurt when it burned on Saturday.",
            url="https://a.example/fire-tannery",
            guid="t-1",
            source="A",
            day="2024-03-02",
        ),
    ]
    saved = save(database, [replace(sent[0], body="It burned on Saturday. " + sent[1].body)])
    (second,) = save(database, sent[1:])
    assert (second.id, second.outcome) == (saved[0].id, "revised")
    found = whole(database, second)
    assert (found.version, found.url, found.guid) == (2, sent[1].url, "t-1")


def test_the_date_of_the_update_decides_though_the_text_is_shorter(database: Database) -> None:
    first = draft(body="The wing opened with fourteen beds of its own.", guid="urn:x:1")
    at = datetime(2025, 6, 4, 13, 20, tzinfo=UTC)
    second = replace(first, body="The wing opened without beds.", updated_at=at)
    assert outcomes(save(database, [second, first, second])) == ["saved", "stale", "unchanged"]
    assert outcomes(save(database, [first])) == ["unchanged"]
    (found,) = save(database, [second])
    assert whole(database, found).updated_at == at


def test_of_a_feed_newest_first_the_newest_shows(database: Database) -> None:
    entries = [
        draft("Landslide", f"It blocks {what}.", guid=URL, url=URL, published_at=at, day=None)
        for what, at in (
            ("both tracks until Thursday", datetime(2025, 6, 3, 17, 30, tzinfo=UTC)),
            ("both tracks of the line", datetime(2025, 6, 3, 5, 10, tzinfo=UTC)),
        )
    ]
    with database.transaction() as session:
        saved = saving.save_feed(session, entries, publisher=None)
    assert outcomes(saved) == ["saved", "stale"]
    assert whole(database, saved[0]).body == entries[0].body


def test_a_guid_that_is_a_uri_needs_no_publisher(database: Database) -> None:
    one = draft(guid="urn:newsml:x:1", source="Tarn Post", day=None)
    other = draft("New headline", "And text.", guid="urn:newsml:x:1", day=None)
    assert outcomes(save(database, [one, other])) == ["saved", "revised"]


def test_entries_of_a_feed_that_share_a_guid_are_known_by_the_rest(database: Database) -> None:
    entries = [
        draft(f"Story {n}", text, url=f"https://a.example/{n}", guid="https://a.example/")
        for n, text in enumerate(("Stalls move indoors.", "A choir has won.", "A wolf was seen."))
    ]
    with database.transaction() as session:
        saved = saving.save_feed(session, entries, publisher=None)
    assert outcomes(saved) == ["saved"] * 3
    with database.transaction() as session:
        again = saving.save_feed(session, entries[:1], publisher=None)
    assert again[0] == saving.Saved(saved[0].id, "unchanged")


def test_a_kill_takes_the_article_out_and_a_later_text_brings_it_back(database: Database) -> None:
    (saved,) = save(database, [draft(url=URL, guid="urn:x:1")])
    kill = draft("", "", guid="urn:x:1", status="canceled", day=None)
    assert outcomes(save(database, [kill])) == ["withheld"]
    with pytest.raises(Gone, match="withheld"):
        whole(database, saved)
    again = draft(body="Now it is right.", url=URL, guid="urn:x:1", day="2024-03-09")
    assert outcomes(save(database, [again])) == ["revised"]
    assert whole(database, saved).body == "Now it is right."


def test_a_version_under_embargo_waits_for_its_day(database: Database) -> None:
    now = datetime.now(UTC)
    (saved,) = save(database, [draft(url=URL)])
    until = now + timedelta(hours=3)
    later = draft(body="Not before noon.", day="2024-03-09", url=URL, embargoed_until=until)
    assert outcomes(save(database, [later])) == ["stale"]
    assert whole(database, saved).body == draft().body
    with database.transaction() as session:
        assert expiry.release(session, now=now) == 0
        assert expiry.release(session, now=until) == 1
    found = whole(database, saved)
    assert (found.body, found.embargoed_until, found.change) == ("Not before noon.", until, 3)


def test_an_article_that_was_never_free_is_not_found(database: Database) -> None:
    until = datetime.now(UTC) + timedelta(hours=3)
    (saved,) = save(database, [draft(embargoed_until=until)])
    assert saved.outcome == "withheld"
    with pytest.raises(NotFound) as raised:
        whole(database, saved)
    assert not isinstance(raised.value, Gone)
    assert last_change(database) == 0


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
        removal.remove(session, saved[0].id)
    with database.reading() as session:
        with pytest.raises(Gone, match="removed"):
            articles.get(session, saved[0].id)
        (tombstone,) = changes.changed_since(session, 1, limit=10)
        assert changes.removed_since(session, 1) == {saved[0].id}
    assert (tombstone.id, tombstone.change, tombstone.document) == (saved[0].id, 2, None)
    assert whole(database, saved[1]).related == []


def test_a_removed_article_stays_removed_until_it_is_restored(database: Database) -> None:
    (first,) = save(database, [draft(url=URL)])
    with database.transaction() as session:
        removal.remove(session, first.id)
    newer = draft(body="A newer text.", url=URL, day="2025-01-01")
    assert save(database, [draft(url=URL), newer]) == [saving.Saved(first.id, "removed")] * 2
    with pytest.raises(Gone):
        whole(database, first)
    with database.transaction() as session:
        removal.restore(session, first.id)
    found = whole(database, first)
    assert (found.body, found.version, len(found.sources)) == ("A newer text.", 2, 2)
    with database.reading() as session:
        (change,) = changes.changed_since(session, 0, limit=10)
    assert (change.change, change.document is not None) == (3, True)


def test_removing_what_is_not_there_says_so_and_takes_no_change(database: Database) -> None:
    with pytest.raises(NotFound), database.transaction() as session:
        removal.remove(session, uuid4())
    assert last_change(database) == 0


def test_replace_prefers_what_it_is_given(database: Database) -> None:
    (saved,) = save(database, [draft(day="2024-03-02", places=("Cairo",))])
    other = draft("Other headline", "Other text.", day="2020-01-01", places=("Dubai",), path="http")
    with database.transaction() as session:
        saving.replace(session, saved.id, other, publisher=None)
    found = whole(database, saved)
    assert (found.headline, found.body, found.places) == (
        "Other headline",
        "Other text.",
        ["Dubai"],
    )
    with pytest.raises(NotFound), database.transaction() as session:
        saving.replace(session, uuid4(), other, publisher=None)


def test_a_put_stays_whatever_is_loaded_again(database: Database) -> None:
    sent = draft(url=URL)
    (saved,) = save(database, [sent])
    put = draft("Corrected", "By an editor.", url=URL, day=None, path="http")
    with database.transaction() as session:
        saving.replace(session, saved.id, put, publisher=None)
    assert outcomes(save(database, [sent, draft(url=URL, day="2025-01-01")])) == ["unchanged"] * 2
    assert whole(database, saved).body == "By an editor."
    other = draft(body="Something else came later.", url=URL, day="2025-01-02")
    assert outcomes(save(database, [other])) == ["revised"]


def test_a_put_of_other_fields_stays_too(database: Database) -> None:
    sent = draft(url=URL, section="Wrld")
    (saved,) = save(database, [sent])
    with database.transaction() as session:
        saving.replace(session, saved.id, draft(url=URL, section="World"), publisher=None)
    save(database, [sent])
    assert (whole(database, saved).section, whole(database, saved).version) == ("World", 1)


def test_a_put_may_not_take_what_identifies_another(database: Database) -> None:
    saved = save(database, [draft("One", url=f"{URL}1"), draft("Two", url=f"{URL}2")])
    with pytest.raises(KeyTaken) as raised, database.transaction() as session:
        saving.replace(session, saved[1].id, draft("Two", url=f"{URL}1"), publisher=None)
    assert (raised.value.name, raised.value.owner) == ("url", str(saved[0].id))
    assert whole(database, saved[1]).url == f"{URL}2"


def test_joined_articles_are_one_with_the_texts_of_both(database: Database) -> None:
    one, other = save(database, [draft("One", url=f"{URL}1"), draft("Two", url=f"{URL}2")])
    with database.transaction() as session:
        removal.join(session, one.id, other.id)
    with pytest.raises(Moved) as raised:
        whole(database, one)
    assert raised.value.merged_into == str(other.id)
    assert outcomes(save(database, [draft("One", url=f"{URL}1")])) == ["unchanged"]
    with database.reading() as session:
        assert history.versions(session, other.id).total == 2


def test_a_load_is_taken_back_as_if_it_had_not_been(database: Database) -> None:
    (kept,) = save(database, [draft(url=URL)])
    load = saving.Load("load")
    wrong = draft(body="Wrong.", url=URL, day="2025-01-01", path="wrong.txt")
    with database.transaction() as session:
        new = saving.save(session, [wrong, draft("New")], publisher=None, load=load)[1]
    assert whole(database, kept).body == "Wrong."
    assert load.id is not None
    assert whole(database, new).sources[0].load == load.id
    with database.transaction() as session:
        undone = removal.undo(session, load.id)
    assert (undone.removed, undone.changed) == ([new.id], [kept.id])
    assert whole(database, kept).body == draft().body
    with pytest.raises(Gone, match="removed"):
        whole(database, new)
    assert outcomes(save(database, [draft("New")])) == ["saved"]


def test_an_erased_article_leaves_no_word_and_stays_away(database: Database) -> None:
    (saved,) = save(database, [draft(url=URL, guid="urn:x:9")])
    with database.transaction() as session:
        removal.erase(session, saved.id)
    with pytest.raises(Gone, match="erased"):
        whole(database, saved)
    with pytest.raises(Gone), database.transaction() as session:
        removal.restore(session, saved.id)
    again = draft("Another headline", "Another text.", guid="urn:x:9")
    assert outcomes(save(database, [draft(url=URL), again])) == ["removed", "removed"]
    with database.reading() as session:
        for table in metadata.sorted_tables:
            rows = str(session.execute(table.select()).all())
            assert "reservoirs" not in rows
            assert "example.org" not in rows


def test_an_old_text_goes_with_its_days_and_loading_it_again_changes_nothing(
    database: Database,
) -> None:
    old, new = draft(url=URL), draft(body="Newer.", url=URL, day="2025-01-01")
    (saved, _) = save(database, [old, new])
    in_a_month = datetime.now(UTC) + timedelta(days=31)
    with database.transaction() as session:
        assert expiry.drop_texts(session, days=30, now=in_a_month) == 1
    with database.reading() as session:
        second, first = history.versions(session, saved.id).items
    assert (first.is_kept, second.is_kept) == (False, True)
    assert outcomes(save(database, [old])) == ["unchanged"]
    assert whole(database, saved).body == "Newer."
    bumped = draft(url=URL, day="2026-01-01")
    assert outcomes(save(database, [bumped])) == ["revised"]
    assert whole(database, saved).body == old.body


def test_saving_nothing_is_nothing(database: Database) -> None:
    assert save(database, []) == []
    assert last_change(database) == 0


def test_a_thousand_edits_of_an_article_cost_as_much_each_as_a_few(database: Database) -> None:
    (saved,) = save(database, [draft(url=URL)])
    counted = 0

    def count(*_: object) -> None:
        nonlocal counted
        counted += 1

    story = Story(id=saved.id, arrival=1, is_bare=False)
    for number in range(1000):
        version = Version(
            number=0,
            text=b"%d" % number,
            status="usable",
            is_full=True,
            given=None if number else Given(is_full=True, us=7, number=0),
            held=(7, 0),
            replaced=number or None,
            arrival=number,
            arrived_at=datetime.now(UTC),
        )
        story.add(version)
    sys.setprofile(count)
    try:
        shown = story.shown
    finally:
        sys.setprofile(None)
    assert shown is story.versions[-1]
    assert counted < 50 * len(story.versions), "each PUT is looked at once"
