"""What observing a request costs: CPU microseconds around an application that does nothing.

`python -m tests.bench.observing`; with PROMETHEUS_MULTIPROC_DIR set to an empty folder it
measures the counters that several workers share. Log lines go to /dev/null.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import logs
from app.api.metrics import Metrics
from app.api.middleware.request_log import Inner, Observed
from app.api.middleware.shutdown import Drain
from app.settings import Settings

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

REQUESTS = 10_000
ROUNDS = 9
HEADERS = [(b"host", b"example.org"), (b"user-agent", b"bench"), (b"accept", b"*/*")]


async def nothing(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"{}"})


async def _cost_us(app: ASGIApp) -> float:
    """The least of several rounds: other programs only ever add."""
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/v1/articles",
        "client": ("127.0.0.1", 1),
        "headers": HEADERS,
        "route": type("Route", (), {"path": "/v1/articles"}),
    }

    async def receive() -> Any:
        return {}

    async def send(_message: Any) -> None:
        pass

    least = float("inf")
    for _ in range(ROUNDS):
        started = time.thread_time()
        for _ in range(REQUESTS):
            await app(scope, receive, send)
        least = min(least, (time.thread_time() - started) / REQUESTS)
    return round(least * 1e6, 1)


def observed(**more: Any) -> Observed:
    """The application that does nothing, observed."""
    return Observed(
        Inner(nothing),
        settings=Settings(**more),
        metrics=Metrics(),
        drain=Drain(drain_s=0, stop_timeout_s=1),
    )


async def main() -> None:
    costs = {
        "nothing": await _cost_us(nothing),
        "counted": await _cost_us(observed(log_requests="none")),
    }
    forms: tuple[tuple[str, logging.Formatter], ...] = (
        ("console", logs.Console()),
        ("json", logs.Json()),
    )
    with Path(os.devnull).open("w", encoding="utf-8") as away:
        for name, form in forms:
            handler = logging.StreamHandler(away)
            handler.setFormatter(form)
            logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
            costs[f"counted, logged for {name}"] = await _cost_us(observed())
    json.dump(costs, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    asyncio.run(main())
