"""The request context: the current request, and the time of its spans.

The API opens one context a request. A context variable carries it into the threads that work on
the request, so that logs name the request and the engine records its time without a parameter.
Outside a request there is no context and nothing is measured. This module knows no HTTP.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field
from time import perf_counter
from types import TracebackType
from typing import Any

MOST_SPANS = 100
"""Most spans of a request that are kept separately: an export has very many."""


@dataclass(slots=True)
class RequestContext:
    """The state of a request and its answer.

    `trace` is the id of its W3C trace, `span` that of our span in it. `parts` are the summed
    seconds by name. `spans` are name, start on the clock of `perf_counter` and seconds of each
    span, if `traced`.
    """

    id: str
    trace: str | None = None
    span: str | None = None
    traced: bool = False
    parts: dict[str, float] = field(default_factory=dict)
    spans: list[tuple[str, float, float]] = field(default_factory=list)
    status: int | None = None
    problem: str | None = None
    key: str | None = None
    """The name of the request's API key."""
    cache_hit: bool | None = None
    """Whether the search was answered from the engine's cache; None without a search."""
    scope: Any = None
    """The ASGI scope of the route, once it is known."""

    def add(self, name: str, started: float, seconds: float) -> None:
        """Add a span that began at `started` and took `seconds`."""
        self.parts[name] = self.parts.get(name, 0.0) + seconds
        if self.traced and len(self.spans) < MOST_SPANS:
            self.spans.append((name, started, seconds))


current: ContextVar[RequestContext | None] = ContextVar("request", default=None)


class Span:
    """Measures a block as a span of the current request: `with Span("search"): …`."""

    __slots__ = ("_name", "_started")

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        self._started = perf_counter()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        context = current.get()
        if context is not None:
            context.add(self._name, self._started, perf_counter() - self._started)


def set_cache_hit(hit: bool) -> None:
    """Record whether the search of the current request was answered from the cache."""
    context = current.get()
    if context is not None:
        context.cache_hit = hit
