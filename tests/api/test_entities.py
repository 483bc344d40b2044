from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
import pytest

from app import api
from app.api import deps
from app.entities import mentions, merging
from tests.api.conftest import executor_of, settled
from tests.entities.test_read import story
from tests.fake_extractor import FakePool

if TYPE_CHECKING:
    import httpx

    from app.ingest.draft import Draft
    from tests.api.conftest import Serve

pytestmark = pytest.mark.anyio

BYRON = mentions.entity_key("person", "Ada Byron").id
KING = mentions.entity_key("person", "Ada King Byron").id
MUSCAT = mentions.entity_key("place", "Muscat").id
BOARD = mentions.entity_key("organization", "Harbour Board").id


def stories() -> list[Draft]:
    return [
        story(1, "Ada Byron met the Harbour Board in Muscat", day="2024-01-05", section="World"),
        story(
            2, "Byron left Muscat for Cairo", day="2024-03-02", dateline="CAIRO", places=["Cairo"]
        ),
        story(3, "The Harbour Board rests", day="2024-03-09", dateline="DOHA", places=["Doha"]),
        story(4, "Ada King Byron wrote", day=None),
    ]


@pytest.fixture(autouse=True)
def _fake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "ExtractorPool", FakePool)


async def names(client: httpx.AsyncClient, query: str = "") -> list[str]:
    answer = await client.get(f"/v1/entities{query}")
    assert answer.status_code == 200, answer.text
    return [each["name"] for each in answer.json()["items"]]


async def headlines(client: httpx.AsyncClient, url: str, **params: Any) -> list[str]:
    answer = await client.get(url, params=params)
    assert answer.status_code == 200, answer.text
    items = [each.get("article", each) for each in answer.json()["items"]]
    assert answer.json()["total"] == len(items)
    return sorted(each["headline"].removeprefix("Story ") for each in items)


async def test_an_article_shows_its_mentions(serve: Serve) -> None:
    async with serve(stories(), extractor="auto") as client:
        await settled(client)
        (item,) = (await client.get("/v1/articles", params={"from": "2024-03-05"})).json()["items"]
        whole = (await client.get(f"/v1/articles/{item['id']}")).json()
    (mention,) = whole["mentions"]
    assert whole["body"][mention["start"] : mention["end"]] == "Harbour Board"
    assert mention == {
        "entity_id": str(BOARD),
        "type": "organization",
        "name": "Harbour Board",
        "surface": "Harbour Board",
        "field": "body",
        "index": None,
        "start": mention["start"],
        "end": mention["end"],
    }


async def test_entities_are_listed_found_and_filtered(serve: Serve) -> None:
    async with serve(stories(), extractor="auto") as client:
        await settled(client)
        assert set(await names(client)) == {
            *("Ada Byron", "Harbour Board", "Muscat", "Cairo", "Ada King Byron")
        }
        assert await names(client, "?q=BYR") == ["Ada Byron"]
        assert await names(client, "?type=place&sort=name") == ["Cairo", "Muscat"]
        assert set(await names(client, "?from=2024-03")) == {
            *("Ada Byron", "Muscat", "Cairo", "Harbour Board")
        }
        first = await client.get("/v1/entities?limit=1&sort=name")
        assert first.json()["total"] == 5
        second = await client.get(first.links["next"]["url"])
        assert [each["name"] for each in second.json()["items"]] == ["Ada King Byron"]
        wrong = await client.get("/v1/entities", params={"cursor": first.json()["next"]})
        assert wrong.status_code == 422


async def test_one_entity_its_articles_companions_and_timeline(serve: Serve) -> None:
    async with serve(stories(), extractor="auto") as client:
        await settled(client)
        whole = (await client.get(f"/v1/entities/{BYRON}")).json()
        assert whole == {
            "id": str(BYRON),
            "type": "person",
            "name": "Ada Byron",
            "wikidata": None,
            "iso": None,
            "article_count": 2,
            "mention_count": 2,
            "first_seen": "2024-01-05",
            "last_seen": "2024-03-02",
            "aliases": ["Byron"],
        }
        of = f"/v1/entities/{BYRON}/articles"
        assert await headlines(client, of) == ["1", "2"]
        assert await headlines(client, of, section="world") == ["1"]
        assert await headlines(client, of, entity=str(BOARD)) == ["1"]
        first = await client.get(of, params={"limit": 1})
        second = await client.get(first.links["next"]["url"])
        assert [each["headline"] for each in second.json()["items"]] == ["Story 1"]
        related = (await client.get(f"/v1/entities/{BYRON}/related")).json()
        assert related["total"] == 3
        assert related["items"][0]["entity"]["name"] == "Muscat"
        assert (related["items"][0]["count"], related["items"][0]["expected"]) == (2, 1.0)
        timeline = (await client.get(f"/v1/entities/{BYRON}/timeline")).json()
        assert timeline["items"] == [
            {"start": "2024-01-01", "count": 1},
            {"start": "2024-02-01", "count": 0},
            {"start": "2024-03-01", "count": 1},
        ]


@pytest.mark.parametrize("below", ["", "/articles", "/related", "/timeline"])
async def test_an_entity_that_is_not_there_is_a_404(serve: Serve, below: str) -> None:
    async with serve() as client:
        answer = await client.get(f"/v1/entities/{UUID(int=7)}{below}")
    assert answer.status_code == 404
    assert answer.json()["detail"] == f"no entity with id {UUID(int=7)}"


@pytest.mark.parametrize("below", ["", "/articles", "/related?type=place", "/timeline"])
@pytest.mark.parametrize("prefix", ["", "/archive"])
async def test_the_id_of_a_merged_entity_leads_to_its_heir(
    serve: Serve, below: str, prefix: str
) -> None:
    async with serve(stories(), extractor="auto") as client:
        await settled(client)
        database = executor_of(client).database
        with database.transaction() as session:
            merging.merge(session, KING, BYRON)
        client._transport.root_path = prefix  # type: ignore[attr-defined]
        asked = f"{prefix}/v1/entities/{KING.hex.upper()}{below}"
        answer = await client.get(asked)
        assert answer.status_code == 308
        there = client.build_request("GET", asked).url.join(answer.headers["location"])
        assert there.raw_path.decode() == f"{prefix}/v1/entities/{BYRON}{below}"
        assert (await client.get(str(there))).status_code == 200
        preview = await client.get(f"/v1/entities/reconcile/preview?id={KING}")
        assert (preview.status_code, preview.headers["location"]) == (308, f"?id={BYRON}")


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({"entity": str(BYRON)}, ["1", "2"]),
        ({"person": "byron"}, ["1", "2", "4"]),
        ({"person": "ada byron"}, ["1", "2"]),
        ({"person": "-byron"}, ["3"]),
        ({"organization": str(BOARD)}, ["1", "3"]),
        ({"place": "Cairo"}, ["2"]),
        ({"place": str(MUSCAT)}, ["1", "2"]),
        ({"place": "doha"}, ["3"]),
        ({"place": ["doha", "cairo"]}, ["2", "3"]),
        ({"place": "-doha"}, ["1", "2", "4"]),
        ({"entity": str(UUID(int=7))}, []),
        ({"q": f"entity:{BYRON}"}, ["1", "2"]),
        ({"q": "person:Byron"}, ["1", "2", "4"]),
        ({"q": 'person:"Ada Byron" -place:Cairo'}, ["1"]),
        ({"q": "person:Ada*"}, ["1", "2", "4"]),
        ({"q": "place:D*"}, ["3"]),
        ({"q": "organization:*"}, ["1", "3"]),
        ({"q": "entity:(Byron OR harbour*)"}, ["1", "2", "3", "4"]),
        ({"q": "organization:Byron"}, []),
    ],
)
async def test_search_and_list_find_by_ids_names_and_aliases(
    serve: Serve, params: dict[str, Any], found: list[str]
) -> None:
    async with serve(stories(), extractor="auto") as client:
        await settled(client)
        assert await headlines(client, "/v1/search", **params) == found
        if "q" not in params:
            assert await headlines(client, "/v1/articles", **params) == found


async def test_facets_give_ids_with_names_and_dateline_places_without_an_entity(
    serve: Serve,
) -> None:
    async with serve(stories(), extractor="auto") as client:
        await settled(client)
        answer = await client.get("/v1/search", params={"facets": "place,person,organization"})
    facets = answer.json()["facets"]
    shown = {name: [(v["label"], v["count"]) for v in facets[name]] for name in facets}
    assert shown["organization"] == [("Harbour Board", 2)]
    assert shown["person"] == [("Ada Byron", 2), ("Ada King Byron", 1)]
    assert shown["place"][0] == ("Muscat", 2)
    assert set(shown["place"][1:]) == {("Cairo", 1), ("Doha", 1)}
    assert facets["person"][0]["value"] == str(BYRON)
    assert {"value": "doha", "label": "Doha", "count": 1} in facets["place"]


async def test_suggestions_hold_entities(serve: Serve) -> None:
    async with serve(stories(), extractor="auto") as client:
        await settled(client)
        found = (await client.get("/v1/search/suggest?q=byr")).json()["items"]
        places = (await client.get("/v1/search/suggest?q=cai")).json()["items"]
    named = {"text": "Ada Byron", "kind": "person", "count": 2, "id": str(BYRON)}
    assert found[0] == named
    assert [each["text"] for each in places].count("Cairo") == 1


async def test_explain_looks_names_up(serve: Serve) -> None:
    async with serve(stories(), extractor="auto") as client:
        await settled(client)
        found = (await client.get("/v1/search/explain?q=person:Byron place:Cairo")).json()
    assert [each["total"] for each in found["clauses"]] == [3, 1]
    assert found["query"] == "person:Byron place:Cairo"


async def test_too_many_beginnings_of_names_are_refused(serve: Serve) -> None:
    async with serve() as client:
        q = " OR ".join(f"person:a{n}*" for n in range(30))
        answer = await client.get("/v1/search", params={"q": q})
    assert answer.status_code == 400
    assert "beginnings of names" in answer.json()["detail"]


async def test_status_tells_how_far_extraction_is(serve: Serve) -> None:
    async with serve(stories(), extractor="auto") as client:
        await settled(client)
        status = (await client.get("/v1/status")).json()
    assert status["extraction"] == {"extractor": "fake 1", "cursor": 2, "lag": 0, "failures": 0}


async def test_without_an_extractor_the_place_of_a_dateline_is_found(serve: Serve) -> None:
    async with serve(stories()) as client:
        assert await headlines(client, "/v1/search", place="Cairo") == ["2"]
        answer = await client.get("/v1/search?facets=place")
        assert answer.json()["facets"]["place"][0]["label"] == "Cairo"


# --- reconciliation


async def reconcile(client: httpx.AsyncClient, **queries: Any) -> dict[str, Any]:
    form = {"queries": orjson.dumps(queries).decode()}
    answer = await client.post("/v1/entities/reconcile", data=form)
    assert answer.status_code == 200, answer.text
    by_get = await client.get("/v1/entities/reconcile", params=form)
    assert by_get.json() == answer.json()
    assert answer.headers["access-control-allow-origin"] == "*"
    found: dict[str, Any] = answer.json()
    return found


async def test_a_column_of_names_is_matched(serve: Serve) -> None:
    async with serve(stories(), extractor="auto") as client:
        await settled(client)
        found = await reconcile(
            client,
            q0={"query": "ada byron"},
            q1={"query": "Byron, Ada", "type": "person"},
            q2={"query": "Muscatt", "type": "place", "limit": 1},
            q3={"query": "Muscat", "type": ["person"]},
            q4={"query": "xyzzy"},
            q5={"query": "…", "properties": [{"pid": "iso", "v": "OM"}]},
        )
    first, turned, typo, other_type, nothing, empty = (found[f"q{n}"]["result"] for n in range(6))
    assert first[0] == {
        "id": str(BYRON),
        "name": "Ada Byron",
        "type": [{"id": "person", "name": "Person"}],
        "score": 100.0,
        "match": True,
        "description": "person in 2 articles",
    }
    assert [each["name"] for each in first[1:]] == ["Ada King Byron"]
    assert not first[1]["match"]
    assert (turned[0]["name"], turned[0]["match"]) == ("Ada Byron", True)
    assert (typo[0]["name"], typo[0]["match"]) == ("Muscat", False)
    assert other_type == nothing == empty == []


async def test_the_manifest_names_what_the_service_can_do(serve: Serve) -> None:
    async with serve(stories(), extractor="auto") as client:
        await settled(client)
        manifest = (await client.get("/v1/entities/reconcile")).json()
        assert manifest["versions"] == ["0.2"]
        assert {"identifierSpace", "schemaSpace", "name"} <= manifest.keys()
        assert [each["id"] for each in manifest["defaultTypes"]] == [
            *("person", "organization", "place")
        ]
        view = await client.get(manifest["view"]["url"].replace("{{id}}", str(BYRON)))
        assert view.json()["name"] == "Ada Byron"
        preview = await client.get(manifest["preview"]["url"].replace("{{id}}", str(BYRON)))
        assert preview.headers["content-type"].startswith("text/html")
        assert "<h1>Ada Byron</h1>" in preview.text
        assert "2024-01-05 to 2024-03-02" in preview.text
        service = manifest["suggest"]["entity"]
        url = service["service_url"] + service["service_path"]
        found = (await client.get(url, params={"prefix": "ADA"})).json()["result"]
        assert [each["name"] for each in found] == ["Ada Byron", "Ada King Byron"]
        assert found[0]["notable"] == [{"id": "person", "name": "Person"}]
        later = (await client.get(url, params={"prefix": "ADA", "cursor": 1})).json()["result"]
        assert [each["name"] for each in later] == ["Ada King Byron"]


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        (b"queries=%7B", "is not JSON"),
        (b"queries=%5B%5D", "is not an object"),
        (b"queries=%7B%22q%22%3A+%5B%5D%7D", "valid dictionary"),
        (b"other=1", "is missing"),
        (b"\xff\xfe", "is not in a form"),
    ],
)
async def test_queries_that_cannot_be_read_are_refused(
    serve: Serve, form: bytes, reason: str
) -> None:
    async with serve() as client:
        answer = await client.post("/v1/entities/reconcile", content=form)
    assert answer.status_code == 422
    assert reason in answer.json()["detail"]


async def test_an_answer_that_takes_too_much_of_the_database_is_given_up(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serve(stories(), extractor="auto") as client:
        await settled(client)
        for path in (f"/v1/entities/{BYRON}/related", "/v1/entities", "/v1/articles"):
            filtered = {"from": "2020"}
            assert (await client.get(path, params=filtered)).status_code == 200
            with monkeypatch.context() as patched:
                patched.setattr(deps, "READ_STEPS", 1)
                answer = await client.get(path, params=filtered)
            assert answer.status_code == 503
            assert answer.json()["type"] == "urn:broadsheet:problem:store-unavailable"
            assert "too long to read" in answer.json()["detail"]
            assert (await client.get(path, params=filtered)).status_code == 200
