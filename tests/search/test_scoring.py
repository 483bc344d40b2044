from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from uuid import UUID

from app.api import cursors
from app.search import scoring
from app.search.base import Place, Request
from app.search.query import parse


def test_a_word_that_every_article_holds_still_counts_for_something() -> None:
    count = 1_000_000
    columns = SimpleNamespace(count=count, total_length=400 * count, published=[0])
    everywhere: Any = SimpleNamespace(columns=columns, documents=lambda *_: count)
    statistics = scoring._statistics([everywhere], Request(query=parse("the")))
    assert all(number > 0 for number in statistics)
    place = Place(UUID(int=1), 0.5, None, statistics)
    assert cursors.decode(cursors.encode(place, "x"), "x") == place
