"""The default search finds: all words, or where no article holds them, any of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.factories import draft

if TYPE_CHECKING:
    from tests.api.conftest import Serve

pytestmark = pytest.mark.anyio

DRAFTS = [
    draft("Oil price falls", "Markets closed.", day="2024-01-01"),
    draft("Oil price of the week", "Traders wait.", day="2024-01-02"),
    draft("Wheat harvest", "Farmers sold nothing, to be sure.", day="2024-01-03"),
]


async def test_words_are_let_go_where_no_article_holds_them_all(serve: Serve) -> None:
    async with serve(DRAFTS) as client:

        async def found(q: str, path: str = "/v1/search", **more: str) -> dict[str, Any]:
            answer = await client.get(path, params={"q": q, **more})
            assert answer.status_code == 200, answer.text
            body: dict[str, Any] = answer.json()
            return body

        async def result(q: str, **more: str) -> tuple[int, bool]:
            body = await found(q, **more)
            return body["total"], body["relaxed"]

        assert await result("oil price") == (2, False)
        assert await result("What is the price of oil?") == (2, False)
        assert await result("oil price tanker") == (2, True)
        assert await result("oil wheat") == (3, True)
        assert await result("oil wheat", match="all") == (0, False)
        assert await result("oil wheat", sort="newest") == (0, False)
        assert (await found("oil wheat", "/v1/search.json"))["items"] == []
        assert await result('oil wheat "price"') == (2, True)
        assert await result("oil wheat -falls") == (2, True)
        assert await result("oil wheat", to="2024-01-01") == (1, True)
        assert await result('oil "tanker"') == (0, False)
        assert await result("to be") == (1, False)
        assert await result("of to") == (0, False)


async def test_a_relaxed_list_is_walked_to_its_end(serve: Serve) -> None:
    async with serve(DRAFTS) as client:
        url: str | None = "/v1/search?q=oil+wheat+price&limit=1"
        seen: list[str] = []
        while url is not None:
            body = (await client.get(url)).json()
            assert body["relaxed"] is True
            assert body["total"] == 3
            seen += [item["article"]["id"] for item in body["items"]]
            cursor = body["next"]
            url = cursor and f"/v1/search?q=oil+wheat+price&limit=1&cursor={cursor}"
        assert len(seen) == len(set(seen)) == 3


CHANCE = [
    draft(
        "A long year",
        "Polish farmers grew wheat. "
        + "It was wet. " * 60
        + "Unions met in spring. "
        + "It was dry. " * 60
        + "Nobody would warn against the price, and hikes in the hills were cancelled.",
        day="2024-01-01",
    ),
    draft("Unions in Warsaw", "Polish unions warned against a rise in prices.", day="2024-01-02"),
    *(draft(f"Report {n}", f"Nothing happened in town {n}.", day="2024-01-03") for n in range(20)),
]


async def test_few_articles_with_all_words_do_not_hide_better_ones(serve: Serve) -> None:
    async with serve(CHANCE) as client:

        async def found(q: str, **more: str) -> tuple[list[str], int, bool]:
            body = (await client.get("/v1/search", params={"q": q, **more})).json()
            titles = [item["article"]["headline"] for item in body["items"]]
            return titles, body["total"], body["relaxed"]

        q = "Polish unions warn against price hikes"
        both = ["Unions in Warsaw", "A long year"]
        assert await found(q) == (both, 2, True)
        assert await found(q, limit="1") == (both[:1], 2, True)
        assert await found(q, facets="source", collapse="duplicates") == (both, 2, True)
        assert await found(q, match="all") == (["A long year"], 1, False)
        assert await found(q, sort="newest") == (["A long year"], 1, False)
        assert await found("price hikes hills") == (["A long year"], 1, False)
        assert await found("farmers grew wheat hills") == (["A long year"], 1, False)


async def test_a_quoted_word_is_found_as_it_is_written(serve: Serve) -> None:
    async with serve([draft("Airport authority", "It authorised a sale.")]) as client:
        for q, total in {'"author"': 0, "author": 1, '"AUTHORITY"': 1}.items():
            assert (await client.get("/v1/search", params={"q": q})).json()["total"] == total


async def test_a_language_is_detected_where_none_was_given(serve: Serve) -> None:
    text = "Die Regierung hat am Montag neue Maßnahmen gegen die Teuerung beschlossen."
    async with serve([draft("Beschluss in Berlin", text)]) as client:
        (item,) = (await client.get("/v1/search", params={"q": "Maßnahme"})).json()["items"]
        assert item["article"]["language"] == "de"
        assert item["article"]["language_detected"] is True
        version = (await client.get(f"/v1/articles/{item['article']['id']}/versions/1")).json()
        assert version["language"] is None
