"""Routes of search."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app import articles
from app.api import cursors, schemas
from app.api.deps import DeskDep
from app.api.openapi import responses
from app.search import base, query

router = APIRouter(prefix="/v1/search", tags=["search"])


@router.get(
    "",
    response_model=schemas.SearchAnswer,
    responses=responses(400, 422, 503, example="search"),
)
async def search(
    request: Request, asked: Annotated[schemas.SearchParameters, Query()], desk: DeskDep
) -> Response:
    """Articles that match `q` and pass the filters, best first.

    `total` is exact. Pages go as deep as there are hits and stay stable while articles are
    added. `as_of` tells how current the index is.
    """
    started = time.perf_counter()
    tree = query.parse(asked.q) if asked.q.strip() else None
    sort = asked.sort or ("relevance" if tree else "newest")
    wanted = asked.filters()
    of = ("search", str(tree), wanted, sort)
    after = cursors.decode(asked.cursor, of) if asked.cursor else None
    wish = base.Request(
        query=tree,
        filters=wanted,
        sort=sort,
        limit=asked.limit,
        after=after,
        timeout_s=desk.settings.search_timeout_s,
    )
    found = await desk.read(articles.find, desk.engine, wish)
    hits = [{"article": article, "score": score} for article, score in found.hits]
    return schemas.page(
        request,
        hits,
        found.total,
        found.after,
        of,
        as_of={"change": found.cursor, "lag": found.lag},
        took_ms=round((time.perf_counter() - started) * 1000, 3),
        complete=found.complete,
    )
