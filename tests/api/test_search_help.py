"""Facets, histograms, highlights, help, feeds, exports and the change feed over HTTP."""

from __future__ import annotations

import asyncio
import csv
import html
import io
import json
import re
import threading
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import feedparser  # type: ignore[import-untyped]
import pytest

from app.api import exports
from app.api.deps import Executor
from app.search import deadline, query
from app.search.deadline import Deadline
from app.search.whoosh.engine import WhooshEngine
from app.services import search as search_service
from app.services import suggest as suggest_service
from tests import factories
from tests.api.conftest import executor_of, follow
from tests.api.test_articles import walk
from tests.factories import draft, numbered

if TYPE_CHECKING:
    import httpx

    from app.ingest.draft import Draft
    from tests.api.conftest import Serve

pytestmark = pytest.mark.anyio


def orchard() -> list[Draft]:
    return [
        draft(
            "Green apples & <pears>",
            "The apples were eaten.\n\nNobody counted the pears of Cairo.",
            summary=("Apples are up", "Nothing else"),
            places=("Cairo",),
            source="Nile Post",
            day="2024-01-15",
        ),
        draft("Apple harvest", "It was good.", places=("Abu Dhabi",), day="2024-03-02"),
        draft(
            "Reservoirs", "They are full of apples.", places=("Cairo", "Luxor"), day="2024-03-30"
        ),
        draft("Rain", "It rained.", source="Nile Post", day=None),
    ]


async def get(client: httpx.AsyncClient, url: str, **params: Any) -> Any:
    answer = await client.get(url, params=params or None)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_facets_and_histogram_count_the_whole_result(serve: Serve) -> None:
    async with serve(orchard()) as client:
        found = await get(
            client,
            "/v1/search",
            q="apples",
            limit=1,
            facets="place,source,language",
            histogram="month",
            normalize="true",
        )
        assert found["facets"] == {
            "place": [
                {"value": "cairo", "label": "Cairo", "count": 2},
                {"value": "abu dhabi", "label": "Abu Dhabi", "count": 1},
                {"value": "luxor", "label": "Luxor", "count": 1},
            ],
            "source": [{"value": "nile post", "label": "Nile Post", "count": 1}],
            "language": [{"value": "en", "label": "en", "count": 1}],  # detected
        }
        assert found["histogram"] == [
            {"start": "2024-01-01", "count": 1, "share": 1.0},
            {"start": "2024-02-01", "count": 0, "share": 0.0},
            {"start": "2024-03-01", "count": 2, "share": 1.0},
        ]
        few = await get(client, "/v1/search?q=apples&facets=place&facets=source&facet_limit=1")
        assert [len(few["facets"][name]) for name in ("place", "source")] == [1, 1]
        plain = await get(client, "/v1/search?q=apples")
        assert (plain["facets"], plain["histogram"]) == ({}, [])


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("facets=colour", "facets"),
        ("histogram=century", "histogram"),
        ("tz=Mars/Base", "tz"),
        ("facet_limit=0", "facet_limit"),
        ("match=some", "match"),
        ("boost=old", "boost"),
        ("collapse=all", "collapse"),
    ],
)
async def test_a_wrong_search_parameter_is_named(serve: Serve, query: str, name: str) -> None:
    async with serve() as client:
        answer = await client.get(f"/v1/search?{query}")
        assert answer.status_code == 422
        assert name in answer.json()["errors"][0]["loc"]
        field, _, value = query.partition("=")
        posted = await client.post("/v1/search", json={field: value})
        assert posted.status_code == 422


@pytest.mark.parametrize(
    "bounds",
    [
        "to=0001-01-03&tz=America/New_York",
        "from=0001&to=0001-01-03&tz=America/New_York",
        "from=9999-12-01&tz=Pacific/Kiritimati",
        "from=9000&to=9999&histogram=year&tz=Pacific/Kiritimati",
    ],
)
async def test_a_calendar_ends_in_every_zone(serve: Serve, bounds: str) -> None:
    edges = [
        numbered(1, published_at=datetime(1, 1, 1, 0, 1, tzinfo=UTC)),
        numbered(2, published_at=datetime(9999, 12, 31, 23, 59, tzinfo=UTC)),
    ]
    unit = "" if "histogram" in bounds else "histogram=day&"
    async with serve(edges) as client:
        found = await get(client, f"/v1/search?{unit}{bounds}")
        assert sum(bucket["count"] for bucket in found["histogram"]) == found["total"] > 0


async def test_highlights_mark_what_matched_and_can_be_cut_by_the_client(serve: Serve) -> None:
    async with serve(orchard()) as client:
        found = await get(client, "/v1/search", q="apples", highlight="true")
        hit = next(h for h in found["items"] if h["article"]["headline"].startswith("Green"))
        whole = await get(client, f"/v1/articles/{hit['article']['id']}")
        fields = [highlight["field"] for highlight in hit["highlights"]]
        assert fields == ["headline", "summary", "body"]
        for highlight in hit["highlights"]:
            text = whole[highlight["field"]]
            if highlight["index"] is not None:
                text = text[highlight["index"]]
            plain = html.unescape(re.sub("</?mark>", "", highlight["text"]))
            assert plain == text[highlight["start"] : highlight["end"]]
            assert "<mark>" in highlight["text"]
        assert hit["highlights"][0]["text"] == "Green <mark>apples</mark> &amp; &lt;pears&gt;"
        none = await get(client, "/v1/search", q="apples")
        assert all(item["highlights"] == [] for item in none["items"])


async def test_post_takes_the_same_fields(serve: Serve) -> None:
    async with serve(orchard()) as client:
        params = {"q": "apples", "facets": "place", "from": "2024-02", "limit": 1}
        by_address = await get(client, "/v1/search", **params)
        body = {"q": "apples", "facets": ["place"], "from": "2024-02", "limit": 1}
        answer = await client.post("/v1/search", json=body)
        by_body = answer.json()
        for each in (by_address, by_body):
            each.pop("took_ms")
        after = by_address.pop("next"), by_body.pop("next")
        assert by_address == by_body
        assert all(after), "cursors, which tell the second of the first page"
        page = await client.post("/v1/search", json={**body, "cursor": after[1]})
        assert page.json()["items"] != by_body["items"]
        unknown = await client.post("/v1/search", json={"query": "apples"})
        assert unknown.status_code == 422
        bad = await client.post("/v1/search", json={"q": "(apples"})
        assert (bad.status_code, bad.json()["position"]) == (400, 0)


@pytest.mark.parametrize(
    ("body", "status", "loc", "told"),
    [
        ('{"q": "(apples"}', 400, ["body", "q"], "never closed"),
        ('{"place": [""]}', 422, ["body", "place"], "place: is empty"),
        ('{"cursor": "x"}', 422, ["body", "cursor"], "cursor: is not one"),
        ('{"limit": 0}', 422, ["body", "limit"], "limit: "),
        ('[{"q": "apples"}]', 422, ["body"], "body: must be a JSON object"),
        ('"apples"', 422, ["body"], "body: must be a JSON object"),
        ("", 422, ["body"], "body: must be a JSON object"),
        ("[" * 100_000, 422, ["body"], "body: must be a JSON object"),
        (b"\xff", 422, ["body"], "body: must be a JSON object"),
        ('{"q": ', 422, ["body"], "body: is not JSON: Expecting value at position 6"),
    ],
)
async def test_an_error_of_a_posted_search_is_placed_in_the_body(
    serve: Serve, body: str | bytes, status: int, loc: list[str], told: str
) -> None:
    async with serve(orchard()) as client:
        headers = {"content-type": "application/json"}
        answer = await client.post("/v1/search", content=body, headers=headers)
    problem = answer.json()
    assert answer.status_code == problem["status"] == status
    assert [each["loc"] for each in problem["errors"]] == [loc]
    assert told in problem["detail"]


async def test_a_posted_search_without_its_content_type_is_told_so(serve: Serve) -> None:
    async with serve() as client:
        headers = {"content-type": "text/plain"}
        answer = await client.post("/v1/search", content='{"q": "apples"}', headers=headers)
        assert answer.status_code == 422
        assert "Content-Type: application/json" in answer.json()["detail"]
        stray = await client.post("/v1/search?q=apples", json={})
        assert stray.json()["errors"][0]["loc"] == ["query", "q"]


async def test_a_malformed_query_comes_with_a_corrected_one(serve: Serve) -> None:
    async with serve(orchard()) as client:
        answer = await client.get("/v1/search", params={"q": "(green apples"})
        body = answer.json()
        assert answer.status_code == 400
        assert body["expected"]
        again = await client.get("/v1/search", params={"q": body["corrected"]})
        assert again.json()["total"] == 1


async def test_a_misspelt_word_is_put_right(serve: Serve) -> None:
    async with serve([*orchard(), *(numbered(n) for n in range(30))]) as client:
        found = await get(client, "/v1/search", q="Appels -rian")
        assert found["suggestion"] == "apples -rian" or found["suggestion"] == "apples -rain"
        assert (await get(client, "/v1/search", q="apples"))["suggestion"] is None
        assert (await get(client, "/v1/search", q="xyzzyq"))["suggestion"] is None


def _news(count: int, headline: str, body: str) -> list[Draft]:
    return [draft(f"{headline} {n}", f"{body} {n}.", source="A") for n in range(count)]


NEWS = [
    *_news(120, "View", "In its view the government met the iron price of oil."),
    *_news(105, "Prize", "He won a Nobel prize and the prizes."),
    draft("Rules", "Then the goverment spoke."),
    draft("Office", "It said the governent fell."),
    draft("Travel", "A ship left Viet Nam and went north."),
    draft("Metal", "The ircn was sold, and more ircn was bought."),
    draft("Country", "She went to Iroh by bus."),
]


@pytest.mark.parametrize(
    ("q", "suggestion"),
    [
        ("goverment", "government"),  # found once
        ("govrenment", "government"),  # not found, and a misspelling is nearer
        ('"goverment"', '"government"'),
        ("viet", None),  # a name
        ("Viet Nam", None),
        ("view nam", None),
        ("ircn", None),  # twice in one article
        ("oil prixe", "oil price"),  # by its neighbour
        ("nobel prixe", "nobel prize"),
        ("iroh", None),
        ("xxgovernmentxx", None),
        ("travel -governmant", "travel -government"),
    ],
)
async def test_a_rare_word_is_put_right_where_it_is_a_misspelling(
    serve: Serve, q: str, suggestion: str | None
) -> None:
    async with serve(NEWS) as client:
        found = await get(client, "/v1/search", q=q)
        assert found["suggestion"] == suggestion
        if suggestion is not None and "-" not in suggestion:
            assert (await get(client, "/v1/search", q=suggestion))["total"] > 0


@pytest.mark.parametrize(
    "q", [" ".join(f"wrod{n}" for n in range(3000)), " ".join(f"wrod{n}~2" for n in range(900))]
)
async def test_a_long_query_looks_for_no_corrections_and_ends(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, q: str
) -> None:
    looked: list[object] = []
    real = WhooshEngine.fuzzy_terms

    def fuzzy_terms(self: WhooshEngine, *arguments: Any) -> Any:
        looked.append(arguments)
        return real(self, *arguments)

    monkeypatch.setattr(WhooshEngine, "fuzzy_terms", fuzzy_terms)
    async with serve(orchard()) as client:
        answer = await client.post("/v1/search", json={"q": q})
        assert answer.status_code == 200
        assert answer.json()["suggestion"] is None
    assert looked == []


async def test_what_helps_keeps_to_the_time_of_the_search(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serve(orchard()) as client:
        for module in (search_service, suggest_service):
            monkeypatch.setattr(module, "Deadline", lambda _: Deadline(-1.0))
        found = await get(client, "/v1/search", q="apples", highlight="true")
        assert found["total"] == 3
        assert not found["complete"]
        assert all(item["highlights"] == [] for item in found["items"])
        assert (await get(client, "/v1/search", q="aples"))["suggestion"] is None
        told = await get(client, "/v1/search/explain", q="apples pears")
        assert not told["complete"]
        assert told["clauses"] == []


async def test_suggest_completes_names_words_and_headlines(serve: Serve) -> None:
    async with serve(orchard()) as client:
        items = (await get(client, "/v1/search/suggest", q="ab"))["items"]
        assert {"text": "Abu Dhabi", "kind": "place", "count": 1, "id": None} in items
        items = (await get(client, "/v1/search/suggest", q="green ap"))["items"]
        kinds = {item["kind"]: item for item in items}
        assert kinds["headline"]["text"] == "Green apples & <pears>"
        assert kinds["headline"]["id"]
        assert kinds["word"]["text"] in ("green apple", "green apples")
        assert (await get(client, "/v1/search/suggest", q="--"))["items"] == []
        assert len((await get(client, "/v1/search/suggest", q="a", limit=2))["items"]) <= 2


@pytest.mark.parametrize(
    ("beginning", "words"),
    [
        ("proc", ["process", "procedure"]),
        ("processe", ["processed"]),
        ("the gov", ["the govern", "the governor", "the government"]),
        ("univ", ["universe", "university"]),
        ("carr", ["carry"]),
        ("agre", ["agree", "agreement"]),
        ("bus", ["bus", "buses"]),  # of two stems: each finds its own articles
    ],
)
async def test_suggest_lists_a_word_once_whatever_its_ending(
    serve: Serve, beginning: str, words: list[str]
) -> None:
    body = (
        "Process processes processed processing. The procedures, a procedure. Govern governs "
        "government governments governor. Universe university universities. Carry carries "
        "carrying carried. Agree agreed agreeing agreement agreements. Bus buses."
    )
    async with serve([draft("All of it", body)]) as client:
        items = (await get(client, "/v1/search/suggest", q=beginning))["items"]
    assert sorted(item["text"] for item in items) == sorted(words)
    assert {item["count"] for item in items} == {1}


@pytest.mark.parametrize(
    ("q", "total"),
    [
        ('byline:"Ann Lee"', 1),
        ("byline:lee", 1),
        ("byline:le*", 1),
        ('byline:"Lee Ann"', 0),
        ("url:https://www.example.org/news/1/", 1),
        ("url:example.org/news/1", 1),
        ('url:"http://example.org/news/1"', 1),
        ("url:example.org/news*", 1),
        ("url:*news*", 1),
        ("url:example.org", 0),
        ("-url:*", 1),
    ],
)
async def test_bylines_and_addresses_are_fields_of_queries(
    serve: Serve, q: str, total: int
) -> None:
    one = draft("One", "A text.", byline="By Ann Lee", url="https://example.org/news/1")
    async with serve([one, draft("Two", "Another text.")]) as client:
        assert (await get(client, "/v1/search", q=q))["total"] == total


BANKS = [
    *(draft(f"Rates {n}", f"The Bank of England cut rate {n}.", source="A") for n in range(3)),
    *(
        draft(f"Ends {n}", f"A bank said that {n} ends of energy met.", source="A")
        for n in range(5)
    ),
    draft("England loses", "The team of England lost."),
    draft("A bank of enamel", "Enamel in the bank of ends."),
]


@pytest.mark.parametrize(
    ("beginning", "first", "count"),
    [
        ("bank of en", "bank of england", 3),
        ("Bank of en", "Bank of england", 3),
        ("team of en", "team of england", 1),
        ('"bank of en', '"bank of england"', 3),
        ("headline:bank of en", "headline:bank of ends", 1),
        ("-team england lo", None, 0),
        ("england en", "england england", 4),
        ("bank ends of z", None, 0),
        ("(bank of en", "(bank of england", 0),
    ],
)
async def test_suggest_completes_a_word_by_those_before_it(
    serve: Serve, beginning: str, first: str | None, count: int
) -> None:
    async with serve(BANKS) as client:
        items = (await get(client, "/v1/search/suggest", q=beginning))["items"]
        words = [item for item in items if item["kind"] == "word"]
        if not count:
            assert words == []
            return
        assert (words[0]["text"], words[0]["count"]) == (first, count)
        for item in words:
            assert (await get(client, "/v1/search", q=item["text"]))["total"] == item["count"]


@pytest.mark.parametrize(
    ("beginning", "texts"),
    [
        ("東", ["東京", "東北"]),
        ("東京", ["東京都", "東京湾"]),
        ("大雪 東", ["大雪 東京都"]),
        ("ニュ", ["ニュース"]),
        ("京東", []),
    ],
)
async def test_suggest_goes_on_with_chinese_and_japanese(
    serve: Serve, beginning: str, texts: list[str]
) -> None:
    drafts = [
        *(draft(f"東京都は雪 {n}", f"大雪、東京都に警報が出た。{n}", language="ja") for n in "123"),
        draft("東京湾の船", "ニュース、東京湾で船が止まる。", language="ja"),
        draft("東北の春", "ニュース。", language="ja"),
    ]
    async with serve(drafts) as client:
        items = (await get(client, "/v1/search/suggest", q=beginning))["items"]
        words = {item["text"]: item["count"] for item in items if item["kind"] == "word"}
        assert set(texts) <= set(words)
        for written, count in words.items():
            assert (await get(client, "/v1/search", q=written))["total"] == count > 0


async def test_suggest_goes_on_to_other_words_where_one_has_many_forms(serve: Serve) -> None:
    body = "Process processes processed processing. Processor proctor procure proclaim."
    async with serve([draft("All of it", body)]) as client:
        items = (await get(client, "/v1/search/suggest", q="proc", limit=5))["items"]
    assert {item["text"] for item in items} == {
        *("process", "processor", "proctor", "procure", "proclaim"),
    }  # fmt: skip


async def test_explain_tells_what_each_clause_finds(serve: Serve) -> None:
    async with serve(orchard()) as client:
        told = await get(client, "/v1/search/explain", q="apples -pears place:cairo")
        assert told["total"] == 1
        assert [clause["total"] for clause in told["clauses"]] == [3, 3, 2]
        assert [clause["without"] for clause in told["clauses"]] == [1, 2, 2]
        assert told["tree"]["type"] == "and"
        assert told["complete"] is True
        everything = await get(client, "/v1/search/explain")
        assert (everything["tree"], everything["total"]) == (None, 4)


@pytest.fixture
def given_s(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that each search of the engine has been given."""
    given: list[float] = []
    real = WhooshEngine.search

    def search(self: WhooshEngine, request: Any) -> Any:
        given.append(request.timeout_s)
        return real(self, request)

    monkeypatch.setattr(WhooshEngine, "search", search)
    return given


async def test_an_explanation_takes_no_longer_than_a_search_may(
    serve: Serve, given_s: list[float]
) -> None:
    async with serve(orchard(), search_timeout_s=30) as client:
        q = " ".join(f"word{n}" for n in range(30))
        told = await get(client, "/v1/search/explain", q=q)
        assert (len(told["clauses"]), told["complete"]) == (20, True)
        assert len(given_s) == 41
        assert given_s == sorted(given_s, reverse=True)
        assert given_s[-1] < given_s[0] <= 30
    async with serve(search_timeout_s=1e-9) as client:
        told = await get(client, "/v1/search/explain", q="apples pears")
        assert (told["clauses"], told["complete"]) == ([], False)
        assert len(told["tree"]["clauses"]) == 2


async def test_waiting_for_other_searches_takes_of_the_time_of_a_search(
    serve: Serve, given_s: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = WhooshEngine._search
    now_s = 0.0
    real_ask = Executor.search
    asking = asyncio.Barrier(3)  # what else a request does in the pool comes before

    async def ask(*args: Any, **more: Any) -> Any:
        await asking.wait()
        return await real_ask(*args, **more)

    def slow(self: WhooshEngine, request: Any) -> Any:
        nonlocal now_s
        now_s += 0.7
        return real(self, request)

    monkeypatch.setattr(deadline, "time", SimpleNamespace(monotonic=lambda: now_s))
    monkeypatch.setattr(Executor, "search", ask)
    monkeypatch.setattr(WhooshEngine, "_search", slow)
    async with serve(orchard(), search_timeout_s=1, threads=1) as client:
        asked = [client.get("/v1/search", params={"q": q}) for q in ("apples", "pears", "plums")]
        assert [answer.status_code for answer in await asyncio.gather(*asked)] == [200] * 3
    assert given_s[:3] == pytest.approx([0.9, 0.27, 0.09])


async def test_reading_a_query_takes_of_its_time_and_a_long_one_is_read_in_the_pool(
    serve: Serve, given_s: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    read_in: list[str] = []
    real = query.parse

    def parse(*args: Any, **kwargs: Any) -> Any:
        read_in.append(threading.current_thread().name)
        return real(*args, **kwargs)

    monkeypatch.setattr(query, "parse", parse)
    async with serve(orchard(), search_timeout_s=20) as client:
        for words in (2, 1000):
            for path in ("/v1/search", "/v1/search/explain", "/v1/search.csv", "/v1/search.atom"):
                told = await client.get(path, params={"q": "apples " * words})
                assert told.status_code == 200
                assert read_in.pop().startswith("executor") == (words > 2), path
                assert not read_in
    assert all(given < 20 or given == exports.EXPORT_TIMEOUT_S for given in given_s)


STORY = (
    "The ministry of water said on Monday that the reservoirs of the north were full after a "
    "week of rain and that farmers would be given more of it than in the last ten years."
)


async def test_similar_articles_and_near_duplicates(serve: Serve) -> None:
    drafts = [
        draft("Water for farmers", STORY),
        draft("Farmers get water", STORY + " He added nothing."),
        draft("Reservoirs of the south", "The ministry said reservoirs there are empty of water."),
        *(numbered(n) for n in range(5)),
    ]
    async with serve(drafts) as client:
        items = (await get(client, "/v1/articles"))["items"]
        ids = {item["headline"]: item["id"] for item in items}
        found = await get(client, f"/v1/articles/{ids['Water for farmers']}/similar")
        headlines = [item["article"]["headline"] for item in found["items"]]
        assert headlines[:2] == ["Farmers get water", "Reservoirs of the south"]
        assert [item["duplicate"] for item in found["items"][:2]] == [True, False]
        assert found["items"][0]["similarity"] > 0.8
        collapsed = await get(client, "/v1/search", q="ministry water", collapse="duplicates")
        assert collapsed["total"] == 2
        (group,) = [item["duplicates"] for item in collapsed["items"] if item["duplicates"]]
        assert len(group) == 1
        missing = await client.get(f"/v1/articles/{'0' * 32}/similar")
        assert missing.status_code == 404


# --- feeds and exports


async def test_a_search_is_an_atom_feed(serve: Serve) -> None:
    async with serve(orchard()) as client:
        answer = await client.get("/v1/search.atom?q=apples&limit=2")
        assert answer.headers["content-type"] == "application/atom+xml; charset=utf-8"
        first = feedparser.parse(answer.content)
        assert not first.bozo
        assert len(first.entries) == 2
        links = {link.rel: link.href for link in first.feed.links}
        rest = feedparser.parse((await client.get(links["next"])).content)
        assert len(rest.entries) == 1
        assert rest.feed.id == first.feed.id
        ids = {entry.id for entry in [*first.entries, *rest.entries]}
        assert len(ids) == 3


async def test_a_search_is_a_json_feed(serve: Serve) -> None:
    async with serve(orchard()) as client:
        feed = await get(client, "/v1/search.json", q="apples", limit=2)
        assert feed["version"] == "https://jsonfeed.org/version/1.1"
        assert len(feed["items"]) == 2
        following = (await client.get(feed["next_url"])).json()
        assert len(following["items"]) == 1


async def test_exports_are_complete_and_in_the_search_s_order(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.api.exports.BATCH", 4)
    monkeypatch.setattr("app.api.exports.FIRST", 4)
    drafts = [numbered(n, day=f"2024-03-{n + 1:02}") for n in range(15)]
    async with serve(drafts) as client:
        for sort in ("relevance", "newest", "oldest"):
            items = await walk(client, f"/v1/search?q=apples&sort={sort}")
            ids = [item["article"]["id"] for item in items]
            answer = await client.get(f"/v1/search.csv?q=apples&sort={sort}&limit=2")
            rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
            assert [row["id"] for row in rows] == ids
            answer = await client.get(f"/v1/search.jsonl?q=apples&sort={sort}")
            lines = [json.loads(line) for line in answer.text.splitlines()]
            assert [line["id"] for line in lines] == ids
            assert lines[0]["body"].startswith("Paragraph number")
        assert "attachment" in answer.headers["content-disposition"]
        empty = await client.get("/v1/search.csv?q=nothingness")
        assert len(empty.text.splitlines()) == 1
        assert (await client.get("/v1/search.csv?q=%22")).status_code == 400


# --- entity tags


async def test_a_client_that_has_the_newest_answer_is_told_so_without_a_search(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serve(orchard()) as client:
        for url in ("/v1/search?q=apples", "/v1/search.atom?q=apples", "/v1/search.csv?q=apples"):
            first = await client.get(url)
            tag = first.headers["etag"]
            strong = tag.removeprefix("W/")
            with monkeypatch.context() as patched:
                executor = executor_of(client)
                patched.setattr(type(executor.engine), "search", None)
                for known in (tag, strong, f'"other", {tag}', "*"):
                    again = await client.get(url, headers={"if-none-match": known})
                    assert (again.status_code, again.content) == (304, b"")
                    assert again.headers["etag"] == tag
            other = await client.get(url, headers={"if-none-match": '"other"'})
            assert other.status_code == 200
        before = (await client.get("/v1/search?q=apples")).headers["etag"]
        factories.save(executor_of(client).database, [numbered(1)])
        await follow(client)
        assert (await client.get("/v1/search?q=apples")).headers["etag"] != before
        assert (await client.get("/v1/search?q=pears")).headers["etag"] != before


# --- the change feed


async def test_changes_come_without_gaps(serve: Serve) -> None:
    async with serve([numbered(n) for n in range(5)]) as client:
        executor = executor_of(client)
        first = await walk(client, "/v1/changes?limit=2")
        assert [(event["change"], event["kind"]) for event in first] == [(1, "added")] * 5
        last = (await get(client, "/v1/changes"))["last"]
        assert last == 1
        factories.save(executor.database, [numbered(9)])
        factories.save(executor.database, [numbered(0, byline="Ada", reader_version=2)])
        gone = first[3]["id"]
        assert (await client.delete(f"/v1/articles/{gone}")).status_code == 204
        events = await walk(client, f"/v1/changes?since={last}&limit=1")
        assert [event["kind"] for event in events] == ["added", "updated", "deleted"]
        assert [event["change"] for event in events] == [2, 3, 4]
        assert events[2] == {"change": 4, "id": gone, "kind": "deleted", "article": None}
        assert events[1]["article"]["byline"] == "Ada"
        everything = await walk(client, "/v1/changes")
        assert sorted(event["kind"] for event in everything) == ["added"] * 5 + ["deleted"]
        (empty := await get(client, "/v1/changes?since=4")).pop("token")
        assert empty == {"items": [], "total": 0, "next": None, "last": 4}
        for wrong in ("-1", str(2**63), "9" * 40):
            assert (await client.get(f"/v1/changes?since={wrong}")).status_code == 422
        assert (await client.get(f"/v1/changes?since={2**63 - 1}")).status_code == 410


async def test_an_export_of_long_articles_holds_few_at_once(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.api.exports.FIRST", 2)
    monkeypatch.setattr("app.api.exports.BATCH_CHARS", 1_000)
    limits: list[int] = []
    real = exports._batch

    def recorded(session: Any, engine: Any, wish: Any) -> Any:
        limits.append(wish.limit)
        return real(session, engine, wish)

    monkeypatch.setattr(exports, "_batch", recorded)
    short = [draft(f"Short {n}", f"Rain fell {n} times.", day="2024-03-01") for n in range(20)]
    long = [draft(f"Long {n}", f"{n} " + "rain " * 100, day="2023-01-01") for n in range(6)]
    async with serve([*short, *long]) as client:
        found = (await client.get("/v1/search.jsonl?sort=newest")).text.splitlines()
        assert len(found) == 26
        assert limits[:4] == [2, 4, 8, 16]  # doubled while articles are short
        assert set(limits[4:]) <= {1, 2}
