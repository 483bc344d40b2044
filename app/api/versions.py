"""Entity tags: a client that has the newest answer is told so without a search.

A tag names the store's last change, the generation of the index and the address that was
asked: all that an answer is made of. Tags are weak, and compared weakly, because proxies
that compress an answer weaken them.
"""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from typing import TYPE_CHECKING

from starlette.responses import Response

from app import articles

if TYPE_CHECKING:
    from starlette.requests import Request

    from app.api.deps import Desk


async def of(desk: Desk, request: Request) -> str:
    """The entity tag of what `request` asks for, as things stand."""
    stamp = await desk.run(desk.engine.stamp)
    change = await desk.read(articles.last_change)
    accept = request.headers.get("accept", "")
    state = f"{stamp.store_id} {stamp.generation} {change} {version('broadsheet')}"
    named = f"{state} {accept} {request.url}"
    digest = hashlib.blake2b(named.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
    return f'W/"{digest}"'


def matches(request: Request, tag: str) -> bool:
    """Whether the client says that it has this version already."""
    given = request.headers.get("if-none-match", "")
    known = {each.strip().removeprefix("W/") for each in given.split(",")}
    return tag.removeprefix("W/") in known or given.strip() == "*"


def unchanged(tag: str) -> Response:
    """The answer to a client that has this version already."""
    return Response(status_code=304, headers=headers(tag))


def headers(tag: str) -> dict[str, str]:
    """The headers that go with a tagged answer: it may be kept and must be asked for again."""
    return {"ETag": tag, "Cache-Control": "no-cache", "Vary": "Accept"}
