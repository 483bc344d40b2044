"""Orders, ties, and walks from page to page, whatever is written meanwhile."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import CursorExpired
from app.search.engine import DAY_US, Change, Engine, PageKey, Request
from app.search.query import parse
from app.search.query.rewrite import auto
from tests.search.contract.articles import STORE, ask, change, id_of, numbers, removal

if TYPE_CHECKING:
    from collections.abc import Callable


def test_the_three_sorts_break_ties_by_id_and_put_undated_articles_last(engine: Engine) -> None:
    days = [3, 1, None, 1, 3, None, 2]
    engine.apply([change(n, 1, body="apples", day=day) for n, day in enumerate(days)], 1)

    def by_id(*those: int) -> list[int]:
        return sorted(those, key=lambda n: id_of(n).bytes)

    assert ask(engine, "apples", sort="newest") == [
        *by_id(0, 4)[::-1], 6, *by_id(1, 3)[::-1], *by_id(2, 5)[::-1],
    ]  # fmt: skip
    assert ask(engine, "apples", sort="oldest") == [
        *by_id(1, 3), 6, *by_id(0, 4), *by_id(2, 5),
    ]  # fmt: skip
    assert ask(engine, "apples") == by_id(*range(7)), "equal scores go by id"


@settings(max_examples=30)
@given(
    data=st.data(),
    sort=st.sampled_from(["relevance", "newest", "oldest"]),
    q=st.sampled_from(["apples", "apples pears", '"apples pears"', None]),
)
def test_pages_are_stable_under_random_writes(
    make: Callable[[], Engine], data: st.DataObject, sort: Any, q: str | None
) -> None:
    """Nothing twice, and nothing skipped that was there, unchanged, from start to end."""
    engine = make()
    with engine.rebuilding(STORE):
        pass
    words = st.lists(st.sampled_from(["apples", "pears", "figs"]), min_size=1, max_size=6)

    def article(number: int, at: int) -> Change:
        body = " ".join(data.draw(words))
        return change(number, at, body=body, day=data.draw(st.none() | st.integers(0, 3)))

    present = {number: article(number, 1) for number in range(12)}
    engine.apply(list(present.values()), 1)
    request = Request(query=None if q is None else parse(q), sort=sort, limit=3)
    before = numbers(engine.search(replace(request, limit=100)))
    untouched = set(before)
    seen: list[int] = []
    for at in range(2, 40):
        page = engine.search(request)
        seen += numbers(page)
        if page.after is None:
            break
        request = replace(request, after=page.after)
        changes = [article(20 + at, at), article(100 + at, at)]
        victim = data.draw(st.integers(0, 11))
        if data.draw(st.booleans()):
            changes.append(removal(victim, at))
            untouched.discard(victim)
        engine.apply(changes, at)
    assert len(seen) == len(set(seen))
    assert untouched <= set(seen)


@pytest.mark.parametrize("sort", ["relevance", "newest", "oldest"])
def test_a_walk_goes_on_in_another_process_as_it_began(
    engine: Engine, make: Callable[[], Engine], sort: Any
) -> None:
    bodies = ["apples " * (n % 4 + 1) + "pears " * (n % 3) for n in range(12)]
    engine.apply([change(n, 1, body=body, day=n % 3) for n, body in enumerate(bodies)], 1)
    request = Request(query=parse("apples pears", match="any"), sort=sort, limit=5)
    whole = engine.search(replace(request, limit=12)).hits
    first = engine.search(request)
    engine.apply([change(50 + n, 2, body="apples " * 9, day=None) for n in range(30)], 2)
    engine.close()
    rest = make().search(replace(request, after=first.after, limit=50)).hits
    known = {hit.id: hit.score for hit in whole}
    walked = [hit for hit in (*first.hits, *rest) if hit.id in known]
    assert [(hit.id, hit.score) for hit in walked] == [(hit.id, hit.score) for hit in whole]


@pytest.mark.parametrize(("sort", "day"), [("newest", 2), ("oldest", 1), ("newest", None)])
def test_a_list_by_date_goes_on_behind_what_is_no_longer_there(
    engine: Engine, sort: Any, day: int | None
) -> None:
    days = [3, 2, 2, 2, 1, 1, None, None]
    engine.apply([change(n, 1, "Apples", day=at) for n, at in enumerate(days)], 1)
    listed = ask(engine, "apples", sort=sort)
    last = next(number for number in listed if days[number] == day)
    at_us = None if day is None else day * DAY_US
    engine.apply([removal(last, 2)], 2)
    request = Request(query=parse("apples"), sort=sort, after=PageKey((at_us,), id_of(last)))
    assert numbers(engine.search(request)) == listed[listed.index(last) + 1 :]


def test_the_snapshot_of_another_engine_is_expired(engine: Engine) -> None:
    engine.apply([change(n, 1, "Apples") for n in range(3)], 1)
    for snapshot in ("generation of another engine", "1,2,x", "\0", "-" * 5_000):
        after = PageKey((1.0,), id_of(0), snapshot)
        with pytest.raises(CursorExpired):
            engine.search(Request(query=parse("apples"), after=after))


@settings(max_examples=30)
@given(bodies=st.lists(st.lists(st.sampled_from(["pear", "plum", "fig", "is"]), max_size=9)))
@pytest.mark.parametrize("part", ["strict", "relaxed"])
def test_nearness_orders_a_page_as_it_orders_the_whole(
    make: Callable[[], Engine], part: str, bodies: list[list[str]]
) -> None:
    engine = make()
    with engine.rebuilding(STORE):
        pass
    fillers = [change(100 + n, 1, "x", body="other words") for n in range(60)]
    engine.apply([*(change(n, 1, body=" ".join(b)) for n, b in enumerate(bodies)), *fillers], 1)
    q = "pear plum is fig"
    request = Request(query=getattr(auto(parse(q), q, ()), part), limit=100)
    whole = engine.search(request)
    for limit in (1, 2, 5):
        page, seen = engine.search(replace(request, limit=limit)), []
        assert page.total == whole.total
        seen += page.hits
        while page.after is not None:
            page = engine.search(replace(request, limit=limit, after=page.after))
            seen += page.hits
        assert seen == whole.hits
