"""Request ids, traces, timing, counting and logging of requests."""

from __future__ import annotations

import json
import logging
import re
import sys
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from app import context, logs
from app.api.middleware import request_log
from tests.api.conftest import executor_of
from tests.factories import numbered

if TYPE_CHECKING:
    import httpx

    from tests.api.conftest import Serve

pytestmark = pytest.mark.anyio

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


async def scraped(client: httpx.AsyncClient) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    answer = await client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def count(found: Any, name: str, **labels: str) -> float:
    value = found.get((f"broadsheet_{name}", frozenset(labels.items())), 0.0)
    assert isinstance(value, float)
    return value


# --- ids


@pytest.mark.parametrize("sane", ["abc", "a" * 128, "1-2_3.4:5/6+7=8@9~"])
async def test_a_sane_request_id_is_kept(serve: Serve, sane: str) -> None:
    async with serve() as client:
        answer = await client.get("/healthz", headers={"X-Request-ID": sane})
    assert answer.headers["x-request-id"] == sane


@pytest.mark.parametrize("wild", ["", "a" * 129, "a b", 'a"', "a\\n", "<b>", "ä"])
async def test_any_other_is_replaced(serve: Serve, wild: str) -> None:
    async with serve() as client:
        answers = [
            await client.get("/healthz", headers={b"X-Request-ID": wild.encode("latin-1")})
            for _ in range(2)
        ]
    ids = {answer.headers["x-request-id"] for answer in answers}
    assert len(ids) == 2
    assert all(re.fullmatch("[0-9a-f]{32}", each) for each in ids)


async def test_even_what_fails_unforeseen_has_an_id(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("app.articles.read.listing", broken)
    async with serve() as client:
        answer = await client.get("/v1/articles")
        found = await scraped(client)
    assert answer.status_code == 500
    assert answer.headers["x-request-id"]
    route = "/v1/articles"
    assert count(found, "http_requests_total", method="GET", route=route, status="500") == 1
    assert count(found, "http_problems_total", type="internal-error") == 1
    told = [each for each in caplog.records if each.name == "app.requests"]
    assert told[-1].levelno == logging.ERROR


# --- traces


async def test_a_trace_goes_on(serve: Serve) -> None:
    async with serve() as client:
        answer = await client.get("/healthz", headers={"traceparent": PARENT})
    assert re.fullmatch(f"00-{TRACE}-[0-9a-f]{{16}}-00", answer.headers["traceresponse"])
    assert "b7ad6b7169203331" not in answer.headers["traceresponse"]


@pytest.mark.parametrize(
    "wrong",
    [
        PARENT.upper(),
        f"ff-{TRACE}-b7ad6b7169203331-01",
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"{PARENT}-more",
        "00-1-2-3",
        "",
    ],
)
async def test_a_malformed_trace_is_none(serve: Serve, wrong: str) -> None:
    async with serve() as client:
        answer = await client.get("/healthz", headers={"traceparent": wrong})
        twice = await client.get(
            "/healthz", headers=[("traceparent", PARENT), ("traceparent", PARENT)]
        )
        later = await client.get("/healthz", headers={"traceparent": f"01{PARENT[2:]}-more"})
    assert "traceresponse" not in answer.headers
    assert "traceresponse" not in twice.headers
    assert TRACE in later.headers["traceresponse"]


# --- timing


async def test_server_timing_tells_what_took_how_long(serve: Serve) -> None:
    async with serve([numbered(1)]) as client:
        answer = await client.get("/v1/search?q=apples")
        alive = await client.get("/healthz")
    told = answer.headers["server-timing"]
    assert re.fullmatch(r"(\w+;dur=[\d.]+(, |$))+", told)
    parts = dict(each.split(";dur=") for each in told.split(", "))
    assert parts.keys() == {"wait", "work", "search", "total"}
    assert float(parts["search"]) <= float(parts["work"]) <= float(parts["total"])
    assert re.fullmatch(r"total;dur=[\d.]+", alive.headers["server-timing"])


# --- metrics


async def test_requests_are_counted_by_template_and_status(serve: Serve) -> None:
    async with serve([numbered(1)]) as client:
        before = await scraped(client)
        for number in range(3):
            await client.get(f"/v1/articles/00000000-0000-0000-0000-00000000000{number}")
        await client.head("/v1/articles")
        await client.get("/v1/search?q=apples")
        await client.get("/v1/search?q=apples")
        await client.get('/v1/search?q="')
        for path in ("/a", "/b"):
            await client.get(path)
        await client.request("MAKE-UP", "/v1/articles")
        found = await scraped(client)
    one = "/v1/articles/{article_id}"
    for method, route, status, times in (
        ("GET", one, "404", 3),
        ("HEAD", "/v1/articles", "200", 1),
        ("GET", "/v1/search", "200", 2),
        ("GET", "/v1/search", "400", 1),
        ("GET", "none", "404", 2),
        ("other", "/v1/articles", "405", 1),
    ):
        labels = {"method": method, "route": route}
        assert count(found, "http_requests_total", **labels, status=status) == times, route
    assert count(found, "http_request_duration_seconds_count", method="GET", route=one) == 3
    assert count(found, "http_problems_total", type="malformed-query") == 1
    assert count(found, "search_cache_total", result="hit") == 1
    assert count(found, "search_cache_total", result="miss") == 1
    assert count(found, "search_duration_seconds_count") == 2
    waited = count(found, "desk_wait_seconds_count") - count(before, "desk_wait_seconds_count")
    assert waited > 0
    assert count(found, "http_requests_in_progress") == 1
    assert count(found, "desk_queued") == 0


async def test_every_route_has_its_template(serve: Serve) -> None:
    async with serve([numbered(1)]) as client:
        paths = (await client.get("/openapi.json")).json()["paths"]
        for path in paths:
            await client.get(path.format(article_id="x", entity_id="x", number="x"))
        await client.get("/static/favicon.png")
        found = await scraped(client)
    routes = {dict(labels)["route"] for name, labels in found if name.endswith("requests_total")}
    assert set(paths) - {"/metrics"} <= routes
    assert routes - set(paths) <= {"/static", "/openapi.json", "none"}


async def test_store_and_index_are_looked_up(serve: Serve) -> None:
    async with serve([numbered(n) for n in range(3)]) as client:
        found = await scraped(client)
        executor = executor_of(client)
        for name, value in (
            ("articles", 3),
            ("change", 1),
            ("index_cursor", 1),
            ("index_lag_changes", 0),
            ("index_ready", 1),
            ("store_up", 1),
            ("draining", 0),
            ("workers", 1),
            ("indexed_articles_total", 3),
        ):
            assert count(found, name) == value, name
        assert count(found, "index_syncs_total", result="done") >= 1
        assert count(found, "disk_free_bytes") > 0
        assert count(found, "memory_bytes") > 1e6
        assert 0 < count(found, "open_files") < count(found, "open_files_limit")
        (build,) = [dict(labels) for name, labels in found if name == "broadsheet_build_info"]
        assert build.keys() == {"version", "python", "engine"}
        executor.database.close()  # its connections; the next look opens others
        with executor.database.transaction() as session:
            session.connection().exec_driver_sql("ALTER TABLE store RENAME TO elsewhere")
        found = await scraped(client)
        assert count(found, "store_up") == 0
        assert count(found, "index_ready") == 0
        assert ("broadsheet_articles", frozenset()) not in found
        with executor.database.transaction() as session:
            session.connection().exec_driver_sql("ALTER TABLE elsewhere RENAME TO store")


# --- the log


async def test_a_request_is_a_line_with_its_facts(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with serve([numbered(1)]) as client:
        caplog.clear()
        headers = {"X-Request-ID": "of-mine"}
        await client.get("/v1/search?q=secret-interest", headers=headers)
        await client.get("/healthz")
    (record,) = [each for each in caplog.records if each.name == "app.requests"]
    facts: dict[str, Any] = record.facts  # type: ignore[attr-defined]
    assert facts["status"] == 200
    assert facts["route"] == facts["path"] == "/v1/search"
    assert facts["search_ms"] <= facts["ms"]
    assert "secret-interest" not in json.dumps(facts)


@pytest.mark.parametrize(("chosen", "told"), [("all", 2), ("errors", 1), ("none", 0)])
async def test_the_setting_says_which_requests_are_logged(
    serve: Serve, caplog: pytest.LogCaptureFixture, chosen: str, told: int
) -> None:
    caplog.set_level(logging.INFO)
    async with serve(log_requests=chosen) as client:
        caplog.clear()
        await client.get("/v1/changes")
        await client.get("/nowhere")
    assert sum(each.name == "app.requests" for each in caplog.records) == told


def record(message: str, *arguments: object, **facts: Any) -> logging.LogRecord:
    made = logging.LogRecord("app.x", logging.WARNING, "x.py", 1, message, arguments, None)
    made.created = 0.25
    made.facts = facts
    return made


@pytest.mark.parametrize("form", [logs.Json, logs.Console, logs.Plain])
async def test_no_line_holds_a_key(form: type[logging.Formatter]) -> None:
    key = "bs_" + "1a" * 36
    token = context.current.set(context.RequestContext(key))
    made = record("read %s", f"x{key}y", path=f"/v1/{key}")
    try:
        raise ValueError(key)
    except ValueError:
        made.exc_info = sys.exc_info()
    try:
        line = form().format(made)
    finally:
        context.current.reset(token)
    assert key not in line
    assert "xbs_**********y" in line


async def test_lines_name_request_and_trace_and_are_harmless() -> None:
    going_on = context.RequestContext("my-id", trace=TRACE, span="b7ad6b7169203331")
    token = context.current.set(going_on)
    wild = record("read %s", "a\nb\x1b[2J\u202e\udcff", path="/x\r\n\x00")
    try:
        line = logs.Json().format(wild)
        text = logs.Console().format(wild)
    finally:
        context.current.reset(token)
    assert json.loads(line) == {
        "at": "1970-01-01T00:00:00.250Z",
        "level": "warning",
        "logger": "app.x",
        "message": "read a\nb\x1b[2J\u202e\\udcff",
        "path": "/x\r\n\x00",
        "request_id": "my-id",
        "trace_id": TRACE,
        "span_id": "b7ad6b7169203331",
    }
    assert line.isprintable() or "\u202e" in line
    assert "\n" not in line
    told = r"1970-01-01T00:00:00.250Z WARNING read a\nb\x1b[2J\u202e\udcff path=/x\r\n\x00"
    assert text == f"{told} request_id=my-id trace_id={TRACE} span_id=b7ad6b7169203331"
    assert logs.Plain().format(record("done")) == "WARNING done"
    assert "request_id" not in logs.Json().format(record("done"))


async def test_a_traceback_is_told_in_both_forms() -> None:
    try:
        raise ValueError("a\x1bb\udcff")
    except ValueError as error:
        made = record("failed")
        made.exc_info = (type(error), error, error.__traceback__)
    assert "ValueError" in json.loads(logs.Json().format(made))["error"]
    text = logs.Console().format(made)
    assert "Traceback" in text
    assert r"a\x1bb\udcff" in text


async def test_an_answer_that_breaks_off_is_an_error(caplog: pytest.LogCaptureFixture) -> None:
    going_on = context.RequestContext("x", status=200)
    caplog.set_level(logging.INFO)
    request_log._log({"method": "GET", "path": "/x"}, going_on, "/x", 0.1, broken=True)
    assert caplog.records[0].levelno == logging.ERROR
    assert caplog.records[0].facts["broken_off"]  # type: ignore[attr-defined]
