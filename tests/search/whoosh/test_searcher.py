from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from uuid import UUID

from app.api import cursors
from app.articles.read import CursorKey
from app.search.deadline import Deadline
from app.search.engine import PageKey, Request
from app.search.query import parse
from app.search.whoosh import searcher
from app.search.whoosh.collector import collapse


def test_a_word_that_every_article_holds_still_counts_for_something() -> None:
    count = 1_000_000
    columns = SimpleNamespace(count=count, total_length=400 * count, published=[0])
    everywhere: Any = SimpleNamespace(columns=columns, documents=lambda *_: count)
    statistics = searcher._statistics([everywhere], Request(query=parse("the")), Deadline(1.0))
    assert all(number > 0 for number in statistics)
    after = PageKey((0.5,), UUID(int=1), searcher._encoded(statistics))
    key = CursorKey(b"secret", erased=0)
    assert cursors.decode(cursors.encode(after, "x", key), "x", key) == after
    assert searcher._decoded(after.snapshot) == statistics


def test_duplicates_that_there_is_no_time_for_are_left_out() -> None:
    columns = SimpleNamespace(
        id=lambda n: UUID(int=n).bytes, published=[0, 0], sketch=lambda n: bytes([n + 1]) * 64
    )
    hits: Any = [(SimpleNamespace(columns=columns), {0: 2.0, 1: 1.0})]
    in_time, late = Deadline(60.0), Deadline(-1.0)
    assert collapse(hits, "relevance", in_time)[0][0][1] == {0: 2.0, 1: 1.0}
    assert collapse(hits, "relevance", late)[0][0][1] == {}
    assert (in_time.late, late.late) == (False, True)
