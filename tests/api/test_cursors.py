from __future__ import annotations

import shutil
import string
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from sqlalchemy import text

from app import api
from app.api import cursors
from app.api.schemas import requests
from app.articles import read as articles
from app.entities import mentions
from app.errors import ParameterError
from app.filters import Filters
from app.search.engine import PageKey
from app.store import keys
from app.writes import NO_WRITE
from tests.api.conftest import executor_of, settled
from tests.entities.test_read import story
from tests.factories import draft, numbered
from tests.fake_extractor import FakePool

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from tests.api.conftest import Serve

pytestmark = pytest.mark.anyio

BYRON = mentions.entity_key("person", "Ada Byron").id


@pytest.fixture(autouse=True)
def _fake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "ExtractorPool", FakePool)


@pytest.mark.parametrize("us", [2**61, -(2**61), -62_135_596_800_000_001, 253_402_300_800_000_000])
async def test_a_cursor_of_a_day_that_no_calendar_has_is_refused(serve: Serve, us: int) -> None:
    of = ("articles", Filters(), "newest")
    async with serve() as client:
        key = cursor_key(client)
        other = replace(key, secret=b"another")
        forged = cursors.encode(PageKey((us,), UUID(int=1)), of, other)
        real = cursors.encode(PageKey((0,), UUID(int=1)), of, key)
        assert (await client.get(f"/v1/articles?cursor={real}")).status_code == 200
        assert (await client.get(f"/v1/articles?cursor={forged}")).status_code == 422


def cursor_key(client: httpx.AsyncClient, cursor: str | None = None) -> articles.CursorKey:
    with executor_of(client).database.reading() as session:
        return articles.cursor_key(session, cursors.write_of(cursor))


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
    cursor = cursors.encode(PageKey((us,), UUID(int=1)), "x", key)
    for last in set(string.ascii_letters + string.digits + "-_") - {cursor[-1]}:
        with pytest.raises(ParameterError):
            cursors.decode(cursor[:-1] + last, "x", key)


async def test_a_cursor_of_another_store_is_refused(serve: Serve) -> None:
    async with serve([numbered(n) for n in range(3)]) as client:
        cursor = (await client.get("/v1/articles?limit=1")).json()["next"]
        of = ("articles", Filters(), "newest")
        place = cursors.decode(cursor, of, cursor_key(client, cursor))
        database = executor_of(client).database
        with database.transaction() as session:
            session.execute(text("UPDATE store SET secret = :other"), {"other": b"another"})
        answer = await client.get(f"/v1/articles?limit=1&cursor={cursor}")
        assert (answer.status_code, answer.json()["detail"]) == (
            422,
            "cursor: is not one that this archive gave",
        )
        assert place is not None
        own = cursors.encode(place, of, cursor_key(client))
        assert (await client.get(f"/v1/articles?limit=1&cursor={own}")).status_code == 200


@pytest.mark.parametrize("text", [None, "", "x", "é", "A" * 40, "!" * 9])
def test_what_is_no_cursor_names_no_write(text: str | None) -> None:
    assert cursors.write_of(text) == NO_WRITE


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


async def test_a_walk_that_was_open_when_an_older_copy_was_put_back_starts_again(
    serve: Serve, tmp_path: Path
) -> None:
    told = "Ada Byron met the Harbour Board in Muscat"
    async with serve([story(n, told) for n in range(4)], extractor="auto") as client:
        await settled(client)
        database = executor_of(client).database
        file, copy = tmp_path / "data" / "broadsheet.db", tmp_path / "copy.db"
        assert database.truncate_log()
        shutil.copy(file, copy)
        await client.post("/v1/articles", json={"headline": "Lost", "body": "It is lost."})
        await settled(client)
        open_ = {url: await following(client, url) for url in WALKED}
        posted = (await client.post("/v1/search", json={"limit": 1})).json()["next"]
        changes = (await client.get("/v1/changes?limit=1")).json()
        followed = await client.get("/v1/search?q=Muscat")
        copy.rename(file)
        await client.post("/v1/articles", json={"headline": "Other", "body": "It is another."})
        await settled(client)
        open_["/v1/changes?limit=1"] = f"/v1/changes?limit=1&cursor={changes['next']}"
        for url, following_page in open_.items():
            answer = await client.get(following_page)
            assert answer.status_code == 410, url
            assert "start again" in answer.json()["detail"]
            if "changes" not in url:
                assert (await client.get(await following(client, url))).status_code == 200
        assert (
            await client.post("/v1/search", json={"limit": 1, "cursor": posted})
        ).status_code == 410
        since = {"since": changes["last"]}
        assert (await client.get("/v1/changes", params=since)).status_code == 200, (
            "unsafe: no token"
        )
        answer = await client.get("/v1/changes", params=since | {"token": changes["token"]})
        assert answer.json()["type"] == "urn:broadsheet:problem:history-lost"
        tag = {"If-None-Match": followed.headers["etag"]}
        assert (await client.get("/v1/search?q=Muscat", headers=tag)).status_code == 200


async def test_a_walk_that_counts_from_now_goes_on_after_midnight(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime(2020, 5, 9, 23, 59, 58, tzinfo=UTC)
    monkeypatch.setattr(requests, "_now", lambda: now)
    days = ("2020-05-08", "2020-05-09", "2020-05-07")
    drafts = [draft(f"Rain {n}", f"Rain on day {n}.", day=day) for n, day in enumerate(days)]
    async with serve(drafts) as client:
        for form in ("search", "search.json"):
            now = datetime(2020, 5, 9, 23, 59, 58, tzinfo=UTC)
            url = f"/v1/{form}?q=rain+published:-1d&limit=1"
            second = await following(client, url)
            now = datetime(2020, 5, 10, 0, 0, 1, tzinfo=UTC)
            assert len((await client.get(second)).json()["items"]) == 1
            assert (await client.get("/v1/search?q=published:-1d")).json()["total"] == 1


async def test_the_change_feed_goes_on_by_its_token(serve: Serve) -> None:
    async with serve([story(n, "It rained.") for n in range(3)]) as client:
        told = (await client.get("/v1/changes")).json()
        known = {"since": told["last"], "token": told["token"]}
        assert (await client.get("/v1/changes", params=known)).json()["items"] == []
        await client.post("/v1/articles", json={"headline": "New", "body": "It is new."})
        (item,) = (await client.get("/v1/changes", params=known)).json()["items"]
        assert item["article"]["headline"] == "New"
        beyond = await client.get("/v1/changes", params={"since": told["last"] + 9})
        assert (beyond.status_code, beyond.json()["type"]) == (
            410,
            "urn:broadsheet:problem:history-lost",
        )
        other = await client.get("/v1/changes", params=known | {"token": "0" * 16})
        assert other.status_code == 410
        odd = await client.get("/v1/changes", params=known | {"token": "x"})
        assert odd.status_code == 422


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
    with executor_of(client).database.transaction() as session:
        return {"Authorization": f"Bearer {keys.create(session, 'eraser', scope='erase')}"}


async def following(client: httpx.AsyncClient, url: str) -> str:
    """The address of the page after that of `url`."""
    answer = await client.get(url)
    assert answer.status_code == 200, answer.text
    page = answer.json()
    return str(page["next_url"] if "next_url" in page else answer.links["next"]["url"])
