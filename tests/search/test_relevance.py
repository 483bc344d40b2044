"""Ranking is held to floors: on a small judged set always, on the retrieval sets where they are.

The sets are for research only and stay outside, in ../shared/data/ir or where
BROADSHEET_IR_DATA says. `pytest tests/search/test_relevance.py -s` prints the figures.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from math import log2
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

import pytest

from app.search.base import Change, Document, Request
from app.search.emphasis import emphasized
from app.search.query import And, Query, Word, parse
from app.search.whoosh_engine import WhooshEngine
from app.text import tokens
from tests.search.judged import QUERIES, STORIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

STORE = UUID(int=1)
SETS = Path(
    os.environ.get("BROADSHEET_IR_DATA") or Path(__file__).parents[2].parent / "shared/data/ir"
)

JUDGED_FLOORS = {"rare": 0.93, "length": 0.97, "zone": 0.98, "ending": 0.98, "together": 0.97}
SET_FLOORS = {
    # nDCG@10 with the grade as the gain, and mean average precision.
    "cranfield": (0.535, 0.435),
    "medline": (0.715, 0.540),
    "lisa": (0.480, 0.385),
}


def any_word(text: str) -> Query:
    """The tree that the API makes of a question in plain words."""
    return emphasized(parse(text, match="any"), text)


def all_of(text: str) -> Query:
    words = tuple(Word(text=token.text, token=token.text) for token in tokens(text))
    return And(words) if len(words) > 1 else words[0]


def indexed(folder: Path, documents: Mapping[str, Document]) -> WhooshEngine:
    engine = WhooshEngine(folder)
    with engine.rebuilding(STORE) as beside:
        changes = [Change(uuid5(STORE, key), 1, made) for key, made in documents.items()]
        beside.apply(changes, 1)
    return engine


def document(headline: str, body: str, summary: str = "", caption: str = "") -> Document:
    return Document(
        headline=headline,
        summary=(summary,) if summary else (),
        caption=caption,
        body=body,
        published_us=None,
        names={},
    )


def ranking(engine: WhooshEngine, query: Query | None, keys: Iterable[str]) -> list[str]:
    """The keys of the hits in their order, at most a thousand."""
    assert query is not None
    key_of = {uuid5(STORE, key): key for key in keys}
    found = engine.search(Request(query=query, limit=1000, timeout_s=60))
    assert found.complete
    return [key_of[hit.id] for hit in found.hits]


def ndcg(ranked: Sequence[str], grades: Mapping[str, int], depth: int = 10) -> float:
    """As trec_eval counts it: the gain is the grade, the discount log2(rank + 1)."""

    def gained(gains: Iterable[int]) -> float:
        return sum(gain / log2(rank + 1) for rank, gain in enumerate(gains, 1))

    best = sorted(grades.values(), reverse=True)[:depth]
    return gained(grades.get(key, 0) for key in ranked[:depth]) / gained(best)


def average_precision(ranked: Sequence[str], grades: Mapping[str, int]) -> float:
    relevant, precisions = 0, 0.0
    for rank, key in enumerate(ranked, 1):
        if key in grades:
            relevant += 1
            precisions += relevant / rank
    return precisions / len(grades)


def mean(figures: Sequence[float]) -> float:
    return sum(figures) / len(figures)


# --- the judged set


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WhooshEngine]:
    documents = {key: document(**story._asdict()) for key, story in STORIES.items()}
    engine = indexed(tmp_path_factory.mktemp("judged"), documents)
    yield engine
    engine.close()


@pytest.mark.parametrize("group", JUDGED_FLOORS)
def test_what_was_looked_for_comes_first(judged: WhooshEngine, group: str) -> None:
    figures: dict[str, float] = {}
    for query in QUERIES:
        if query.group == group:
            tree = all_of(query.text) if query.words == "all" else any_word(query.text)
            ranked = ranking(judged, tree, STORIES)
            figures[query.text] = ndcg(ranked, query.grades)
    print(group, round(mean(list(figures.values())), 3))
    assert mean(list(figures.values())) >= JUDGED_FLOORS[group], figures


def test_grades_are_of_stories_that_exist() -> None:
    assert {key for query in QUERIES for key in query.grades} <= STORIES.keys()
    assert {query.group for query in QUERIES} == JUDGED_FLOORS.keys()


# --- the retrieval sets


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.long
@pytest.mark.parametrize("name", SET_FLOORS)
def test_retrieval_sets(tmp_path: Path, name: str) -> None:
    folder = SETS / name
    if not folder.is_dir():
        pytest.skip(f"no retrieval set at {folder}; BROADSHEET_IR_DATA says where they are")
    documents = {
        row["id"]: document(row["title"], row["text"]) for row in read(folder / "docs.jsonl")
    }
    grades: dict[str, dict[str, int]] = defaultdict(dict)
    for line in (folder / "qrels.tsv").read_text().splitlines()[1:]:
        query, key, grade = line.split("\t")
        if int(grade) > 0:
            grades[query][key] = int(grade)

    engine = indexed(tmp_path, documents)
    ranked = {
        row["id"]: ranking(engine, any_word(row["text"]), documents)
        for row in read(folder / "queries.jsonl")
        if row["id"] in grades
    }
    engine.close()

    gain = mean([ndcg(ranked[query], grades[query]) for query in ranked])
    precision = mean([average_precision(ranked[query], grades[query]) for query in ranked])
    print(f"{name}: nDCG@10 {gain:.4f}, MAP {precision:.4f}")
    assert gain >= SET_FLOORS[name][0]
    assert precision >= SET_FLOORS[name][1]
