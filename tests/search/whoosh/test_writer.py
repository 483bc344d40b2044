"""Whoosh finds in the files of our writer what we find, and writing takes bounded memory."""

from __future__ import annotations

import json
import random
import tracemalloc
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest.mock import patch
from uuid import uuid4

import pytest
from whoosh.filedb.filestore import FileStorage
from whoosh.index import FileIndex
from whoosh.query import Term

from app.search import deadline
from app.search.engine import Found, Request
from app.search.query import parse
from app.search.query.tree import Word
from app.search.whoosh import schema, segments
from app.search.whoosh.engine import WhooshEngine
from app.search.whoosh.snapshots import Snapshots
from tests.search.contract.articles import change, numbers, removal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WORDS = [f"word{n}" for n in range(60)]


def test_segments_keep_apart_whatever_seeds_the_random_numbers(tmp_path: Path) -> None:
    engine = WhooshEngine(tmp_path / "index")
    with engine.rebuilding(uuid4()):
        pass
    for number in range(5):
        random.seed(0)
        engine.apply([change(number, number + 1)], number + 1)
    assert len(dict(engine.entries())) == 5
    engine.close()


@pytest.mark.parametrize("seed", range(4))
def test_whoosh_finds_the_same_after_writes_removals_and_merges(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    engine = WhooshEngine(tmp_path / "index")
    with engine.rebuilding(uuid4()):
        pass
    for at in range(1, 26):
        batch = []
        for _ in range(chance.randrange(1, 40)):
            number = chance.randrange(150)
            body = " ".join(chance.choices(WORDS, k=chance.randrange(1, 200)))
            odd = chance.random() < 0.2
            batch.append(removal(number, at) if odd else change(number, at, body=body))
        engine.apply(batch, at)
    stamp = json.loads((tmp_path / "index" / "whoosh.json").read_bytes())
    storage = FileStorage(str(tmp_path / "index" / stamp["directory"]))
    index = FileIndex(storage, schema.schema())
    columns = {}
    with index.searcher() as searcher:
        ids = searcher.reader().column_reader("id", schema.schema()["id"].column_type)
        for word in WORDS:
            theirs = {bytes(ids[n]) for n in searcher.docs_for_query(Term("words", word))}
            scored = searcher.search(Term("words", word), limit=None)
            ours = engine.search(Request(query=Word(text=word, token=word), limit=1000))
            assert {hit.id.bytes for hit in ours.hits} == theirs
            assert ours.total == len(theirs) == len(scored)
            assert len(set(numbers(ours))) == ours.total
            columns[word] = ours.total
    assert sum(columns.values())
    engine.close()


def test_an_answer_kept_before_a_commit_is_not_given_after_one_that_saw_it(tmp_path: Path) -> None:
    engine = WhooshEngine(tmp_path / "index")
    with engine.rebuilding(uuid4()):
        pass
    engine.apply([change(0, 1, "Apples")], 1)
    apples, all_ = Request(query=Word(text="apples", token="appl")), Request(query=None)
    assert engine.search(apples).total == 1
    writer = WhooshEngine(tmp_path / "index")
    with patch.object(writer._stamp_file, "write"):  # it is at the point of writing the stamp
        writer.apply([change(1, 2, "Apples")], 2)
    reading = engine.entries()
    next(reading)  # so that the next search finds nothing that is open already
    assert engine.search(all_).total == 2
    assert engine.search(apples).total == 2
    assert len(list(reading)) == 1
    engine.close()


def test_opening_a_new_generation_takes_of_the_time_of_the_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = WhooshEngine(tmp_path / "index")
    with engine.rebuilding(uuid4()):
        pass
    engine.apply([change(1, 1, "Apples")], 1)
    real = Snapshots._open

    now_s = 0.0

    def slow(self: Snapshots, *args: Any) -> Any:
        nonlocal now_s
        now_s += 0.05
        return real(self, *args)

    monkeypatch.setattr(deadline, "time", SimpleNamespace(monotonic=lambda: now_s))
    monkeypatch.setattr(Snapshots, "_open", slow)
    request = Request(query=parse("apples"), timeout_s=0.04)
    assert not engine.search(request).complete
    monkeypatch.undo()
    again = engine.search(replace(request, timeout_s=30))
    assert (again.complete, again.total) == (True, 1)  # what came short was not remembered
    engine.close()


def test_postings_of_common_words_are_kept_within_bounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "_COMMON_KEPT", 8 * 40)
    monkeypatch.setattr(segments, "_LEAST_COMMON", 40)
    engine = WhooshEngine(tmp_path / "index")
    with engine.rebuilding(uuid4()):
        pass
    common = [f"common{letter}" for letter in "abcdefghijkl"]
    bodies = [" ".join([*common, f"rare{n}"]) for n in range(40)]
    engine.apply([change(n, n + 1, body=body) for n, body in enumerate(bodies)], 40)

    def search(q: str) -> Found:
        engine._caches.answers.clear()
        return engine.search(Request(query=parse(q), limit=50))

    asked = [*common, "rare7", f"{common[0]} rare7", f"{common[1]} {common[2]}"]
    before = [search(q) for q in asked]
    assert [found.total for found in before] == [40] * len(common) + [1, 1, 40]
    with engine._snapshots.lend() as snapshot:
        kept = snapshot.segments[0].columns.common
    assert set(kept) == {*common[-5:], *common[:3]}
    assert sum(len(numbers) for numbers, _, _ in kept.values()) == 8 * 40

    with patch.object(segments.Segment, "blocks", side_effect=AssertionError("read again")):
        assert [search(q) for q in common[-5:]] == before[len(common) - 5 : len(common)]
    engine.apply([removal(3, 41), change(50, 42, body=common[-1])], 42)
    assert search(common[-1]).total == 40
    assert search(f"{common[-1]} rare3").total == 0
    engine.close()


def test_words_near_a_misspelt_one_are_found_in_whatever_segment_they_are(tmp_path: Path) -> None:
    engine = WhooshEngine(tmp_path / "index")
    with engine.rebuilding(uuid4()):
        pass
    bodies = ["harvest harvests " * 9, "harvest garvest", "harvesk barvest", "barvest"]
    for at, body in enumerate(bodies, 1):
        engine.apply([change(at, at, body=body)], at)
    for _ in range(2):
        assert engine.fuzzy_terms("warvest", 1, 9) == [
            ("barvest", 2),
            ("harvest", 2),
            ("garvest", 1),
        ]
    engine.apply([change(n, n, body="warvest") for n in range(5, 25)], 24)  # larger than the rest
    assert engine.fuzzy_terms("warvest", 1, 1) == [("warvest", 20)]
    assert [form for form, _ in engine.fuzzy_terms("warvest", 1, 9)][1:] == [
        "barvest",
        "harvest",
        "garvest",
    ]
    engine.close()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[WhooshEngine]:
    made = WhooshEngine(tmp_path / "index")
    with made.rebuilding(uuid4()):
        pass
    yield made
    made.close()


def test_a_merge_of_many_documents_takes_the_memory_of_few(engine: WhooshEngine) -> None:
    peaks = []
    at = 0
    for documents in (520, 1_300):  # of one tier
        for _ in range(8):
            some = [change(n, n, f"Apples {n % 50} pears") for n in range(at, at + documents)]
            at += documents
            engine.apply(some, at)
        tracemalloc.start()
        engine.apply([change(at, at)], at)  # merges the eight
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    few, many = peaks
    assert many - few < 64 * 8 * (1_300 - 520), peaks  # two terms a word


def test_a_writer_without_searches_keeps_the_segments_in_use_alone(engine: WhooshEngine) -> None:
    for at in range(40):
        engine.apply([change(at, at), change(100 + at, at)], at)
    engine.apply([change(0, 40), removal(101, 40), change(200, 40)], 40)
    kept = set(engine._snapshots._ids)
    assert len(dict(engine.entries())) == 80  # opens what is in use, and forgets the rest
    assert len(kept) <= len(engine._snapshots._columns) + 8


def test_words_that_a_segment_lacks_are_known_within_bounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "_ABSENT_KEPT", 5)
    engine = WhooshEngine(tmp_path / "index")
    with engine.rebuilding(uuid4()) as beside:
        beside.apply([change(1, 1, "Apples")], 1)
    for n in range(30):
        assert engine.search(Request(query=parse(f"missing{n}"))).total == 0
        assert engine.search(Request(query=parse("apples"))).total == 1
    with engine._snapshots.lend() as snapshot:
        assert 1 <= len(snapshot.segments[0].columns.absent) <= 5
    engine.close()
