"""Routes of articles."""

from __future__ import annotations

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.convertors import CONVERTOR_TYPES, Convertor

from app.api import etags, representations, uploads
from app.api.deps import Executor, ExecutorDep, KeyDep, PagingDep
from app.api.openapi import EXPIRED, MOVED, documented
from app.api.schemas import answers, requests, responses
from app.articles import history, removal, save
from app.articles import read as articles
from app.search import engine
from app.services import similar

SOME_REJECTED = (
    207,
    {"model": responses.Imported, "description": "Some were taken and some rejected"},
)
router = APIRouter(prefix="/v1/articles", tags=["articles"])


class _Undotted(Convertor[str]):
    """An id without a suffix: those of an article's forms belong to routes of their own."""

    regex = "[^/.]+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: object) -> str:
        return str(value)


CONVERTOR_TYPES["undotted"] = _Undotted()  # Starlette keeps convertors for the whole process
_ONE = "/{article_id:undotted}"
_of_one = partial(documented, 404, 410, 422, 503, MOVED)
VersionNumber = Annotated[int, Path(ge=1, lt=2**31, description="In the order of arrival.")]


@router.get(
    "",
    response_model=responses.ArticleList,
    responses=documented(422, 503, EXPIRED, example="articles"),
)
async def list_articles(
    parameters: Annotated[requests.ArticleParameters, Query()], paging: PagingDep
) -> Response:
    """Articles, newest first, without their text.

    Pages are stable while articles are added: none comes twice, none is skipped.
    """
    wanted, order = parameters.filters(), parameters.sort
    page = partial(articles.listing, filters=wanted, order=order, fields=parameters.fields)
    return await paging.answer(("articles", wanted, order), page, parameters)


@router.get("/{article_id}.jsonld", response_class=Response, responses=_of_one(form="jsonld"))
async def article_jsonld(request: Request, article_id: UUID, executor: ExecutorDep) -> Response:
    """The article as a NewsArticle of schema.org, in JSON-LD."""
    whole, digest = await executor.read(etags.tagged, article_id)
    address = _address(request, article_id)
    raw = await executor.run(representations.json_ld, whole, address)
    return _form("jsonld", raw, address, digest)


@router.get("/{article_id}.txt", response_class=Response, responses=_of_one(form="txt"))
async def article_txt(request: Request, article_id: UUID, executor: ExecutorDep) -> Response:
    """The article as plain text, to be read."""
    whole, digest = await executor.read(etags.tagged, article_id)
    return _form("txt", representations.text(whole), _address(request, article_id), digest)


def _form(form: representations.Form, raw: bytes, address: str, digest: str) -> Response:
    headers = {"ETag": etags.of_article(digest), "Link": representations.links(address, form)}
    return Response(raw, headers=headers, media_type=representations.MEDIA_TYPES[form])


def _address(request: Request, article_id: UUID) -> str:
    """The article's address, in lower case as all ids are."""
    return str(request.url_for("get_article", article_id=article_id))


@router.get(_ONE, response_model=responses.Article, responses=_of_one(example="article"))
async def get_article(request: Request, article_id: UUID, executor: ExecutorDep) -> Response:
    """The whole article, with related articles and every input that it was seen in."""
    return await _article(request, executor, article_id)


async def _article(request: Request, executor: Executor, article_id: UUID) -> Response:
    whole, digest = await executor.read(etags.tagged, article_id)
    links = representations.links(_address(request, article_id), None)
    return answers.answer(whole, headers={"ETag": etags.of_article(digest), "Link": links})


@router.get(
    "/{article_id}/similar",
    response_model=responses.SimilarList,
    responses=_of_one(example="similar"),
)
async def similar_articles(
    article_id: UUID,
    parameters: Annotated[requests.SimilarParameters, Query()],
    executor: ExecutorDep,
) -> Response:
    """Articles that share the words that tell this one from others; near-duplicates first."""
    search_request = engine.Request(
        query=None,
        filters=parameters.filters(),
        limit=parameters.limit,
        timeout_s=executor.settings.search_timeout_s,
    )
    found, total = await executor.read(similar.find, executor.engine, article_id, search_request)
    return answers.answer({"items": found, "total": total, "next": None})


@router.post(
    "",
    response_model=responses.Imported,
    responses=documented(413, 415, 422, 503, SOME_REJECTED, example="imported"),
    openapi_extra=uploads.MANY,
)
async def add_articles(request: Request, executor: ExecutorDep, key: KeyDep) -> Response:
    """Store one article or many, in a format that the loader reads, by Content-Type.

    What can't be read is rejected with its reason and the rest is stored. When the answer
    comes, the rest is committed; it is searchable a moment later. A long body is stored in
    batches while it comes: what was stored stays when it breaks off.
    """
    return await uploads.store(request, executor, key)


@router.put(
    _ONE,
    response_model=responses.Article,
    responses=documented(404, 409, 410, 412, 413, 415, 422, 503, MOVED, example="article"),
    openapi_extra=uploads.ONE,
)
async def replace_article(
    article_id: UUID,
    request: Request,
    executor: ExecutorDep,
    key: KeyDep,
    if_match: etags.IfMatch = None,
) -> Response:
    """Show the article that is sent in the place of what is shown, whatever their dates."""
    draft = await uploads.one(request, executor, key)
    replace = partial(
        save.replace,
        draft=draft,
        publisher=executor.settings.source,
        load=save.Load("http"),
        by=key,
    )
    await executor.write(key, etags.guarded, replace, article_id, if_match)
    return await _article(request, executor, article_id)


@router.delete(
    _ONE,
    status_code=204,
    response_class=Response,
    responses=documented(404, 410, 412, 422, 503, MOVED),
)
async def remove_article(
    article_id: UUID,
    executor: ExecutorDep,
    key: KeyDep,
    erase: Annotated[bool, Query(description="For good; needs a key with `erase`.")] = False,
    if_match: etags.IfMatch = None,
) -> Response:
    """Take an article out, until it is restored, or for good."""
    remove = partial(removal.erase if erase else removal.remove, by=key)
    await executor.write(key, etags.guarded, remove, article_id, if_match)
    return Response(status_code=204)


@router.post(
    "/{article_id}/restore", response_model=responses.Article, responses=_of_one(example="article")
)
async def restore_article(
    request: Request, article_id: UUID, executor: ExecutorDep, key: KeyDep
) -> Response:
    """Bring back an article that was removed."""
    await executor.write(key, removal.restore, article_id, by=key)
    return await _article(request, executor, article_id)


@router.get(
    "/{article_id}/versions",
    response_model=responses.VersionList,
    responses=_of_one(example="versions"),
)
async def list_versions(
    article_id: UUID, parameters: Annotated[requests.VersionParameters, Query()], paging: PagingDep
) -> Response:
    """Every version of the article, newest first, and what each changed."""
    page = partial(history.versions, article_id=article_id)
    return await paging.answer(("versions", article_id), page, parameters)


@router.get(
    "/{article_id}/versions/{number}",
    response_model=responses.WholeVersion,
    responses=_of_one(example="version"),
)
async def get_version(article_id: UUID, number: VersionNumber, executor: ExecutorDep) -> Response:
    """A version of the article whole, and by words what it changed of the one before."""
    return answers.answer(await executor.read(history.version, article_id, number))
