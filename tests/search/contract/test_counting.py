"""What is counted of a whole result, and of the words of an index."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest

from app import filters, text
from app.errors import ParameterError
from app.search.engine import Engine, Request, Unit, published_us
from app.search.query import parse
from app.search.query.tree import Word
from tests.search.contract.articles import STORE, ask, change, removal


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


def test_a_facet_is_counted_without_the_filter_of_its_own_name(orchard: Engine) -> None:
    filtered = filters.parse({"place": ["Cairo"]})
    request = Request(query=parse("apples"), filters=filtered, facets=("place", "source"))
    found = orchard.search(request)
    assert found.total == 1
    assert found.facets["place"] == [("abu dhabi", 1), ("cairo", 1)]
    assert (
        found.facets["source"]
        == orchard.search(replace(request, facets=("source",))).facets["source"]
    )
    missing = replace(request, filters=filters.parse({"place": ["Cairo"], "source": ["none"]}))
    assert orchard.search(missing).facets["place"] == []


def test_a_histogram_counts_days_in_the_zone_that_is_asked_for(engine: Engine) -> None:
    late = change(0, 1, "Apples")
    assert late.document is not None
    evening = 20 * 3_600_000_000  # 20:00 UTC on 1970-01-01
    late = replace(late, document=replace(late.document, published_us=evening))
    engine.apply([late, change(1, 1, "Pears", day=3), change(2, 1, "Apples", day=None)], 1)

    def days(zone: str) -> list[tuple[str, int]]:
        request = Request(
            query=parse("apples"), filters=filters.Filters(time_zone=zone), histogram="day"
        )
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


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "America/New_York"])
@pytest.mark.parametrize("unit", ["hour", "day", "week", "month", "year"])
def test_histograms_are_those_of_a_calendar(engine: Engine, unit: Unit, zone: str) -> None:
    chance, local = Random(0), ZoneInfo(zone)
    begin = datetime(2020, 10, 24, tzinfo=UTC)  # clocks go back in New York a week later
    days = 3 if unit == "hour" else 500
    instants = [begin + timedelta(minutes=chance.randrange(1, days * 1440)) for _ in range(60)]
    changes = []
    for number, at in enumerate(instants):
        made = change(number, 1, "Apples" if number % 3 else "Pears")
        assert made.document is not None
        us = published_us(at, "minute")
        changes.append(replace(made, document=replace(made.document, published_us=us)))
    engine.apply(changes, 1)

    def start(at: datetime) -> date | datetime:
        here = at.astimezone(local)
        if unit == "hour":
            return here.replace(minute=0)
        day = here.date()
        return {
            "day": day,
            "week": day - timedelta(days=day.weekday()),
            "month": day.replace(day=1),
            "year": day.replace(month=1, day=1),
        }[unit]

    request = Request(
        query=parse("apples"),
        filters=filters.Filters(time_zone=zone),
        histogram=unit,
        coverage=True,
    )
    found = engine.search(request).histogram
    assert [b.start for b in found] == sorted(b.start for b in found)
    expected = Counter(start(at) for number, at in enumerate(instants) if number % 3)
    assert {b.start: b.count for b in found if b.count} == expected
    covered = Counter(map(start, instants))
    assert {b.start: b.coverage for b in found} == {b.start: covered[b.start] for b in found}


def test_a_histogram_of_too_many_periods_is_refused(engine: Engine) -> None:
    engine.apply([change(n, 1, "Apples", day=7 * n) for n in range(5_001)], 1)
    request = Request(query=parse("apples"), histogram="day")
    with pytest.raises(ParameterError):
        engine.search(request)
    assert len(engine.search(replace(request, histogram="month")).histogram) == 1_150


def test_words_and_names_of_the_index(orchard: Engine) -> None:
    assert orchard.frequencies(["appl", "green", "no"]) == {"appl": 4, "green": 4, "no": 0}
    assert orchard.terms("presiden", 5) == [("president", 2), ("presidents", 2)]
    assert orchard.fuzzy_terms("appels", 1, 5) == [("apples", 4), ("appels", 1)]
    assert orchard.fuzzy_terms("appels", 2, 1) == [("apple", 4)]
    assert orchard.terms("ab", 5, field="place") == [("abu dhabi", 1)]
    assert orchard.terms("", 1, field="place") == [("abu dhabi", 1)]
    assert orchard.terms("", 5, field="source") == [("nile post", 1)]
    assert orchard.terms("zz", 5) == orchard.terms("zz", 5, field="place") == []
    assert orchard.fuzzy_terms("xyzzy", 2, 5) == []


def test_words_that_follow_others_come_from_articles_that_hold_these(orchard: Engine) -> None:
    green = [Word(text="green", token="green")]
    found = orchard.following(green, "app", 5, timeout_s=60)
    assert found == [("apples", 3), ("apple", 3), ("appels", 1)]
    assert orchard.following(green, "fig", 5, timeout_s=60) == []
    figs = [Word(text="figs", token="fig")]
    assert orchard.following(figs, "p", 1, timeout_s=60) == [("president", 1)]


def test_names_of_removed_articles_are_not_listed(engine: Engine) -> None:
    engine.apply([change(n, 1, place=["Cairo", f"Town {n}"]) for n in range(3)], 1)
    engine.apply([removal(1, 2), change(2, 2, place=["Dubai"])], 2)
    expected = [("cairo", 1), ("dubai", 1), ("town 0", 1)]
    assert engine.terms("", 9, field="place") == expected
    assert engine.search(Request(query=None, facets=("place",))).facets["place"] == expected


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
            assert engine.terms(prefix, limit) == ranked[:limit]
