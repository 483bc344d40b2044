from __future__ import annotations

import string
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from sqlalchemy import text

from app import api, articles, keys, mentions
from app.api import cursors
from app.errors import ParameterError
from app.filters import Filters
from app.search.base import Place
from tests.api.conftest import settled
from tests.factories import numbered
from tests.fake_extractor import FakeCrew
from tests.test_entities import story

if TYPE_CHECKING:
    import httpx

    from tests.api.conftest import Serve

pytestmark = pytest.mark.anyio

BYRON = mentions.named("person", "Ada Byron").id


@pytest.fixture(autouse=True)
def _fake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "Crew", FakeCrew)


@pytest.mark.parametrize("us", [2**61, -(2**61), -62_135_596_800_000_001, 253_402_300_800_000_000])
async def test_a_cursor_of_a_day_that_no_calendar_has_is_refused(serve: Serve, us: int) -> None:
    of = ("articles", Filters(), "newest")
    async with serve() as client:
        key = cursor_key(client)
        other = replace(key, secret=b"another")
        forged = cursors.encode(Place(UUID(int=1), published_us=us), of, other)
        real = cursors.encode(Place(UUID(int=1), published_us=0), of, key)
        assert (await client.get(f"/v1/articles?cursor={real}")).status_code == 200
        assert (await client.get(f"/v1/articles?cursor={forged}")).status_code == 422


def cursor_key(client: httpx.AsyncClient) -> articles.CursorKey:
    with client.app.state.desk.database.reading() as session:  # type: ignore[attr-defined]
        return articles.cursor_key(session)


async def test_a_cursor_that_was_altered_anywhere_is_refused(serve: Serve) -> None:
    async with serve([numbered(n) for n in range(3)]) as client:
        cursor = (await client.get("/v1/articles?limit=1")).json()["next"]
        assert (await client.get(f"/v1/articles?cursor={cursor}")).status_code == 200
        altered = [
            cursor[:place] + chr(ord(cursor[place]) ^ 1) + cursor[place + 1 :]
            for place in range(0, len(cursor), 7)
        ]
        for each in altered:
            answer = await client.get("/v1/articles", params={"cursor": each})
            assert answer.status_code == 422, each
            assert answer.json()["errors"][0]["loc"] == ["query", "cursor"]


@pytest.mark.parametrize("us", [1, 12, 123])
def test_bits_that_base64_passes_over_are_no_part_of_a_cursor(us: int) -> None:
    key = articles.CursorKey(b"secret", erased=0)
    cursor = cursors.encode(Place(UUID(int=1), published_us=us), "x", key)
    for last in set(string.ascii_letters + string.digits + "-_") - {cursor[-1]}:
        with pytest.raises(ParameterError):
            cursors.decode(cursor[:-1] + last, "x", key)


async def test_a_cursor_of_another_store_is_refused(serve: Serve) -> None:
    async with serve([numbered(n) for n in range(3)]) as client:
        cursor = (await client.get("/v1/articles?limit=1")).json()["next"]
        of = ("articles", Filters(), "newest")
        place = cursors.decode(cursor, of, cursor_key(client))
        database = client.app.state.desk.database  # type: ignore[attr-defined]
        with database.transaction() as session:
            session.execute(text("UPDATE store SET secret = :other"), {"other": b"another"})
        answer = await client.get(f"/v1/articles?limit=1&cursor={cursor}")
        assert (answer.status_code, answer.json()["detail"]) == (
            422,
            "cursor: is not one that this archive gave",
        )
        own = cursors.encode(place, of, cursor_key(client))
        assert (await client.get(f"/v1/articles?limit=1&cursor={own}")).status_code == 200


WALKED = [
    "/v1/articles?limit=1",
    "/v1/search?q=Muscat&limit=1",
    "/v1/search?sort=newest&limit=1",
    "/v1/search.json?q=Muscat&limit=1",
    "/v1/entities?limit=1",
    f"/v1/entities/{BYRON}/articles?limit=1",
    f"/v1/entities/{BYRON}/related?limit=1",
]


async def test_a_walk_that_was_open_at_an_erasure_starts_again(serve: Serve) -> None:
    told = "Ada Byron met the Harbour Board in Muscat"
    async with serve([story(n, told) for n in range(4)], extractor="auto") as client:
        await settled(client)
        open_ = {url: await following(client, url) for url in WALKED}
        ids = [item["id"] for item in (await client.get("/v1/articles")).json()["items"]]

        assert (await client.delete(f"/v1/articles/{ids[0]}")).status_code == 204
        await settled(client)
        for following_page in open_.values():
            assert (await client.get(following_page)).status_code == 200

        key = eraser(client)
        erased = await client.delete(f"/v1/articles/{ids[1]}?erase=true", headers=key)
        assert erased.status_code == 204
        await settled(client)
        for url, following_page in open_.items():
            answer = await client.get(following_page)
            assert answer.status_code == 410, url
            problem = answer.json()
            assert problem["type"] == "urn:broadsheet:problem:cursor-expired"
            assert "start again" in problem["detail"]
            anew = await client.get(await following(client, url))
            assert anew.status_code == 200, url


async def test_the_change_feed_goes_on_and_tells_of_an_erasure(serve: Serve) -> None:
    async with serve([numbered(n) for n in range(3)]) as client:
        first = await client.get("/v1/changes?limit=1")
        id_ = first.json()["items"][0]["id"]
        await client.delete(f"/v1/articles/{id_}?erase=true", headers=eraser(client))
        items, answer = [], first
        while "next" in answer.links:
            answer = await client.get(answer.links["next"]["url"])
            assert answer.status_code == 200
            items += answer.json()["items"]
        assert (items[-1]["id"], items[-1]["kind"]) == (id_, "deleted")


def eraser(client: httpx.AsyncClient) -> dict[str, str]:
    with client.app.state.desk.database.transaction() as session:  # type: ignore[attr-defined]
        return {"Authorization": f"Bearer {keys.create(session, 'eraser', scope='erase')}"}


async def following(client: httpx.AsyncClient, url: str) -> str:
    """The address of the page after that of `url`."""
    answer = await client.get(url)
    assert answer.status_code == 200, answer.text
    page = answer.json()
    return str(page["next_url"] if "next_url" in page else answer.links["next"]["url"])
