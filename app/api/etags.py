"""Entity tags: 304 for a client that has the newest answer, 412 for an edit of an older text.

The tag of a search names the store's last change with its token, the generation of the index and
the address that was asked: all that an answer is made of. That of an article names what it shows
and not what was found in it since: an editor's `If-Match` holds while the text does. Tags are
weak, and compared weakly, because proxies that compress an answer weaken them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from importlib.metadata import version
from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import Header
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from app.api.deps import Executor
from app.articles import read as articles
from app.errors import Changed
from app.store import sequence

T = TypeVar("T")


async def of(executor: Executor, request: Request) -> str:
    """The entity tag of what `request` asks for, as things stand."""
    stamp = await executor.run(executor.engine.stamp)
    last = await executor.read(sequence.last)
    store = f"{stamp.store_id} {last.change} {last.token}"
    program = f"{version('broadsheet')} {executor.synonyms.version}"
    state = f"{store} {stamp.generation} {program}"
    named = f"{state} {request.url}"
    digest = hashlib.blake2b(named.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
    return f'W/"{digest}"'


IfMatch = Annotated[
    str | None, Header(alias="If-Match", description="Entity tag of the article as you know it.")
]


def of_article(digest: str) -> str:
    """The entity tag of an article by the digest of what it shows."""
    return f'W/"{digest}"'


def tagged(session: Session, article_id: UUID) -> tuple[articles.WholeArticle, str]:
    """An article, and the digest of what it shows."""
    return articles.get(session, article_id), articles.digest(session, article_id)


def guarded(
    session: Session, work: Callable[[Session, UUID], T], article_id: UUID, if_match: str | None
) -> T:
    """`work(session, article_id)` if the article is what `If-Match` names; else raises Changed."""
    if if_match is not None:
        tag = of_article(articles.digest(session, article_id))
        if not _names(if_match, tag):
            raise Changed(str(article_id))
    return work(session, article_id)


def matches(request: Request, tag: str) -> bool:
    """Whether the client says that it has this version already."""
    return _names(request.headers.get("if-none-match", ""), tag)


def _names(given: str, tag: str) -> bool:
    known = {each.strip().removeprefix("W/") for each in given.split(",")}
    return tag.removeprefix("W/") in known or given.strip() == "*"


def unchanged(tag: str) -> Response:
    """The answer to a client that has this version already."""
    return Response(status_code=304, headers=headers(tag))


def headers(tag: str) -> dict[str, str]:
    """The headers that go with a tagged answer: it may be kept and must be asked for again."""
    return {"ETag": tag, "Cache-Control": "no-cache"}
