"""Bodies are read while they come, whatever the pieces, and hold no more than an article."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api import uploads
from app.api.middleware import limits
from app.ingest import records
from app.ingest.draft import Draft, Reject
from app.ingest.options import Options
from app.ingest.page_text import Page
from app.ingest.records import Csv, Json, JsonLines
from tests.api.conftest import executor_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from app.ingest import Reader
    from tests.api.conftest import Serve

pytestmark = pytest.mark.anyio

GOOD = {"headline": 'Rain, "hail" and [snow]', "body": "It \\ rained } here, é.\n\n{Twice]."}


def read(reader: Reader, pieces: Iterable[bytes]) -> list[Draft | Reject]:
    found = [each for piece in pieces for each in reader.feed(piece)]
    return found + reader.end()


def outcomes(found: Iterable[Draft | Reject]) -> list[str]:
    return [each.headline if isinstance(each, Draft) else each.reason for each in found]


def cut(body: bytes, at: list[int]) -> list[bytes]:
    places = sorted(place % (len(body) + 1) for place in at)
    return [body[a:b] for a, b in zip([0, *places], [*places, len(body)], strict=True)]


BODIES: list[tuple[type[JsonLines | Json | Csv], bytes]] = [
    (Json, json.dumps([GOOD, "a", {**GOOD, "body": 1}, 7, [GOOD], GOOD]).encode()),
    (Json, json.dumps([GOOD, GOOD], indent=2, ensure_ascii=False).encode()),
    (Json, b' [ {"headline": "a\\\\", "body": "b\\"]"} , nonsense, {"a": }, {]} , [ ] '),
    (Json, json.dumps(GOOD).encode()),
    (Json, b"[1, 2"),
    (Json, b"[]"),
    (Json, b"[1,]"),
    (Json, b"[1] [2]"),
    (Json, b""),
    (JsonLines, b"\xef\xbb\xbf" + json.dumps(GOOD).encode() + b"\r\n\n  \nnonsense\n0"),
    (JsonLines, (json.dumps(GOOD) + "\n").encode() * 3),
    (Json, json.dumps({"n": [1], "articles": [GOOD, GOOD], "x": {"y": [2]}}).encode()),
    (Json, json.dumps({"response": {"results": [GOOD]}}, indent=1).encode() * 2),
    (Json, json.dumps({"title": {"0": "a", "1": "b"}, "text": {"0": "c", "1": "d"}}).encode()),
    (Json, b'{"a": 1} nonsense {"headline": "b"}, {"headline": "c"}'),
    (Csv, 'title;text\r\nA "b";"One; ""two""\r\n\r\nThree é"\r\nB;c;d\r\n'.encode()),
    (Csv, "title\ttext\nÉtoile\tOne\nB\ttwo".encode("utf-16")),
    (Csv, b'title,text\nA,"open\nB,two\nC,"three"\n'),
    (Csv, "title,text,date\nA,é,03/02/2021\nB,ü,04/02/2021\nC,d,25/02/2021\n".encode("cp1252")),
]


@given(st.sampled_from(BODIES), st.lists(st.integers(0, 10_000), max_size=12))
def test_pieces_make_no_difference(
    made: tuple[type[JsonLines | Json | Csv], bytes], at: list[int]
) -> None:
    kind, body = made
    assert read(kind("http", Options()), cut(body, at)) == read(kind("http", Options()), [body])


def test_what_is_wrong_with_an_element_is_its_own_fault() -> None:
    found = read(Json("http", Options()), [BODIES[0][1]])
    assert outcomes(found) == [
        *(GOOD["headline"], "not an object but text", GOOD["headline"]),
        *("not an object but a number", "not an object but a list", GOOD["headline"]),
    ]
    assert [each.line if isinstance(each, Reject) else each.origin.position for each in found] == [
        *(1, 2, 3, 4, 5, 6)
    ]
    bad = read(Json("http", Options()), [BODIES[2][1]])
    assert [isinstance(each, Draft) for each in bad] == [True, *[False] * 4]


@pytest.mark.parametrize(
    ("body", "reasons"),
    [
        (b"[1, 2", ["not an object but a number", "not JSON: the array does not end"]),
        (b'[{"headline": "Cut", "bo', ["not JSON: the array does not end"]),
        (b"[", ["not JSON: the array does not end"]),
        (b"[1] [2]", ["not an object but a number", "not an object but a number"]),
        (b"[]", []),
        (b" \n ", ["not JSON: it is empty"]),
    ],
)
def test_an_array_is_whole_or_told_not_to_be(body: bytes, reasons: list[str]) -> None:
    assert outcomes(read(Json("http", Options()), [body])) == reasons


@pytest.mark.parametrize("kind", [JsonLines, Json])
def test_an_article_that_is_too_long_is_not_held(kind: type[JsonLines | Json | Csv]) -> None:
    reader = kind("http", Options())
    start, end, between = (b"[", b"]", b",") if kind is Json else (b"", b"", b"\n")
    found = list(reader.feed(start + b'"'))
    for _ in range(40):
        found += reader.feed(b"x" * 2**18)
        assert reader.held_bytes <= records.LIMIT_BYTES + 1
    found += reader.feed(b'"' + between + json.dumps(GOOD).encode() + end)
    found += reader.end()
    assert outcomes(found) == ["longer than 8 MiB, the limit of a record", GOOD["headline"]]


def test_a_page_is_held_to_its_limit_alone() -> None:
    reader = Page("http", Options())
    for _ in range(40):
        reader.feed(b"x" * 2**18)
    assert reader.held_bytes == 8 * 2**20 + 1
    assert outcomes(reader.end()) == ["larger than 8 MiB, the limit of a page"]


# --- through the application


def story(n: int) -> dict[str, Any]:
    return {"headline": f"Story {n}", "body": f"Paragraph {n} tells of apples. " + "word " * 50}


async def post(serve: Serve, lines: list[str], **more: Any) -> tuple[dict[str, Any], int]:
    """The answer to a chunked upload, and the writes that it made."""
    async with serve(**more) as client:
        executor: Any = executor_of(client)  # its writes are counted below
        writes, real = 0, executor.write

        async def counted(*args: Any, **kwargs: Any) -> Any:
            nonlocal writes
            writes += 1
            return await real(*args, **kwargs)

        executor.write = counted

        async def body() -> AsyncIterator[bytes]:
            for line in lines:
                yield line.encode() + b"\n"

        kind = {"Content-Type": "application/x-ndjson"}
        answer = await client.post("/v1/articles", content=body(), headers=kind)
        assert answer.status_code == (207 if answer.json()["rejected"] else 200)
        assert "content-length" in answer.headers
        return answer.json(), writes


async def test_a_long_upload_is_stored_in_batches_and_held_in_none(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "BLOCK_BYTES", 1_000)
    monkeypatch.setattr(uploads, "BATCH", 10)
    monkeypatch.setattr(uploads, "_IN_MEMORY_BYTES", 500)
    monkeypatch.setattr(limits, "HELD_BYTES", 8_000)
    lines = [json.dumps(story(n)) for n in range(200)]
    assert sum(map(len, lines)) > 7 * 8_000
    lines[7], lines[150] = "nonsense", " " * 3_000
    answer, writes = await post(serve, lines)
    assert (answer["saved"], answer["rejected"]) == (198, 1)
    assert [item["line"] for item in answer["items"]] == [n for n in range(1, 201) if n != 151]
    assert 200 / 10 / 2 <= writes <= 200 / 10 + 1


async def test_a_short_upload_is_one_transaction(serve: Serve) -> None:
    answer, writes = await post(serve, [json.dumps(story(n)) for n in range(200)])
    assert (answer["saved"], writes) == (200, 1)


async def test_of_many_rejected_the_first_are_told(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "NAMED", 3)
    answer, writes = await post(serve, ["0", "0", "0", "0", "0", json.dumps(story(1)), "0"])
    assert (answer["saved"], answer["rejected"], writes) == (1, 6, 1)
    assert [item["line"] for item in answer["items"]] == [1, 2, 3, 6]


async def test_a_body_that_says_how_long_it_is_is_refused_before_it_is_stored(
    serve: Serve,
) -> None:
    async with serve(body_limit_bytes=100_000) as client:
        content = "\n".join(json.dumps(story(n)) for n in range(400)).encode()
        kind = {"Content-Type": "application/x-ndjson"}
        answer = await client.post("/v1/articles", content=content, headers=kind)
        assert answer.status_code == 413
        assert (await client.get("/v1/articles")).json()["total"] == 0
