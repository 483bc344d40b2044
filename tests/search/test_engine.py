"""The contract of every engine: what it must answer, whatever stands below it."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4, uuid5

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import filters, text
from app.errors import EngineBusy, EngineError, IndexDamaged, IndexMissing, QueryError
from app.search import ranking
from app.search.base import SCHEMA_VERSION, Change, Document, Engine, Found, Request
from app.search.query import Fuzzy, Prefix, parse
from app.search.whoosh_engine import WhooshEngine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STORE = uuid4()
ENGINES: dict[str, Callable[[Path], Engine]] = {"whoosh": WhooshEngine}


@pytest.fixture(params=ENGINES)
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Engine]]:
    """Opens one more engine on the same folder, as another process would."""
    opened: list[Engine] = []

    def _make() -> Engine:
        opened.append(ENGINES[request.param](tmp_path / "index"))
        return opened[-1]

    yield _make
    for engine in opened:
        engine.close()


@pytest.fixture
def engine(make: Callable[[], Engine]) -> Engine:
    """An engine with an empty index."""
    made = make()
    with made.rebuilding(STORE):
        pass
    return made


def id_of(number: int) -> UUID:
    return uuid5(STORE, str(number))


def change(number: int, at: int, headline: str = "Headline", **more: Any) -> Change:
    """Article `number`, changed at `at`; `day` counts its date in days."""
    day = more.pop("day", number)
    document = Document(
        headline=headline,
        summary=more.pop("summary", ()),
        caption=more.pop("caption", ""),
        body=more.pop("body", "Some body text."),
        published_us=None if day is None else day * 86_400_000_000,
        names={name: [text.fold(v) for v in more.pop(name, ())] for name in filters.NAMED},
    )
    assert not more
    return Change(id_of(number), at, document)


def removal(number: int, at: int) -> Change:
    return Change(id_of(number), at, None)


def numbers(found: Found) -> list[int]:
    known = {id_of(number): number for number in range(200)}
    return [known[hit.id] for hit in found.hits]


def ask(engine: Engine, q: str | None, **more: Any) -> list[int]:
    """The numbers of all hits, in their order, over pages of two; totals must agree."""
    request = Request(query=None if q is None else parse(q), limit=2, **more)
    found: list[int] = []
    totals = set()
    while True:
        page = engine.search(request)
        assert page.complete
        found += numbers(page)
        totals.add(page.total)
        if page.after is None:
            assert totals == {len(found)}
            return found
        request = replace(request, after=page.after)


# --- matching


@pytest.mark.parametrize(
    ("q", "hits"),
    [
        ("apples", {0, 1, 2, 3, 4}),
        ("APPLE", {0, 1, 2, 3, 4}),
        ("pears", {3}),
        ("apples pears", {3}),
        ("apples unknown", set()),
        ('"green apples"', {0, 1}),
        ('"apples green"', set()),
        ('"eat green apples"', {1}),
        ('green "red apples"', {2}),
        ('"first point second"', set()),
        ('"second point"', {4}),
        ("cafe", {5}),
        ("Covid-19", {6}),
        ("19 covid", {6, 7}),
        ("東京", {8}),
        ("京東", set()),
        ("the the", set()),
    ],
)
def test_hits(engine: Engine, q: str, hits: set[int]) -> None:
    engine.apply(
        [
            change(0, 1, "Green apples"),
            change(1, 1, body="They eat green apples every day."),
            change(2, 1, caption="Red apples", body="Grass is green."),
            change(3, 1, "Apples", body="And pears."),
            change(4, 1, summary=["First point", "Second point", "apples"]),
            change(5, 1, "Café society"),
            change(6, 1, "Covid-19 again"),
            change(7, 1, "On 19 March covid came"),
            change(8, 1, "東京都"),
        ],
        1,
    )
    assert set(ask(engine, q)) == hits


def test_a_phrase_does_not_go_on_from_headline_to_body(engine: Engine) -> None:
    engine.apply([change(0, 1, "Green", body="apples")], 1)
    assert ask(engine, '"green apples"') == []


def test_headline_counts_more_than_summary_than_caption_than_body(engine: Engine) -> None:
    filler = "one two three four five six"
    engine.apply(
        [
            change(0, 1, "x", summary=["x"], caption="x", body=f"apples {filler}"),
            change(1, 1, "x", summary=["x"], caption="apples", body=f"x {filler}"),
            change(2, 1, "x", summary=["apples"], caption="x", body=f"x {filler}"),
            change(3, 1, "apples", summary=["x"], caption="x", body=f"x {filler}"),
        ],
        1,
    )
    assert ask(engine, "apples") == [3, 2, 1, 0]


def test_rare_words_and_short_articles_rank_higher(engine: Engine) -> None:
    engine.apply(
        [
            change(0, 1, "x", body="apples " + "and so on " * 50),
            change(1, 1, "x", body="apples and pears"),
            change(2, 1, "x", body="apples apples apples pears"),
            *(change(n, 1, "x", body="pears") for n in range(3, 30)),
        ],
        1,
    )
    assert ask(engine, "apples") == [2, 1, 0]


def test_a_word_that_every_article_holds_still_counts_for_something(engine: Engine) -> None:
    engine.apply([change(n, 1, body="apples " * (n + 1)) for n in range(120)], 1)
    for limit in (1, 7):
        request = Request(query=parse("apples"), limit=limit)
        page = engine.search(request)
        assert page.after is not None
        assert all(number > 0 for number in page.after.statistics)
        assert page.hits[0].score > 0


def test_without_a_query_every_article_is_a_hit(engine: Engine) -> None:
    engine.apply([change(n, 1) for n in range(5)], 1)
    assert ask(engine, None, sort="newest") == [4, 3, 2, 1, 0]


@pytest.fixture
def orchard(engine: Engine) -> Engine:
    """Articles for the whole query language."""
    engine.apply(
        [
            change(0, 1, "Green apples", body="They rot.", place=["Cairo"], source=["Nile Post"]),
            change(1, 1, "Pears", body="Apples are not green pears.", place=["Abu Dhabi"]),
            change(2, 1, "Apple and a green leaf", body="Presidents eat them.", day=400),
            change(3, 1, "Figs", summary=["Apples fall"], body="The president said so.", day=800),
            change(4, 1, "Rain", caption="Green hills", body="It rained on appels.", day=None),
        ],
        1,
    )
    return engine


@pytest.mark.parametrize(
    ("q", "hits"),
    [
        ("apples OR rain", {0, 1, 2, 3, 4}),
        ("apples -green", {3}),
        ("NOT apples", {4}),
        ("-apples -rain", set()),
        ("(pears OR figs) apples", {1, 3}),
        ("pears OR figs green", {1}),
        ('"green apples"', {0}),
        ('"apple leaf"', set()),
        ('"apple leaf"~3', {2}),
        ('"apple leaf"~2', set()),
        ('"leaf apple"~3', set()),
        ("presiden*", {2, 3}),
        ("president*", {2, 3}),
        ("zz*", set()),
        ("apl*", set()),
        ("appels~", {0, 1, 2, 3, 4}),
        ("aples~1", {0, 1, 2, 3}),
        ("xyzzy~2", set()),
        ("headline:apples", {0, 2}),
        ("body:apples", {1}),
        ("summary:apples", {3}),
        ("caption:green", {4}),
        ("headline:presid*", set()),
        ("headline:(apples OR figs)", {0, 2, 3}),
        ("headline:(apples -leaf)", {0}),
        ('headline:"green apples"', {0}),
        ('body:"green apples"', set()),
        ("headline:aples~1", {0, 2}),
        ("place:cairo", {0}),
        ('place:"abu dhabi"', {1}),
        ("place:abu*", {1}),
        ("place:abu", set()),
        ("-place:cairo apples", {1, 2, 3}),
        ('source:"nile post" OR figs', {0, 3}),
        ("published:1970", {0, 1}),
        ("published:[1971 TO *]", {2, 3}),
        ("published:[* TO 1971-12-31]", {0, 1, 2}),
        ("apples published:1971", {2}),
        ("-published:1970", {2, 3, 4}),
        ("*", {0, 1, 2, 3, 4}),
        ("* -apples", {4}),
        ("apples^3 OR rain^0.5", {0, 1, 2, 3, 4}),
    ],
)
def test_the_query_language(orchard: Engine, q: str, hits: set[int]) -> None:
    found = ask(orchard, q)
    assert set(found) == hits
    assert len(found) == len(hits)


def test_any_word_is_enough_when_any_is_asked_for(orchard: Engine) -> None:
    tree = parse("what do presidents eat", match="any")
    found = numbers(orchard.search(Request(query=tree)))
    assert found[0] == 2
    assert set(found) == {2, 3}


def test_a_boost_lifts_what_it_stands_on(orchard: Engine) -> None:
    assert ask(orchard, "figs^9 OR rain")[0] == 3
    assert ask(orchard, "figs OR rain^9")[0] == 4


def test_recent_articles_score_higher_only_when_that_is_asked_for(engine: Engine) -> None:
    engine.apply([change(n, 1, "Apples", day=1000 - 30 * n) for n in range(4)], 1)
    plain = engine.search(Request(query=parse("apples")))
    assert len({hit.score for hit in plain.hits}) == 1
    boosted = engine.search(Request(query=parse("apples"), recent=True))
    assert numbers(boosted) == [0, 1, 2, 3]
    scores = [hit.score / plain.hits[0].score for hit in boosted.hits]
    assert scores == pytest.approx([2.0, 1.5, 1.25, 1.125], abs=0.03)


@pytest.mark.parametrize("hostile", ["a* b* c*", "a* OR e* OR s*", "-a*", "*", "a~ b~ cat~2"])
def test_a_hostile_query_ends_in_time(engine: Engine, hostile: str) -> None:
    words = ["apples", "bananas", "cherries", "eggs", "salt", "cat"]
    engine.apply([change(n, 1, body=" ".join(words) + f" a{n} b{n} c{n}") for n in range(200)], 1)
    try:
        tree = parse(hostile)
    except QueryError:
        return
    found = engine.search(Request(query=tree, timeout_s=-1.0))
    assert found.total == 0 or found.complete is False or hostile == "*"


# --- counting


def test_facets_count_the_whole_result_whatever_the_page(orchard: Engine) -> None:
    request = Request(query=parse("apples"), limit=1, facets=("place", "source", "language"))
    found = orchard.search(request)
    assert found.facets == {
        "place": [("abu dhabi", 1), ("cairo", 1)],
        "source": [("nile post", 1)],
        "language": [],
    }
    second = orchard.search(replace(request, after=found.after, facet_limit=1))
    assert second.facets["place"] == [("abu dhabi", 1)]
    filtered = filters.parse({"place": ["Cairo"]})
    assert orchard.search(replace(request, filters=filtered)).facets["place"] == [("cairo", 1)]


def test_a_histogram_counts_days_in_the_zone_that_is_asked_for(engine: Engine) -> None:
    late = change(0, 1, "Apples")
    assert late.document is not None
    evening = 20 * 3_600_000_000  # 20:00 UTC on 1970-01-01
    late = replace(late, document=replace(late.document, published_us=evening))
    engine.apply([late, change(1, 1, "Pears", day=3), change(2, 1, "Apples", day=None)], 1)

    def days(zone: str) -> list[tuple[str, int]]:
        request = Request(query=parse("apples"), histogram="day", zone=zone)
        return [(b.start.isoformat(), b.count) for b in engine.search(request).histogram]

    assert days("UTC") == [("1970-01-01", 1)]
    assert days("Asia/Riyadh") == [("1970-01-01", 1)]
    assert days("Asia/Karachi") == [("1970-01-02", 1)]
    assert days("Asia/Karachi") == [("1970-01-02", 1)]
    request = Request(query=parse("apples"), histogram="day", coverage=True)
    (bucket,) = engine.search(request).histogram
    assert (bucket.count, bucket.coverage) == (1, 1)
    bounded = filters.parse({}, since="1970-01-01", until="1970-01-04")
    wider = engine.search(replace(request, filters=bounded)).histogram
    assert [(b.count, b.coverage) for b in wider] == [(1, 1), (0, 0), (0, 0), (0, 1)]


def test_words_and_names_of_the_index(orchard: Engine) -> None:
    assert orchard.frequencies(["appl", "green", "no"]) == {"appl": 4, "green": 4, "no": 0}
    assert orchard.words(Prefix(prefix="presiden"), 5) == [("president", 2), ("presidents", 2)]
    assert orchard.words(Fuzzy(form="appels", distance=1), 5) == [("apples", 4), ("appels", 1)]
    assert orchard.words(Fuzzy(form="appels", distance=2), 1) == [("apple", 4)]
    assert orchard.names("place", "ab", 5) == [("abu dhabi", 1)]
    assert orchard.names("place", "", 1) == [("abu dhabi", 1)]


FRUIT = ("apple", "apples", "apply", "applying", "apricot", "pear", "pearls", "Äpfel", "U.S.", "A1")


def test_beginnings_are_counted_as_by_hand_after_every_write(engine: Engine) -> None:
    chance = Random(0)
    kept: dict[int, tuple[str, str]] = {}
    for at in range(1, 30):
        batch = {}
        for number in chance.sample(range(200), chance.randrange(1, 25)):
            if kept.pop(number, None) is not None and chance.random() < 0.7:
                batch[number] = removal(number, at)
                continue
            headline, body = (" ".join(chance.choices(FRUIT, k=4)) for _ in "hb")
            kept[number] = headline, body
            batch[number] = change(number, at, headline, body=body)
        engine.apply([*batch.values()], at)
        for prefix in ("a", "ap", "appl", "p", "u", "z"):
            spelt = {
                token.text
                for word in FRUIT
                for token in text.tokens(word)
                if token.form.startswith(prefix)
            }
            expected = {n for n, (head, _) in kept.items() if spelt & set(text.terms(head))}
            assert set(ask(engine, f"headline:{prefix}*")) == expected
    with engine.rebuilding(STORE) as beside:  # without what was removed, which counts till then
        beside.apply([change(n, 1, head, body=body) for n, (head, body) in kept.items()], 1)
    for prefix in ("a", "ap", "appl", "p", "u", "z"):
        counted = {
            token.form: sum(token.text in text.terms(" ".join(both)) for both in kept.values())
            for both in kept.values()
            for token in text.tokens(" ".join(both))
            if token.form.startswith(prefix)
        }
        ranked = sorted(counted.items(), key=lambda pair: (-pair[1], len(pair[0]), pair[0]))
        for limit in (1, 3, 50):
            assert engine.words(Prefix(prefix=prefix), limit) == ranked[:limit]


def test_a_beginning_in_headlines_scores_as_its_words_do(orchard: Engine) -> None:
    begun = orchard.search(Request(query=parse("headline:presiden*"))).hits
    words = orchard.search(Request(query=parse("headline:president"))).hits
    assert [(hit.id, hit.score) for hit in begun] == [(hit.id, hit.score) for hit in words]


# --- near-duplicates

STORY = (
    "The ministry of water said on Monday that the reservoirs of the north were full after a "
    "week of rain and that farmers would be given more of it than in any of the last ten years "
    "while towns downstream were asked to clear their drains before the weekend"
)


@pytest.mark.parametrize("sort", ["relevance", "newest", "oldest"])
def test_near_duplicates_collapse_into_the_first_of_them(engine: Engine, sort: Any) -> None:
    other = "Oil prices fell on Tuesday as traders looked to a meeting of producers " * 3
    engine.apply(
        [
            change(0, 1, "Rain", body=STORY, day=3),
            change(1, 1, "Rain again", body=STORY + " he added", day=2),
            change(2, 1, "Oil and rain", body=other, day=1),
            change(3, 1, "Rain", body="Short.", day=4),
            change(4, 1, "Rain", body="Short.", day=5),
        ],
        1,
    )
    request = Request(query=parse("rain"), sort=sort, collapse=True, facets=("place",))
    found = engine.search(request)
    assert found.total == 4
    assert len(found.hits) == 4
    groups = {numbers(replace_hits(found, [hit]))[0]: hit.duplicates for hit in found.hits}
    (first,) = [number for number, members in groups.items() if members]
    assert {first, *(0, 1)} == {0, 1}
    assert groups[first] == (id_of(1 - first),)
    walked = []
    page = replace(request, limit=1, facets=())
    while True:
        answer = engine.search(page)
        walked += numbers(answer)
        if answer.after is None:
            break
        page = replace(page, after=answer.after)
    assert walked == numbers(found)


def replace_hits(found: Found, hits: list[Any]) -> Found:
    return replace(found, hits=hits)


# --- answers that are remembered


def test_a_repeated_search_is_answered_anew_only_after_a_change(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.apply([change(0, 1, "Apples")], 1)
    request = Request(query=parse("apples"))
    first = engine.search(request)
    with monkeypatch.context() as patched:
        patched.setattr("app.search.scoring.search", None)
        assert engine.search(Request(query=parse("apples"))) == first
    engine.apply([change(1, 2, "Apples")], 2)
    assert engine.search(request).total == 2


def test_a_walk_to_the_end_orders_the_result_once(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.apply([change(n, 1, "Apples") for n in range(50)], 1)
    ranked: list[int] = []
    real = ranking.rank

    def counted(*arguments: Any) -> Any:
        ranked.append(1)
        return real(*arguments)

    monkeypatch.setattr(ranking, "rank", counted)
    assert len(ask(engine, "apples")) == 50
    assert len(ranked) == 1


# --- filters and sorts


@pytest.mark.parametrize(
    ("wanted", "since", "until", "hits"),
    [
        ({"place": ["Cairo"]}, None, None, {0, 1}),
        ({"place": ["cairo", "DUBAI"]}, None, None, {0, 1, 2}),
        ({"place": ["-Cairo"]}, None, None, {2, 3}),
        ({"place": ["Cairo", "-Dubai"]}, None, None, {0}),
        ({"place": ["New"]}, None, None, set()),
        ({"place": ["New York"]}, None, None, {3}),
        ({"source": ["Post"], "place": ["Cairo"]}, None, None, {0}),
        ({"language": ["en"]}, None, None, {1}),
        ({"section": ["-World"]}, None, None, {0, 1, 2}),
        ({}, "1970-01-03", None, {2}),
        ({}, None, "1970-01-02", {0, 1}),
        ({}, "1970-01-02", "1970-01-02", {1}),
        ({"place": ["Dubai"]}, "1970-01-03", None, {2}),
        ({}, "1980", None, set()),
    ],
)
@pytest.mark.parametrize("q", [None, "apples", '"two apples"'])
def test_filters(
    engine: Engine,
    q: str | None,
    wanted: dict[str, list[str]],
    since: str | None,
    until: str | None,
    hits: set[int],
) -> None:
    body = "Two apples."
    engine.apply(
        [
            change(0, 1, body=body, place=["Cairo"], source=["Post"]),
            change(1, 1, body=body, place=["Cairo", "Dubai"], language=["en"]),
            change(2, 1, body=body, place=["Dubai"]),
            change(3, 1, body=body, place=["New York"], section=["World"], day=None),
        ],
        1,
    )
    found = ask(engine, q, filters=filters.parse(wanted, since=since, until=until))
    assert set(found) == hits


def test_the_three_sorts_break_ties_by_id_and_put_undated_articles_last(engine: Engine) -> None:
    days = [3, 1, None, 1, 3, None, 2]
    engine.apply([change(n, 1, body="apples", day=day) for n, day in enumerate(days)], 1)

    def by_id(*those: int) -> list[int]:
        return sorted(those, key=lambda n: id_of(n).bytes)

    assert ask(engine, "apples", sort="newest") == [
        *by_id(0, 4)[::-1], 6, *by_id(1, 3)[::-1], *by_id(2, 5)[::-1],
    ]  # fmt: skip
    assert ask(engine, "apples", sort="oldest") == [
        *by_id(1, 3), 6, *by_id(0, 4), *by_id(2, 5),
    ]  # fmt: skip
    assert ask(engine, "apples") == by_id(*range(7)), "equal scores go by id"


@settings(max_examples=30)
@given(
    data=st.data(),
    sort=st.sampled_from(["relevance", "newest", "oldest"]),
    q=st.sampled_from(["apples", "apples pears", '"apples pears"', None]),
)
def test_pages_are_stable_under_random_writes(
    make: Callable[[], Engine], data: st.DataObject, sort: Any, q: str | None
) -> None:
    """Nothing twice, and nothing skipped that was there, unchanged, from start to end."""
    engine = make()
    with engine.rebuilding(STORE):
        pass
    words = st.lists(st.sampled_from(["apples", "pears", "figs"]), min_size=1, max_size=6)

    def article(number: int, at: int) -> Change:
        body = " ".join(data.draw(words))
        return change(number, at, body=body, day=data.draw(st.none() | st.integers(0, 3)))

    present = {number: article(number, 1) for number in range(12)}
    engine.apply(list(present.values()), 1)
    request = Request(query=None if q is None else parse(q), sort=sort, limit=3)
    before = numbers(engine.search(replace(request, limit=100)))
    untouched = set(before)
    seen: list[int] = []
    for at in range(2, 40):
        page = engine.search(request)
        seen += numbers(page)
        if page.after is None:
            break
        request = replace(request, after=page.after)
        changes = [article(20 + at, at), article(100 + at, at)]
        victim = data.draw(st.integers(0, 11))
        if data.draw(st.booleans()):
            changes.append(removal(victim, at))
            untouched.discard(victim)
        engine.apply(changes, at)
    assert len(seen) == len(set(seen))
    assert untouched <= set(seen)


# --- changes


def test_an_article_that_changed_is_found_as_it_is_now(engine: Engine) -> None:
    engine.apply([change(0, 1, "Apples"), change(1, 1, "Apples")], 1)
    engine.apply([change(0, 2, "Pears")], 2)
    assert ask(engine, "apples") == [1]
    assert ask(engine, "pears") == [0]
    assert dict(engine.entries()) == {id_of(0): 2, id_of(1): 1}


def test_a_removed_article_is_not_found(engine: Engine) -> None:
    engine.apply([change(0, 1), change(1, 1)], 1)
    engine.apply([removal(0, 2), removal(7, 2)], 2)
    assert ask(engine, None) == [1]
    assert dict(engine.entries()) == {id_of(1): 1}


def test_applying_twice_is_harmless(engine: Engine) -> None:
    changes = [change(0, 1, "Apples"), removal(1, 1), change(2, 1, "Pears")]
    for _ in range(3):
        engine.apply(changes, 1)
    assert dict(engine.entries()) == {id_of(0): 1, id_of(2): 1}
    assert ask(engine, "apples") == [0]


def test_of_two_changes_to_one_article_the_later_counts(engine: Engine) -> None:
    engine.apply([change(0, 1, "Apples"), change(0, 2, "Pears")], 2)
    engine.apply([change(1, 3, "Figs"), removal(1, 4)], 4)
    assert dict(engine.entries()) == {id_of(0): 2}
    assert ask(engine, "pears") == [0]


def test_what_was_read_before_another_writer_went_on_is_left_out(engine: Engine) -> None:
    engine.apply([change(0, 5, "New")], 5)
    engine.apply([change(0, 3, "Old")], 3)
    assert dict(engine.entries()) == {id_of(0): 5}
    assert engine.stamp().cursor == 5


def test_many_small_changes_leave_few_segments_and_the_right_answer(engine: Engine) -> None:
    for at in range(1, 101):
        engine.apply([change(at % 30, at, f"Version {at} of apples", body="apples " * at)], at)
    assert sorted(ask(engine, "apples")) == list(range(30))
    assert dict(engine.entries()) == {id_of(at % 30): at for at in range(71, 101)}


@settings(max_examples=25)
@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["apples", "pears", ""])), max_size=5)
    )
)
def test_after_any_changes_the_index_is_what_they_left(
    make: Callable[[], Engine], batches: list[list[tuple[int, str]]]
) -> None:
    engine = make()
    with engine.rebuilding(STORE):
        pass
    truth: dict[int, tuple[int, str]] = {}
    for at, batch in enumerate(batches, 1):
        engine.apply([change(n, at, w) if w else removal(n, at) for n, w in batch], at)
        for number, word in batch:
            if word:
                truth[number] = at, word
            else:
                truth.pop(number, None)
    assert dict(engine.entries()) == {id_of(n): at for n, (at, _) in truth.items()}
    for word in ("apples", "pears"):
        assert set(ask(engine, word)) == {n for n, (_, w) in truth.items() if w == word}


# --- the stamp, rebuilding and other processes


def test_without_an_index_everything_says_so(make: Callable[[], Engine]) -> None:
    engine = make()
    for work in (
        lambda: engine.search(Request(query=None)),
        engine.stamp,
        engine.verify,
        lambda: list(engine.entries()),
        lambda: engine.apply([], 1),
    ):
        with pytest.raises(IndexMissing):
            work()


def test_the_stamp_says_what_the_index_is(engine: Engine) -> None:
    engine.apply([change(0, 3)], 3)
    stamp = engine.stamp()
    assert (stamp.store_id, stamp.cursor) == (STORE, 3)
    assert (stamp.schema_version, stamp.analyzer_version) == (SCHEMA_VERSION, text.ANALYZER_VERSION)
    engine.apply([], 7)
    assert engine.stamp().cursor == 7
    assert engine.search(Request(query=None)).cursor == 7


def test_another_process_sees_what_was_applied(engine: Engine, make: Callable[[], Engine]) -> None:
    other = make()
    assert ask(other, "apples") == []
    engine.apply([change(0, 1, "Apples")], 1)
    assert ask(other, "apples") == [0]
    other.apply([change(1, 2, "Apples")], 2)
    assert sorted(ask(engine, "apples")) == [0, 1]


def test_searches_go_on_while_an_index_is_built_beside(engine: Engine) -> None:
    engine.apply([change(0, 1, "Apples")], 1)
    with engine.rebuilding(STORE) as beside:
        beside.apply([change(1, 2, "Apples")], 2)
        assert ask(engine, "apples") == [0]
    assert ask(engine, "apples") == [1]
    assert engine.stamp().cursor == 2


def test_a_rebuild_that_fails_leaves_what_was_there(engine: Engine, tmp_path: Path) -> None:
    engine.apply([change(0, 1, "Apples")], 1)
    before = sorted(path.name for path in (tmp_path / "index").iterdir())
    with pytest.raises(ZeroDivisionError), engine.rebuilding(STORE) as beside:
        beside.apply([change(1, 2)], 2)
        1 / 0  # noqa: B018
    assert ask(engine, "apples") == [0]
    assert sorted(path.name for path in (tmp_path / "index").iterdir()) == before


def test_one_writer_at_a_time(engine: Engine, make: Callable[[], Engine]) -> None:
    other = make()
    with engine.rebuilding(STORE):
        with pytest.raises(EngineBusy):
            other.apply([change(0, 1)], 1)
        with pytest.raises(EngineBusy), other.rebuilding(STORE):
            pass
    other.apply([change(0, 1)], 1)
    assert ask(engine, None) == [0]


def test_threads_search_while_another_writes(engine: Engine) -> None:
    engine.apply([change(0, 1, "Apples")], 1)
    wrong: list[object] = []
    stop = threading.Event()

    def look() -> None:
        last = 0
        while not stop.is_set():
            try:
                found = engine.search(Request(query=parse("apples"), limit=100))
            except Exception as error:
                wrong.append(error)
                return
            if found.total < last or found.total < found.cursor or len(found.hits) != found.total:
                wrong.append((last, found))
            last = found.total

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    for at in range(2, 60):
        engine.apply([change(at, at, "Apples")], at)
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_search_out_of_time_says_that_it_is_not_complete(engine: Engine) -> None:
    engine.apply([change(n, 1, "Apples pears") for n in range(100)], 1)
    for q in ("apples", "apples pears", '"apples pears"'):
        found = engine.search(Request(query=parse(q), timeout_s=-1.0))
        assert not found.complete
        assert found.total < 100


# --- damage


def files(folder: Path) -> list[Path]:
    """All files of the index in use, the big ones first."""
    found = [path for path in folder.rglob("*") if path.is_file() and path.stat().st_size]
    return sorted(found, key=lambda path: -path.stat().st_size)


def test_each_torn_emptied_or_missing_file_is_noticed(engine: Engine, tmp_path: Path) -> None:
    engine.apply([change(n, 1, f"Apples {n}", body="word " * n) for n in range(50)], 1)
    folder = tmp_path / "index"
    for path in files(folder):
        whole = path.read_bytes()
        for torn in (whole[: len(whole) // 2], b"", whole + b"x", None):
            if torn is None:
                path.unlink()
            else:
                path.write_bytes(torn)
            expected = IndexMissing if torn is None and path.suffix == ".json" else IndexDamaged
            with pytest.raises((IndexDamaged, expected)):
                engine.verify()
            path.write_bytes(whole)
        engine.verify()
    assert len(ask(engine, "apples")) == 50


def test_overwritten_bytes_never_escape_as_another_error(engine: Engine, tmp_path: Path) -> None:
    engine.apply([change(n, 1, f"Apples {n}", body="word " * n) for n in range(50)], 1)
    for path in files(tmp_path / "index"):
        if path.suffix == ".json":
            continue
        whole = path.read_bytes()
        path.write_bytes(b"\xa5" * len(whole))
        fresh = WhooshEngine(tmp_path / "index")
        for q in ("apples", '"apples 7"', "word"):
            try:
                fresh.search(Request(query=parse(q), filters=filters.parse({"place": ["x"]})))
                fresh.search(Request(query=parse(q), limit=100))
            except IndexDamaged:
                pass
        fresh.close()
        path.write_bytes(whole)


def test_a_damaged_index_is_kept_when_it_is_replaced(engine: Engine, tmp_path: Path) -> None:
    engine.apply([change(0, 1)], 1)
    folder = tmp_path / "index"
    files(folder)[0].write_bytes(b"")
    with engine.rebuilding(STORE) as beside:
        beside.apply([change(0, 1)], 1)
    assert [path for path in folder.glob("damaged-whoosh-*") if path.is_dir()]
    engine.verify()
    assert ask(engine, None) == [0]


def test_of_damaged_indexes_the_newest_are_kept(
    engine: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "index"
    aside = []
    for _ in range(5):
        (damaged,) = folder.glob("whoosh-*")
        aside.append(f"damaged-{damaged.name}")
        (damaged / "NAME").unlink()
        with engine.rebuilding(STORE):
            pass
    assert {path.name for path in folder.glob("damaged-*")} == set(aside[-3:])
    assert [aside[n] in record.message for n, record in enumerate(caplog.records)] == [True, True]
    engine.verify()


def test_all_that_is_set_aside_at_once_is_kept(engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "index"
    for name in "abcd":  # no stamp names them
        (folder / f"whoosh-{name}").mkdir()
    with engine.rebuilding(uuid4()):
        pass
    assert len(list(folder.glob("damaged-*"))) == 5


def test_a_sound_index_is_removed_when_it_is_replaced(engine: Engine, tmp_path: Path) -> None:
    with engine.rebuilding(STORE):
        pass
    assert len(list((tmp_path / "index").glob("whoosh-*"))) == 1
    assert not list((tmp_path / "index").glob("damaged-*"))


def test_an_index_of_an_older_schema_is_removed_when_it_is_replaced(
    engine: Engine, tmp_path: Path
) -> None:
    engine.apply([change(0, 1)], 1)
    stamp = tmp_path / "index" / "whoosh.json"
    older = json.loads(stamp.read_text()) | {"schema_version": SCHEMA_VERSION - 1}
    del older["checksum"]
    stamp.write_text(json.dumps(older))
    assert engine.stamp().schema_version == SCHEMA_VERSION - 1
    (lists,) = (tmp_path / "index").glob("whoosh-*/*.headlines")
    lists.unlink()
    with engine.rebuilding(STORE):
        pass
    assert not list((tmp_path / "index").glob("damaged-*"))


def test_the_index_of_another_store_is_kept_when_it_is_replaced(
    engine: Engine, tmp_path: Path
) -> None:
    with engine.rebuilding(uuid4()):
        pass
    assert list((tmp_path / "index").glob("damaged-*"))


# --- what the operating system refuses


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), PermissionError(13, "x")]
)
def test_a_disk_that_refuses_is_no_damage_and_loses_nothing(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    engine.apply([change(0, 1, "Apples")], 1)

    def refuse(*_: object, **__: object) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr("whoosh.filedb.filestore.FileStorage.create_file", refuse)
        with pytest.raises(EngineError) as caught:
            engine.apply([change(1, 2, "Apples")], 2)
        assert not isinstance(caught.value, IndexDamaged)
        with pytest.raises(EngineError), engine.rebuilding(STORE) as beside:
            beside.apply([change(1, 2)], 2)
    assert ask(engine, "apples") == [0]
    engine.apply([change(1, 2, "Apples")], 2)
    assert sorted(ask(engine, "apples")) == [0, 1]


def test_a_folder_that_cannot_be_made_is_an_engine_error(tmp_path: Path) -> None:
    (tmp_path / "index").write_text("a file stands in its place")
    engine = WhooshEngine(tmp_path / "index")
    with pytest.raises(EngineError), engine.rebuilding(STORE):
        pass


# --- open files


DESCRIPTORS = Path("/proc/self/fd")
LINUX = pytest.mark.skipif(not DESCRIPTORS.is_dir(), reason="needs Linux to count open files")


def open_files(folder: Path) -> int:
    """How many files below `folder` this process holds open."""
    count = 0
    for link in DESCRIPTORS.iterdir():
        with suppress(FileNotFoundError):  # the descriptor that lists them is gone by now
            count += str(link.readlink()).startswith(str(folder))
    return count


@LINUX
def test_a_reading_that_is_given_up_leaves_no_file_open(engine: Engine, tmp_path: Path) -> None:
    engine.apply([change(n, 1) for n in range(3)], 1)
    for _ in range(3):
        entries = iter(engine.entries())
        next(entries)
        entries.close()  # type: ignore[attr-defined] # it is a generator
        assert open_files(tmp_path) == 0


@LINUX
def test_many_readers_at_once_leave_a_bounded_number_of_files_open(
    engine: Engine, tmp_path: Path
) -> None:
    engine.apply([change(0, 1)], 1)
    readers = [iter(engine.entries()) for _ in range(20)]
    for reader in readers:
        next(reader)
    for reader in readers:
        assert list(reader) == []
    kept = open_files(tmp_path)
    engine.close()
    assert kept <= 8 * 4, "files of eight snapshots at the most"
    assert open_files(tmp_path) == 0
