"""The reconciliation service over entities: W3C Reconciliation Service API 0.2.

https://www.w3.org/community/reports/reconciliation/CG-FINAL-specs-0.2-20230410/ says what
is asked and answered; OpenRefine asks. Everything may be asked from any web page.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import parse_qs
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field, ValidationError

from app import entities, reconciling
from app.api import door, schemas
from app.api.deps import BodyDep, DeskDep
from app.api.openapi import MOVED, responses
from app.errors import ParameterError
from app.extract.base import TYPES

if TYPE_CHECKING:
    from sqlmodel import Session

router = APIRouter(prefix="/v1/entities/reconcile", tags=["entities"])

MOST_QUERIES = 100
_HEADERS = {"Access-Control-Allow-Origin": "*"}
_PREVIEW_WIDTH, _PREVIEW_HEIGHT = 360, 120
_REQUEST_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {
                    "type": "object",
                    "properties": {"queries": {"type": "string"}},
                    "required": ["queries"],
                },
                "example": {"queries": '{"q0": {"query": "Islamabad", "type": "place"}}'},
            }
        },
    }
}


class _Asked(BaseModel):
    """One query of a batch; what else it holds (properties, say) makes no difference."""

    query: Annotated[str, Field(max_length=1000)]
    type: str | Annotated[list[str], Field(max_length=10, fail_fast=True)] | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 10


Queries = Annotated[
    str | None,
    Query(
        max_length=100_000,
        description='JSON, such as `{"q0": {"query": "Islamabad", "type": "place", "limit": 3}}`. '
        "Without it: the service's manifest.",
    ),
]


@router.get("", response_model=dict[str, Any], responses=responses(422, 503, example="manifest"))
async def reconcile(request: Request, desk: DeskDep, queries: Queries = None) -> Response:
    """The service's manifest, or with `queries` the candidates for each of them."""
    if queries is None:
        return schemas.answer(_manifest(request), headers=_HEADERS)
    found = await desk.read(_reconciled, await desk.run(_read, queries))
    return schemas.answer(found, headers=_HEADERS)


@router.post(
    "",
    response_model=dict[str, schemas.Candidates],
    responses=responses(413, 422, 503, example="candidates"),
    openapi_extra=_REQUEST_BODY,
)
async def reconcile_by_form(body: BodyDep, desk: DeskDep) -> Response:
    """The candidates for each of the `queries` of a form, as OpenRefine sends them."""
    found = await desk.read(_reconciled, await desk.run(_read_form, body))
    return schemas.answer(found, headers=_HEADERS)


@router.get(
    "/suggest",
    response_model=dict[str, list[dict[str, Any]]],
    responses=responses(422, 503, example="suggested"),
)
async def suggest_entities(
    prefix: Annotated[str, Query(min_length=1, max_length=200, description="What was typed.")],
    desk: DeskDep,
    cursor: Annotated[int, Query(ge=0, le=10_000, description="Results to pass over.")] = 0,
) -> Response:
    """Entities with a name or alias that begins so, for choosing one by hand."""
    found = await desk.read(entities.beginning, prefix, cursor + _SUGGESTED)
    result = [_suggested(*each) for each in found[cursor:]]
    return schemas.answer({"result": result}, headers=_HEADERS)


@router.get(
    "/preview",
    response_class=Response,
    responses={
        **responses(404, 422, 503),
        200: {"content": {"text/html": {"schema": {"type": "string"}, "example": "preview"}}},
        308: MOVED,
    },
)
async def preview_entity(
    desk: DeskDep, id_: Annotated[UUID, Query(alias="id", description="The entity's id.")]
) -> Response:
    """A small page about an entity, to be shown in a frame."""
    page = _preview(await desk.read(entities.get, id_))
    return Response(page, headers=_HEADERS, media_type="text/html")


_SUGGESTED = 10


def _manifest(request: Request) -> dict[str, Any]:
    here = str(request.url_for("reconcile"))
    return {
        "versions": ["0.2"],
        "name": "Broadsheet: people, organizations and places in the news",
        "identifierSpace": "urn:uuid:",
        "schemaSpace": "urn:broadsheet:type:",
        "defaultTypes": [_kind(name) for name in TYPES],
        "view": {"url": f"{request.url_for('list_entities')}/{{{{id}}}}"},
        "preview": {
            "url": f"{here}/preview?id={{{{id}}}}",
            "width": _PREVIEW_WIDTH,
            "height": _PREVIEW_HEIGHT,
        },
        "suggest": {"entity": {"service_url": here, "service_path": "/suggest"}},
    }


def _kind(name: str) -> dict[str, str]:
    return {"id": name, "name": name.capitalize()}


def _read_form(body: bytes) -> dict[str, _Asked]:
    return _read(_field(body, "queries"))


def _field(body: bytes, name: str) -> str:
    try:
        values = parse_qs(body.decode(), max_num_fields=10)
    except ValueError as error:
        raise ParameterError(name, "is not in a form that can be read", where="body") from error
    if name not in values:
        raise ParameterError(name, "is missing", where="body")
    return values[name][0]


def _read(queries: str) -> dict[str, _Asked]:
    found = door.json_of(queries, "queries", where="query")
    if not isinstance(found, dict) or len(found) > MOST_QUERIES:
        raise ParameterError("queries", f"is not an object of {MOST_QUERIES} queries at most")
    try:
        return {name: _Asked.model_validate(asked) for name, asked in found.items()}
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise ParameterError("queries", f"{where}: {first['msg']}") from error


def _reconciled(session: Session, asked: dict[str, _Asked]) -> dict[str, Any]:
    answers = {}
    for name, each in asked.items():
        types = [each.type] if isinstance(each.type, str) else each.type or ()
        found = reconciling.candidates(session, each.query, types=types, limit=each.limit)
        answers[name] = {
            "result": [
                {
                    "id": candidate.id,
                    "name": candidate.name,
                    "type": [_kind(candidate.type)],
                    "score": candidate.score,
                    "match": candidate.match,
                    "description": _description(candidate.type, candidate.article_count),
                }
                for candidate in found
            ]
        }
    return answers


def _suggested(id_: UUID, type_: str, name: str, count: int) -> dict[str, Any]:
    notable = [_kind(type_)]
    return {"id": id_, "name": name, "notable": notable, "description": _description(type_, count)}


def _description(type_: str, count: int) -> str:
    return f"{type_} in {count} article{'' if count == 1 else 's'}"


def _preview(entity: entities.Whole) -> str:
    seen = ""
    if entity.first_seen is not None:
        seen = f", {entity.first_seen} to {entity.last_seen}"
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f"<title>{escape(entity.name)}</title><h1>{escape(entity.name)}</h1>"
        f"<p>{_description(entity.type, entity.article_count)}{seen}</p>"
        f"<p>{escape(', '.join(entity.aliases))}</p></html>"
    )
