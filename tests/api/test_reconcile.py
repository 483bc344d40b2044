"""The reconciliation service as OpenRefine asks it; each answer has the form that 0.2 demands.

Each is held by what is written here and, where they are at hand, by the JSON Schemas of the
specification. These stay outside: `schemas` and `examples` of the folder `0.2` of its repository
stand in `../shared/data/formats/reconciliation/0.2` or where BROADSHEET_RECONCILE_SPECS says.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from app import api
from app.entities import merging
from tests.api.conftest import executor_of, settled
from tests.api.test_entities import BYRON, KING, MUSCAT, stories
from tests.fake_extractor import FakePool

if TYPE_CHECKING:
    import httpx

    from tests.api.conftest import Serve

pytestmark = pytest.mark.anyio

SERVICE = "/v1/entities/reconcile"
WIDGET = {"spell": "always", "exact": "false", "prefixed": "true", "type_strict": "any"}
"""What OpenRefine's widget for choosing sends beside what was typed."""
ALL = ["name", "type", "article_count", "mention_count", "first_seen", "last_seen", "wikidata"]


def _object(needed: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "object", "properties": needed | more, "required": [*needed]}


def _list(each: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": each}


def _only(name: str, value: dict[str, Any]) -> dict[str, Any]:
    return {**_object({name: value}), "additionalProperties": False}


TEXT = {"type": "string"}
NAMED = _object({"id": TEXT, "name": TEXT})
PATH = _object({"service_url": TEXT, "service_path": {"type": "string", "pattern": "^/"}})
WITH_ID = _object({"url": {"type": "string", "pattern": r"\{\{id\}\}"}})
DAY = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT00:00:00Z$"}
FORMS = {
    "manifest": _object(
        {
            "versions": {**_list(TEXT), "contains": {"const": "0.2"}},
            "name": TEXT,
            "identifierSpace": TEXT,
            "schemaSpace": TEXT,
            "defaultTypes": {**_list(NAMED), "uniqueItems": True},
            "view": WITH_ID,
            "preview": {"allOf": [WITH_ID, _object({"width": {"type": "integer"}})]},
            "suggest": _object({"entity": PATH, "property": PATH}),
            "extend": _object({"propose_properties": PATH}),
        }
    ),
    "candidates": {
        "type": "object",
        "additionalProperties": _object(
            {
                "result": _list(
                    _object(
                        {"id": TEXT, "name": TEXT, "score": {"type": "number"}},
                        type=_list(NAMED),
                        match={"type": "boolean"},
                        description=TEXT,
                    )
                )
            }
        ),
    },
    "entities": _object(
        {"result": _list(_object({"id": TEXT, "name": TEXT}, notable=_list(NAMED)))}
    ),
    "properties": _object({"result": _list(NAMED)}),
    "proposal": _object({"properties": _list(NAMED)}, type=TEXT, limit={"type": "number"}),
    "extension": _object(
        {
            "meta": _list(NAMED),
            "rows": {
                "type": "object",
                "additionalProperties": {
                    "type": "object",
                    "additionalProperties": _list(
                        {
                            "oneOf": [
                                _only("str", TEXT),
                                _only("int", {"type": "integer"}),
                                _only("date", DAY),
                            ]
                        }
                    ),
                },
            },
        }
    ),
}
"""What the specification demands of each answer, as far as this service uses it."""


SPECS = (
    Path(
        os.environ.get("BROADSHEET_RECONCILE_SPECS")
        or Path(__file__).parents[2].parent / "shared/data/formats/reconciliation"
    )
    / "0.2"
)
SCHEMAS = {
    "manifest": "manifest",
    "candidates": "reconciliation-result-batch",
    "entities": "suggest-entities-response",
    "properties": "suggest-properties-response",
    "proposal": "data-extension-property-proposal",
    "extension": "data-extension-response",
    "queries": "reconciliation-query-batch",
    "extend": "data-extension-query",
}
"""The specification's schemas, of answers and of the two requests."""


def _specified() -> dict[str, Draft7Validator]:
    return {
        form: Draft7Validator(_schema(name)) for form, name in SCHEMAS.items() if SPECS.is_dir()
    }


def _schema(name: str) -> Any:
    """A schema of the specification, which holds the other file that some of them refer to."""
    whole, type_ = (_bare(each) for each in (name, "type"))
    return whole | {"definitions": whole.get("definitions", {}) | {"type": type_}}


def _bare(name: str) -> Any:
    text = (SPECS / "schemas" / f"{name}.json").read_text(encoding="utf-8")
    schema = orjson.loads(text.replace('"type.json"', '"#/definitions/type"'))
    return {name: each for name, each in schema.items() if name != "$id"}


SPECIFIED = _specified()
with_specs = pytest.mark.skipif(not SPECIFIED, reason=f"no schemas of the specification at {SPECS}")


@pytest.fixture(autouse=True)
def _fake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "ExtractorPool", FakePool)


async def asked(client: httpx.AsyncClient, form: str, path: str = "", **params: Any) -> Any:
    answer = await client.get(SERVICE + path, params=params)
    assert answer.status_code == 200, answer.text
    assert answer.headers["access-control-allow-origin"] == "*"
    Draft202012Validator(FORMS[form]).validate(answer.json())
    if SPECIFIED:
        SPECIFIED[form].validate(answer.json())
    return answer.json()


async def extended(client: httpx.AsyncClient, ids: list[Any], properties: list[str]) -> Any:
    wanted = {"ids": [*map(str, ids)], "properties": [{"id": each} for each in properties]}
    form = {"extend": orjson.dumps(wanted).decode()}
    found = await asked(client, "extension", **form)
    assert (await client.post(SERVICE, data=form)).json() == found
    return found


@with_specs
def test_what_is_held_by_the_schemas_can_fail() -> None:
    for form in SPECIFIED:
        Draft7Validator.check_schema(SPECIFIED[form].schema)
        wrong: Any = {"q": 1} if form in {"candidates", "queries"} else {"result": 1, "rows": 1}
        assert not SPECIFIED[form].is_valid(wrong), form


@with_specs
@pytest.mark.parametrize(
    "path",
    sorted(SPECS.glob("examples/reconciliation-query-batch/valid/*.json")),
    ids=lambda path: path.stem,
)
async def test_the_specifications_own_queries_are_answered(serve: Serve, path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    SPECIFIED["queries"].validate(orjson.loads(text))
    async with serve(stories(), extractor="auto") as client:
        await settled(client)
        found = await asked(client, "candidates", queries=text)
        assert found.keys() == orjson.loads(text).keys()


async def test_openrefines_own_requests_are_answered(serve: Serve) -> None:
    """What OpenRefine 3 posts: to guess types, to match with columns, to extend."""
    guess = {f"q{n}": {"query": name, "limit": 3} for n, name in enumerate(("Muscat", "Cairo"))}
    match = {
        "q0": {
            "query": "Ada Byron",
            "type": "person",
            "type_strict": "should",
            "limit": 3,
            "properties": [{"pid": "type", "v": {"id": "person", "name": "Person"}}],
        }
    }
    extend = {"ids": [str(BYRON)], "properties": [{"id": "first_seen", "settings": {"limit": "1"}}]}
    async with serve(stories(), extractor="auto") as client:
        await settled(client)
        for form, name, request in (
            ("candidates", "queries", guess),
            ("candidates", "queries", match),
            ("extension", "extend", extend),
        ):
            if SPECIFIED:
                SPECIFIED[name].validate(request)
            text = orjson.dumps(request).decode()
            found = await asked(client, form, **{name: text})
            assert (await client.post(SERVICE, data={name: text})).json() == found
        best = (await asked(client, "candidates", queries=orjson.dumps(match).decode()))["q0"]
    assert [(each["name"], each["match"]) for each in best["result"]][:1] == [("Ada Byron", True)]


async def test_what_the_manifest_promises_is_there(serve: Serve) -> None:
    async with serve(stories(), extractor="auto") as client:
        await settled(client)
        manifest = await asked(client, "manifest")
        for service, params in (
            (manifest["suggest"]["entity"], {"prefix": "a"}),
            (manifest["suggest"]["property"], {"prefix": "a"}),
            (manifest["extend"]["propose_properties"], {"type": "person", "limit": "10"}),
        ):
            url = service["service_url"] + service["service_path"]
            assert (await client.get(url, params=params)).status_code == 200, url


async def test_the_widgets_parameters_are_taken(serve: Serve) -> None:
    async with serve(stories(), extractor="auto") as client:
        await settled(client)

        async def names(**params: Any) -> list[str]:
            found = await asked(client, "entities", "/suggest", **(WIDGET | params))
            return [each["name"] for each in found["result"]]

        assert await names(prefix="ada b") == ["Ada Byron"]
        assert await names(prefix="ada", type="person") == ["Ada Byron", "Ada King Byron"]
        assert await names(prefix="ada", type="place") == []
        unknown = await client.get(f"{SERVICE}/suggest", params={"prefix": "a", "spel": "x"})
        assert unknown.status_code == 422


async def test_properties_are_suggested_and_proposed(serve: Serve) -> None:
    async with serve() as client:

        async def ids(prefix: str, **more: Any) -> list[str]:
            found = await asked(client, "properties", "/suggest/property", prefix=prefix, **more)
            return [each["id"] for each in found["result"]]

        assert await ids("SEEN", **WIDGET, type="person") == ["first_seen", "last_seen"]
        assert await ids("last_s") == await ids("seen", cursor=1) == ["last_seen"]
        assert await ids("een") == []
        proposed = await asked(client, "proposal", "/properties", type="person", limit=2)
        assert [each["id"] for each in proposed["properties"]] == ["name", "type"]
        proposed = await asked(client, "proposal", "/properties")
        assert [each["id"] for each in proposed["properties"]] == ALL


async def test_a_query_may_name_properties_alone(serve: Serve) -> None:
    def queries(**each: Any) -> str:
        return orjson.dumps(each).decode()

    async with serve(stories(), extractor="auto") as client:
        await settled(client)
        text = queries(
            named={"properties": [{"pid": "name", "v": "Byron, Ada"}]},
            both={"query": "Muscat", "properties": [{"pid": "name", "v": "Ada Byron"}]},
            other={"type": "person", "properties": [{"pid": "x", "v": {"id": "y"}}]},
            empty={"query": "", "type": "person"},
            nothing={},
        )
        found = await asked(client, "candidates", queries=text)
    first = {name: [each["name"] for each in found[name]["result"]][:1] for name in found}
    assert first == {
        "named": ["Ada Byron"],
        "both": ["Muscat"],
        "other": [],
        "empty": [],
        "nothing": [],
    }


async def test_columns_are_added_from_entities(serve: Serve) -> None:
    async with serve(stories(), extractor="auto") as client:
        await settled(client)
        nobody = UUID(int=7)
        found = await extended(client, [BYRON, nobody, "Q30"], ALL)
        assert [each["id"] for each in found["meta"]] == ALL
        assert found["rows"][str(BYRON)] == {
            "name": [{"str": "Ada Byron"}],
            "type": [{"str": "person"}],
            "article_count": [{"int": 2}],
            "mention_count": [{"int": 2}],
            "first_seen": [{"date": "2024-01-05T00:00:00Z"}],
            "last_seen": [{"date": "2024-03-02T00:00:00Z"}],
            "wikidata": [],
        }
        for unknown in (str(nobody), "Q30"):
            assert found["rows"][unknown] == {each: [] for each in ALL}
        place = (await extended(client, [MUSCAT], ["wikidata"]))["rows"][str(MUSCAT)]
        assert place == {"wikidata": []}
        database = executor_of(client).database
        with database.transaction() as session:
            merging.merge(session, KING, BYRON)
        rows = (await extended(client, [KING, BYRON], ALL))["rows"]
        assert rows[str(KING)] == rows[str(BYRON)]
        assert rows[str(KING)]["article_count"] == [{"int": 3}]


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"extend": "[]"}, "valid dictionary"),
        ({"extend": '{"ids": []}'}, "properties: Field required"),
        ({"extend": '{"ids": [], "properties": [{"id": "age"}]}'}, "'age' is not a property"),
        ({"extend": '{"ids": [], "properties": []}', "queries": "{}"}, "together with queries"),
        ({"queries": '{"q": {"properties": [{"v": 1}]}}'}, "properties.0.pid: Field required"),
    ],
)
async def test_what_cannot_be_asked_is_refused(
    serve: Serve, params: dict[str, str], reason: str
) -> None:
    async with serve() as client:
        answer = await client.get(SERVICE, params=params)
    assert answer.status_code == 422
    assert reason in answer.json()["detail"]


async def test_the_preview_alone_may_be_framed(serve: Serve) -> None:
    async with serve(stories(), extractor="auto") as client:
        await settled(client)
        preview = await client.get(f"{SERVICE}/preview", params={"id": str(BYRON)})
        assert preview.headers["content-security-policy"].endswith("frame-ancestors *")
        assert "x-frame-options" not in preview.headers
        for path in (SERVICE, f"{SERVICE}/suggest?prefix=a", f"{SERVICE}/preview?id={UUID(int=7)}"):
            headers = (await client.get(path)).headers
            assert headers["x-frame-options"] == "DENY", path
            assert headers["content-security-policy"].endswith("frame-ancestors 'none'"), path
