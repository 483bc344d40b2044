"""An article in the forms of others: JSON-LD that schema.org knows, and plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jsonschema
import orjson
import pytest
from sqlalchemy import select

from app.articles import removal
from app.store.models import metadata
from tests import factories
from tests.factories import KEYED, draft

pytestmark = pytest.mark.anyio

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from tests.api.conftest import Serve

_TEXT = {"type": "string", "minLength": 1}
_ADDRESS = {"type": "string", "pattern": "^https?://[^ ]+$"}
_DATE = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ)?$"}


def thing(*types: str, **members: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["@type", *(["name"] if "name" in members else [])],
        "additionalProperties": False,
        "properties": {"@type": {"enum": list(types)}, "@id": _ADDRESS, **members},
    }


def several(shape: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "minItems": 1, "items": shape}


NEWS_ARTICLE: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["@context", "@type", "@id", "identifier", "url", "headline"],
    "properties": {
        "@context": {"const": "https://schema.org"},
        "@type": {"const": "NewsArticle"},
        "@id": _ADDRESS,
        "identifier": {"type": "string", "pattern": "^urn:uuid:[0-9a-f-]{36}$"},
        "url": _ADDRESS,
        **dict.fromkeys(
            ("headline", "description", "articleBody", "dateline", "articleSection"), _TEXT
        ),
        "copyrightNotice": _TEXT,
        "wordCount": {"type": "integer", "minimum": 0},
        "version": {"type": ["number", "string"]},
        **dict.fromkeys(("datePublished", "dateModified"), _DATE),
        "author": several(thing("Person", "Organization", name=_TEXT)),
        "publisher": thing("Organization", "Person", name=_TEXT),
        "contentLocation": several(thing("Place", name=_TEXT)),
        "keywords": several(_TEXT),
        "about": several(
            thing("DefinedTerm", termCode=_TEXT, inDefinedTermSet=_TEXT)
            | {"properties": {
                "@type": {"const": "DefinedTerm"}, "name": _TEXT, "termCode": _TEXT,
                "inDefinedTermSet": _TEXT,
            }}
        ),
        "image": thing("ImageObject", caption=_TEXT, creditText=_TEXT),
        "inLanguage": {"type": "string", "pattern": "^[a-z]{2}$"},
        "mentions": several(thing("Person", "Organization", "Place", name=_TEXT)),
        "encoding": several(thing("MediaObject", contentUrl=_ADDRESS, encodingFormat=_TEXT)),
    },
}  # fmt: skip
"""What schema.org knows of a NewsArticle, as far as an archive has it."""

WHOLE = {
    "headline": "Rain fills reservoirs",
    "body": "It rained.\n\nAll are full.",
    "summary": ["Five dams", "No floods"],
    "caption": "A dam",
    "credit": "Post",
    "byline": "By Ann Lee",
    "authors": ["Ann Lee"],
    "dateline": "RIGA",
    "places": ["Riga"],
    "source": "Post",
    "url": "https://example.org/rain",
    "published_at": "2024-03-01",
    "updated_at": "2024-03-02T10:00:00Z",
    "section": "World",
    "keywords": ["rain"],
    "subjects": [{"scheme": "medtop", "code": "17", "name": "weather"}],
    "usage_terms": "Not for sale",
    "language": "en",
}


async def posted(client: httpx.AsyncClient, article: dict[str, Any]) -> str:
    answer = await client.post("/v1/articles", json=article, headers=KEYED)
    assert answer.status_code == 200, answer.text
    return f"/v1/articles/{answer.json()['items'][0]['id']}"


@pytest.mark.parametrize("article", [WHOLE, {"headline": "Flash"}])
async def test_json_ld_is_a_news_article(serve: Serve, article: Any) -> None:
    async with serve() as client:
        path = await posted(client, article)
        answer = await client.get(f"{path}.jsonld")
        assert answer.headers["content-type"] == "application/ld+json"
        found = answer.json()
        jsonschema.validate(found, NEWS_ARTICLE)
        assert found["headline"] == article["headline"]
        if article is WHOLE:
            assert found["datePublished"] == "2024-03-01"
            assert found["dateModified"] == "2024-03-02T10:00:00Z"
            assert found["author"] == [{"@type": "Person", "name": "Ann Lee"}]


async def test_the_text_is_to_be_read(serve: Serve) -> None:
    async with serve() as client:
        answer = await client.get(f"{await posted(client, WHOLE)}.txt")
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.text == (
            "Rain fills reservoirs\n\n- Five dams\n- No floods\n\nBy Ann Lee | 2024-03-01\n\n"
            "RIGA: It rained.\n\nAll are full.\n\nA dam (Post)\n\nPost\nhttps://example.org/rain\n\n"
            "Not for sale\n"
        )


async def test_the_forms_lead_to_one_another_and_end_with_the_article(
    serve: Serve,
) -> None:
    async with serve() as client:
        path = await posted(client, WHOLE)
        for suffix in ("", ".jsonld", ".txt"):
            answer = await client.get(path + suffix)
            for other in {"", ".jsonld", ".txt"} - {suffix}:
                assert f"{path}{other}>" in answer.headers["link"]
            assert answer.headers["etag"] == (await client.get(path)).headers["etag"]
        await client.delete(path, headers=KEYED)
        for suffix in (".jsonld", ".txt"):
            assert (await client.get(path + suffix)).status_code == 410
            missing = await client.get(f"/v1/articles/{'0' * 8}-0000-4000-8000-{'0' * 12}{suffix}")
            assert missing.status_code == 404


async def test_the_forms_of_a_joined_article_lead_to_those_of_the_other(
    serve: Serve, tmp_path: Path
) -> None:
    async with serve() as client:
        with factories.store(tmp_path) as database:
            one, two = factories.save(database, [draft("One"), draft("Two")])
            with database.transaction() as session:
                removal.join(session, one.id, two.id)
        for suffix in (".jsonld", ".txt"):
            moved = await client.get(f"/v1/articles/{one.id}{suffix}")
            assert moved.status_code == 308
            there = moved.request.url.join(moved.headers["location"])
            assert there.path == f"/v1/articles/{two.id}{suffix}"
            assert (await client.get(str(there))).status_code == 200


async def test_where_reads_are_keyed_the_forms_need_a_key(serve: Serve) -> None:
    async with serve(reads="keyed") as client:
        client.headers.pop("Authorization", None)
        path = await posted(client, WHOLE)
        for suffix in ("", ".jsonld", ".txt"):
            assert (await client.get(path + suffix)).status_code == 401
            assert (await client.get(path + suffix, headers=KEYED)).status_code == 200


async def test_an_export_over_http_is_an_input_like_others(serve: Serve, tmp_path: Path) -> None:
    """No id, state, secret or key of it is taken, whatever is sent."""
    async with serve() as client:
        path = await posted(client, WHOLE)
        before = (await client.get(path)).content
        id_ = path.rpartition("/")[2]
        hostile = {
            "id": id_,
            "headline": "Other",
            "body": "Text.",
            "broadsheet": {"export": 1, "state": "erased", "secret": "00" * 32},
        }
        for article in (hostile, {**hostile, "broadsheet": {"export": 1, "state": "removed"}}):
            lines = orjson.dumps(article) + b"\n"
            headers = KEYED | {"Content-Type": "application/x-ndjson"}
            answer = await client.post("/v1/articles", content=lines, headers=headers)
            (item,) = answer.json()["items"]
            assert item["id"] != id_
            found = (await client.get(f"/v1/articles/{item['id']}")).json()
            assert found["warnings"] == ["id: given by an archive, which is ignored here"]
        assert (await client.get(path)).content == before
        with factories.store(tmp_path) as database, database.reading() as session:
            secret = session.execute(select(metadata.tables["store"].c.secret)).scalar_one()
            assert secret != bytes(32)


async def test_an_id_over_http_is_ignored_with_a_warning(serve: Serve) -> None:
    async with serve() as client:
        given = "1aeecf34-6a2b-5a27-9f95-3e274c8ef741"
        path = await posted(client, {"id": given, "headline": "A", "body": "B."})
        assert given not in path
        found = (await client.get(path)).json()
        assert found["warnings"] == ["id: given by an archive, which is ignored here"]


@pytest.mark.parametrize("form", ["jsonld", "txt"])
async def test_a_form_is_read_alone(serve: Serve, form: str) -> None:
    async with serve([factories.numbered(1)]) as client:
        (item,) = (await client.get("/v1/articles")).json()["items"]
        for method in ("PUT", "DELETE", "OPTIONS"):
            answer = await client.request(method, f"/v1/articles/{item['id']}.{form}")
            assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")
