"""The exchange that is going on: for which request this code works, and what took how long.

The API opens one Exchange a request. It travels in a context variable, into the threads
that work on the request too, so that logs name the request and the engine can say how long
it searched without being given anything. Outside a request there is none and nothing is
measured. It decides nothing and knows no HTTP.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType

MOST_SPANS = 100
"""Parts of one exchange that are remembered one by one: an export has no end of them."""


@dataclass(slots=True)
class Exchange:
    """A request and its answer, as far as they have come.

    `trace` is the W3C trace that it belongs to, `span` our own part of that. `parts` are
    seconds by name, summed; `spans` each of them with its start on the clock of
    `perf_counter`, kept only for whoever sends traces.
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
    """The name of the key that the request came with."""
    remembered: bool | None = None
    """Whether the search was answered from the engine's memory; None without a search."""
    scope: Any = None
    """What the route was given, with the route in it, once that is known."""

    def add(self, name: str, started: float, seconds: float) -> None:
        """Part `name` began at `started` and took so many seconds."""
        self.parts[name] = self.parts.get(name, 0.0) + seconds
        if self.traced and len(self.spans) < MOST_SPANS:
            self.spans.append((name, started, seconds))


current: ContextVar[Exchange | None] = ContextVar("exchange", default=None)


class Part:
    """Measures a block as a part of the current exchange: `with Part("search"): …`."""

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
        exchange = current.get()
        if exchange is not None:
            exchange.add(self._name, self._started, perf_counter() - self._started)


def remembered(known: bool) -> None:
    """Say whether the search of the current exchange was answered from memory."""
    exchange = current.get()
    if exchange is not None:
        exchange.remembered = known
