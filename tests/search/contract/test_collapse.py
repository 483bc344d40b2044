"""Near-duplicates are one hit where that is asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.search.engine import Engine, Found, Request
from app.search.query import parse
from tests.search.contract.articles import change, id_of, numbers

STORY = (
    "The ministry of water said on Monday that the reservoirs of the north were full after a "
    "week of rain and that farmers would be given more of it than in any of the last ten years "
    "while towns downstream were asked to clear their drains before the weekend"
)


@pytest.mark.parametrize("sort", ["relevance", "newest", "oldest"])
def test_near_duplicates_collapse_into_the_first_of_them(engine: Engine, sort: Any) -> None:
    other = "Oil prices fell on Tuesday as traders looked to a meeting of producers " * 3
    engine.apply(
        [
            change(0, 1, "Rain", body=STORY, day=3),
            change(1, 1, "Rain again", body=STORY + " he added", day=2),
            change(2, 1, "Oil and rain", body=other, day=1),
            change(3, 1, "Rain", body="Short.", day=4),
            change(4, 1, "Rain", body="Short.", day=5),
        ],
        1,
    )
    request = Request(query=parse("rain"), sort=sort, collapse=True, facets=("place",))
    found = engine.search(request)
    assert found.total == 4
    assert len(found.hits) == 4
    groups = {numbers(replace_hits(found, [hit]))[0]: hit.duplicates for hit in found.hits}
    (first,) = [number for number, members in groups.items() if members]
    assert {first, *(0, 1)} == {0, 1}
    assert groups[first] == (id_of(1 - first),)
    walked = []
    page = replace(request, limit=1, facets=())
    while True:
        answer = engine.search(page)
        walked += numbers(answer)
        if answer.after is None:
            break
        page = replace(page, after=answer.after)
    assert walked == numbers(found)


def replace_hits(found: Found, hits: list[Any]) -> Found:
    return replace(found, hits=hits)
