"""The reconciliation service as OpenRefine asks it; each answer has the form that 0.2 demands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
import pytest
from jsonschema import Draft202012Validator

from app import api
from app.entities import merging
from tests.api.conftest import settled
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


@pytest.fixture(autouse=True)
def _fake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "ExtractorPool", FakePool)


async def asked(client: httpx.AsyncClient, form: str, path: str = "", **params: Any) -> Any:
    answer = await client.get(SERVICE + path, params=params)
    assert answer.status_code == 200, answer.text
    assert answer.headers["access-control-allow-origin"] == "*"
    Draft202012Validator(FORMS[form]).validate(answer.json())
    return answer.json()


async def extended(client: httpx.AsyncClient, ids: list[Any], properties: list[str]) -> Any:
    wanted = {"ids": [*map(str, ids)], "properties": [{"id": each} for each in properties]}
    form = {"extend": orjson.dumps(wanted).decode()}
    found = await asked(client, "extension", **form)
    assert (await client.post(SERVICE, data=form)).json() == found
    return found


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
        database = client.app.state.executor.database  # type: ignore[attr-defined]
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
