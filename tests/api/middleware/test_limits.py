"""Limits: what is too large, too slow or too much is told so, and the others are served."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
import orjson
import pytest
from starlette.requests import Request

from app.api.middleware import limits as middleware_limits
from app.api.middleware.limits import Guarded
from app.api.middleware.security_headers import Restricted, shared_with
from app.settings import Settings
from tests import factories
from tests.api.conftest import executor_of
from tests.factories import draft

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from tests.api.conftest import Serve

pytestmark = pytest.mark.anyio


class Waiting:
    """An application that reads the body, says so, and answers when it is let."""

    def __init__(self) -> None:
        self.let = asyncio.Event()
        self.entered = asyncio.Semaphore(0)
        self.stopped = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "POST":
            while (await receive()).get("more_body"):
                pass
        self.entered.release()
        try:
            await self.let.wait()
        except asyncio.CancelledError:
            self.stopped += 1
            raise
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})


@asynccontextmanager
async def guarded(folder: Path, **more: Any) -> AsyncIterator[tuple[httpx.AsyncClient, Waiting]]:
    app = Waiting()
    transport = httpx.ASGITransport(Guarded(app, factories.settings(folder, **more)))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client, app


def problem(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == answer.status_code
    return answer.status_code, body["type"].rpartition(":")[2]


async def test_one_request_too_many_is_told_to_come_again(tmp_path: Path) -> None:
    async with guarded(tmp_path, request_limit=2) as (client, app), asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(client.get("/v1/search")) for _ in range(2)]
        for _ in running:
            await app.entered.acquire()
        answer = await client.get("/v1/search")
        assert problem(answer) == (503, "overloaded")
        assert int(answer.headers["retry-after"]) > 0
        probe = tasks.create_task(client.get("/healthz"))
        await app.entered.acquire()
        app.let.set()
        assert [(await each).status_code for each in (*running, probe)] == [200] * 3
        assert (await client.get("/v1/search")).status_code == 200


async def test_a_body_on_its_way_takes_no_place(tmp_path: Path) -> None:
    sent = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b"begin"
        await sent.wait()
        yield b"end"

    async with guarded(tmp_path, request_limit=1) as (client, app), asyncio.TaskGroup() as tasks:
        slow = tasks.create_task(client.post("/v1/articles", content=slowly()))
        read = tasks.create_task(client.get("/v1/search"))
        await app.entered.acquire()
        sent.set()
        assert problem(await slow) == (503, "overloaded")
        app.let.set()
        assert (await read).status_code == 200


async def test_a_late_answer_is_a_503_and_the_work_is_given_up(tmp_path: Path) -> None:
    async with guarded(tmp_path, request_timeout_s=1) as (client, app):
        answer = await client.get("/v1/search")
        assert problem(answer) == (503, "overloaded")
        assert "retry-after" in answer.headers
        assert app.stopped == 1
        app.let.set()
        assert (await client.get("/v1/search")).status_code == 200


async def test_an_answer_that_has_begun_may_take_its_time(tmp_path: Path) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.sleep(1)  # twice the limit; nothing waits for it
        await send({"type": "http.response.body", "body": b"done"})

    transport = httpx.ASGITransport(
        Guarded(app, factories.settings(tmp_path, request_timeout_s=0.5))
    )
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        assert (await client.get("/v1/search.csv")).text == "done"


class Client:
    """The server's side of one request: takes of an answer what it is let."""

    def __init__(self, path: str = "/v1/search") -> None:
        self.scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "query_string": b"",
            "headers": [(b"host", b"test")],
            "server": ("test", 80),
            "client": ("127.0.0.1", 123),
        }
        self.let = asyncio.Event()
        self.sent: list[Message] = []

    async def receive(self) -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(self, message: Message) -> None:
        self.sent.append(message)
        if message["type"] == "http.response.body":
            await self.let.wait()

    @property
    def status(self) -> int | None:
        return self.sent[0]["status"] if self.sent else None


async def answering(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that answers at once, /export as an export."""
    export = scope["path"] == "/export"
    if export:
        middleware_limits.visit_of(Request(scope)).export()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"done", "more_body": export})
    if export:
        await send({"type": "http.response.body", "body": b""})


async def begun(app: Guarded, client: Client) -> asyncio.Task[None]:
    """A request whose answer has begun."""
    task = asyncio.create_task(app(client.scope, client.receive, client.send))
    while not client.sent and not task.done():
        await asyncio.sleep(0)
    return task


async def test_exports_that_nobody_reads_leave_the_places_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(middleware_limits, "EXPORTS", 2)
    app = Guarded(answering, factories.settings(tmp_path, request_limit=1))
    exports = [Client("/export") for _ in range(3)]
    tasks = [await begun(app, each) for each in exports]
    assert [each.status for each in exports] == [200, 200, 503]
    assert b"too many exports" in exports[2].sent[1]["body"]
    reader = Client()
    tasks.append(await begun(app, reader))
    assert reader.status == 200
    for each in (*exports, reader):
        each.let.set()
    await asyncio.gather(*tasks)
    again = Client("/export")
    again.let.set()
    await (await begun(app, again))
    assert again.status == 200
    assert (app.running, app.exports, app.sent_bytes) == (0, 0, 0)


async def test_an_answer_that_is_only_to_be_read_holds_no_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(middleware_limits, "SENT_BYTES", 2 * len(b"done"))
    app = Guarded(answering, factories.settings(tmp_path, request_limit=1))
    readers = [Client() for _ in range(4)]
    tasks = [await begun(app, each) for each in readers]
    assert [each.status for each in readers] == [200, 200, 200, 503]  # the third keeps its place
    for each in readers:
        each.let.set()
    await asyncio.gather(*tasks)
    assert (app.running, app.sent_bytes) == (0, 0)


async def test_a_body_that_stops_coming_is_a_408(tmp_path: Path) -> None:
    async def stuck() -> AsyncIterator[bytes]:
        yield b"begin"
        await asyncio.Event().wait()

    async with guarded(tmp_path, client_timeout_s=0.05) as (client, _):
        answer = await client.post("/v1/articles", content=stuck())
        assert problem(answer) == (408, "too-slow")
        assert answer.headers["connection"] == "close"


async def test_a_body_that_drips_is_a_408(tmp_path: Path) -> None:
    async def drips() -> AsyncIterator[bytes]:
        while True:
            yield b"."
            await asyncio.sleep(0.01)

    async with guarded(tmp_path, client_timeout_s=0.1) as (client, _):
        assert problem(await client.post("/v1/articles", content=drips())) == (408, "too-slow")


async def test_a_body_that_came_fast_may_not_drip_then(tmp_path: Path) -> None:
    async def drips() -> AsyncIterator[bytes]:
        yield b"." * (1 << 20)  # two minutes' worth at the slowest pace
        while True:
            yield b"."
            await asyncio.sleep(0.01)

    async with guarded(tmp_path, client_timeout_s=0.1) as (client, _):
        answer = await asyncio.wait_for(client.post("/v1/articles", content=drips()), 20)
        assert problem(answer) == (408, "too-slow")


async def test_questions_on_their_way_stop_no_writer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(middleware_limits, "HELD_BYTES", 3_000)
    came, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"." * 3_000
        came.set()
        await go_on.wait()

    async with guarded(tmp_path) as (client, app):
        app.let.set()
        holding = asyncio.create_task(client.post("/v1/search", content=slow()))
        await came.wait()
        assert problem(await client.post("/v1/search", content=b"..")) == (503, "overloaded")
        assert (await client.post("/v1/articles", content=b"." * 2_000)).text == "done"
        go_on.set()
        assert (await holding).text == "done"
        assert (await client.post("/v1/search", content=b"..")).text == "done"


# --- sizes, through the whole application


def chunks(size: int) -> Any:
    async def chunked() -> AsyncIterator[bytes]:
        for _ in range(size // 1024):
            yield b" " * 1024

    return chunked()


async def test_what_is_too_large_is_refused(serve: Serve) -> None:
    limits = {"body_limit_bytes": 4096, "address_limit_bytes": 2048, "header_limit_bytes": 4096}
    async with serve(**limits) as client:
        asked = client.get
        assert problem(await asked(f"/v1/search?q={'a' * 2040}")) == (414, "too-large")
        assert problem(await asked(f"/{'a' * 2050}")) == (414, "too-large")
        assert problem(await asked("/v1/search", headers={"X": "a" * 4090})) == (431, "too-large")
        many = {f"X-{n}": "" for n in range(600)}
        assert problem(await asked("/v1/search", headers=many)) == (431, "too-large")
        for content in (b" " * 4097, chunks(8192)):
            posted = await client.post(
                "/v1/search", content=content, headers={"Content-Type": "application/json"}
            )
            assert problem(posted) == (413, "too-large")
            assert posted.headers["connection"] == "close"
        assert (await asked("/v1/search?q=a&limit=101")).status_code == 422
        assert (await client.post("/v1/search", json={"q": "a" * 3000})).status_code == 200


async def test_bodies_together_are_bounded(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middleware_limits, "HELD_BYTES", 0)
    async with serve() as client:
        answer = await client.post("/v1/articles", json={"headline": "One", "body": "Two"})
        assert problem(answer) == (503, "overloaded")
        assert "retry-after" in answer.headers


async def test_deep_json_is_refused(serve: Serve) -> None:
    async with serve() as client:
        for path in ("/v1/search", "/v1/articles"):
            answer = await client.post(
                path, content=b"[" * 500_000, headers={"Content-Type": "application/json"}
            )
            assert answer.status_code in (200, 422)


@pytest.mark.parametrize(
    "more",
    [
        {"query_string": b"q=\xff\xfe"},
        {"headers": [(b"host", b"a"), (b"host", b"b")]},
        {"headers": [(b"host", b"a\xff")]},
    ],
)
async def test_what_is_no_proper_http_is_a_400(serve: Serve, more: dict[str, Any]) -> None:
    async with serve() as client:
        status, _, body = await raw(client.app, **more)
        assert status == 400
        assert orjson.loads(body)["type"] == "urn:broadsheet:problem:malformed-request"


async def test_a_query_of_plain_utf_8_is_read_as_it_was_typed(serve: Serve) -> None:
    async with serve([draft("Café Riché", "It opens."), draft("Rain", "It rained.")]) as client:
        more: dict[str, Any] = {
            "path": "/v1/search",
            "query_string": "q=café+50%25&match=all".encode(),
        }
        status, _, body = await raw(client.app, **more)
        assert (status, orjson.loads(body)["total"]) == (200, 0)
        more["query_string"] = "q=riché&limit=1".encode()
        status, _, body = await raw(client.app, **more)
        assert (status, orjson.loads(body)["total"]) == (200, 1)


async def raw(app: ASGIApp, **more: Any) -> tuple[int, dict[bytes, bytes], bytes]:
    """The answer to a request that no client library would send."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/v1/articles",
        "raw_path": b"/v1/articles",
        "query_string": b"",
        "scheme": "http",
        "http_version": "1.1",
        "server": ("192.0.2.1", 8000),
        "client": ("127.0.0.1", 1),
        "headers": [(b"host", b"test")],
        **more,
    }
    await app(scope, receive, send)
    body = b"".join(each.get("body", b"") for each in sent)
    return sent[0]["status"], dict(sent[0]["headers"]), body


async def test_head_is_refused_without_a_body(serve: Serve) -> None:
    async with serve(allowed_hosts="test") as client:
        answer = await client.head("/v1/articles", headers={"Host": "evil.example"})
        assert (answer.status_code, answer.content) == (421, b"")


# --- what browsers are told


async def test_every_answer_takes_rights_away(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serve() as client:

        def fail(*_: object) -> None:
            raise RuntimeError("secret of the inside")

        monkeypatch.setattr(executor_of(client), "read", fail)
        for path, status in {"/healthz": 200, "/nowhere": 404, "/v1/articles": 500}.items():
            answer = await client.get(path)
            assert answer.status_code == status
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["content-security-policy"].startswith("default-src 'none'")
            assert answer.headers["x-frame-options"] == "DENY"
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert "secret" not in answer.text
            assert "Traceback" not in answer.text


async def test_no_page_of_another_origin_may_read_anything(serve: Serve) -> None:
    async with serve() as client:
        answer = await client.get("/v1/articles", headers={"Origin": "https://desk.example.org"})
        assert not [name for name in answer.headers if name.startswith("access-control-")]


async def test_pages_of_named_origins_may(serve: Serve) -> None:
    async with serve(cors_origins="https://desk.example.org", request_limit=1) as client:
        asked = partial(client.get, "/v1/articles?limit=0")  # a refusal can be read as well
        answer = await asked(headers={"Origin": "https://desk.example.org"})
        assert answer.headers["access-control-allow-origin"] == "https://desk.example.org"
        assert "access-control-allow-credentials" not in answer.headers
        assert "Link" in answer.headers["access-control-expose-headers"]
        answer = await asked(headers={"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in answer.headers
        preflight = {
            "Origin": "https://desk.example.org",
            "Access-Control-Request-Method": "PUT",
            "Access-Control-Request-Headers": "Authorization",
        }
        assert (await client.options("/v1/articles/x", headers=preflight)).status_code == 200
        preflight["Origin"] = "https://evil.example"
        assert (await client.options("/v1/articles/x", headers=preflight)).status_code == 400


@pytest.mark.parametrize("wrong", ["desk.example.org", "https://desk.example.org/path", "null"])
async def test_what_is_no_origin_is_refused(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(ValueError, match="cors_origins"):
        factories.settings(tmp_path, cors_origins=wrong)


async def test_what_is_no_request_passes() -> None:
    seen: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)

    stack = Restricted(shared_with((), Guarded(app, Settings())))
    await stack({"type": "lifespan"}, None, None)  # type: ignore[arg-type]
    assert seen == [{"type": "lifespan"}]
