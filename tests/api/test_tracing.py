"""Traces: to a collector of our own, and nothing without the setting."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from app.api import create_app
from app.errors import ExtraMissing
from tests import factories
from tests.factories import numbered

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.api.conftest import Serve

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"


@contextmanager
def collecting() -> Iterator[tuple[str, list[Any]]]:
    """A collector's address, and the spans that it was sent."""
    spans: list[Any] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            sent = ExportTraceServiceRequest()
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                import gzip

                body = gzip.decompress(body)
            sent.ParseFromString(body)
            for resource in sent.resource_spans:
                named = {a.key: a.value.string_value for a in resource.resource.attributes}
                assert named["service.name"] == "broadsheet"
                spans.extend(span for scope in resource.scope_spans for span in scope.spans)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", spans
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.anyio
async def test_a_request_is_a_span_below_the_client_s(serve: Serve) -> None:
    with collecting() as (endpoint, spans):
        async with serve([numbered(1)], otlp_endpoint=endpoint) as client:
            headers = {"traceparent": f"00-{TRACE}-{PARENT}-01", "X-Request-ID": "of-mine"}
            answer = await client.get("/v1/search?q=apples", headers=headers)
            missing = await client.get("/nowhere")
            unsampled = await client.get(
                "/v1/articles", headers={"traceparent": f"00-{TRACE}-{PARENT}-00"}
            )
    (whole,) = [span for span in spans if span.name == "GET /v1/search"]
    assert whole.trace_id.hex() == TRACE
    assert whole.parent_span_id.hex() == PARENT
    assert answer.headers["traceresponse"] == f"00-{TRACE}-{whole.span_id.hex()}-01"
    told = {each.key: each.value for each in whole.attributes}
    assert told["http.response.status_code"].int_value == 200
    assert told["http.route"].string_value == "/v1/search"
    assert told["broadsheet.request_id"].string_value == "of-mine"
    inside = [span for span in spans if span.parent_span_id == whole.span_id]
    assert {span.name for span in inside} == {"wait", "work", "search"}
    for span in inside:
        assert whole.start_time_unix_nano - 2_000_000 <= span.start_time_unix_nano
        assert span.end_time_unix_nano <= whole.end_time_unix_nano + 2_000_000
    (other,) = [span for span in spans if span.name == "GET none"]
    assert missing.headers["traceresponse"].split("-")[1] == other.trace_id.hex()
    assert unsampled.headers["traceresponse"].endswith("-00")
    assert not any(span.name == "GET /v1/articles" for span in spans)


@pytest.mark.anyio
async def test_a_collector_that_is_gone_harms_nothing(serve: Serve) -> None:
    async with serve(otlp_endpoint="http://127.0.0.1:9") as client:
        assert (await client.get("/healthz")).status_code == 200


def test_without_the_setting_nothing_of_it_is_imported(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from app.api import create_app;"
        "from app.settings import Settings; create_app(Settings(data_dir=Path('x')));"
        "parts = ('opentelemetry.sdk', 'opentelemetry.exporter');"
        "print([each for each in sys.modules if each.startswith(parts)])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert done.stdout == "[]\n"


def test_without_the_extra_the_setting_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(ExtraMissing) as raised:
        create_app(factories.settings(tmp_path, otlp_endpoint="http://127.0.0.1:9"))
    assert raised.value.hint == "run: pip install 'broadsheet[otel]'"
