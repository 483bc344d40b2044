"""What native readers expect to find in articles of their language, and what would be wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

import pytest

from app import filters
from app.search.engine import Change, Document, Engine, Request
from app.search.query import parse
from app.text.detection import detect
from tests.search.contract.articles import ENGINES

if TYPE_CHECKING:
    from collections.abc import Iterator

STORE = UUID(int=1)
ARTICLES: list[dict[str, Any]] = json.loads(
    Path(__file__).with_name("native_words.json").read_text()
)
FOUND = 0.97
"""The share of the words that are found; of those that would be wrong none is."""


def key(number: int) -> UUID:
    return uuid5(STORE, str(number))


@pytest.fixture(scope="module", params=ENGINES)
def engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    engine = ENGINES[request.param](tmp_path_factory.mktemp("languages"))
    with engine.rebuilding(STORE) as beside:
        changes = [
            Change(
                key(number),
                number + 1,
                Document(
                    headline=article["headline"],
                    summary=(),
                    caption="",
                    body=article["body"],
                    published_us=None,
                    names=dict.fromkeys(filters.NAMED, ()) | {"language": [article["language"]]},
                ),
            )
            for number, article in enumerate(ARTICLES)
        ]
        beside.apply(changes, len(changes))
    yield engine
    engine.close()


def holds(engine: Engine, number: int, q: str) -> bool:
    found = engine.search(Request(query=parse(q), limit=50, timeout_s=60))
    return key(number) in {hit.id for hit in found.hits}


def test_words_that_native_readers_expect_are_found(engine: Engine) -> None:
    missed = {
        (article["language"], q)
        for number, article in enumerate(ARTICLES)
        for q in article["found"]
        if not holds(engine, number, q)
    }
    total = sum(len(article["found"]) for article in ARTICLES)
    print(f"{total - len(missed)} of {total}", sorted(missed))
    assert 1 - len(missed) / total >= FOUND, missed


def test_words_that_they_would_call_wrong_are_not_found(engine: Engine) -> None:
    assert not {
        (article["language"], q)
        for number, article in enumerate(ARTICLES)
        for q in article["wrong"]
        if holds(engine, number, q)
    }


@pytest.mark.parametrize("article", ARTICLES, ids=lambda article: article["headline"])
def test_the_language_is_detected(article: dict[str, Any]) -> None:
    assert detect(f"{article['headline']}\n{article['body']}") == article["language"]
