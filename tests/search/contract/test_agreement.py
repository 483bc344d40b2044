"""Engines agree on random questions: hits, totals, orders by date, facets, histograms, words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pytest

from app import filters, text
from app.errors import QueryError
from app.search.engine import DAY_US, Change, Document, Engine, Request
from app.search.query import parse
from app.search.query.tree import Word
from tests.search.contract.articles import ENGINES, STORE, id_of, removal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from random import Random

ENGLISH = "rain rains raining snow the of US U.S. who say said bank banks oil re-elect Café"
WORDS = {
    "en": ENGLISH.split(" "),
    "fr": ["l'élection", "élections", "pluie", "banque", "les", "de", "rain", "l'eau"],
    "de": ["Häuser", "Haus", "Hauswand", "Regen", "die", "Bank", "Banken", "sagte"],
    "zh": ["东京", "北京都", "银行"],
}
PLACES = ["Cairo", "Abu Dhabi", "Paris"]


def article(chance: Random, number: int, at: int) -> Change:
    language = chance.choice([None, *WORDS])
    words = WORDS[language or "en"]

    def said(most: int) -> str:
        return " ".join(chance.choices(words, k=chance.randrange(most)))

    day = chance.choice([None, *range(40)])
    names: dict[str, Sequence[str]] = {name: [] for name in filters.SEARCHED}
    names["place"] = [text.fold(each) for each in chance.sample(PLACES, chance.randrange(3))]
    names["language"] = [language] if language else []
    document = Document(
        headline=said(6),
        summary=[said(5) for _ in range(chance.randrange(3))],
        caption=said(4),
        body=said(30),
        published_us=day and day * DAY_US + chance.choice([0, chance.randrange(DAY_US)]),
        names=names,
    )
    return Change(id_of(number), at, document)


def leaf(chance: Random) -> str:
    one, two, three = (chance.choice(WORDS[chance.choice([*WORDS])]) for _ in range(3))
    number = chance.randrange(1, 6)
    return chance.choice(
        [
            *(one, one, f'"{one}"', f'"{one} {two}"', f'"{one} {two}"~{number}'),
            *(f'"{one} {two} {three}"~{number}', f"{one} NEAR/{number} {two}"),
            *(f'{one} NEAR/{number} "{two}"', f'({one} OR "{two}") NEAR/{number} {three[:2]}*'),
            *(f"{one[:2]}*", f"*{one[1:3]}*", f"{one}~1", f"{one}~2", f'"{one[:2]}* {two}"'),
            *(f"headline:{one}", f"body:{one}", f'summary:"{one}"', f"body:({one} NEAR/3 {two})"),
            *("place:cairo", "place:a*", "place:*", "published:1970-01", "published:*"),
        ]
    )


def question(chance: Random) -> str:
    parts = [f"({leaf(chance)})" for _ in range(chance.randrange(1, 4))]
    parts = [f"-{part}" if chance.random() < 0.15 else part for part in parts]
    return chance.choice([" ", " OR "]).join(parts)


@pytest.fixture
def engines(tmp_path_factory: pytest.TempPathFactory, chance: Random) -> Iterator[list[Engine]]:
    made = [opened(tmp_path_factory.mktemp(name)) for name, opened in ENGINES.items()]
    changes = [article(chance, number, 1) for number in range(150)]
    for engine in made:
        with engine.rebuilding(STORE) as beside:
            for start in (0, 50, 100):
                beside.apply(changes[start : start + 50], 1)
        engine.apply([removal(number, 2) for number in range(0, 150, 9)], 2)
    yield made
    for engine in made:
        engine.close()


def test_random_questions_have_the_same_answer(engines: list[Engine], chance: Random) -> None:
    asked = 0
    while asked < 150:
        zone = chance.choice(["UTC", "Asia/Kolkata", "America/New_York"])
        source = question(chance)
        try:
            tree = parse(source, time_zone=zone)
        except QueryError:
            continue
        asked += 1
        wanted: Any = chance.choice([{}, {}, {"place": ["Cairo"]}, {"place": ["-Paris"]}])
        since = chance.choice([None, "1970-01-10"])
        request = Request(
            query=tree,
            filters=filters.parse(wanted, since=since, time_zone=zone),
            sort=chance.choice(["relevance", "newest", "oldest"]),
            limit=200,
            facets=("place", "language"),
            histogram=chance.choice([None, "hour", "day", "week", "month", "year"]),
            timeout_s=60,
        )
        first, *others = (engine.search(request) for engine in engines)
        for found in others:
            ids = [[hit.id for hit in each.hits] for each in (first, found)]
            assert found.total == first.total, source
            assert sorted(ids[0]) == sorted(ids[1]), source
            assert request.sort == "relevance" or ids[0] == ids[1], source
            assert found.facets == first.facets, source
            assert found.histogram == first.histogram, source


def test_words_of_the_index_are_the_same(engines: list[Engine]) -> None:
    for prefix in ("", "r", "ra", "u", "h", "e", "l", "fr", "北"):
        first, *others = (engine.terms(prefix, 20) for engine in engines)
        assert others == [first] * len(others)
    for form in ("rain", "banc", "sagt"):
        distances: tuple[Literal[1], Literal[2]] = 1, 2
        for distance in distances:
            first, *others = (engine.fuzzy_terms(form, distance, 9) for engine in engines)
            assert others == [first] * len(others)
    before = [Word(text="oil", token="oil"), Word(text="banks", token="bank")]
    for prefix in ("", "r", "sa"):
        for words in (before, before[:1]):
            first, *others = (e.following(words, prefix, 9, timeout_s=60) for e in engines)
            assert others == [first] * len(others)
