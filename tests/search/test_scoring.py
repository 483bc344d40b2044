from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from uuid import UUID

from app.api import cursors
from app.articles import CursorKey
from app.search import duplicates, scoring
from app.search.base import Place, Request
from app.search.clock import Clock
from app.search.query import parse


def test_a_word_that_every_article_holds_still_counts_for_something() -> None:
    count = 1_000_000
    columns = SimpleNamespace(count=count, total_length=400 * count, published=[0])
    everywhere: Any = SimpleNamespace(columns=columns, documents=lambda *_: count)
    statistics = scoring._statistics([everywhere], Request(query=parse("the")), Clock(1.0))
    assert all(number > 0 for number in statistics)
    place = Place(UUID(int=1), 0.5, None, statistics)
    key = CursorKey(b"secret", erased=0)
    assert cursors.decode(cursors.encode(place, "x", key), "x", key) == place


def test_duplicates_that_there_is_no_time_for_are_left_out() -> None:
    columns = SimpleNamespace(
        id=lambda n: UUID(int=n).bytes, published=[0, 0], sketch=lambda n: bytes([n + 1]) * 64
    )
    hits: Any = [(SimpleNamespace(columns=columns), {0: 2.0, 1: 1.0})]
    in_time, late = Clock(60.0), Clock(-1.0)
    assert duplicates.collapse(hits, "relevance", in_time)[0][0][1] == {0: 2.0, 1: 1.0}
    assert duplicates.collapse(hits, "relevance", late)[0][0][1] == {}
    assert (in_time.late, late.late) == (False, True)
