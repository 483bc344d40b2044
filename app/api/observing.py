"""Every request observed: its id, its trace, what took how long; counted and logged.

The outermost of all: what fails inside is still answered with a request id, counted and
logged. It changes nothing but headers. `Inner` stands next to the routes and remembers what
they were given, whatever stood between has made of it.
"""

from __future__ import annotations

import logging
import os
import re
from time import perf_counter
from typing import TYPE_CHECKING, Any

from app.exchange import Exchange, current

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from app.api.draining import Drain
    from app.api.metrics import Metrics
    from app.api.tracing import Tracer
    from app.settings import Settings

log = logging.getLogger("app.requests")

PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
"""Routes that are asked all the time: logged only when they fail."""

_SANE_ID = re.compile(rb"[A-Za-z0-9._:/+=@~-]{1,128}")
# https://www.w3.org/TR/trace-context/#traceparent-header
_TRACEPARENT = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


class Observed:
    """Gives each request an Exchange, and tells of it when it ends."""

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
        """Answer as what is inside does, and tell of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        exchange = _begin(scope["headers"])
        span = None
        if self._tracer is not None:
            span = self._tracer.begin(exchange, scope)
        token = current.set(exchange)
        self._metrics.begun()

        async def observed(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                headers = [*message.get("headers", ())]
                headers += self._headers(exchange, perf_counter() - started)
                message = {**message, "headers": headers}
            await send(message)

        failed = True
        try:
            await self._app(scope, receive, observed)
            failed = False
        finally:
            seconds = perf_counter() - started
            route = _route(exchange.scope)
            self._metrics.answered(scope["method"], route, exchange, seconds)
            status = exchange.status or 500
            if status >= self._least and (route not in PROBES or status >= 400):
                _tell(scope, exchange, route, seconds, broken=failed and status < 400)
            if span is not None and self._tracer is not None:
                self._tracer.end(span, exchange, scope["method"], route, started, seconds)
            current.reset(token)

    def _headers(self, exchange: Exchange, seconds: float) -> Iterable[tuple[bytes, bytes]]:
        yield b"x-request-id", exchange.id.encode()
        timing = "".join(f"{n};dur={s * 1000:.2f}, " for n, s in exchange.parts.items())
        yield b"server-timing", f"{timing}total;dur={seconds * 1000:.2f}".encode()
        if exchange.trace is not None:
            # https://www.w3.org/TR/trace-context-2/#traceresponse-header
            flags = "01" if exchange.traced else "00"
            yield b"traceresponse", f"00-{exchange.trace}-{exchange.span}-{flags}".encode()
        if self._drain.begun:
            yield b"connection", b"close"


class Inner:
    """Remembers the scope that the routes are given, for the log and the metrics."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as what is inside does."""
        exchange = current.get()
        if exchange is not None and scope["type"] == "http":
            exchange.scope = scope
        await self._app(scope, receive, send)


def _begin(headers: Iterable[tuple[bytes, bytes]]) -> Exchange:
    """The exchange of a request: its id is the client's if that is sane, else made here."""
    id_ = parent = None
    for name, value in headers:
        if name == b"x-request-id":
            id_ = value if _SANE_ID.fullmatch(value) else None
        elif name == b"traceparent":
            parent = value if parent is None else b""  # two of them are none
    exchange = Exchange(id_.decode() if id_ is not None else os.urandom(16).hex())
    if parent and (found := _TRACEPARENT.fullmatch(parent)):
        version, trace, span, _, more = found.groups()
        sound = version != b"ff" and int(trace, 16) and int(span, 16)
        if sound and (more is None or version != b"00"):
            exchange.trace = trace.decode()
            exchange.span = os.urandom(8).hex()
    return exchange


def _route(scope: Any) -> str:
    """The template of the route that answered, or what stands for it."""
    if scope is None:
        return "refused"  # before any route was looked for
    found = getattr(scope.get("route"), "path", None)
    return found if isinstance(found, str) else "none"


def _tell(scope: Scope, exchange: Exchange, route: str, seconds: float, *, broken: bool) -> None:
    inner = exchange.scope if exchange.scope is not None else scope
    status = exchange.status or 500
    facts: dict[str, Any] = {
        "method": scope["method"],
        "path": scope["path"],
        "route": route,
        "status": status,
        "ms": round(seconds * 1000, 2),
        "client": (inner.get("client") or ("-",))[0],
    }
    for name, value in exchange.parts.items():
        facts[f"{name}_ms"] = round(value * 1000, 2)
    if exchange.key is not None:
        facts["key"] = exchange.key
    if exchange.problem is not None:
        facts["problem"] = exchange.problem
    if broken:
        facts["broken_off"] = True
    level = logging.ERROR if (status >= 500 and status != 503) or broken else logging.INFO
    log.log(level, "request", extra={"facts": facts})
