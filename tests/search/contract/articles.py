"""The engines that the contract holds for, articles for them and answers, both by number."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4, uuid5

from app import filters, text
from app.search.engine import Change, Document, Engine, Found, Request
from app.search.query import parse
from app.search.tantivy.engine import TantivyEngine
from app.search.whoosh.engine import WhooshEngine

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

STORE = uuid4()
ENGINES: dict[str, Callable[[Path], Engine]] = {"whoosh": WhooshEngine, "tantivy": TantivyEngine}
"""Opens an engine on a folder, by its name."""


def id_of(number: int) -> UUID:
    return uuid5(STORE, str(number))


def change(number: int, at: int, headline: str = "Headline", **more: Any) -> Change:
    """Article `number`, changed at `at`; `day` counts its date in days."""
    day = more.pop("day", number)
    document = Document(
        headline=headline,
        summary=more.pop("summary", ()),
        caption=more.pop("caption", ""),
        body=more.pop("body", "Some body text."),
        published_us=None if day is None else day * 86_400_000_000,
        names={name: [text.fold(v) for v in more.pop(name, ())] for name in filters.NAMED},
    )
    assert not more
    return Change(id_of(number), at, document)


def removal(number: int, at: int) -> Change:
    return Change(id_of(number), at, None)


def numbers(found: Found) -> list[int]:
    known = {id_of(number): number for number in range(200)}
    return [known[hit.id] for hit in found.hits]


def ask(engine: Engine, q: str | None, **more: Any) -> list[int]:
    """The numbers of all hits, in their order, over pages of two; totals must agree."""
    request = Request(query=None if q is None else parse(q), limit=2, **more)
    found: list[int] = []
    totals = set()
    while True:
        page = engine.search(request)
        assert page.complete
        found += numbers(page)
        totals.add(page.total)
        if page.after is None:
            assert totals == {len(found)}
            return found
        request = replace(request, after=page.after)
