"""The request log: id, trace and timings of every request, counted and logged.

The outermost middleware, so that a failure inside is also answered with a request id, counted and
logged. It changes only headers. `Inner` is the innermost and records the scope that the routes get
from the middleware between.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable
from time import perf_counter
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.metrics import Metrics
from app.api.middleware.limits import METRICS, PROBES
from app.api.middleware.shutdown import Drain
from app.api.tracing import Tracer
from app.context import RequestContext, current
from app.settings import Settings

log = logging.getLogger("app.requests")

_POLLED = PROBES | {METRICS}
"""Routes that are polled: logged only if they fail."""

_SANE_ID = re.compile(rb"[A-Za-z0-9._:/+=@~-]{1,128}")
# https://www.w3.org/TR/trace-context/#traceparent-header
_TRACEPARENT = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


class Observed:
    """Gives each request a RequestContext, and logs it when it ends."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        settings: Settings,
        metrics: Metrics,
        drain: Drain,
        tracer: Tracer | None = None,
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._drain = drain
        self._tracer = tracer
        self._least = {"all": 0, "errors": 400, "none": 1000}[settings.log_requests]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and log it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        context = _begin(scope["headers"])
        span = None
        if self._tracer is not None:
            span = self._tracer.begin(context, scope)
        token = current.set(context)
        self._metrics.begun()

        async def observed(message: Message) -> None:
            if message["type"] == "http.response.start":
                context.status = message["status"]
                headers = [*message.get("headers", ())]
                headers += self._headers(context, perf_counter() - started)
                message = {**message, "headers": headers}
            await send(message)

        failed = True
        try:
            await self._app(scope, receive, observed)
            failed = False
        finally:
            seconds = perf_counter() - started
            route = _route(context.scope)
            self._metrics.answered(scope["method"], route, context, seconds)
            status = context.status or 500
            if status >= self._least and (route not in _POLLED or status >= 400):
                _log(scope, context, route, seconds, broken=failed and status < 400)
            if span is not None and self._tracer is not None:
                self._tracer.end(span, context, scope["method"], route, started, seconds)
            current.reset(token)

    def _headers(self, context: RequestContext, seconds: float) -> Iterable[tuple[bytes, bytes]]:
        yield b"x-request-id", context.id.encode()
        timing = "".join(f"{n};dur={s * 1000:.2f}, " for n, s in context.parts.items())
        yield b"server-timing", f"{timing}total;dur={seconds * 1000:.2f}".encode()
        if context.trace is not None:
            # https://www.w3.org/TR/trace-context-2/#traceresponse-header
            flags = "01" if context.traced else "00"
            yield b"traceresponse", f"00-{context.trace}-{context.span}-{flags}".encode()
        if self._drain.begun:
            yield b"connection", b"close"


class Inner:
    """Records the scope that the routes get, for the log and the metrics."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        context = current.get()
        if context is not None and scope["type"] == "http":
            context.scope = scope
        await self._app(scope, receive, send)


def _begin(headers: Iterable[tuple[bytes, bytes]]) -> RequestContext:
    """The context of a request; its id is the client's if that is valid, otherwise random."""
    id_ = parent = None
    for name, value in headers:
        if name == b"x-request-id":
            id_ = value if _SANE_ID.fullmatch(value) else None
        elif name == b"traceparent":
            parent = value if parent is None else b""  # more than one is invalid
    context = RequestContext(id_.decode() if id_ is not None else os.urandom(16).hex())
    if parent and (found := _TRACEPARENT.fullmatch(parent)):
        version, trace, span, _, more = found.groups()
        sound = version != b"ff" and int(trace, 16) and int(span, 16)
        if sound and (more is None or version != b"00"):
            context.trace = trace.decode()
            context.span = os.urandom(8).hex()
    return context


def _route(scope: Any) -> str:
    """The template of the route that answered, otherwise `refused` or `none`."""
    if scope is None:
        return "refused"  # before any route was looked for
    found = getattr(scope.get("route"), "path_format", None)
    return found if isinstance(found, str) else "none"


def _log(
    scope: Scope, context: RequestContext, route: str, seconds: float, *, broken: bool
) -> None:
    inner = context.scope if context.scope is not None else scope
    status = context.status or 500
    facts: dict[str, Any] = {
        "method": scope["method"],
        "path": scope["path"],
        "route": route,
        "status": status,
        "ms": round(seconds * 1000, 2),
        "client": (inner.get("client") or ("-",))[0],
    }
    for name, value in context.parts.items():
        facts[f"{name}_ms"] = round(value * 1000, 2)
    if context.key is not None:
        facts["key"] = context.key
    if context.problem is not None:
        facts["problem"] = context.problem
    if broken:
        facts["broken_off"] = True
    level = logging.ERROR if (status >= 500 and status != 503) or broken else logging.INFO
    log.log(level, "request", extra={"facts": facts})
