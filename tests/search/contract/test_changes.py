"""What an index takes in, says of itself, and becomes when it is built anew."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import text
from app.errors import (
    EngineBusy,
    IndexMissing,
)
from app.search.engine import SCHEMA_VERSION, Engine, Request
from app.search.query import parse
from app.writes import Write
from tests.search.contract.articles import STORE, ask, change, id_of, removal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


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


def test_without_an_index_everything_says_so(make: Callable[[], Engine]) -> None:
    engine = make()
    for work in (
        lambda: engine.search(Request(query=None)),
        engine.stamp,
        engine.health,
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
    before = {path for path in tmp_path.rglob("*") if path.is_dir()}
    with pytest.raises(ZeroDivisionError), engine.rebuilding(STORE) as beside:
        beside.apply([change(1, 2)], 2)
        1 / 0  # noqa: B018
    assert ask(engine, "apples") == [0]
    engine.health()
    assert {path for path in tmp_path.rglob("*") if path.is_dir()} == before


def test_a_rebuild_for_another_store_takes_the_place_of_what_was_there(
    engine: Engine, make: Callable[[], Engine]
) -> None:
    engine.apply([change(0, 1, "Apples"), change(1, 1, "Pears")], 1)
    other = make()
    before, store = engine.stamp(), uuid4()
    with engine.rebuilding(store) as beside:
        beside.apply([change(1, 3, "Apples")], 3)
    for each in (engine, other):
        each.health()
        stamp = each.stamp()
        assert (stamp.store_id, stamp.cursor) == (store, 3)
        assert stamp.generation != before.generation
        assert dict(each.entries()) == {id_of(1): 3}
        assert ask(each, "apples") == [1]


def test_what_was_made_with_another_write_is_left_out(engine: Engine) -> None:
    first, second = Write(1, "one"), Write(2, "two")
    engine.apply([change(0, 1)], 1, history=first)
    assert engine.stamp().history == first
    engine.apply([change(1, 2)], 2, history=second, after=second)
    assert (engine.stamp().history, engine.stamp().cursor) == (first, 1)
    engine.apply([change(1, 2)], 2, history=second, after=first)
    assert (engine.stamp().history, engine.stamp().cursor) == (second, 2)
    assert engine.search(Request(query=None)).history == second


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
