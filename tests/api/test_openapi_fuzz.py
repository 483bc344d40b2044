"""Every route under requests made from the OpenAPI document: it promises what is answered.

Schemathesis makes the requests, valid ones and others, and holds each answer to the document:
status, content type, headers and schema; a 5xx or an exception fails. Since most random values
end at the first check of a parameter, half of the requests get sensible values instead, and the
ids of stored articles; a route that answers none of them with a 2xx fails. Its plugin for pytest
and its own client are not used: the application is started and stopped here, once for all.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import httpx
import pytest
import requests
import schemathesis
from anyio.from_thread import start_blocking_portal
from asgi_lifespan import LifespanManager
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from schemathesis import checks

from app import api as app_api
from app.api import create_app
from app.api.schemas.requests import ArticleField, Facet
from app.entities import mentions
from app.extract.base import TYPES
from app.services import indexing
from tests import factories
from tests.fake_extractor import NAMES, FakePool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from anyio.from_thread import BlockingPortal
    from fastapi import FastAPI

pytestmark = pytest.mark.long
SEEDS = Path(__file__).parents[2] / "seeds"
REQUESTS = int(os.environ.get("REQUESTS", "50"))
"""Requests to each operation, beside those that go on with a cursor."""
LONGEST_ADDRESS = 16_000
"""Characters: beyond its limit any address is answered by 414."""

CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]


def operations() -> list[str]:
    """Method and path of each operation, as Schemathesis names them."""
    paths = create_app(factories.settings(Path("never-opened"))).openapi()["paths"]
    return [f"{method.upper()} {path}" for path, methods in paths.items() for method in methods]


class Api:
    """A running application that holds the seeds and more, and the document that it gives."""

    def __init__(self, app: FastAPI, client: httpx.AsyncClient, portal: BlockingPortal) -> None:
        self.app = app
        self._client = client
        self._portal = portal
        pages = [(page.read_bytes(), "text/plain") for page in sorted(SEEDS.glob("*.txt"))]
        talks = [{"headline": f"Peace talks {n}", "body": f"Round {n}."} for n in range(40)]
        self.ids: list[str] = []
        for body, media_type in [*pages, (json.dumps(talks).encode(), "application/json")]:
            stored = self.ask("POST", "/v1/articles", body, {"Content-Type": media_type})
            self.ids += [each["id"] for each in stored.json()["items"]]
        self.settle()
        document = self.ask("GET", "/openapi.json").json()
        # A configuration of its own: none is looked for in the folders around.
        self.schema = schemathesis.openapi.from_dict(document, config=schemathesis.Config())

    def ask(self, method: str, url: str, body: Any = None, headers: Any = None) -> httpx.Response:
        """The answer to a request; an exception that the application raises is raised here."""
        request = partial(self._client.request, method, url, content=body, headers=headers)
        return self._portal.call(request)

    def call(self, case: schemathesis.Case[Any]) -> httpx.Response:
        """The answer to a request of Schemathesis, held to the document."""
        made = requests.Request(**case.as_transport_kwargs(base_url="http://test")).prepare()
        assert made.method is not None
        assert made.url is not None
        assume(len(made.url) <= LONGEST_ADDRESS)
        answer = self.ask(made.method, made.url, made.body, dict(made.headers))
        case.validate_response(answer, checks=CHECKS)
        return answer

    def settle(self) -> None:
        """Wait until the index has taken in what was written, so that each run is the same."""
        until = time.monotonic() + 120
        while True:
            status = self.ask("GET", "/v1/status").json()
            if status["extraction"]["lag"] == status["index"]["lag"] == 0:
                break
            assert time.monotonic() < until, "index or mentions do not follow"
            time.sleep(0.005)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    folder = tmp_path_factory.mktemp("fuzz")
    app = create_app(factories.settings(folder, sync_interval_s=3600, extractor="auto"))
    with (
        pytest.MonkeyPatch.context() as patch,
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(running(app, patch)) as client,
    ):
        yield Api(app, client, portal)


@asynccontextmanager
async def running(app: FastAPI, patch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    patch.setattr(app_api, "ExtractorPool", FakePool)
    async with LifespanManager(app, startup_timeout=120, shutdown_timeout=120):
        transport = httpx.ASGITransport(app)
        factories.take_key(app.state.executor.database)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://test", headers=factories.KEYED
        ) as client:
            yield client


# --- sensible values

ENTITIES = sorted({str(mentions.entity_key(*known).id) for known in NAMES.values()})
QUERY = st.lists(
    st.sampled_from(
        [
            *("peace", "Pakistan's", "crypto*", "talibn~", '"peace talks"~2', "U.S.", "2020-05-09"),
            *("(", ")", "OR", "AND", "NOT", "-", '"', "“", "\\", "^2", "*", "~", ":"),
            *("place:", "headline:", "published:", "[2020 TO *]", "no:", "Islamabad", "منظمة"),
        ]
    )
    | st.text(max_size=4),
    max_size=7,
)
NAME = st.sampled_from(["Islamabad", "arab news", "-Kabul", "en", "No Such", "١"])
DATE = st.sampled_from(["2019", "2020-05", "2025-12-05", "2025-12-05T10:00:00+03:00"])
SENSIBLE: dict[str, st.SearchStrategy[Any]] = {
    "q": QUERY.map("".join) | QUERY.map(" ".join),
    "source": st.lists(NAME, max_size=2),
    "place": st.lists(NAME, max_size=2),
    "language": st.lists(NAME, max_size=2),
    "section": st.lists(NAME, max_size=2),
    "author": st.lists(NAME, max_size=2),
    "keyword": st.lists(NAME, max_size=2),
    "domain": st.lists(NAME | st.just("example.org"), max_size=2),
    "url": st.lists(st.sampled_from(["https://example.org/a?b=c", "example.org/a"]), max_size=2),
    "guid": st.lists(NAME, max_size=2),
    "fields": st.lists(st.sampled_from(get_args(ArticleField)), max_size=4),
    "from": DATE,
    "to": DATE,
    "type": st.sampled_from(TYPES),
    "person": st.lists(NAME | st.sampled_from(ENTITIES), max_size=2),
    "entity": st.lists(NAME | st.sampled_from(ENTITIES), max_size=2),
    "tz": st.sampled_from(["UTC", "Asia/Riyadh", "America/New_York"]),
    "facets": st.lists(st.sampled_from(get_args(Facet)), max_size=4),
    "limit": st.integers(1, 20),
    "since": st.integers(0, 50),
}
TEXT = st.sampled_from(["Peace talks", "One.\n\nTwo.", "قطر تفوز"]) | st.text(max_size=30)
JSON = st.none() | st.booleans() | st.integers() | TEXT | st.lists(TEXT, max_size=2)
ARTICLE = st.fixed_dictionaries(
    {"headline": TEXT, "body": TEXT},
    optional={
        "summary": st.lists(TEXT, max_size=3) | JSON,
        "caption": TEXT,
        "dateline": TEXT,
        "places": st.lists(TEXT, max_size=2) | JSON,
        "published_at": DATE | JSON,
        "source": TEXT,
        "url": st.just("https://example.org/a?b=c") | JSON,
        "language": st.just("en") | JSON,
        "section": JSON,
        "authors": st.lists(TEXT, max_size=2),
        "keywords": st.lists(TEXT, max_size=2),
        "urgency": st.integers(1, 9),
        "subjects": st.just([{"scheme": "s", "code": "1", "name": None}]),
        "no_such_field": JSON,
    },
)
UPLOADS: dict[str | None, st.SearchStrategy[Any]] = {
    "application/json": ARTICLE | st.lists(ARTICLE, max_size=3),
    "application/x-ndjson": st.lists(ARTICLE.map(json.dumps), max_size=3).map("\n".join),
    "application/jsonl": st.lists(ARTICLE.map(json.dumps), max_size=3).map("\r\n".join),
    "text/plain": st.lists(TEXT, max_size=9).map("\n".join),
}


def keep_headers(case: schemathesis.Case[Any]) -> None:
    """Send no made up key or entity tag: the client has a key, and an article as it is."""
    for name in {"Authorization", "If-Match"} & case.headers.keys():
        del case.headers[name]


def make_sensible(case: schemathesis.Case[Any], ids: list[str], data: st.DataObject) -> None:
    """Give `case` an article that is stored, articles to store, and parameters that are valid.

    Where an answer has several media types, it asks for one of them.
    """
    successful = case.operation.definition.raw["responses"].get("200", {})
    if media_types := sorted(successful.get("content", {})):
        case.headers["Accept"] = data.draw(st.sampled_from(media_types))
    keep_headers(case)
    for name, known in {"article_id": ids, "entity_id": ENTITIES}.items():
        if name in case.path_parameters:
            case.path_parameters[name] = data.draw(st.sampled_from(known))
    if "number" in case.path_parameters:
        case.path_parameters["number"] = 1
    if case.operation.path.startswith("/v1/articles") and case.media_type in UPLOADS:
        is_one = case.method == "PUT" and case.media_type == "application/json"
        case.body = data.draw(ARTICLE if is_one else UPLOADS[case.media_type])
        return
    for parameters in (case.query, case.body):
        if isinstance(parameters, dict):
            parameters.pop("cursor", None)
            for name in sorted(SENSIBLE.keys() & parameters.keys()):
                parameters[name] = data.draw(SENSIBLE[name])
            if "id" in parameters:  # of a preview an entity's, else several articles'
                is_preview = case.operation.path.endswith("/preview")
                some: st.SearchStrategy[Any] = st.lists(st.sampled_from(ids), max_size=3)
                parameters["id"] = data.draw(st.sampled_from(ENTITIES) if is_preview else some)


# --- what holds


# Schemathesis draws from `random`, which Hypothesis seeds: each run is the same all the same.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")
@pytest.mark.parametrize("label", operations())
def test_every_answer_is_one_that_is_documented(api: Api, label: str) -> None:
    operation = api.schema.find_operation_by_label(label)
    assert operation is not None
    succeeded = 0
    modes = [operation.as_strategy(generation_mode=mode) for mode in schemathesis.GenerationMode]

    @settings(
        max_examples=REQUESTS,
        derandomize=True,
        database=None,
        phases=[Phase.generate],  # to shrink a whole request takes many minutes
        suppress_health_check=list(HealthCheck),
    )
    @given(case=st.one_of(modes), sensible=st.booleans(), data=st.data())
    def answers(case: schemathesis.Case[Any], *, sensible: bool, data: st.DataObject) -> None:
        if sensible:
            make_sensible(case, api.ids, data)
        nonlocal succeeded
        answer = api.call(case)
        succeeded += answer.is_success
        if case.method != "GET":
            api.settle()
        elif answer.is_success and answer.headers["content-type"] == "application/json":
            cursor = answer.json().get("next")
            if cursor is not None:
                case.query["cursor"] = cursor
                assert api.call(case).status_code == 200

    answers()
    assert succeeded


def test_store_and_index_agree_after_all_that(api: Api) -> None:
    executor = api.app.state.executor
    assert indexing.check(executor.database, executor.engine).agrees
