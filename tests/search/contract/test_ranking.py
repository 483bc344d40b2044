"""What ranks before what, where any BM25 with field weights says the same."""

from __future__ import annotations

import pytest

from app.search.engine import Engine, Request
from app.search.query import parse
from tests.search.contract.articles import ask, change, numbers


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


def test_a_beginning_in_headlines_scores_as_its_words_do(orchard: Engine) -> None:
    begun = orchard.search(Request(query=parse("headline:presiden*"))).hits
    words = orchard.search(Request(query=parse("headline:president"))).hits
    assert [(hit.id, hit.score) for hit in begun] == [(hit.id, hit.score) for hit in words]


def test_a_word_counts_in_all_its_forms_whatever_languages_there_are(engine: Engine) -> None:
    engine.apply(
        [
            change(0, 1, "x", body="vote vote votes pears", language=["en"]),
            change(1, 1, "x", body="one two votes pears", language=["en"]),
            change(2, 1, "x", body="voté voté votés poires", language=["fr"]),
            change(3, 1, "x", body="un deux votés poires", language=["fr"]),
            *(change(n, 1, "x", body="pears", language=["en"]) for n in range(4, 30)),
        ],
        1,
    )
    found = engine.search(Request(query=parse("votes")))
    scores = dict(zip(numbers(found), (hit.score for hit in found.hits), strict=True))
    assert scores[0] > scores[1]
    assert scores[2] > scores[3]
