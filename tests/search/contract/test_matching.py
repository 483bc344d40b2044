"""Which articles a query finds: hit sets and totals, with filters, in whatever language."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app import filters
from app.errors import (
    QueryError,
)
from app.search.engine import Engine, Request
from app.search.query import parse
from tests.search.contract.articles import ask, change, numbers


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


@pytest.mark.parametrize("q", ["appla~1", "apple*", "appl?", "apple* w/2 sweet"])
def test_words_that_fit_are_found_by_their_stem_whatever_was_written_together(
    engine: Engine, q: str
) -> None:
    engine.apply([change(0, 1, "An apple, sweet")], 1)
    engine.apply([change(1, 2, "Apples are sweet"), change(2, 2, "Appliances")], 2)
    assert set(ask(engine, q)) == {0, 1}


def test_a_phrase_does_not_go_on_from_headline_to_body(engine: Engine) -> None:
    engine.apply([change(0, 1, "Green", body="apples")], 1)
    assert ask(engine, '"green apples"') == []


def test_without_a_query_every_article_is_a_hit(engine: Engine) -> None:
    engine.apply([change(n, 1) for n in range(5)], 1)
    assert ask(engine, None, sort="newest") == [4, 3, 2, 1, 0]


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


def test_dates_are_those_of_the_zone_and_a_day_alone_is_that_day_everywhere(engine: Engine) -> None:
    hours = {0: 0, 1: 20, 2: 24, 3: 30}  # after 1970-01-01 00:00 UTC; 0 and 24 are days alone
    changes = []
    for number, hour in hours.items():
        made = change(number, 1, "Apples")
        assert made.document is not None
        us = hour * 3_600_000_000
        changes.append(replace(made, document=replace(made.document, published_us=us)))
    engine.apply(changes, 1)
    by_id = {made.id: number for made, number in zip(changes, hours, strict=True)}

    def found(zone: str, day: str) -> list[int]:
        filtered = filters.parse({}, since=day, until=day, time_zone=zone)
        by_filter = engine.search(Request(query=None, filters=filtered)).hits
        dated = parse(f"published:{day}", time_zone=zone)
        open_ = filters.Filters(time_zone=zone)
        by_query = engine.search(Request(query=dated, filters=open_)).hits
        assert {hit.id for hit in by_filter} == {hit.id for hit in by_query}
        return sorted(by_id[hit.id] for hit in by_filter)

    assert found("UTC", "1970-01-01") == [0, 1]
    assert found("Asia/Karachi", "1970-01-01") == [0]
    assert found("Asia/Karachi", "1970-01-02") == [1, 2, 3]
    assert found("America/New_York", "1970-01-01") == [0, 1]
    assert found("America/New_York", "1970-01-02") == [2, 3]


def test_a_search_out_of_time_says_that_it_is_not_complete(engine: Engine) -> None:
    engine.apply([change(n, 1, "Apples pears") for n in range(100)], 1)
    for q in ("apples", "apples pears", '"apples pears"'):
        found = engine.search(Request(query=parse(q), timeout_s=-1.0))
        assert not found.complete
        assert found.total < 100
