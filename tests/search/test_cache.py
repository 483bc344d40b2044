"""What is kept between searches stays within its bytes, whatever is asked."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from uuid import UUID, uuid4
from zoneinfo import available_timezones

import pytest

from app import text
from app.filters import Filters
from app.search.cache import Cache
from app.search.engine import Change, Document, Request
from app.search.query import parse
from app.search.whoosh import searcher
from app.search.whoosh.engine import WhooshEngine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def test_the_longest_unasked_goes_first() -> None:
    kept: Cache[str] = Cache(30)
    for key in "abc":
        kept.put(key, key * 2, 10)
    assert kept.get("a") == "aa"
    kept.put("d", "dd", 10)
    assert [kept.get(key) for key in "abcd"] == ["aa", None, "cc", "dd"]
    kept.put("a", "new", 15)
    assert (kept.get("a"), kept.size_bytes) == ("new", 25)


def test_the_last_stays_though_it_be_larger_than_all() -> None:
    kept: Cache[str] = Cache(30)
    kept.put("a", "a", 10)
    kept.put("b", "b", 99)
    assert (kept.get("a"), kept.get("b"), kept.size_bytes) == (None, "b", 99)
    kept.put("c", "c", 1)
    assert (kept.get("b"), kept.size_bytes) == (None, 1)
    kept.clear()
    assert (kept.get("c"), kept.size_bytes) == (None, 0)


def test_threads_share_it() -> None:
    kept: Cache[int] = Cache(50)

    def work(start: int) -> None:
        for n in range(2_000):
            kept.put((start + n) % 17, n, 1 + n % 9)
            kept.get(n % 17)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert kept.size_bytes == sum(size for _, size in kept._values.values()) <= 50


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
    monkeypatch.setattr(searcher, "_PERIODS_BYTES", 5 * of_zone)
    zones = sorted(available_timezones())[:40]
    counted = [
        engine.search(
            Request(query=None, filters=Filters(time_zone=zone), histogram="day")
        ).histogram
        for zone in zones
    ]
    assert engine._caches.periods.size_bytes == 5 * of_zone
    engine._caches.answers.clear()
    again = [
        engine.search(
            Request(query=None, filters=Filters(time_zone=zone), histogram="day")
        ).histogram
        for zone in zones
    ]
    assert again == counted


def test_answers_and_results_stay_within_bounds(
    engine: WhooshEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searcher, "_ANSWERS_BYTES", 200_000)
    monkeypatch.setattr(searcher, "_RANKED_BYTES", 3 * 100 * searcher._ROW_BYTES)
    words = " OR ".join(f"apples{n}" for n in range(200))
    for n in range(20):
        request = Request(query=parse(f"pears OR other{n} OR {words}"), limit=10)
        first = engine.search(request)
        assert first.total == 100
        engine.search(Request(query=request.query, limit=10, after=first.after))
    caches = engine._caches
    assert caches.answers.size_bytes <= 200_000
    assert caches.ranked.size_bytes == 3 * 100 * searcher._ROW_BYTES


def test_words_without_end_are_not_kept() -> None:
    before = _kept_words()
    for n in range(10):
        assert text.terms(f"{n}{'x' * 10_000}") == [f"{n}{'x' * 63}"]
    assert _kept_words() == before


def test_no_more_than_so_many_words_are_kept() -> None:
    for n in range(30_500):
        text.terms(f"kept{n}", ("fr", None)[n % 2])
    assert 0 < _kept_words() <= 30_000


def _kept_words() -> int:
    return sum(map(len, text._known.values()))
