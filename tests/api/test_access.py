"""Who may ask what: a key for each write, for reading where that is set, and how often."""

from __future__ import annotations

import asyncio
import base64
import logging
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from app.api import access
from app.api.rates import Rates
from app.errors import TooManyRequests
from app.store import keys
from tests import factories
from tests.api.conftest import executor_of, until
from tests.factories import draft, numbered

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx

    from tests.api.conftest import Serve

pytestmark = pytest.mark.anyio

ARTICLE = {"headline": "One", "body": "First."}
NOBODY = "00000000-0000-4000-8000-000000000001"


def made(client: httpx.AsyncClient, name: str, **more: Any) -> dict[str, str]:
    """The header of a new key."""
    with database(client).transaction() as session:
        return {"Authorization": f"Bearer {keys.create(session, name, **more)}"}


def database(client: httpx.AsyncClient) -> Any:
    return executor_of(client).database


def basic(password: str | bytes, name: bytes = b"me") -> dict[str, str]:
    secret = password if isinstance(password, bytes) else password.encode()
    return {"Authorization": "Basic " + base64.b64encode(name + b":" + secret).decode()}


def problem(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["type"].removeprefix("urn:broadsheet:problem:")


@pytest.fixture
def bare(serve: Serve) -> Any:
    """As `serve`, with a client that brings no key of its own."""

    class Bare:
        def __init__(self, **more: Any) -> None:
            self._opened = serve([numbered(n) for n in range(3)], **more)

        async def __aenter__(self) -> httpx.AsyncClient:
            client = await self._opened.__aenter__()
            del client.headers["Authorization"]
            return client

        async def __aexit__(self, *error: Any) -> None:
            await self._opened.__aexit__(*error)

    return Bare


# --- writes


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "FROB"])
@pytest.mark.parametrize(
    "path", ["/v1/articles", f"/v1/articles/{NOBODY}", "/v1/status", "/x", "/"]
)
async def test_whatever_is_not_known_to_read_is_401_before_all_else(
    bare: Any, method: str, path: str
) -> None:
    async with bare() as client:
        for body, type_ in ((b"", ""), (b"{", "application/json"), (b"x", "image/png")):
            headers = {"Content-Type": type_}
            answer = await client.request(method, path, content=body, headers=headers)
            assert problem(answer) == (401, "unauthorized")
            assert "broadsheet keys create NAME --scope write" in answer.json()["detail"]
            challenge = answer.headers["www-authenticate"]
            assert "Bearer" in challenge
            assert "Basic" in challenge


async def test_every_operation_that_is_documented_to_write_needs_a_key(bare: Any) -> None:
    async with bare() as client:
        document = (await client.get("/openapi.json")).json()
        asked = {
            (method, path)
            for path, methods in document["paths"].items()
            for method in methods
            if method in ("post", "put", "delete", "patch") and path not in access.READING
        }
        assert len(asked) >= 3
        for method, path in asked:
            url = path.replace("{article_id}", NOBODY)
            assert problem(await client.request(method, url)) == (401, "unauthorized")


@pytest.mark.parametrize(
    "form", ["Bearer {}", "bearer {}", "BEARER {}", "bEaReR   {}", "Bearer {} "]
)
async def test_the_name_of_the_scheme_is_the_same_in_any_case(bare: Any, form: str) -> None:
    async with bare() as client:
        for text, status in ((factories.KEY, 200), (factories.KEY.upper(), 401)):
            headers = {"Authorization": form.format(text)}
            answer = await client.post("/v1/articles", json=ARTICLE, headers=headers)
            assert answer.status_code == status


@pytest.mark.parametrize(
    "value",
    [
        *(
            b"",
            b"Bearer",
            b"Bearer ",
            b"Basic",
            b"Basic ***",
            b"Basic =",
            b"Basic //79/A==",
            b" ",
            b"\t",
        ),
        *(
            factories.KEY.encode(),
            b"Token " + factories.KEY.encode(),
            b"Bearer\t" + factories.KEY.encode(),
        ),
        *(
            b"Bearer " + factories.KEY.encode() + each
            for each in (b"\xa0", b"%00", b",", b" x", b"\x85")
        ),
        *("Bearer ключ".encode(), b"Bearer \xff\xfe", b"Basic \xff", b"Bearer " + b"a" * 9000),
        *(b'Bearer "' + factories.KEY.encode() + b'"', b'Digest username="me", response="0"'),
    ],
)
async def test_what_is_no_key_is_401_and_not_repeated(bare: Any, value: bytes) -> None:
    async with bare() as client:
        headers = [(b"authorization", value)]
        answer = await client.post("/v1/articles", json=ARTICLE, headers=headers)
        assert problem(answer) == (401, "unauthorized")
        assert factories.KEY not in answer.text
        found = await client.get("/v1/articles", headers=headers)
        assert (found.status_code, found.json()["total"]) == (200, 3), "reading is open"


@pytest.mark.parametrize("name", [b"", b"feeds", b"a b", "Šárka".encode(), b"\xae", b"n" * 300])
async def test_a_key_is_the_password_of_any_user(bare: Any, name: bytes) -> None:
    async with bare(reads="keyed") as client:
        for password, status in ((factories.KEY, 200), (f"{factories.KEY}:", 401), (b"\xff", 401)):
            headers = basic(password, name)
            assert (await client.get("/v1/articles", headers=headers)).status_code == status
            posted = await client.post("/v1/articles", json=ARTICLE, headers=headers)
            assert posted.status_code == status


async def test_two_authorizations_are_none(bare: Any) -> None:
    async with bare(reads="keyed") as client:
        good = ("Authorization", factories.KEYED["Authorization"])
        for other in ("Bearer x", "", good[1], basic("x")["Authorization"]):
            for both in ([good, ("Authorization", other)], [("Authorization", other), good]):
                answer = await client.post("/v1/articles", json=ARTICLE, headers=both)
                assert problem(answer) == (401, "unauthorized")
                assert problem(await client.get("/v1/articles", headers=both))[0] == 401
        joined = {"Authorization": f"Bearer x, {good[1]}"}
        assert problem(await client.get("/v1/articles", headers=joined))[0] == 401


@pytest.mark.parametrize("name", ["key", "api_key", "token", "access_token", "authorization"])
async def test_a_key_in_an_address_or_a_cookie_is_none(bare: Any, name: str) -> None:
    async with bare(reads="keyed") as client:
        where = f"/v1/articles?{name}={factories.KEY}"
        assert problem(await client.post(where, json=ARTICLE)) == (401, "unauthorized")
        assert problem(await client.get(where)) == (401, "unauthorized")
        cookie = {"Cookie": f"{name}={factories.KEY}"}
        assert problem(await client.get("/v1/articles", headers=cookie))[0] == 401


async def test_a_key_that_reads_writes_nothing(bare: Any) -> None:
    async with bare() as client:
        reader = made(client, "reader")
        (item,) = (await client.get("/v1/articles?limit=1")).json()["items"]
        for id_ in (item["id"], NOBODY, "none"):
            for method in ("PUT", "DELETE", "PATCH"):
                answer = await client.request(method, f"/v1/articles/{id_}", headers=reader)
                assert problem(answer) == (403, "forbidden")
                assert "'reader' reads alone" in answer.json()["detail"]
        answer = await client.post("/v1/articles", json=ARTICLE, headers=reader)
        assert problem(answer) == (403, "forbidden")
        for path in ("/v1/search", "/v1/entities/reconcile"):
            content = (
                {"json": {"q": "apples"}} if path == "/v1/search" else {"data": {"queries": "{}"}}
            )
            assert (await client.post(path, headers=reader, **content)).status_code == 200
        assert (await client.get("/v1/articles")).json()["total"] == 3


@pytest.mark.parametrize(
    "query", ["erase=true", "erase=1", "erase", "erase=", "%65rase=TRUE", "a=1&erase=on"]
)
async def test_to_erase_needs_a_scope_of_its_own(bare: Any, query: str) -> None:
    async with bare() as client:
        url = f"/v1/articles/{NOBODY}"
        answer = await client.delete(f"{url}?{query}", headers=factories.KEYED)
        assert problem(answer) == (403, "forbidden")
        assert "--scope erase" in answer.json()["detail"]
        eraser = made(client, "court", scope="erase")
        assert (await client.delete(f"{url}?{query}", headers=eraser)).status_code != 403
        assert (await client.delete(url, headers=eraser)).status_code == 404
        assert (
            await client.delete(f"{url}?erase=false", headers=factories.KEYED)
        ).status_code != 403


# --- a password that a browser adds


@pytest.mark.parametrize(
    ("marks", "taken"),
    [
        ({}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://test"}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://seen.example"}, True),
        ({"Origin": "http://test"}, True),
        ({"Origin": "https://TEST"}, True),
        ({"Origin": "https://test", "Host": "test:443"}, True),
        ({"Origin": "http://test:8000", "Host": "test:8000"}, True),
        ({"Origin": "http://[::1]:8000", "Host": "[::1]:8000"}, True),
        ({"Origin": "http://test:8001", "Host": "test:8000"}, False),
        ({"Origin": "http://test.foreign.example"}, False),
        ({"Origin": "http://foreign.example/test"}, False),
        ({"Origin": "http://test@foreign.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "ionic://test"}, False),
        ({"Origin": "//test"}, False),
        ({"Origin": ""}, False),
        ({"Origin": "test"}, False),
        ({"Origin": "http://[test"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://test"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Sec-Fetch-Site": ""}, False),
    ],
)
async def test_a_password_is_taken_from_the_servers_own_pages_alone(
    bare: Any, marks: dict[str, str], taken: bool
) -> None:
    async with bare() as client:
        headers = basic(factories.KEY) | marks
        answer = await client.post("/v1/articles", json=ARTICLE, headers=headers)
        assert answer.status_code == (200 if taken else 403)
        bearer = factories.KEYED | marks
        assert (await client.post("/v1/articles", json=ARTICLE, headers=bearer)).status_code == 200
        assert (await client.post("/v1/articles", json=ARTICLE, headers=marks)).status_code == 401
        assert (await client.get("/v1/articles", headers=headers)).status_code == 200


# --- reading


async def test_where_reading_needs_a_key_all_but_probes_and_reference_needs_it(bare: Any) -> None:
    async with bare(reads="keyed") as client:
        reader = made(client, "reader")
        document = (await client.get("/openapi.json")).json()
        for path, methods in document["paths"].items():
            if "get" not in methods or path in ("/healthz", "/readyz"):
                continue
            url = path.replace("{article_id}", NOBODY).replace("{entity_id}", NOBODY)
            for method in ("GET", "HEAD"):
                answer = await client.request(method, url)
                assert answer.status_code == 401, (method, path)
                assert answer.headers["cache-control"].startswith("private")
                assert "Authorization" in answer.headers["vary"]
            assert (await client.get(url, headers=reader)).status_code != 401
        for url in (
            "//v1/articles",
            "/v1/../v1/articles",
            "/%76%31/articles",
            "/V1/articles",
            "/x",
        ):
            assert (await client.get(url)).status_code == 401
        assert (await client.options("/v1/articles")).status_code == 401
        assert (await client.post("/v1/search", json={"q": "apples"})).status_code == 401
        for url in ("/healthz", "/readyz", "/docs", "/redoc", "/openapi.json", "/static/redoc.js"):
            assert (await client.get(url)).status_code == 200


async def test_an_answer_that_depends_on_a_key_is_private(bare: Any) -> None:
    async with bare(reads="keyed") as client:
        answer = await client.get("/v1/search?q=apples", headers=factories.KEYED)
        assert answer.headers["cache-control"] == "private, no-cache"
        assert answer.headers["vary"] == "Authorization"
        tag = {"If-None-Match": answer.headers["etag"]}
        again = await client.get("/v1/search?q=apples", headers=factories.KEYED | tag)
        assert (again.status_code, again.headers["cache-control"]) == (304, "private, no-cache")
        assert (await client.get("/v1/search?q=apples", headers=tag)).status_code == 401
    async with bare() as client:
        answer = await client.get("/v1/search?q=apples", headers=factories.KEYED)
        assert answer.headers["cache-control"] == "no-cache"
        assert "vary" not in answer.headers


async def test_metrics_need_a_key_where_reading_is_open(bare: Any) -> None:
    async with bare() as client:
        assert problem(await client.get("/metrics")) == (401, "unauthorized")
        assert "--scope read" in (await client.get("/metrics")).json()["detail"]
        assert (await client.get("/metrics", headers=made(client, "scraper"))).status_code == 200


async def test_a_preflight_needs_no_key_and_allows_to_send_one(bare: Any) -> None:
    async with bare(reads="keyed", cors_origins="https://desk.example") as client:
        for named in ("authorization", "authorization,if-match,content-type"):
            asked = {
                "Origin": "https://desk.example",
                "Access-Control-Request-Method": "PUT",
                "Access-Control-Request-Headers": named,
            }
            answer = await client.options(f"/v1/articles/{NOBODY}", headers=asked)
            assert answer.status_code == 200
        refused = await client.get("/v1/articles", headers={"Origin": "https://desk.example"})
        assert refused.status_code == 401
        assert refused.headers["access-control-allow-origin"] == "https://desk.example"
        assert "RateLimit" in refused.headers["access-control-expose-headers"]


# --- revoked, expired, used


async def test_a_revoked_key_opens_nothing_on_an_open_connection(bare: Any) -> None:
    async with bare(reads="keyed") as client:
        leaked = made(client, "leaked", scope="write")
        assert (await client.get("/v1/articles", headers=leaked)).status_code == 200
        with database(client).transaction() as session:
            keys.revoke(session, "leaked")
        for answer in (
            await client.get("/v1/articles", headers=leaked),
            await client.post("/v1/articles", json=ARTICLE, headers=leaked),
        ):
            assert problem(answer) == (401, "unauthorized")
            assert "'leaked' is revoked" in answer.json()["detail"]
        assert (await client.get("/v1/articles", headers=factories.KEYED)).status_code == 200


async def test_a_key_that_is_revoked_while_the_body_comes_writes_nothing(bare: Any) -> None:
    async with bare() as client:
        leaked = made(client, "leaked", scope="write")

        async def slowly() -> AsyncIterator[bytes]:
            yield b'{"headline": "Late", '
            with database(client).transaction() as session:
                keys.revoke(session, "leaked")
            yield b'"body": "Too late."}'

        headers = leaked | {"Content-Type": "application/json"}
        answer = await client.post("/v1/articles", content=slowly(), headers=headers)
        assert problem(answer) == (401, "unauthorized")
        assert (await client.get("/v1/articles")).json()["total"] == 3


async def test_an_expired_key_is_told_so(bare: Any) -> None:
    async with bare(reads="keyed") as client:
        brief = made(client, "brief", expires_in=timedelta(microseconds=1))
        answer = await client.get("/v1/articles", headers=brief)
        assert problem(answer) == (401, "unauthorized")
        assert "'brief' is expired" in answer.json()["detail"]


async def test_the_last_use_costs_one_write_an_hour(bare: Any) -> None:
    async with bare(reads="keyed") as client:
        reader = made(client, "reader")

        def used() -> datetime | None:
            with database(client).reading() as session:
                return keys.named(session, "reader").used_at

        assert used() is None
        with closing(sqlite3.connect(database(client).url.removeprefix("sqlite:///"))) as watch:
            version = watch.execute("PRAGMA data_version").fetchone()
            await client.get("/v1/articles", headers=reader)
            await until(client, "/healthz", lambda _: used() is not None)
            noted = watch.execute("PRAGMA data_version").fetchone()
            assert noted != version
            for _ in range(20):
                assert (await client.get("/v1/articles", headers=reader)).status_code == 200
            assert watch.execute("PRAGMA data_version").fetchone() == noted
        at = used()
        assert at is not None
        assert at == at.replace(minute=0, second=0, microsecond=0)
        assert datetime.now(UTC) - at < timedelta(hours=2)


async def test_each_write_is_logged_with_key_and_change(
    bare: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async with bare(log_requests="none") as client:
        desk = made(client, "night desk", scope="write")
        with caplog.at_level(logging.INFO):
            for _ in range(2):
                await client.post("/v1/articles", json=ARTICLE, headers=desk)
        told = [
            (each.message, vars(each)["facts"])
            for each in caplog.records
            if each.name == "app.api.deps"
        ]
        change = (await client.get("/v1/status")).json()["change"]
        facts = {"key": "night desk"}
        assert told == [("write", facts | {"change": change}), ("write without a change", facts)]


# --- the source of a key


async def test_a_key_of_a_source_writes_articles_of_that_source_alone(serve: Serve) -> None:
    theirs = draft("Theirs", source="Other Post", url="https://other.example/1")
    async with serve([theirs, draft("Nobody's", "No source.")]) as client:
        valley = made(client, "valley", scope="write", source="Valley News")
        sent = [
            {"headline": "Ours", "body": "Named.", "source": "VALLEY NEWS"},
            {"headline": "Ours too", "body": "Not named."},
            {"headline": "Planted", "body": "As another.", "source": "Other Post"},
            {"headline": "Taken over", "body": "b", "url": "https://other.example/1"},
        ]
        answer = (await client.post("/v1/articles", json=sent, headers=valley)).json()
        assert [each["outcome"] for each in answer["items"]] == ["saved"] * 2 + ["rejected"] * 2
        assert (answer["saved"], answer["rejected"]) == (2, 2)
        for each in answer["items"][2:]:
            assert each["id"] is None
            assert "'valley' writes articles of 'Valley News' alone" in each["reason"]
        listed = (await client.get("/v1/articles?source=valley+news")).json()
        assert {each["headline"] for each in listed["items"]} == {"Ours", "Ours too"}
        assert {each["source"] for each in listed["items"]} == {"VALLEY NEWS", "Valley News"}
        stored = (await client.get("/v1/articles")).json()["items"]
        ids = {each["headline"]: each["id"] for each in stored}
        assert set(ids) == {"Ours", "Ours too", "Theirs", "Nobody's"}

        for name in ("Theirs", "Nobody's"):
            url = f"/v1/articles/{ids[name]}"
            assert problem(await client.put(url, json=ARTICLE, headers=valley))[0] == 403
            assert problem(await client.delete(url, headers=valley)) == (403, "forbidden")
        url = f"/v1/articles/{ids['Ours']}"
        away = ARTICLE | {"source": "Other Post"}
        assert problem(await client.put(url, json=away, headers=valley)) == (403, "forbidden")
        kept = await client.put(url, json=ARTICLE, headers=valley)
        assert (kept.status_code, kept.json()["source"]) == (200, "Valley News")
        assert (await client.delete(url, headers=valley)).status_code == 204
        assert problem(await client.delete(f"/v1/articles/{NOBODY}", headers=valley))[0] == 404


# --- rates


async def test_who_asks_too_often_is_told_when_to_come_again(bare: Any) -> None:
    async with bare(client_requests_per_minute=3, key_requests_per_minute=5) as client:
        for left in (2, 1, 0):
            answer = await client.get("/v1/articles")
            assert answer.status_code == 200
            assert answer.headers["ratelimit-policy"] == '"client";q=3;w=60'
            assert answer.headers["ratelimit"].startswith(f'"client";r={left};t=')
        for answer in (
            await client.get("/v1/articles"),
            await client.post("/v1/articles", json=ARTICLE),
            await client.get("/v1/articles", headers={"Authorization": "Bearer wrong"}),
        ):
            assert problem(answer) == (429, "too-many-requests")
            assert 1 <= int(answer.headers["retry-after"]) <= 60
            assert answer.headers["ratelimit"].startswith('"client";r=0;t=')
        mine = made(client, "mine")
        for _ in range(5):
            assert (await client.get("/v1/articles", headers=mine)).status_code == 200
        answer = await client.get("/v1/articles", headers=mine)
        assert problem(answer) == (429, "too-many-requests")
        assert mine["Authorization"][7:] not in answer.text
        other = made(client, "other")
        assert (await client.get("/v1/articles", headers=other)).status_code == 200
        for _ in range(9):
            assert (await client.get("/readyz")).status_code == 200


def test_an_ipv6_network_is_one_client_and_an_address_its_own() -> None:
    rates = Rates(factories.settings(Path("never-opened"), client_requests_per_minute=1))
    alike = [
        ("2001:db8::1", "2001:db8::ffff:1"),
        ("192.0.2.1", "::ffff:192.0.2.1"),
        ("fe80::1%eth0", "fe80::2"),
        ("/run/socket", "/run/socket"),
    ]
    for first, second in alike:
        assert rates.count(None, (first, 1)).refusal is None, first
        assert isinstance(rates.count(None, (second, 2)).refusal, TooManyRequests), second
    for other in ("2001:db8:0:1::1", "192.0.2.2"):
        assert rates.count(None, (other, 1)).refusal is None, other
    assert rates.count(None, None).refusal is None


async def test_a_store_that_cannot_tell_a_key_opens_nothing(
    bare: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bare(reads="keyed") as client:
        connection = sqlite3.connect(database(client).url.removeprefix("sqlite:///"))
        with closing(connection), connection:
            connection.execute("ALTER TABLE api_key RENAME TO gone")
        answer = await client.get("/v1/articles", headers=factories.KEYED)
        assert problem(answer) == (503, "store-unavailable")
        assert (await asyncio.wait_for(client.get("/healthz"), 5)).status_code == 200
