"""Checks of what requests send: sizes by route, and text without half characters or NUL."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from app.api import inputs
from app.errors import ParameterError
from tests import factories
from tests.factories import numbered

if TYPE_CHECKING:
    from pathlib import Path

    from tests.api.conftest import Serve

pytestmark = pytest.mark.anyio

MIB = 1 << 20
NAMES = ("source", "place", "language", "section", "person", "organization", "entity")
UNFIT = {"\\ud800": "holds half a character", "a\\udc00": "holds half", "\\u0000": "holds a NUL"}


@pytest.mark.parametrize(
    ("path", "limit"),
    [
        ("/v1/articles", 32 * MIB),
        ("/v1/articles/0", 32 * MIB),
        ("/v1/articlesque", MIB),
        ("/v1/search", MIB),
        ("/v1/entities/reconcile", 100_000),
        ("/", MIB),
    ],
)
def test_a_body_may_be_as_large_as_its_route_needs(tmp_path: Path, path: str, limit: int) -> None:
    assert inputs.body_limit(path, factories.settings(tmp_path)) == limit
    small = factories.settings(tmp_path, body_limit_bytes=1024)
    assert inputs.body_limit(path, small) == 1024


@pytest.mark.parametrize("text", UNFIT)
def test_json_with_such_text_anywhere_is_refused(text: str) -> None:
    for content, name in (
        (f'{{"a": "{text}"}}', "a"),
        (f'{{"a": ["b", ["{text}"]]}}', "a"),
        (f'{{"a": {{"b": "{text}"}}}}', "b"),
        (f'{{"{text}": 1}}', "body"),
        (f'["{text}"]', "body"),
    ):
        with pytest.raises(ParameterError, match=UNFIT[text]) as caught:
            inputs.json_of(content.encode(), "body")
        assert caught.value.name == name
    assert inputs.json_of('{"a": ["\\ud83d\\ude00", 1, null]}', "body") == {"a": ["😀", 1, None]}


@pytest.mark.parametrize("text", UNFIT)
async def test_no_value_of_a_search_holds_such_text(serve: Serve, text: str) -> None:
    async with serve([numbered(1)]) as client:
        for name in (*NAMES, "q", "cursor", "from", "to", "tz"):
            value = f'["{text}"]' if name in NAMES else f'"{text}"'
            answer = await client.post(
                "/v1/search",
                content=f'{{"{name}": {value}}}',
                headers={"Content-Type": "application/json"},
            )
            assert answer.status_code == 422
            (told,) = answer.json()["errors"]
            assert told["loc"] == ["body", name]
            assert UNFIT[text] in told["msg"]
        queries = {"queries": f'{{"q": {{"query": "{text}"}}}}'}
        for asked in (
            client.post("/v1/entities/reconcile", data=queries),
            client.get("/v1/entities/reconcile", params=queries),
        ):
            answer = await asked
            assert (answer.status_code, answer.json()["errors"][0]["msg"][:10]) == (
                422,
                UNFIT[text][:10],
            )
        assert (await client.get("/readyz")).status_code == 200
        assert (await client.get("/v1/status")).json()["index"]["state"] == "ready"


@pytest.mark.parametrize(
    "path", ["/v1/search", "/v1/articles", "/v1/entities", "/v1/search/suggest", "/v1/search.csv"]
)
async def test_no_address_holds_a_nul(serve: Serve, path: str) -> None:
    async with serve([numbered(1)]) as client:
        for name in ("q", "source"):
            answer = await client.get(f"{path}?q=a&{name}=a%00b")
            assert answer.status_code == 422


async def test_values_of_any_length_are_refused(serve: Serve) -> None:
    async with serve([numbered(1)]) as client:
        for name in (*NAMES, "from", "to", "tz"):
            long = "a" * (inputs.VALUE_CHARS + 1)
            body: dict[str, Any] = {name: [long] if name in NAMES else long}
            assert (await client.get("/v1/search", params={name: long})).status_code == 422
            assert (await client.post("/v1/search", json=body)).status_code == 422


async def test_a_large_question_is_refused_before_it_is_read(serve: Serve) -> None:
    async with serve() as client:
        for path, limit in (("/v1/search", MIB), ("/v1/entities/reconcile", 100_000)):
            answer = await client.post(path, content=b" " * (limit + 1))
            assert answer.status_code == 413
            assert f"{limit:,} bytes" in answer.json()["detail"]


async def test_thousands_of_wrong_values_are_one_error(serve: Serve) -> None:
    async with serve() as client:
        many = json.dumps([0] * 30_000)
        for path, body, form in (
            ("/v1/search", f'{{"source": {many}}}', False),
            ("/v1/search", f'{{"facets": {many}}}', False),
            ("/v1/entities/reconcile", f'queries={{"q":{{"query":"a","type":{many}}}}}', True),
        ):
            kind = "application/x-www-form-urlencoded" if form else "application/json"
            answer = await client.post(path, content=body, headers={"Content-Type": kind})
            assert answer.status_code == 422
            assert len(answer.content) < 2_000


async def test_nothing_is_parsed_on_the_event_loop(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsing: list[threading.Thread] = []
    real = inputs.json_of

    def recorded(*args: Any, **more: Any) -> Any:
        parsing.append(threading.current_thread())
        return real(*args, **more)

    monkeypatch.setattr(inputs, "json_of", recorded)
    async with serve() as client:
        assert (await client.post("/v1/search", json={"q": "a"})).status_code == 200
        queries = {"queries": '{"q": {"query": "a"}}'}
        assert (await client.post("/v1/entities/reconcile", data=queries)).status_code == 200
        assert (await client.get("/v1/entities/reconcile", params=queries)).status_code == 200
    assert len(parsing) == 3
    assert threading.current_thread() not in parsing
