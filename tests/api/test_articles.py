from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import orjson
import pytest

from tests.api.conftest import until
from tests.factories import draft, numbered

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx

    from tests.api.conftest import Serve

pytestmark = pytest.mark.anyio

PAGE = """Dam is full

Short Url
Updated 09 May 2020
Follow

Dam is full

  • It rained

CAIRO: The dam is full.
All are glad.
"""


async def walk(client: httpx.AsyncClient, url: str) -> list[dict[str, Any]]:
    """The items of all pages, by the Link header; `next` must say the same."""
    items: list[dict[str, Any]] = []
    while True:
        answer = await client.get(url)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        items += page["items"]
        if page["next"] is None:
            assert "link" not in answer.headers
            assert page["total"] == len(items)
            return items
        url = answer.links["next"]["url"]
        assert f"cursor={page['next']}" in url


async def test_a_list_is_newest_first_and_has_every_page(serve: Serve) -> None:
    drafts = [numbered(n, day=f"2024-03-{n + 1:02}") for n in range(7)]
    async with serve(drafts) as client:
        items = await walk(client, "/v1/articles?limit=3")
        assert [item["headline"] for item in items] == [d.headline for d in drafts[::-1]]
        oldest = await walk(client, "/v1/articles?limit=2&sort=oldest")
        assert oldest == items[::-1]


async def test_a_list_shows_summaries_and_an_article_all(serve: Serve) -> None:
    one = draft("One", page="p", places=("Cairo",), summary=("A point",))
    two = draft("Two", page="p", position=1)
    async with serve([one, two]) as client:
        items = (await client.get("/v1/articles?place=cairo")).json()["items"]
        (item,) = items
        assert not {"body", "sources", "mentions"} & item.keys()
        assert item["published_at"] == "2024-03-01T00:00:00Z"
        assert item["related"][0]["headline"] == "Two"
        whole = (await client.get(f"/v1/articles/{item['id']}")).json()
        assert whole | item == whole
        assert whole["body"] == one.body
        assert whole["mentions"] == []
        (source,) = whole["sources"]
        assert source["path"] == "pages/rain.txt"
        assert source["sha256"] == one.origin.sha256


async def test_filters_narrow_a_list(serve: Serve) -> None:
    drafts = [
        numbered(1, day="2020-05-09", page="1"),
        numbered(2, places=("Abu Dhabi",), day="2021-01-01", page="2"),
    ]
    async with serve(drafts) as client:
        for query, total in {
            "from=2020&to=2020": 1,
            "place=ABU%20DHABI": 1,
            "place=-Abu%20Dhabi": 1,
            "place=Cairo&place=Abu%20Dhabi": 1,
            "source=the%20valley%20news": 2,
            "from=2021-01-01T00:00:00%2B00:00": 1,
            "from=2021-01-02": 0,
        }.items():
            page = (await client.get(f"/v1/articles?{query}")).json()
            assert (query, page["total"], len(page["items"])) == (query, total, total)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("/v1/articles?limt=3", "limt"),
        ("/v1/articles?limit=0", "limit"),
        ("/v1/articles?limit=101", "limit"),
        ("/v1/articles?limit=ten", "limit"),
        ("/v1/articles?sort=best", "sort"),
        ("/v1/articles?from=soon", "from"),
        ("/v1/articles?from=2021&to=2020", "from"),
        ("/v1/articles?place=", "place"),
        ("/v1/articles?cursor=abc", "cursor"),
        ("/v1/articles?cursor=%00", "cursor"),
        ("/v1/articles/not-an-id", "article_id"),
        (f"/v1/articles/{UUID(int=1)}?full=1", "full"),
        ("/v1/status?verbose=1", "verbose"),
    ],
)
async def test_a_wrong_parameter_is_named(serve: Serve, url: str, name: str) -> None:
    async with serve() as client:
        answer = await client.get(url)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == 422
    assert body["type"] == "urn:broadsheet:problem:invalid-request"
    assert body["instance"] == url.partition("?")[0]
    assert body["errors"][0]["loc"][-1] == name
    assert name in body["detail"]


async def test_a_cursor_is_good_for_its_own_list_only(serve: Serve) -> None:
    async with serve([numbered(n) for n in range(3)]) as client:
        cursor = (await client.get("/v1/articles?limit=1")).json()["next"]
        assert (await client.get(f"/v1/articles?limit=2&cursor={cursor}")).status_code == 200
        for other in ("/v1/articles?sort=oldest", "/v1/articles?place=x", "/v1/search?q=valley"):
            url = f"{other}{'&' if '?' in other else '?'}cursor={cursor}"
            answer = await client.get(url)
            assert answer.status_code == 422
            assert "another list" in answer.json()["detail"]


async def test_an_unknown_article_is_not_found(serve: Serve) -> None:
    missing = uuid4()
    async with serve() as client:
        for method in ("GET", "DELETE"):
            answer = await client.request(method, f"/v1/articles/{missing}")
            assert answer.status_code == 404
            assert str(missing) in answer.json()["detail"]


async def test_head_is_get_without_its_body(serve: Serve) -> None:
    async with serve([numbered(n) for n in range(3)]) as client:
        for url in ("/v1/articles?limit=1", "/v1/search?q=valley", "/v1/articles?limit=0", "/docs"):
            get = await client.get(url)
            head = await client.head(url)
            assert head.status_code == get.status_code
            assert head.content == b""
            assert (
                head.headers["content-length"] == get.headers["content-length"] or "search" in url
            )
            assert head.headers.get("link") == get.headers.get("link") or "search" in url


# --- writing


async def test_a_page_that_is_posted_is_stored_and_found(serve: Serve) -> None:
    async with serve(sync_interval_s=0.05) as client:
        answer = await client.post(
            "/v1/articles", content=PAGE.encode(), headers={"content-type": "text/plain"}
        )
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert (body["saved"], body["rejected"]) == (1, 0)
        article = (await client.get(f"/v1/articles/{body['items'][0]['id']}")).json()
        assert article["places"] == ["Cairo"]
        assert article["published_at"] == "2020-05-09T00:00:00Z"
        followed = await until(
            client, "/v1/search?q=dam", lambda answer: answer.json()["as_of"]["lag"] == 0
        )
        found = followed.json()
        assert found["total"] == 1
        assert found["as_of"]["change"] == article["change"]


async def test_each_posted_article_has_its_outcome(serve: Serve) -> None:
    lines = [
        {"headline": "One", "body": "First.", "published_at": "2024-01-02"},
        {"source": "Two"},
        {"headline": "Three", "body": "Third.", "url": "https://example.org/3"},
    ]
    jsonl = b"\n".join(map(orjson.dumps, lines)) + b"\n{broken\n"
    async with serve() as client:
        lined = {"content-type": "application/x-ndjson"}
        answer = await client.post("/v1/articles", content=jsonl, headers=lined)
        assert answer.status_code == 207
        first = answer.json()
        again = (await client.post("/v1/articles", content=jsonl, headers=lined)).json()
        array = (await client.post("/v1/articles", json=lines)).json()
        single = (await client.post("/v1/articles", json=lines[0])).json()
    assert [item["outcome"] for item in first["items"]] == [
        "saved",
        "rejected",
        "saved",
        "rejected",
    ]
    assert [item["line"] for item in first["items"]] == [1, 2, 3, 4]
    assert first["items"][1]["reason"] == "neither headline nor body"
    assert first["items"][1]["id"] is None
    assert (again["saved"], again["unchanged"], again["rejected"]) == (0, 2, 2)
    assert (array["unchanged"], array["rejected"]) == (2, 1)
    assert [item["id"] for item in single["items"]] == [first["items"][0]["id"]]


async def test_put_replaces_and_delete_removes(serve: Serve) -> None:
    async with serve([draft()]) as client:
        (item,) = (await client.get("/v1/articles")).json()["items"]
        url = f"/v1/articles/{item['id']}"
        answer = await client.put(url, json={"headline": "Corrected", "body": "Other."})
        assert answer.status_code == 200
        assert answer.json()["headline"] == "Corrected"
        assert answer.json()["id"] == item["id"]
        wrong = await client.put(url, json={"source": "No text"})
        assert wrong.status_code == 422
        assert wrong.json()["errors"][0]["loc"] == ["body", "article"]
        assert (await client.put(url, json=[])).status_code == 422
        gone = await client.delete(url)
        assert (gone.status_code, gone.content) == (204, b"")
        assert (await client.get(url)).status_code == 410
        assert (await client.put(url, json={"headline": "a", "body": "b"})).status_code == 410


@pytest.mark.parametrize("content_type", ["image/png", "", "text/html", "application/json5"])
async def test_a_content_type_without_a_reader_is_415(serve: Serve, content_type: str) -> None:
    async with serve() as client:
        answer = await client.post(
            "/v1/articles", content=b"x", headers={"content-type": content_type}
        )
    assert answer.status_code == 415
    assert "application/x-ndjson" in answer.json()["detail"]


async def test_json_that_is_none_is_rejected_with_a_reason(serve: Serve) -> None:
    async with serve() as client:
        for content in (b'{"headline":\n', b"[1, null]", b'"x"', b"\xff\xfe{}"):
            answer = await client.post(
                "/v1/articles", content=content, headers={"content-type": "application/json"}
            )
            assert answer.status_code == 422
            assert answer.headers["content-type"] == "application/problem+json"
            body = answer.json()
            assert body["type"] == "urn:broadsheet:problem:all-rejected"
            assert body["rejected"] == len(body["items"]) >= 1
            assert all(item["reason"] for item in body["items"])


@pytest.mark.parametrize("depth", [10, 300, 900, 2_000, 100_000])
async def test_json_of_any_depth_is_read_or_rejected_with_a_reason(
    serve: Serve, depth: int
) -> None:
    deep = '{"headline": "h", "body": ' + "[" * depth + "]" * depth + "}"
    async with serve() as client:
        answer = await client.post(
            "/v1/articles", content=deep, headers={"content-type": "application/json"}
        )
        (item,) = answer.json()["items"]
        if depth < 1_000:  # a text that cannot be read costs no article that has a headline
            assert item["outcome"] == "saved"
            assert (await client.get(f"/v1/articles/{item['id']}")).json()["warnings"]
        else:
            assert answer.status_code == 422
            assert item["reason"].startswith("not JSON: ")


@pytest.mark.parametrize(
    ("url", "media_type"),
    [
        ("/v1/articles", "text/plain"),
        ("/v1/articles", "application/json"),
        ("/v1/search", "application/json"),
    ],
)
async def test_a_body_over_the_limit_is_refused_unread(
    serve: Serve, url: str, media_type: str
) -> None:
    sent_bytes = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent_bytes
        while True:
            sent_bytes += 100
            yield b" " * 100

    async with serve(body_limit_bytes=2048) as client:
        answer = await client.post(url, content=endless(), headers={"content-type": media_type})
    assert answer.status_code == 413
    assert answer.json()["type"] == "urn:broadsheet:problem:too-large"
    assert "2,048" in answer.json()["detail"]
    assert sent_bytes <= 2300
