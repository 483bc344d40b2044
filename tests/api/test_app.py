"""What holds for every route: errors, OpenAPI, documentation, order of commit and answer."""

from __future__ import annotations

import re
import sqlite3
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from asgi_lifespan import LifespanManager
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from sqlalchemy import event
from sqlmodel import Session

from app import api
from app.api import create_app, feeds, problems
from app.entities import mentions
from app.errors import BroadsheetError, EngineBusy
from app.services import indexing
from tests import factories
from tests.api.conftest import executor_of, settled, until
from tests.factories import draft, numbered
from tests.fake_extractor import FakePool

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping
    from pathlib import Path

    from tests.api.conftest import Serve

pytestmark = pytest.mark.anyio


def openapi(tmp_path: Path) -> dict[str, Any]:
    return create_app(factories.settings(tmp_path)).openapi()


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


# --- commit before response


async def _call(app: Any, method: str, path: str, body: bytes, on_start: Any) -> list[Any]:
    """Call `app` as a server would; `on_start` sees the world when the answer goes out."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            on_start(message["status"])
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "server": ("test", 80),
        "client": ("test", 1),
        "headers": [
            (b"content-type", b"application/json"),
            (b"host", b"test"),
            (b"authorization", factories.KEYED["Authorization"].encode()),
        ],
    }
    await app(scope, receive, send)
    return sent


async def test_what_is_answered_with_2xx_is_committed(tmp_path: Path) -> None:
    app = create_app(factories.settings(tmp_path))
    counts: list[tuple[int, int]] = []

    def on_start(status: int) -> None:
        with closing(sqlite3.connect(tmp_path / "data" / "broadsheet.db")) as other:
            counts.append((status, other.execute("SELECT count(*) FROM article").fetchone()[0]))

    async with LifespanManager(app):
        factories.take_key(app.state.executor.database)
        body = orjson.dumps({"headline": "One", "body": "First."})
        sent = await _call(app, "POST", "/v1/articles", body, on_start)
        (item,) = orjson.loads(sent[1]["body"])["items"]
        await _call(app, "DELETE", f"/v1/articles/{item['id']}", b"", on_start)
    assert counts == [(200, 1), (204, 0)]


async def test_a_commit_that_fails_is_no_2xx(tmp_path: Path) -> None:
    app = create_app(factories.settings(tmp_path))
    statuses: list[int] = []

    def fail(_session: Session) -> None:
        raise BroadsheetError("the disk is full")

    async with LifespanManager(app):
        factories.take_key(app.state.executor.database)
        event.listen(Session, "before_commit", fail)
        try:
            body = orjson.dumps({"headline": "One", "body": "First."})
            await _call(app, "POST", "/v1/articles", body, statuses.append)
        except BroadsheetError:
            pass  # the server's error middleware answers, then raises it for the log
        finally:
            event.remove(Session, "before_commit", fail)
        with app.state.executor.database.reading() as session:
            assert (
                session.connection().exec_driver_sql("SELECT count(*) FROM article").scalar() == 0
            )
    assert statuses == [500]


# --- errors


@pytest.mark.parametrize(
    ("method", "url", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/v1", 404),
        ("GET", "/v1/articles/", 404),
        ("PATCH", "/v1/articles", 405),
        ("DELETE", "/v1/search", 405),
        ("GET", "/static/none.js", 404),
    ],
)
async def test_every_error_is_a_problem(serve: Serve, method: str, url: str, status: int) -> None:
    async with serve() as client:
        answer = await client.request(method, url, follow_redirects=False)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert {"type", "title", "detail", "instance"} <= body.keys()
    assert body["instance"] == url
    if status == 405:
        known = {"/v1/articles": "GET, HEAD, POST", "/v1/search": "GET, HEAD, POST"}
        assert answer.headers["allow"] == known[url]


async def test_an_unforeseen_error_says_nothing_of_the_inside(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a secret of ours")

    monkeypatch.setattr("app.articles.read.listing", broken)
    async with serve() as client:
        answer = await client.get("/v1/articles")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text
    assert "a secret of ours" in caplog.text


async def test_a_database_that_cannot_answer_is_503(serve: Serve, tmp_path: Path) -> None:
    async with serve([draft()]) as client:
        with closing(sqlite3.connect(tmp_path / "data" / "broadsheet.db")) as other:
            other.execute("ALTER TABLE article RENAME TO elsewhere")
        answer = await client.get("/v1/articles")
        assert answer.status_code == 503
        assert answer.json()["type"] == "urn:broadsheet:problem:store-unavailable"
        assert "retry-after" in answer.headers
        assert (await client.get("/healthz")).status_code == 200
        with closing(sqlite3.connect(tmp_path / "data" / "broadsheet.db")) as other:
            other.execute("ALTER TABLE elsewhere RENAME TO article")


# --- OpenAPI


def test_the_document_is_valid_and_each_route_is_described(tmp_path: Path) -> None:
    document = openapi(tmp_path)
    validate(document)
    assert operations(document)
    for path, method, operation in operations(document):
        where = f"{method} {path}"
        assert operation["summary"], where
        assert operation["description"], where
        assert operation["tags"], where
        for parameter in operation.get("parameters", ()):
            assert parameter.get("description") or parameter["in"] == "path", (where, parameter)


def test_each_route_documents_its_errors_as_problems_with_an_example(tmp_path: Path) -> None:
    for path, method, operation in operations(openapi(tmp_path)):
        errors = {code: r for code, r in operation["responses"].items() if int(code) >= 400}
        expected = {"500"}
        if path.startswith("/v1"):
            expected |= {"422", "503"}
        if "{" in path:
            expected.add("404")
        if method in ("post", "put", "delete") and path.startswith("/v1/articles"):
            expected.add("401")
        assert expected <= errors.keys(), (method, path)
        for code, response in errors.items():
            content = response["content"][problems.MEDIA_TYPE]
            assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
            assert content["example"]["status"] == int(code)
            assert content["example"]["detail"]


def test_each_answer_has_an_example(tmp_path: Path) -> None:
    document = openapi(tmp_path)
    for path, method, operation in operations(document):
        if method == "delete":
            continue
        contents = operation["responses"]["200"]["content"]
        assert contents, (method, path)
        for media_type, content in contents.items():
            _validator(document, content["schema"]).validate(content["example"])
            assert content["example"], (method, path, media_type)


def inner(node: Any) -> Iterator[dict[str, Any]]:
    """The schemas and other objects of a part of the document, but for examples."""
    if isinstance(node, dict):
        yield node
        for name, each in node.items():
            if name not in ("example", "examples"):
                yield from inner(each)
    elif isinstance(node, list):
        for each in node:
            yield from inner(each)


def test_generators_find_one_name_for_each_enum_and_body(tmp_path: Path) -> None:
    document = openapi(tmp_path)
    components = document["components"]["schemas"]
    enums = [tuple(each["enum"]) for each in components.values() if "enum" in each]
    assert len(enums) == len(set(enums))
    assert [each for each in inner(document) if "enum" in each] == [
        each for each in components.values() if "enum" in each
    ]
    for path, method, operation in operations(document):
        bodies = operation.get("requestBody", {}).get("content", {}).values()
        for schema in inner([each["schema"] for each in bodies]):
            assert "properties" not in schema, (method, path)
        for parameter in operation.get("parameters", ()):
            assert {"type": "null"} not in inner(parameter["schema"]), (method, path, parameter)
    for name, schema in components.items():
        assert re.fullmatch(r"[A-Z][A-Za-z]+", name)
        assert {each["$ref"].rpartition("/")[2] for each in inner(schema) if "$ref" in each} <= (
            components.keys()
        )
        for member, described in schema.get("properties", {}).items():
            assert "default" not in described, (name, member)  # else clients must send it


def test_an_instant_is_one_type_in_answers_and_requests(tmp_path: Path) -> None:
    components = openapi(tmp_path)["components"]["schemas"]
    shapes = {
        name: shape["properties"]["published_at"]["anyOf"]
        for name, shape in components.items()
        if "published_at" in shape.get("properties", {})
    }
    assert {"Article", "ArticleSummary", "Draft", "Version"} <= shapes.keys()
    for shape in shapes.values():
        assert shape == [{"type": "string", "format": "date-time"}, {"type": "null"}]


def test_each_write_offers_an_example_that_is_an_article_first(tmp_path: Path) -> None:
    document = openapi(tmp_path)
    for path, method in (("/v1/articles", "post"), ("/v1/articles/{article_id}", "put")):
        contents = document["paths"][path][method]["requestBody"]["content"]
        first = next(iter(contents.values()))  # which Swagger UI offers to try out
        _validator(document, first["schema"]).validate(first["example"])
        assert {"headline", "body"} <= first["example"].keys()


def _validator(document: dict[str, Any], schema: dict[str, Any]) -> Draft202012Validator:
    checker = Draft202012Validator.FORMAT_CHECKER
    return Draft202012Validator(
        {**schema, "components": document["components"]}, format_checker=checker
    )


async def test_each_answer_is_what_its_schema_says(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "ExtractorPool", FakePool)
    drafts = [
        numbered(1, page="p", caption="c", credit="AFP", byline="Ada", dateline="CAIRO"),
        numbered(2, day=None, page="p", url="https://example.org/2", warnings=("w",)),
        draft("Ada Byron in Cairo"),
    ]
    async with serve(drafts, extractor="auto") as client:
        await settled(client)
        cairo = mentions.entity_key("place", "Cairo").id
        entity = f"/v1/entities/{cairo}"
        document = (await client.get("/openapi.json")).json()
        id_ = (await client.get("/v1/articles")).json()["items"][0]["id"]
        asked = {
            "/v1/articles": "/v1/articles?limit=1",
            "/v1/articles/{article_id}": f"/v1/articles/{id_}",
            "/v1/articles/{article_id}.jsonld": f"/v1/articles/{id_}.jsonld",
            "/v1/articles/{article_id}.txt": f"/v1/articles/{id_}.txt",
            "/v1/articles/{article_id}/similar": f"/v1/articles/{id_}/similar",
            "/v1/articles/{article_id}/versions": f"/v1/articles/{id_}/versions",
            "/v1/articles/{article_id}/versions/{number}": f"/v1/articles/{id_}/versions/1",
            "/v1/search": "/v1/search?q=apples&facets=source,place&histogram=year&highlight=true",
            "/v1/search/suggest": "/v1/search/suggest?q=app",
            "/v1/search/explain": "/v1/search/explain?q=apples+-pears",
            "/v1/entities/{entity_id}": entity,
            "/v1/entities/{entity_id}/articles": f"{entity}/articles",
            "/v1/entities/{entity_id}/related": f"{entity}/related",
            "/v1/entities/{entity_id}/timeline": f"{entity}/timeline",
            **{
                f"/v1/entities/{{entity_id}}/{each}.csv": f"{entity}/{each}.csv"
                for each in ("articles", "related", "timeline")
            },
            "/v1/entities/reconcile/suggest": "/v1/entities/reconcile/suggest?prefix=cai",
            "/v1/entities/reconcile/suggest/property": (
                "/v1/entities/reconcile/suggest/property?prefix=na"
            ),
            "/v1/entities/reconcile/preview": f"/v1/entities/reconcile/preview?id={cairo}",
        }
        for path, method, operation in operations(document):
            if method != "get":
                continue
            answer = await client.get(asked.get(path, path))
            assert answer.status_code == 200, path
            contents = operation["responses"]["200"]["content"]
            media_type = answer.headers["content-type"].partition(";")[0]
            schema = contents[media_type]["schema"]
            is_json = media_type.endswith(("/json", "+json"))
            value = answer.json() if is_json else answer.text
            _validator(document, schema).validate(value)
            if media_type == "application/json":
                _assert_same_members(document, schema, value)
        posted = await client.post(
            "/v1/articles", json=[{"headline": "x"}, {"headline": "a", "body": "b"}]
        )
        responses = document["paths"]["/v1/articles"]["post"]["responses"]
        _validator(document, responses["200"]["content"]["application/json"]["schema"]).validate(
            posted.json()
        )
        problem = (await client.get("/v1/search?q=%22")).json()
        _validator(document, {"$ref": "#/components/schemas/Problem"}).validate(problem)


async def test_a_search_answers_in_the_one_type_that_it_documents(serve: Serve) -> None:
    async with serve([numbered(1)]) as client:
        document = (await client.get("/openapi.json")).json()
        for suffix in ("", *(f".{kind}" for kind in feeds.MEDIA_TYPES)):
            path = f"/v1/search{suffix}"
            (media_type,) = document["paths"][path]["get"]["responses"]["200"]["content"]
            answer = await client.get(f"{path}?q=apples", headers={"accept": "text/csv, */*"})
            assert answer.headers["content-type"].partition(";")[0] == media_type


def _assert_same_members(document: dict[str, Any], schema: dict[str, Any], value: Any) -> None:
    """Every member that is documented is there, and no other."""
    while "$ref" in schema or ("anyOf" in schema and value is not None):
        schema = schema.get("anyOf", [schema])[0]  # what is answered unless `fields` chose
        if "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if isinstance(value, list):
        for each in value:
            _assert_same_members(document, schema.get("items", {}), each)
    elif isinstance(value, dict) and "properties" in schema:
        named = schema["properties"]
        more = value.keys() - named.keys() if schema.get("additionalProperties") else set()
        assert value.keys() - more == named.keys()
        for name in named:
            _assert_same_members(document, named[name], value[name])


SEARCHES: list[Any] = [
    {},
    {"q": "apples", "limit": 3.0, "facets": ["place", "place"], "from": "2020", "boost": None},
    {"place": ["Cairo", "-Abu Dhabi", "x-y"], "tz": "Asia/Karachi", "highlight": True},
    *({"highlight": wrong} for wrong in ("yes", "true", 1, None)),
    *({"limit": wrong} for wrong in ("3", True, 2.5, 0, 101)),
    *({"facets": wrong} for wrong in ("place", ["place,source"], ["colour"])),
    *({"place": wrong} for wrong in ("Cairo", [""], [" "], ["-"], [" - "], [None])),
    *({"from": wrong} for wrong in ("", "May", "٢٠٢٠", 2020)),
    {"from_": "2020"},
    {"tz": ""},
    {"unknown": 1},
    [{"q": "apples"}],
    "apples",
    None,
]
ARTICLES: list[Any] = [
    {"headline": "a", "body": "b"},
    {"headline": "a", "body": "b", "summary": None, "places": ["Cairo"], "other": 1},
    {"headline": "a", "body": "b", "published_at": "2020-05-09", "published_precision": "day"},
    *({"headline": wrong, "body": "b"} for wrong in ("", " ", None, 1)),
    *({"headline": "a", "body": wrong} for wrong in ("", "\n", None, ["b"])),
    *({"headline": "a", "body": "b", "summary": wrong} for wrong in ("s", [1])),
    {"headline": "a", "body": "b", "published_precision": "year"},
    {"headline": "a", "body": "b", "url": 1},
    *({"headline": "a", "body": "b", "guid": guid} for guid in ("g", None, 1)),
    *({"headline": "a", "body": "b", "sender_version": n} for n in (0, 2**63 - 1, -1, 2**63, "1")),
    {"headline": "a", "body": "b", "updated_at": "2024-01-02T03:04:05Z"},
    {"body": "b"},
    {"summary": ["s"]},
    *({"headline": blank, "body": blank} for blank in ("", " ", None)),
    "a",
]


@pytest.mark.parametrize(
    ("path", "bodies"), [("/v1/search", SEARCHES), ("/v1/articles", [*ARTICLES, ARTICLES[:2], []])]
)
async def test_what_is_taken_in_a_body_is_what_is_documented(
    serve: Serve, path: str, bodies: list[Any]
) -> None:
    async with serve([numbered(1)]) as client:
        document = (await client.get("/openapi.json")).json()
        described = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
        validator = _validator(document, described["schema"])
        for body in bodies:
            answer = await client.post(path, json=body)
            taken = answer.status_code == 200 and not answer.json().get("rejected")
            valid = validator.is_valid(body)
            # Of an article more is taken than is described: what cannot be read is left out.
            assert taken >= valid if path == "/v1/articles" else taken == valid, (body, answer.text)


async def test_an_article_that_replaces_another_is_documented_as_one(serve: Serve) -> None:
    async with serve([numbered(1)]) as client:
        document = (await client.get("/openapi.json")).json()
        route = "/v1/articles/{article_id}"
        described = document["paths"][route]["put"]["requestBody"]["content"]["application/json"]
        validator = _validator(document, described["schema"])
        id_ = (await client.get("/v1/articles")).json()["items"][0]["id"]
        for body in (*ARTICLES, ARTICLES[:2]):
            answer = await client.put(f"/v1/articles/{id_}", json=body)
            assert (answer.status_code == 200) >= validator.is_valid(body), (body, answer.text)


@pytest.mark.parametrize("value", ["Cairo", "-Cairo", "", " ", "-", "--", " - "])
async def test_a_name_that_is_none_is_documented_as_such(serve: Serve, value: str) -> None:
    async with serve() as client:
        document = (await client.get("/openapi.json")).json()
        for name in ("source", "place", "language", "section"):
            (parameter,) = [
                each
                for each in document["paths"]["/v1/articles"]["get"]["parameters"]
                if each["name"] == name
            ]
            answer = await client.get("/v1/articles", params={name: value})
            valid = _validator(document, parameter["schema"]).is_valid([value])
            assert (answer.status_code == 200) == valid


# --- documentation pages


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
async def test_documentation_needs_no_other_host(serve: Serve, page: str) -> None:
    async with serve() as client:
        html = (await client.get(page)).text
        addresses = re.findall(r"""(?:src|href)=["']([^"']+)""", html)
        addresses += re.findall(r"""url: ['"]([^'"]+)""", html)
        assert len(addresses) >= 2
        for address in addresses:
            assert address.startswith("/"), address
            assert not address.startswith("//"), address
            assert (await client.get(address)).status_code == 200
        assert "https://" not in html
        assert "http://" not in html


async def test_the_root_leads_to_the_documentation(serve: Serve) -> None:
    async with serve() as client:
        answer = await client.get("/")
        assert answer.status_code == 307
        assert answer.headers["location"] == "/docs"


# --- the system's own routes


async def test_status_tells_counts_and_versions(serve: Serve) -> None:
    async with serve([numbered(1), numbered(2)]) as client:
        status = (await client.get("/v1/status")).json()
        assert (status["articles"], status["change"]) == (2, 1)
        assert status["index"] == {
            "engine": "whoosh", "state": "ready", "detail": None, "cursor": 1, "lag": 0,
        }  # fmt: skip
        assert status["versions"].keys() == {"broadsheet", "python", "sqlite", "whoosh"}


async def test_health_and_readiness(serve: Serve) -> None:
    async with serve() as client:
        assert (await client.get("/healthz?from=balancer")).json() == {"status": "ok"}
        assert (await client.get("/readyz")).json() == {"status": "ok"}


async def test_the_sweeper_takes_in_what_others_write(serve: Serve, tmp_path: Path) -> None:
    async with serve(sync_interval_s=0.02) as client:
        with factories.store(tmp_path) as other:
            factories.save(other, [numbered(1)])
        found = await until(
            client, "/v1/search?q=valley", lambda answer: answer.json()["as_of"]["lag"] == 0
        )
        assert found.json()["total"] == 1
        assert found.json()["as_of"]["change"] == 1


async def test_one_thread_follows_as_long_as_the_server_runs(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, threads = indexing.sync, []

    def noted(*args: Any, **options: Any) -> Any:
        threads.append(threading.current_thread())
        return real(*args, **options)

    monkeypatch.setattr(indexing, "sync", noted)
    async with serve(sync_interval_s=0.02) as client:
        await until(client, "/healthz", lambda _: len(threads) > 3)
    assert len({id(each) for each in threads}) == 1
    assert not threads[0].is_alive()


async def test_the_sweeper_goes_on_after_an_error(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real = indexing.sync
    errors = [ZeroDivisionError("odd"), BroadsheetError("even"), EngineBusy("x"), OSError("full")]

    def failing(*args: Any, **options: Any) -> Any:
        if errors:
            raise errors.pop()
        return real(*args, **options)

    async with serve(sync_interval_s=0.02) as client:
        monkeypatch.setattr(indexing, "sync", failing)
        factories.save(executor_of(client).database, [numbered(1)])
        await until(client, "/v1/search?q=valley", lambda answer: answer.json()["total"] > 0)
    for message in ("odd", "even", "full"):
        assert message in caplog.text
