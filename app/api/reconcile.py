"""The reconciliation service over entities: W3C Reconciliation Service API 0.2.

https://www.w3.org/community/reports/reconciliation/CG-FINAL-specs-0.2-20230410/ says what
is asked and answered; OpenRefine asks. Everything may be asked from any web page.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import parse_qs
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field, ValidationError
from sqlmodel import Session

from app.api import components, inputs
from app.api.deps import BodyDep, Executor, ExecutorDep
from app.api.middleware import security_headers
from app.api.openapi import MOVED, documented
from app.api.schemas import answers
from app.api.schemas import entities as entity_schemas
from app.entities import candidates
from app.entities import read as entities
from app.errors import ParameterError
from app.extract.base import TYPES
from app.text import fold

router = APIRouter(prefix="/v1/entities/reconcile", tags=["entities"])

MOST_QUERIES = 100
_HEADERS = {"Access-Control-Allow-Origin": "*"}
_SUGGESTED = 10
_PREVIEW_WIDTH, _PREVIEW_HEIGHT = 360, 120
_MEMBERS: tuple[str, ...] = ("queries", "extend")
_NO_MATTER = "Makes no difference; OpenRefine sends it."
_REQUEST_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": components.ref("ReconcileForm"),
                "example": {"queries": '{"q0": {"query": "Islamabad", "type": "place"}}'},
            }
        },
    }
}


class _Given(BaseModel):
    """What a query says of a property of the entity that is looked for."""

    pid: str
    v: Any


class _Asked(BaseModel):
    """One query of a batch; only its property `name` counts, in place of `query`."""

    query: Annotated[str, Field(max_length=1000)] = ""
    properties: Annotated[list[_Given], Field(max_length=100, fail_fast=True)] = []
    type: str | Annotated[list[str], Field(max_length=10, fail_fast=True)] | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 10

    @property
    def text(self) -> str:
        """What the entity is called: `query`, else the property `name`, else nothing."""
        names = (each.v for each in self.properties if each.pid == "name")
        return self.query or next((v[:1000] for v in names if isinstance(v, str)), "")


class _Extension(BaseModel):
    """Which properties of which entities are wanted."""

    class Property(BaseModel):
        """A property; settings make no difference, since none has any."""

        id: str

    ids: Annotated[list[str], Field(max_length=MOST_QUERIES, fail_fast=True)]
    properties: Annotated[list[Property], Field(max_length=20, fail_fast=True)]


class _Property(NamedTuple):
    """A property of an entity, the attribute of that name; `form` says how values are sent."""

    name: str
    form: Literal["str", "int", "date"]


_PROPERTIES = {
    "name": _Property("Name", "str"),
    "type": _Property("Type", "str"),
    "article_count": _Property("Articles", "int"),
    "mention_count": _Property("Mentions", "int"),
    "first_seen": _Property("First seen", "date"),
    "last_seen": _Property("Last seen", "date"),
    "wikidata": _Property("Wikidata id", "str"),
}

Queries = Annotated[
    str | None,
    Query(
        max_length=100_000,
        description='JSON, such as `{"q0": {"query": "Islamabad", "type": "place", "limit": 3}}`. '
        "Without it and `extend`: the service's manifest.",
    ),
]
Extend = Annotated[
    str | None,
    Query(
        max_length=100_000,
        description='JSON, such as `{"ids": ["…"], "properties": [{"id": "wikidata"}]}`.',
    ),
]


class _Typed(BaseModel):
    """What the widget sends with which a person chooses one of several."""

    prefix: Annotated[str, Field(min_length=1, max_length=200, description="What was typed.")]
    type: Annotated[str, Field(description="Of this type; all types have each property.")] = ""
    cursor: Annotated[int, Field(ge=0, le=10_000, description="Results to pass over.")] = 0
    spell: Annotated[str, Field(description=_NO_MATTER)] = ""
    exact: Annotated[str, Field(description=_NO_MATTER)] = ""
    prefixed: Annotated[str, Field(description=_NO_MATTER)] = ""
    type_strict: Annotated[str, Field(description=_NO_MATTER)] = ""


class _Proposing(BaseModel):
    """For which type properties are to be proposed."""

    type: Annotated[str, Field(max_length=200, description="All have the same properties.")] = ""
    limit: Annotated[int, Field(ge=1, le=10_000, description="Properties at most.")] = 100


Typed = Annotated[_Typed, Query()]
Proposing = Annotated[_Proposing, Query()]


@router.get(
    "",
    response_model=entity_schemas.Reconciliation,
    responses=documented(422, 503, example="manifest"),
)
async def reconcile(
    request: Request, executor: ExecutorDep, queries: Queries = None, extend: Extend = None
) -> Response:
    """The manifest; with `queries` the candidates of each, with `extend` values of entities."""
    parameters = {"queries": queries, "extend": extend}
    texts = {name: text for name, text in parameters.items() if text is not None}
    return (
        await _answer(executor, texts)
        if texts
        else answers.answer(_manifest(request), headers=_HEADERS)
    )


@router.post(
    "",
    response_model=entity_schemas.CandidatesByQuery | entity_schemas.Extended,
    responses=documented(413, 422, 503, example="candidates"),
    openapi_extra=_REQUEST_BODY,
)
async def reconcile_by_form(body: BodyDep, executor: ExecutorDep) -> Response:
    """The same for `queries` or `extend` of a form, as OpenRefine sends them."""
    return await _answer(executor, await executor.run(_fields, body))


@router.get(
    "/suggest",
    response_model=entity_schemas.Suggestions,
    responses=documented(422, 503, example="suggested"),
)
async def suggest_entities(typed: Typed, executor: ExecutorDep) -> Response:
    """Entities with a name or alias that begins so, for choosing one by hand."""
    count, type_ = typed.cursor + _SUGGESTED, typed.type or None
    found = await executor.read(entities.beginning, typed.prefix, count, type_=type_)
    result = [_suggested(*each) for each in found[typed.cursor :]]
    return answers.answer({"result": result}, headers=_HEADERS)


@router.get(
    "/suggest/property",
    response_model=entity_schemas.Properties,
    responses=documented(422, 503, example="properties"),
)
async def suggest_properties(typed: Typed) -> Response:
    """Properties with an id or a word of their name that begins so."""
    key = fold(typed.prefix)
    found = [
        each
        for each in _properties()
        if each["id"].startswith(key) or f" {key}" in f" {fold(each['name'])}"
    ]
    return answers.answer({"result": found[typed.cursor :]}, headers=_HEADERS)


@router.get(
    "/properties",
    response_model=entity_schemas.Proposed,
    responses=documented(422, 503, example="proposed"),
)
async def propose_properties(wanted: Proposing) -> Response:
    """The properties that `extend` can give."""
    found = {"properties": _properties()[: wanted.limit], **wanted.model_dump()}
    return answers.answer(found, headers=_HEADERS)


@router.get(
    "/preview",
    response_class=Response,
    responses={
        **documented(404, 422, 503, MOVED),
        200: {"content": {"text/html": {"schema": {"type": "string"}, "example": "preview"}}},
    },
)
async def preview_entity(
    executor: ExecutorDep, id_: Annotated[UUID, Query(alias="id", description="The entity's id.")]
) -> Response:
    """A small page about an entity, which any page may show in a frame."""
    page = _preview(await executor.read(entities.get, id_))
    headers = {**_HEADERS, "Content-Security-Policy": security_headers.FRAMED}
    return Response(page, headers=headers, media_type="text/html")


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
        "suggest": {
            "entity": {"service_url": here, "service_path": "/suggest"},
            "property": {"service_url": here, "service_path": "/suggest/property"},
        },
        "extend": {"propose_properties": {"service_url": here, "service_path": "/properties"}},
    }


def _properties() -> list[dict[str, str]]:
    return [{"id": id_, "name": each.name} for id_, each in _PROPERTIES.items()]


def _kind(name: str) -> dict[str, str]:
    return {"id": name, "name": name.capitalize()}


def _fields(body: bytes) -> dict[str, str]:
    try:
        values = parse_qs(body.decode(), max_num_fields=10)
    except ValueError as error:
        raise ParameterError(
            "queries", "is not in a form that can be read", where="body"
        ) from error
    found = {name: values[name][0] for name in _MEMBERS if name in values}
    if not found:
        raise ParameterError("queries", "is missing, and so is extend", where="body")
    return found


async def _answer(executor: Executor, texts: dict[str, str]) -> Response:
    if len(texts) > 1:
        raise ParameterError("extend", "does not go together with queries")
    ((name, text),) = texts.items()
    if name == "extend":
        found = await executor.read(_extended, await executor.run(_read_extension, text))
    else:
        found = await executor.read(_reconciled, await executor.run(_read, text))
    return answers.answer(found, headers=_HEADERS)


def _read(queries: str) -> dict[str, _Asked]:
    found = inputs.json_of(queries, "queries", where="query")
    if not isinstance(found, dict) or len(found) > MOST_QUERIES:
        raise ParameterError("queries", f"is not an object of {MOST_QUERIES} queries at most")
    try:
        return {name: _Asked.model_validate(parameters) for name, parameters in found.items()}
    except ValidationError as error:
        raise _wrong("queries", error) from error


def _read_extension(extend: str) -> _Extension:
    found = inputs.json_of(extend, "extend", where="query")
    try:
        wanted = _Extension.model_validate(found)
    except ValidationError as error:
        raise _wrong("extend", error) from error
    for each in wanted.properties:
        if each.id not in _PROPERTIES:
            listed = ", ".join(_PROPERTIES)
            raise ParameterError("extend", f"{each.id!r} is not a property; there are: {listed}")
    return wanted


def _wrong(name: str, error: ValidationError) -> ParameterError:
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    return ParameterError(name, f"{where}: {first['msg']}" if where else first["msg"])


def _reconciled(session: Session, parameters: dict[str, _Asked]) -> dict[str, Any]:
    answers = {}
    for name, each in parameters.items():
        types = [each.type] if isinstance(each.type, str) else each.type or ()
        found = candidates.candidates(session, each.text, types=types, limit=each.limit)
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


def _extended(session: Session, wanted: _Extension) -> dict[str, Any]:
    """The answer to `extend`; an id that no entity has gets no values."""
    ids = {text: _uuid(text) for text in wanted.ids}
    known = entities.known(session, {id_ for id_ in ids.values() if id_})
    names = list(dict.fromkeys(each.id for each in wanted.properties))
    return {
        "meta": [{"id": name, "name": _PROPERTIES[name].name} for name in names],
        "rows": {
            text: {name: [*_values(known.get(id_) if id_ else None, name)] for name in names}
            for text, id_ in ids.items()
        },
    }


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _values(entity: entities.Entity | None, name: str) -> Iterator[dict[str, Any]]:
    value = getattr(entity, name, None)
    if value is not None:
        form = _PROPERTIES[name].form
        yield {form: f"{value}T00:00:00Z" if form == "date" else value}


def _suggested(id_: UUID, type_: str, name: str, count: int) -> dict[str, Any]:
    notable = [_kind(type_)]
    return {"id": id_, "name": name, "notable": notable, "description": _description(type_, count)}


def _description(type_: str, count: int) -> str:
    return f"{type_} in {count} article{'' if count == 1 else 's'}"


def _preview(entity: entities.WholeEntity) -> str:
    seen = ""
    if entity.first_seen is not None:
        seen = f", {entity.first_seen} to {entity.last_seen}"
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f"<title>{escape(entity.name)}</title><h1>{escape(entity.name)}</h1>"
        f"<p>{_description(entity.type, entity.article_count)}{seen}</p>"
        f"<p>{escape(', '.join(entity.aliases))}</p></html>"
    )
