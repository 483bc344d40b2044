"""What is kept between searches stays within its bytes, whatever is asked."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from uuid import UUID, uuid4
from zoneinfo import available_timezones

import pytest

from app import text
from app.search import whoosh_engine
from app.search.base import Change, Document, Request
from app.search.kept import Kept
from app.search.query import parse
from app.search.whoosh_engine import WhooshEngine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def test_the_longest_unasked_goes_first() -> None:
    kept: Kept[str] = Kept(30)
    for key in "abc":
        kept.put(key, key * 2, 10)
    assert kept.get("a") == "aa"
    kept.put("d", "dd", 10)
    assert [kept.get(key) for key in "abcd"] == ["aa", None, "cc", "dd"]
    kept.put("a", "new", 15)
    assert (kept.get("a"), kept.held_bytes) == ("new", 25)


def test_the_last_stays_though_it_be_larger_than_all() -> None:
    kept: Kept[str] = Kept(30)
    kept.put("a", "a", 10)
    kept.put("b", "b", 99)
    assert (kept.get("a"), kept.get("b"), kept.held_bytes) == (None, "b", 99)
    kept.put("c", "c", 1)
    assert (kept.get("b"), kept.held_bytes) == (None, 1)
    kept.clear()
    assert (kept.get("c"), kept.held_bytes) == (None, 0)


def test_threads_share_it() -> None:
    kept: Kept[int] = Kept(50)

    def work(start: int) -> None:
        for n in range(2_000):
            kept.put((start + n) % 17, n, 1 + n % 9)
            kept.get(n % 17)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert kept.held_bytes == sum(size for _, size in kept._values.values()) <= 50


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[WhooshEngine]:
    opened = WhooshEngine(tmp_path / "index")
    with opened.rebuilding(uuid4()):
        pass
    changes = [
        Change(
            UUID(int=n + 1),
            1,
            Document(
                headline=f"Apples {n}",
                summary=(),
                caption="",
                body="pears",
                published_us=n * 3_600_000_000,
                names={},
            ),
        )
        for n in range(100)
    ]
    opened.apply(changes, 1)
    yield opened
    opened.close()


def test_histograms_in_every_time_zone_stay_within_bounds(
    engine: WhooshEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_zone = 4 * 100
    monkeypatch.setattr(whoosh_engine, "_DAYS_BYTES", 5 * of_zone)
    zones = sorted(available_timezones())[:40]
    counted = [
        engine.search(Request(query=None, histogram="day", zone=zone)).histogram for zone in zones
    ]
    assert engine._memory.days.held_bytes == 5 * of_zone
    engine._memory.answers.clear()
    again = [
        engine.search(Request(query=None, histogram="day", zone=zone)).histogram for zone in zones
    ]
    assert again == counted


def test_answers_and_results_stay_within_bounds(
    engine: WhooshEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whoosh_engine, "_ANSWERS_BYTES", 200_000)
    monkeypatch.setattr(whoosh_engine, "_RESULTS_BYTES", 3 * 100 * whoosh_engine._ROW_BYTES)
    words = " OR ".join(f"apples{n}" for n in range(200))
    for n in range(20):
        request = Request(query=parse(f"pears OR other{n} OR {words}"), limit=10)
        first = engine.search(request)
        assert first.total == 100
        engine.search(Request(query=request.query, limit=10, after=first.after))
    memory = engine._memory
    assert memory.answers.held_bytes <= 200_000
    assert memory._ranked.held_bytes == 3 * 100 * whoosh_engine._ROW_BYTES


def test_words_without_end_are_not_kept() -> None:
    before = text._known_term.cache_info().currsize
    for n in range(10):
        assert text.terms(f"{n}{'x' * 10_000}") == [f"{n}{'x' * 63}"]
    assert text._known_term.cache_info().currsize == before
