"""What the files of a tantivy index do: generations, pins, damage, wear."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from app.errors import CursorExpired, EngineError, IndexDamaged
from app.search.engine import Request
from app.search.query import parse
from app.search.tantivy import engine as engines
from app.search.tantivy import generations, searcher
from app.search.tantivy.engine import TantivyEngine
from app.search.tantivy.guard import Panicked, guarded
from tests.search.contract.articles import STORE, ask, change, id_of, numbers, removal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

APPLES = Request(query=parse("apples"), limit=3)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture
def engine(folder: Path) -> Iterator[TantivyEngine]:
    made = TantivyEngine(folder)
    with made.rebuilding(STORE) as beside:
        beside.apply([change(n, 1, "Apples", body="apples " * (n % 5)) for n in range(10)], 1)
    yield made
    made.close()


def kept(folder: Path) -> set[str]:
    """The generations on disk."""
    return {path.name for path in folder.glob("tantivy-*/*") if path.name.isdigit()}


def test_a_generation_is_kept_for_the_pages_of_a_walk_and_swept_after_them(
    engine: TantivyEngine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = engine.search(replace(APPLES, limit=10))
    first = engine.search(APPLES)
    for at in range(2, 6):
        engine.apply([removal(at, at), change(20 + at, at, "Apples")], at)
    assert kept(folder) == {"1", "4", "5"}
    other = TantivyEngine(folder)  # a restarted process
    rest = other.search(replace(APPLES, after=first.after, limit=10))
    assert [*first.hits, *rest.hits] == whole.hits
    monkeypatch.setattr(generations, "KEPT_S", 0.0)
    engine.apply([change(30, 6)], 6)
    assert kept(folder) == {"5", "6"}
    with pytest.raises(CursorExpired):
        TantivyEngine(folder).search(replace(APPLES, after=first.after))


def test_what_old_generations_hold_is_bounded(
    engine: TantivyEngine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generations, "LEAST_PINNED_BYTES", 0)
    for at in range(2, 30):
        assert engine.search(APPLES).after is not None
        engine.apply([change(n, at, "Apples", body=f"apples {at}") for n in range(20)], at)
    assert len(kept(folder)) < 10


def test_a_date_walk_goes_on_when_its_generation_is_gone(
    engine: TantivyEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest = replace(APPLES, sort="newest")
    first = engine.search(newest)
    monkeypatch.setattr(generations, "KEPT_S", 0.0)
    for at in range(2, 5):
        engine.apply([change(50, at)], at)
    rest = engine.search(replace(newest, after=first.after, limit=10))
    assert numbers(first) + numbers(rest) == list(range(9, -1, -1))


def test_a_rebuild_ends_the_walks_of_what_it_replaced(engine: TantivyEngine) -> None:
    first = engine.search(APPLES)
    with engine.rebuilding(STORE) as beside:
        beside.apply([change(1, 2, "Apples")], 2)
    with pytest.raises(CursorExpired):
        engine.search(replace(APPLES, after=first.after))


def test_a_commit_that_was_killed_leaves_nothing(engine: TantivyEngine, folder: Path) -> None:
    (index,) = folder.glob("tantivy-*")
    part = generations.begin(index, 1)
    (part / "0123.idx").write_bytes(b"a segment that no commit names")
    unstamped = generations.finish(generations.begin(index, 1))
    assert unstamped.name == "2"
    assert engine.stamp().cursor == 1
    engine.apply([change(40, 2, "Apples")], 2)
    assert ask(engine, "apples") == [*ask(TantivyEngine(folder), "apples")]
    assert not list(index.glob("*.part"))
    names = {path.name for path in (index / "2").iterdir()}
    beside = {"STAMP", "PIN", ".tantivy-meta.lock"}
    assert names - beside == generations.names(index / "2")


@pytest.mark.parametrize("ending", ["idx", "pos", "term", "fast", "fieldnorm", "json"])
def test_a_flipped_byte_is_damage(engine: TantivyEngine, folder: Path, ending: str) -> None:
    path = next(folder.glob(f"tantivy-*/1/*.{ending}"))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 255
    path.write_bytes(data)
    os.utime(path, (time.time() + 5, time.time() + 5))
    with pytest.raises(IndexDamaged):
        engine.search(APPLES)
    with pytest.raises(IndexDamaged):
        TantivyEngine(folder).health()
    with pytest.raises(IndexDamaged):
        engine.apply([change(1, 2)], 2)
    with engine.rebuilding(STORE) as beside:
        beside.apply([change(1, 2, "Apples")], 2)
    assert ask(engine, "apples") == [1]
    assert len(list(folder.glob("damaged-tantivy-*"))) == 1
    engine.discard_damaged()
    assert not list(folder.glob("damaged-*"))


def test_a_panic_is_an_error_of_the_engine(
    engine: TantivyEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    panic = type("PanicException", (BaseException,), {})

    def panics(*_: object) -> None:
        raise panic("index out of bounds")

    monkeypatch.setattr(searcher, "search", panics)
    with pytest.raises(EngineError, match="index out of bounds"):
        engine.search(APPLES)
    with pytest.raises(Panicked), guarded():
        panics()
    for other in (KeyboardInterrupt, ZeroDivisionError):
        with pytest.raises(other), guarded():
            raise other


def test_an_index_of_many_deleted_articles_is_worn(
    engine: TantivyEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not engine.stamp().is_worn
    engine.apply([removal(n, 2) for n in range(5)], 2)
    assert not engine.stamp().is_worn, "too few to matter"
    monkeypatch.setattr(engines, "_LEAST_WORN", 3)
    assert engine.stamp().is_worn
    with engine.rebuilding(STORE) as beside:
        beside.apply([change(n, 1, "Apples") for n in range(5, 10)], 2)
    assert not engine.stamp().is_worn


def test_a_search_that_would_take_long_is_made_in_slices(
    engine: TantivyEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = Request(
        query=parse("apples NEAR/5 apples OR apples"),
        limit=4,
        facets=("place",),
        histogram="day",
    )
    engine.apply([change(60 + n, 2, "Apples", place=["Cairo"]) for n in range(30)], 2)
    whole = engine.search(request)
    monkeypatch.setattr(searcher, "_SHARE", 0.0)
    sliced = TantivyEngine(engine._folder).search(request)
    assert sliced == whole
    assert sliced.total == 40


def test_other_engines_lose_their_index_when_a_text_was_erased(
    engine: TantivyEngine, folder: Path
) -> None:
    for name in ("whoosh-0123", "damaged-whoosh-4567"):
        (folder / name).mkdir()
    (folder / "whoosh.json").touch()
    (folder / "whoosh.lock").touch()
    engine.discard_damaged()
    assert {path.name for path in folder.iterdir() if "whoosh" in path.name} == {"whoosh.lock"}
    assert dict(engine.entries()).keys() == {id_of(n) for n in range(10)}
