"""Traces to an OpenTelemetry collector, when the settings name one; nothing otherwise.

A request is a span, below that of the client's `traceparent`; waiting, work and search are
spans inside it. OpenTelemetry's SDK is an extra that is imported here alone, and only then;
its provider is ours and not the process's, so that no other library sends anything. What its
own variables say (OTEL_SERVICE_NAME, OTEL_TRACES_SAMPLER, OTEL_EXPORTER_OTLP_HEADERS …)
holds.
"""

from __future__ import annotations

import os
import time
from importlib.metadata import version
from typing import Any

from starlette.types import Scope

from app.context import RequestContext
from app.errors import ExtraMissing
from app.settings import Settings

FLUSH_TIMEOUT_MS = 3_000


def open_tracer(settings: Settings) -> Tracer | None:
    """The tracer for the collector of the settings; None where they name none."""
    if settings.otlp_endpoint is None:
        return None
    return Tracer(settings.otlp_endpoint)


class Tracer:
    """Sends a span for each request to the collector at `endpoint` (OTLP over HTTP)."""

    def __init__(self, endpoint: str) -> None:
        try:
            from opentelemetry import trace
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
            from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
        except ImportError as error:
            raise ExtraMissing("otel", str(error.name)) from error
        named = {"service.version": version("broadsheet")}
        if "OTEL_SERVICE_NAME" not in os.environ:
            named["service.name"] = "broadsheet"
        self._trace = trace
        self._propagator = TraceContextTextMapPropagator()
        self._provider = TracerProvider(resource=Resource.create(named))
        exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("broadsheet", version("broadsheet"))

    def begin(self, context: RequestContext, scope: Scope) -> Any:
        """The span of a request, begun; the context then belongs to its trace."""
        carrier = {}
        if context.trace is not None:  # a sound traceparent came
            wanted = (b"traceparent", b"tracestate")
            carrier = {n.decode(): v.decode("latin-1") for n, v in scope["headers"] if n in wanted}
        parent = self._propagator.extract(carrier)
        span = self._tracer.start_span(
            scope["method"], context=parent, kind=self._trace.SpanKind.SERVER
        )
        found = span.get_span_context()
        context.trace = f"{found.trace_id:032x}"
        context.span = f"{found.span_id:016x}"
        context.traced = span.is_recording()
        return span

    def end(
        self,
        span: Any,
        context: RequestContext,
        method: str,
        route: str,
        started: float,
        seconds: float,
    ) -> None:
        """Finish the span of a request, with its parts below it."""
        if not span.is_recording():
            return
        status = context.status or 500
        span.update_name(f"{method} {route}")
        span.set_attributes(
            {
                "http.request.method": method,
                "http.route": route,
                "http.response.status_code": status,
                "broadsheet.request_id": context.id,
            }
        )
        if status >= 500:
            span.set_status(self._trace.StatusCode.ERROR, context.problem)
        epoch_ns = time.time_ns() - int((started + seconds) * 1e9)  # of the clock of the parts
        inside = self._trace.set_span_in_context(span)
        for name, at, took in context.spans:
            start_ns = epoch_ns + int(at * 1e9)
            part = self._tracer.start_span(name, context=inside, start_time=start_ns)
            part.end(start_ns + int(took * 1e9))
        span.end()

    def close(self) -> None:
        """Send what has not been sent, within a few seconds, and stop."""
        self._provider.force_flush(FLUSH_TIMEOUT_MS)
        self._provider.shutdown()
