"""What lists and searches share: dates in a zone, facets, fields, ids, addresses."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, get_args
from uuid import UUID

import pytest

from app.api import exports
from app.api.schemas import responses
from app.api.schemas.requests import ArticleField
from tests.api.conftest import follow, settled
from tests.factories import draft

if TYPE_CHECKING:
    import httpx

    from tests.api.conftest import Serve

pytestmark = pytest.mark.anyio


async def items(client: httpx.AsyncClient, path: str, **params: Any) -> list[dict[str, Any]]:
    answer = await client.get(path, params=params)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return [each.get("article", each) for each in found]


def at(instant: str, precision: str = "second") -> dict[str, Any]:
    return {
        "day": None,
        "published_at": datetime.fromisoformat(instant).astimezone(UTC),
        "published_precision": precision,
    }


async def test_lists_and_searches_agree_on_the_days_of_a_zone(serve: Serve) -> None:
    drafts = [
        draft("Late", **at("2024-03-31T23:30:00Z")),
        draft("Midnight", **at("2024-04-01T00:00:00Z")),
        draft("Day alone", day="2024-04-01"),
        draft("Evening", **at("2024-04-01T20:00:00Z")),
    ]
    async with serve(drafts) as client:
        for zone, expected in {
            "UTC": {"Midnight", "Day alone", "Evening"},
            "Asia/Karachi": {"Late", "Midnight", "Day alone"},
            "America/New_York": {"Day alone", "Evening"},
        }.items():
            day = {"from": "20240401", "to": "20240401", "tz": zone}
            listed = await items(client, "/v1/articles", **day)
            assert {each["headline"] for each in listed} == expected
            searched = await items(client, "/v1/search", **day)
            assert {each["headline"] for each in searched} == expected
            queried = await items(client, "/v1/search", q="published:2024-04-01", tz=zone)
            assert {each["headline"] for each in queried} == expected
            answer = await client.get("/v1/search", params={**day, "histogram": "day"})
            assert [each["count"] for each in answer.json()["histogram"]] == [len(expected)]


async def test_a_histogram_by_hour(serve: Serve) -> None:
    drafts = [
        draft("One", **at("2024-03-31T18:59:30Z")),
        draft("Two", **at("2024-03-31T20:00:00Z")),
    ]
    async with serve(drafts) as client:
        params = {"histogram": "hour", "tz": "Asia/Kolkata", "normalize": "true"}
        answer = await client.get("/v1/search", params=params)
        assert answer.json()["histogram"] == [
            {"start": "2024-04-01T00:00:00+05:30", "count": 1, "share": 1.0},
            {"start": "2024-04-01T01:00:00+05:30", "count": 1, "share": 1.0},
        ]


@pytest.mark.parametrize("query", ["from=2024&from=2025", "tz=UTC&tz=UTC", "limit=1&limit=2"])
async def test_a_parameter_of_one_value_comes_once(serve: Serve, query: str) -> None:
    async with serve() as client:
        answer = await client.get(f"/v1/search?{query}")
        assert answer.status_code == 422
        assert "is given twice" in answer.json()["detail"]


async def test_a_language_is_found_by_its_tag(serve: Serve) -> None:
    async with serve([draft("Tagged", language="en"), draft("Andere", language="de")]) as client:
        for path in ("/v1/articles", "/v1/search"):
            found = await items(client, path, language="en-GB")
            assert [each["headline"] for each in found] == ["Tagged"]


async def test_feeds_are_newest_first_unless_asked_otherwise(serve: Serve) -> None:
    drafts = [
        draft("Apples apples", "Apples.", day="2024-01-01"),
        draft("Pears", "A long text that tells of pears and of apples too.", day="2024-06-01"),
    ]
    async with serve(drafts) as client:

        async def titles(**params: str) -> list[str]:
            answer = await client.get("/v1/search.json", params={"q": "apples", **params})
            return [item["title"] for item in answer.json()["items"]]

        assert await titles() == ["Pears", "Apples apples"]
        assert await titles(sort="relevance") == ["Apples apples", "Pears"]


NAMED = {"source": "Valley News", "byline": "By Jane Doe and Omar Ali, Valley News"}


async def post(client: httpx.AsyncClient, *articles: dict[str, Any]) -> None:
    answer = await client.post("/v1/articles", json=list(articles))
    assert (answer.status_code, answer.json()["rejected"]) == (200, 0), answer.text
    await follow(client)


async def test_what_a_sender_tells_of_an_article_is_served(serve: Serve) -> None:
    told = {
        "authors": ["Jane Doe", "JANE DOE", "Omar Ali"],
        "keywords": ["Floods", "floods", "dams"],
        "urgency": 3,
        "subjects": [{"scheme": "medtop", "code": "20000148", "name": "flood"}, {}],
        "usage_terms": "Not for sale.",
    }
    kept = told | {
        "authors": ["Jane Doe", "Omar Ali"],
        "keywords": ["Floods", "dams", "flood"],
        "subjects": told["subjects"][:1],  # type: ignore[index]
    }
    async with serve() as client:
        await post(client, {"headline": "Rain", "body": "It rained."} | told)
        (summary,) = await items(client, "/v1/articles")
        assert {name: summary[name] for name in kept} == kept
        whole = (await client.get(f"/v1/articles/{summary['id']}")).json()
        assert {name: whole[name] for name in kept} == kept
        version = (await client.get(f"/v1/articles/{summary['id']}/versions/1")).json()
        assert {name: version[name] for name in kept} == kept
        assert (await client.put(f"/v1/articles/{summary['id']}", json=whole)).status_code == 200
        again = (await client.get(f"/v1/articles/{summary['id']}")).json()
        assert {name: again[name] for name in kept} == kept


@pytest.mark.parametrize(("field", "value"), [("urgency", 0), ("urgency", 10), ("urgency", True)])
async def test_what_is_no_such_field_is_left_out_with_a_warning(
    serve: Serve, field: str, value: object
) -> None:
    async with serve() as client:
        answer = await client.post("/v1/articles", json={"headline": "Rain", field: value})
        assert answer.status_code == 200
        article = (await client.get(f"/v1/articles/{answer.json()['items'][0]['id']}")).json()
        assert not article[field]
        assert any(field in warning for warning in article["warnings"])


@pytest.mark.parametrize(
    ("field", "value", "taken"),
    [
        ("subjects", ["flood"], [{"scheme": None, "code": None, "name": "flood"}]),
        ("subjects", {"name": "flood"}, [{"scheme": None, "code": None, "name": "flood"}]),
        ("keywords", "floods", ["floods"]),
        ("usage_terms", 3, "3"),
    ],
)
async def test_a_field_in_another_shape_is_taken(
    serve: Serve, field: str, value: object, taken: object
) -> None:
    async with serve() as client:
        (summary,) = (
            await client.post("/v1/articles", json={"headline": "Rain", field: value})
        ).json()["items"]
        article = (await client.get(f"/v1/articles/{summary['id']}")).json()
        assert article[field] == taken


async def test_authors_keywords_and_domains_are_filters_and_facets(serve: Serve) -> None:
    rain = {"headline": "Rain", "url": "https://www.example.org/rain", "keywords": ["Floods"]}
    snow = {"headline": "Snow", "url": "https://News.Example.org/snow", "authors": ["Omar Ali"]}
    async with serve() as client:
        await post(client, rain | NAMED, snow, {"headline": "Hail"})
        for query, expected in {
            "author=jane+doe": ["Rain"],
            "author=OMAR+ALI": ["Rain", "Snow"],
            "author=Omar+Ali&author=-Jane+Doe": ["Snow"],
            "author=-Jane+Doe": ["Hail", "Snow"],
            "author=Valley+News": [],
            "keyword=floods": ["Rain"],
            "keyword=-floods": ["Hail", "Snow"],
            "domain=example.org": ["Rain"],
            "domain=WWW.example.org": ["Rain"],
            "domain=news.example.org&domain=example.org": ["Rain", "Snow"],
            "domain=-example.org": ["Hail", "Snow"],
        }.items():
            for path in ("/v1/articles", "/v1/search"):
                answer = await client.get(f"{path}?{query}")
                found = [each.get("article", each) for each in answer.json()["items"]]
                assert sorted(each["headline"] for each in found) == expected, (path, query)
        params = {"facets": "author,keyword,domain", "author": "Jane Doe"}
        facets = (await client.get("/v1/search", params=params)).json()["facets"]
        assert facets == {
            "author": [
                {"value": "omar ali", "label": "Omar Ali", "count": 2},
                {"value": "jane doe", "label": "Jane Doe", "count": 1},
            ],
            "keyword": [{"value": "floods", "label": "Floods", "count": 1}],
            "domain": [{"value": "example.org", "label": "example.org", "count": 1}],
        }


async def test_what_another_version_names_is_found_in_place_of_what_was(serve: Serve) -> None:
    story = {"headline": "Rain", "body": "It rained.", "guid": "urn:x:1", "authors": ["Jane Doe"]}
    async with serve() as client:
        await post(client, story)
        await post(client, story | {"body": "It rained again.", "authors": ["Omar Ali"]})
        assert await items(client, "/v1/articles", author="Jane Doe") == []
        assert len(await items(client, "/v1/articles", author="Omar Ali")) == 1


async def test_articles_are_found_by_ids_addresses_and_guids(serve: Serve) -> None:
    stories = [
        {"headline": "Rain", "url": "https://www.example.org/rain?utm_source=x", "guid": "urn:x:1"},
        {"headline": "Snow", "url": "https://example.org/snow", "source": "Valley", "guid": "2"},
        {"headline": "Hail", "body": "It hailed."},
    ]
    async with serve() as client:
        await post(client, *stories)
        ids = {each["headline"]: each["id"] for each in await items(client, "/v1/articles")}
        for params, expected in (
            ({"id": [ids["Rain"], ids["Hail"]]}, ["Hail", "Rain"]),
            ({"id": ids["Rain"], "url": "http://example.org/snow"}, []),
            ({"url": "http://example.org/rain/"}, ["Rain"]),
            ({"url": "example.org/rain?fbclid=1"}, ["Rain"]),
            ({"url": ["example.org/rain", "example.org/snow"]}, ["Rain", "Snow"]),
            ({"url": "https://example.org/"}, []),
            ({"guid": "urn:x:1"}, ["Rain"]),
            ({"guid": ["urn:x:1", "2", "3"]}, ["Rain", "Snow"]),
            ({"guid": "2", "source": "-valley"}, []),
            ({"id": ids["Hail"], "to": "2024"}, []),
            ({"id": "0" * 32}, []),
        ):
            for path in ("/v1/articles", "/v1/search"):
                found = await items(client, path, **params)
                assert sorted(each["headline"] for each in found) == expected, (path, params)
        body = {"id": list(ids.values()), "q": "rain"}
        answer = await client.post("/v1/search", json=body)
        assert [each["article"]["headline"] for each in answer.json()["items"]] == ["Rain"]
        for url in ("ftp://example.org/a", "https://", "https://[", "a b", ""):
            answer = await client.get("/v1/articles", params={"url": url})
            assert answer.status_code == 422
            assert "url" in answer.json()["detail"]


async def test_fields_chooses_what_articles_in_an_answer_have(serve: Serve) -> None:
    async with serve(
        [draft("Rain", "It rained.\n\nLong."), draft("Rain again", "Again.", day="2024-03-02")]
    ) as client:
        for path in ("/v1/articles", "/v1/search"):
            found = await items(client, path, fields="headline,published_precision", sort="oldest")
            assert found == [
                {"headline": "Rain", "published_precision": "day"},
                {"headline": "Rain again", "published_precision": "day"},
            ]
            whole = await items(client, path, fields=["id", "body,sources"])
            assert [list(each) for each in whole] == [["id", "body", "sources"]] * 2
        posted = await client.post("/v1/search", json={"q": "again", "fields": ["body"]})
        assert [each["article"] for each in posted.json()["items"]] == [{"body": "Again."}]
        marked = {"q": "again", "fields": "headline", "highlight": "true"}
        (hit,) = (await client.get("/v1/search", params=marked)).json()["items"]
        assert hit["article"] == {"headline": "Rain again"}
        assert hit["highlights"][0]["text"] == "Rain <mark>again</mark>"
        first = await client.get("/v1/articles", params={"fields": "headline", "limit": 1})
        rest = await client.get(first.links["next"]["url"])
        assert [list(each) for each in rest.json()["items"]] == [["headline"]]
        wrong = await client.get("/v1/articles?fields=headline,text")
        assert wrong.status_code == 422


def test_every_field_of_an_article_can_be_chosen() -> None:
    assert set(get_args(ArticleField)) == {field.name for field in fields(responses.Article)}


def table(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


async def test_lists_are_whole_tables_in_their_order(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.api.exports.FIRST", 2)
    monkeypatch.setattr("app.api.exports.BATCH", 2)
    days = [f"2024-03-0{n}" for n in range(1, 6)]
    drafts = [draft(f"Story {n}", f"It is {n}.", day=day) for n, day in enumerate(days)]
    async with serve([*drafts, draft("No day", "None.", day=None)]) as client:
        answer = await client.get("/v1/articles.csv?limit=1")
        rows = table(answer)
        assert 'filename="broadsheet-articles.csv"' in answer.headers["content-disposition"]
        assert tuple(rows[0]) == exports.ARTICLE_COLUMNS
        listed = await items(client, "/v1/articles")
        assert [row["id"] for row in rows] == [each["id"] for each in listed]
        assert rows[0]["published_at"] == "2024-03-05T00:00:00Z"
        some = table(await client.get("/v1/articles.csv?fields=headline,body&from=2024-03-04"))
        assert some == [
            {"headline": "Story 4", "body": "It is 4."},
            {"headline": "Story 3", "body": "It is 3."},
        ]
        assert (await client.get("/v1/articles.csv?from=soon")).status_code == 422
        found = table(await client.get("/v1/search.csv?q=story&sort=oldest&fields=headline"))
        assert [row["headline"] for row in found] == [f"Story {n}" for n in range(5)]
        lines = (await client.get("/v1/search.jsonl?q=story&fields=headline&sort=oldest")).text
        assert json.loads(lines.splitlines()[0]) == {"headline": "Story 0"}


async def test_entities_and_timelines_are_tables(serve: Serve) -> None:
    drafts = [
        draft("Byron in Cairo", "Ada Byron met Omar Haddad in Cairo.", day="2024-01-01"),
        draft("Byron again", "Ada Byron stayed.", day="2024-03-01"),
    ]
    async with serve(drafts, extractor="rules") as client:
        await settled(client)
        for path, columns in {
            "/v1/entities": exports.ENTITY_COLUMNS,
            "/v1/entities/{id}/related": exports.RELATED_COLUMNS,
            "/v1/entities/{id}/timeline": exports.TIMELINE_COLUMNS,
            "/v1/entities/{id}/articles": exports.ARTICLE_COLUMNS,
        }.items():
            (byron,) = await items(client, "/v1/entities", q="Ada Byron")
            address = path.format(id=byron["id"])
            listed = (await client.get(address)).json()["items"]
            rows = table(await client.get(f"{address}.csv"))
            assert tuple(rows[0]) == columns
            assert len(rows) == len(listed) > 0
            own = [{**each.get("entity", {}), **each} for each in listed]
            for row, each in zip(rows, own, strict=True):
                for name in {"id", "name", "count", "start", "strength"} & row.keys():
                    assert row[name] == str(each[name])
        missing = f"/v1/entities/{UUID(int=0)}/timeline.csv"
        assert (await client.get(missing)).status_code == 404


async def test_excel_is_sent_a_mark_and_no_formula(serve: Serve) -> None:
    async with serve([draft("=1+1", "Body.")]) as client:
        for path in ("/v1/articles.csv", "/v1/search.csv"):
            answer = await client.get(f"{path}?csv=excel&fields=headline")
            assert answer.content == b"\xef\xbb\xbfheadline\r\n'=1+1\r\n"
            answer = await client.get(f"{path}?fields=headline")
            assert answer.content == b"headline\r\n=1+1\r\n"
            assert (await client.get(f"{path}?csv=word")).status_code == 422


async def test_a_word_finds_its_other_spellings_and_marks_them(serve: Serve, tmp_path: Any) -> None:
    rules = tmp_path / "rules.txt"
    rules.write_text("lift, elevator\n")
    drafts = [
        draft("Labour organisation", "The centre of defence in colour."),
        draft("Health-care by e-mail", "An elevator."),
        draft("Healthcare by email", "A lift."),
    ]
    async with serve(drafts, synonyms=rules) as client:

        async def found(q: str, **more: str) -> set[str]:
            answer = await client.get("/v1/search", params={"q": q, "highlight": "true", **more})
            marks = [h["text"] for item in answer.json()["items"] for h in item["highlights"]]
            assert all("<mark>" in text for text in marks)
            return {item["article"]["headline"] for item in answer.json()["items"]}

        assert await found("labor organization center defense color") == {"Labour organisation"}
        both = {"Health-care by e-mail", "Healthcare by email"}
        for q in ("healthcare", "health care", "health-care", "email", "e-mail", "lift"):
            assert await found(q) == both
        assert await found("health care", match="any") == both
        assert await found('"elevator"') == {"Health-care by e-mail"}
        assert await found('"health care"') == {"Health-care by e-mail"}
        answer = await client.get("/v1/search", params={"q": "color", "highlight": "true"})
        marked = answer.json()["items"][0]["highlights"]
        assert any("<mark>colour</mark>" in each["text"] for each in marked)
        told = (await client.get("/v1/search/explain", params={"q": "color centre"})).json()
        assert (told["query"], told["total"]) == ("color centre", 1)
        assert [each["total"] for each in told["clauses"]] == [1, 1]
        rows = (await client.get("/v1/search.csv?q=elevators&fields=headline")).text
        assert len(rows.splitlines()) == 3
