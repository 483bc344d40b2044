"""Versions, removal and undoing over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from app.articles import removal
from app.store import keys
from tests import factories
from tests.factories import draft, numbered, save

if TYPE_CHECKING:
    import httpx

    from tests.api.conftest import Serve

pytestmark = pytest.mark.anyio

URL = "https://example.org/toll"
FIRST = "The council raised the toll to nine crowns on Monday."
SECOND = "The council raised the toll to eight crowns on Monday."


async def post(client: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    answer = await client.post("/v1/articles", json={"headline": "Toll", "url": URL, **fields})
    assert answer.status_code == 200, answer.text
    item: dict[str, Any] = answer.json()["items"][0]
    return item


async def test_every_version_is_listed_with_what_it_changed(serve: Serve) -> None:
    async with serve() as client:
        first = await post(client, body=FIRST)
        second = await post(client, body=SECOND, section="Roads")
        assert (second["outcome"], second["id"]) == ("revised", first["id"])
        url = f"/v1/articles/{first['id']}"
        listed = (await client.get(f"{url}/versions")).json()
        assert listed["total"] == 2
        newest, oldest = listed["items"]
        assert (newest["version"], newest["is_shown"]) == (2, True)
        assert newest["changed"] == ["body", "section"]
        assert (newest["words_added"], newest["words_removed"]) == (1, 1)
        assert (oldest["version"], oldest["is_shown"], oldest["changed"]) == (1, False, [])
        assert (await client.get(url)).json()["version"] == 2


async def test_a_version_is_readable_whole_with_its_difference(serve: Serve) -> None:
    async with serve() as client:
        id_ = (await post(client, body=FIRST))["id"]
        await post(client, body=SECOND)
        first = (await client.get(f"/v1/articles/{id_}/versions/1")).json()
        assert (first["body"], first["url"], first["difference"]) == (FIRST, URL, [])
        second = (await client.get(f"/v1/articles/{id_}/versions/2")).json()
        assert second["compared_with"] == 1
        parts = second["difference"]
        old = "".join(part["text"] for part in parts if part["kind"] != "added")
        new = "".join(part["text"] for part in parts if part["kind"] != "removed")
        assert (old, new) == (FIRST, SECOND)
        assert {"field": "body", "kind": "added", "text": "eight "} in parts
        assert (await client.get(f"/v1/articles/{id_}/versions/3")).status_code == 404
        assert (await client.get(f"/v1/articles/{id_}/versions/0")).status_code == 422


async def test_the_list_of_versions_has_pages(serve: Serve) -> None:
    async with serve() as client:
        for n in range(7):
            id_ = (await post(client, body=f"{FIRST} {n}"))["id"]
        numbers: list[int] = []
        address = f"/v1/articles/{id_}/versions?limit=3"
        while address:
            answer = await client.get(address)
            numbers += [item["version"] for item in answer.json()["items"]]
            address = answer.links.get("next", {}).get("url", "")
        assert numbers == [7, 6, 5, 4, 3, 2, 1]


async def test_a_version_that_is_not_due_is_known_to_nobody(serve: Serve) -> None:
    async with serve() as client:
        id_ = (await post(client, body=FIRST))["id"]
        later = await post(client, body=SECOND, embargoed_until="2999-01-01T00:00:00Z")
        assert later["outcome"] == "stale"
        url = f"/v1/articles/{id_}/versions"
        assert (await client.get(url)).json()["total"] == 1
        assert (await client.get(f"{url}/2")).status_code == 404
        status = (await client.get("/v1/status")).json()["kept"]
        assert (status["versions"], status["embargoed"]) == (2, 1)


async def test_what_was_removed_is_gone_until_it_is_restored(serve: Serve) -> None:
    async with serve() as client:
        id_ = (await post(client, body=FIRST))["id"]
        url = f"/v1/articles/{id_}"
        assert (await client.delete(url)).status_code == 204
        for path in ("", "/versions", "/versions/1", "/similar"):
            gone = await client.get(url + path)
            assert gone.status_code == 410, path
            assert gone.json()["why"] == "removed"
            assert gone.json()["at"].endswith("Z")
        assert (await client.delete(url)).status_code == 410
        assert (await post(client, body=SECOND))["outcome"] == "removed"
        assert (await client.get("/v1/status")).json()["kept"]["removed"] == 1
        back = await client.post(f"{url}/restore")
        assert (back.status_code, back.json()["version"]) == (200, 2)
        assert (await client.get("/v1/articles")).json()["total"] == 1
        assert (await client.post(f"{url}/restore")).status_code == 200


async def test_erasing_needs_a_key_that_erases(serve: Serve) -> None:
    async with serve([draft()]) as client:
        id_ = (await client.get("/v1/articles")).json()["items"][0]["id"]
        url = f"/v1/articles/{id_}"
        assert (await client.delete(f"{url}?erase=true")).status_code == 403


async def test_what_was_erased_is_never_restored(serve: Serve, tmp_path: Any) -> None:
    async with serve([draft()]) as client:
        with factories.store(tmp_path) as database, database.transaction() as session:
            key = keys.create(session, "eraser", scope="erase")
        client.headers["Authorization"] = f"Bearer {key}"
        id_ = (await client.get("/v1/articles")).json()["items"][0]["id"]
        url = f"/v1/articles/{id_}"
        assert (await client.delete(f"{url}?erase=true")).status_code == 204
        gone = await client.get(url)
        assert (gone.status_code, gone.json()["why"]) == (410, "erased")
        assert (await client.post(f"{url}/restore")).status_code == 410
        assert (await client.get("/v1/status")).json()["kept"]["erased"] == 1


async def test_an_editor_undoes_no_other(serve: Serve) -> None:
    async with serve([draft(), numbered(1)]) as client:
        id_ = (await client.get("/v1/articles")).json()["items"][0]["id"]
        url = f"/v1/articles/{id_}"
        tag = (await client.get(url)).headers["etag"]

        async def put(body: str, if_match: str) -> int:
            sent = {"headline": "A", "body": body}
            answer = await client.put(url, json=sent, headers={"If-Match": if_match})
            return answer.status_code

        assert await put("One.", '"other"') == 412
        assert await put("One.", tag) == 200
        assert await put("Two.", tag) == 412
        refused = await client.delete(url, headers={"If-Match": tag})
        assert refused.status_code == 412
        assert refused.json()["type"] == "urn:broadsheet:problem:changed"
        new = (await client.get(url)).headers["etag"]
        assert await put("Two.", f'"x", {new.removeprefix("W/")}') == 200
        assert await put("Three.", "*") == 200
        assert (await client.delete(url, headers={"If-Match": "*"})).status_code == 204


async def test_a_put_may_not_take_the_address_of_another(serve: Serve) -> None:
    async with serve() as client:
        one = await post(client, body=FIRST)
        two = await post(client, body=SECOND, url=f"{URL}/2", headline="Other")
        sent = {"headline": "Moved", "body": "b", "url": URL}
        taken = await client.put(f"/v1/articles/{two['id']}", json=sent)
        assert taken.status_code == 409
        assert (taken.json()["field"], taken.json()["article_id"]) == ("url", one["id"])
        moved = sent | {"url": f"{URL}/3"}
        assert (await client.put(f"/v1/articles/{two['id']}", json=moved)).status_code == 200
        assert (await post(client, body="Newer.", url=f"{URL}/3"))["id"] == two["id"]


async def test_the_id_of_a_joined_article_leads_to_the_other(serve: Serve, tmp_path: Any) -> None:
    async with serve() as client:
        with factories.store(tmp_path) as database:
            one, two = save(database, [draft("One"), draft("Two")])
            with database.transaction() as session:
                removal.join(session, one.id, two.id)
        for path in ("", "/versions?limit=1", "/versions/1"):
            moved = await client.get(f"/v1/articles/{one.id}{path}")
            assert moved.status_code == 308
            there = await client.get(str(moved.request.url.join(moved.headers["location"])))
            assert there.status_code == 200
            assert str(two.id) in str(there.request.url)
