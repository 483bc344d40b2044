from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from app.articles import removal
from app.search.engine import SCHEMA_VERSION
from tests import factories
from tests.api.conftest import executor_of, follow, until
from tests.api.test_articles import walk
from tests.factories import draft, numbered

if TYPE_CHECKING:
    from pathlib import Path

    from tests.api.conftest import Serve

pytestmark = pytest.mark.anyio


async def test_words_and_phrases(serve: Serve) -> None:
    drafts = [
        draft("Green apples", "They are eaten here.", day="2024-01-01"),
        draft("Apples", "Grass is green.", day="2024-01-02"),
        draft("Pears", "Apples are not.", day="2024-01-03"),
    ]
    async with serve(drafts) as client:

        async def headlines(q: str, **more: str) -> list[str]:
            answer = await client.get("/v1/search", params={"q": q, **more})
            assert answer.status_code == 200
            body = answer.json()
            assert body["total"] == len(body["items"])
            assert body["complete"] is True
            scores = [item["score"] for item in body["items"]]
            if not more:
                assert scores == sorted(scores, reverse=True)
            return [item["article"]["headline"] for item in body["items"]]

        assert await headlines("apple green") == ["Green apples", "Apples"]
        assert await headlines('"green apples"') == ["Green apples"]
        assert await headlines("APPLES", sort="newest") == ["Pears", "Apples", "Green apples"]
        assert await headlines("apples", sort="oldest") == ["Green apples", "Apples", "Pears"]
        assert await headlines("") == ["Pears", "Apples", "Green apples"]
        assert await headlines("unheard") == []


async def test_filters_of_a_search(serve: Serve) -> None:
    drafts = [
        draft("Apples one", places=("Cairo",), source="Nile Post", day="2020-05-09"),
        draft("Apples two", places=("Dubai",), day="2021-05-09"),
        draft("Apples three", day=None),
    ]
    async with serve(drafts) as client:
        for query, total in {
            "q=apples": 3,
            "q=apples&place=cairo": 1,
            "q=apples&place=cairo&place=dubai": 2,
            "q=apples&source=nile+post": 1,
            "q=apples&from=2021": 1,
            "q=apples&to=2020-05-09": 1,
            "place=cairo": 1,
        }.items():
            found = (await client.get(f"/v1/search?{query}")).json()
            assert (query, found["total"]) == (query, total)


@pytest.mark.parametrize("sort", ["relevance", "newest", "oldest"])
async def test_pages_of_a_search_hold_every_hit_once(serve: Serve, sort: str) -> None:
    drafts = [numbered(n, day=f"2024-03-{n % 5 + 1:02}" if n % 7 else None) for n in range(23)]
    async with serve(drafts) as client:
        items = await walk(client, f"/v1/search?q=apples&limit=4&sort={sort}")
        assert len({item["article"]["id"] for item in items}) == 23


@pytest.mark.parametrize("sort", ["relevance", "newest", "oldest"])
async def test_pages_of_a_search_are_stable_while_articles_are_added(
    serve: Serve, sort: str
) -> None:
    async with serve([numbered(n, day=f"2024-03-{n + 1:02}") for n in range(12)]) as client:
        executor = executor_of(client)
        url = f"/v1/search?q=apples+pears&limit=2&sort={sort}"
        seen: list[str] = []
        for added in range(50, 100):
            answer = await client.get(url)
            seen += [item["article"]["headline"] for item in answer.json()["items"]]
            if "next" not in answer.links:
                break
            url = answer.links["next"]["url"]
            more = draft(f"Apples {added}", "Apples and pears " * 9, day="2024-03-06")
            factories.save(executor.database, [more])
            await follow(client)
        assert len(seen) == len(set(seen))
        assert {numbered(n).headline for n in range(12)} <= set(seen)


@pytest.mark.parametrize(("q", "position"), [('"open', 0), ('a "b', 2), ("?!", 0)])
async def test_a_malformed_query_is_400_with_its_position(
    serve: Serve, q: str, position: int
) -> None:
    async with serve() as client:
        answer = await client.get("/v1/search", params={"q": q})
    assert answer.status_code == 400
    body = answer.json()
    assert body["type"] == "urn:broadsheet:problem:malformed-query"
    assert body["position"] == position
    assert body["hint"] or body["expected"] or body["corrected"]
    assert body["errors"][0]["loc"] == ["query", "q"]


@pytest.mark.parametrize(
    "q",
    [
        "\x00",
        "a\x00b",
        "*",
        "~",
        "a* b* c*",
        "(" * 5000,
        "x " * 4999,
        "'" * 999,
        "\\",
        "%",
        "AND",
        "💥" * 99,
        "\u202eabc",
        "a:b",
        "[1 TO 2]",
        "^",
        "-",
        "' OR 1=1 --",
        "<script>",
    ],
)
async def test_nothing_a_user_types_is_our_fault(serve: Serve, q: str) -> None:
    async with serve([draft()]) as client:
        answer = await client.get("/v1/search", params={"q": q})
        assert answer.status_code in ((422,) if "\0" in q else (200, 400))


async def test_lone_surrogates_and_bad_escapes_are_not_our_fault(serve: Serve) -> None:
    async with serve([draft()]) as client:
        for raw in ("%ED%A0%80", "%FF%FE", "%", "%zz", "a%00b"):
            for url in (
                f"/v1/search?q={raw}",
                f"/v1/articles?place={raw}",
                f"/v1/search?q=a&cursor={raw}",
            ):
                assert (await client.get(url)).status_code < 500


async def test_as_of_tells_what_is_searchable(serve: Serve) -> None:
    async with serve([draft("One", "Apples.")]) as client:
        executor = executor_of(client)
        assert (await client.get("/v1/search?q=apples")).json()["as_of"] == {"change": 1, "lag": 0}
        factories.save(executor.database, [draft("Two", "Apples.")])
        found = (await client.get("/v1/search?q=apples")).json()
        assert (found["as_of"], found["total"]) == ({"change": 1, "lag": 1}, 1)
        await follow(client)
        found = (await client.get("/v1/search?q=apples")).json()
        assert (found["as_of"], found["total"]) == ({"change": 2, "lag": 0}, 2)


async def test_an_article_that_was_removed_since_is_not_shown(serve: Serve) -> None:
    async with serve([draft("One", "Apples."), draft("Two", "Apples.")]) as client:
        executor = executor_of(client)
        found = (await client.get("/v1/search?q=apples")).json()
        with executor.database.transaction() as session:
            removal.remove(session, UUID(found["items"][0]["article"]["id"]))
        after = (await client.get("/v1/search?q=apples")).json()
        assert after["items"] == found["items"][1:]


async def test_a_search_out_of_time_answers_what_it_has(serve: Serve) -> None:
    async with serve([draft()], search_timeout_s=1e-9) as client:
        found = (await client.get("/v1/search?q=rain")).json()
    assert found["complete"] is False
    assert found["total"] == 0


async def test_damage_that_keeps_the_sizes_of_files_is_mended_once_a_search_meets_it(
    serve: Serve, tmp_path: Path
) -> None:
    async with serve([numbered(n) for n in range(20)]) as client:
        executor = executor_of(client)
        executor.engine.close()
        for path in (tmp_path / "data" / "index").rglob("MAIN_*.trm"):
            path.write_bytes(bytes(path.stat().st_size))
        answer = await client.get("/v1/search?q=apples")
        assert answer.status_code == 503
        assert answer.json()["detail"] == "the search index is damaged and is being built anew"
        assert (await client.get("/readyz")).status_code == 503
        executor.wake.set()
        await until(client, "/readyz", lambda answer: answer.status_code == 200)
        assert (await client.get("/v1/search?q=apples")).json()["total"] == 20


async def test_an_index_of_the_version_before_is_built_anew_at_the_start(
    serve: Serve, tmp_path: Path
) -> None:
    folder = tmp_path / "data" / "index"
    async with serve([numbered(n) for n in range(20)]):
        pass
    older = json.loads((folder / "whoosh.json").read_bytes())
    (list_,) = folder.glob("whoosh-*/*.toc")
    data = list_.read_bytes().replace(b"app.search.whoosh.schema", b"app.search.whoosh_format")
    assert b"app.search.whoosh_format" in data
    list_.write_bytes(data)  # its pickles name a module that is no more
    older |= {"schema_version": SCHEMA_VERSION - 1}
    older["checksums"][list_.name] = zlib.crc32(data)
    del older["checksum"]
    (folder / "whoosh.json").write_text(json.dumps(older))
    async with serve() as client:
        await until(client, "/readyz", lambda answer: answer.status_code == 200)
        assert (await client.get("/v1/search?q=apples")).json()["total"] == 20
    stamp = json.loads((folder / "whoosh.json").read_bytes())
    assert stamp["schema_version"] == SCHEMA_VERSION
    assert stamp["directory"] != older["directory"]


async def test_articles_are_served_while_the_index_is_damaged_and_it_comes_back(
    serve: Serve, tmp_path: Path
) -> None:
    async with serve([numbered(n) for n in range(20)]) as client:
        for _ in range(3):  # a sweep that was under way may mend it at once
            for path in (tmp_path / "data" / "index").rglob("MAIN_*"):
                if path.is_file():
                    path.write_bytes(path.read_bytes()[:3])
            answer = await client.get("/v1/search?q=apples")
            assert answer.status_code in (200, 503), "an open file may still be whole"
            ready = await client.get("/readyz")
            if ready.status_code == 503:
                break
        assert ready.status_code == 503
        assert ready.json()["type"] == "urn:broadsheet:problem:index-unavailable"
        assert int(ready.headers["retry-after"]) > 0
        assert str(tmp_path) not in ready.text, "paths of the server are not for clients"
        state = (await client.get("/v1/status")).json()["index"]
        assert state["state"] == "damaged"
        assert (await client.get("/v1/articles")).json()["total"] == 20
        executor_of(client).wake.set()
        await until(client, "/readyz", lambda answer: answer.status_code == 200)
        assert (await client.get("/v1/search?q=apples")).json()["total"] == 20
        assert list((tmp_path / "data" / "index").glob("damaged-whoosh-*"))


async def test_very_many_unknown_members_of_a_body_are_not_told_one_by_one(serve: Serve) -> None:
    async with serve() as client:
        asked = {"q": "apples", **{f"no{n}": n for n in range(10_000)}}
        refused = await client.post("/v1/search", json=asked)
        assert refused.status_code == 422
        assert 1 <= len(refused.json()["errors"]) < 100
