"""A light HTTP client for many requests at once, and the two ways to send them.

`closed` keeps some connections busy, each with its next request as soon as the last one is
answered: how much the server can do. `open_loop` sends at a fixed rate whatever comes back, as
many clients do who know nothing of each other; a request's time begins when it was due, so a
server that stands still for a second is seen by all that came in that second.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests import factories

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMEOUT_S = 60.0
MOST_CONNECTIONS = 64
IDLE_S = 3.0
"""After which a connection isn't used again: servers close those that are idle."""


@dataclass(frozen=True, slots=True)
class Question:
    """A request: `kind` is what it is counted as."""

    kind: str
    path: str
    method: str = "GET"
    body: bytes = b""

    def encoded(self) -> bytes:
        """As it goes over the wire."""
        head = f"{self.method} {self.path} HTTP/1.1\r\nHost: localhost\r\n"
        if self.body:
            head += f"Authorization: {factories.KEYED['Authorization']}\r\n"
            head += f"Content-Type: application/json\r\nContent-Length: {len(self.body)}\r\n"
        return f"{head}\r\n".encode() + self.body


@dataclass(slots=True)
class Run:
    """What came back: seconds of each kind, statuses (0: no answer), and the client's lateness."""

    seconds: float = 0.0
    took_s: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    statuses: Counter[int] = field(default_factory=Counter)
    latest_s: float = 0.0

    @property
    def answers(self) -> int:
        return sum(self.statuses.values())


class _Connections:
    """Connections to the server, each used by one request at a time."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[tuple[float, asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._room = asyncio.Semaphore(MOST_CONNECTIONS)

    async def ask(self, question: Question) -> int:
        """The answer's status, once all of it has come; 0 where none comes."""
        async with self._room:
            try:
                async with asyncio.timeout(TIMEOUT_S):
                    return await self._ask(question)
            except (OSError, EOFError, TimeoutError):
                return 0

    async def _ask(self, question: Question) -> int:
        reader, writer = await self._connection()
        try:
            writer.write(question.encoded())
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            status = int(head.split(maxsplit=2)[1])
            _, found, rest = head.partition(b"content-length:")
            if found:
                await reader.readexactly(int(rest.split(maxsplit=1)[0]))
        except BaseException:
            writer.close()
            raise
        self._idle.append((time.monotonic(), reader, writer))
        return status

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while self._idle:
            since, reader, writer = self._idle.pop()
            if time.monotonic() - since < IDLE_S and not reader.at_eof():
                return reader, writer
            writer.close()
        return await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 20)

    async def close(self) -> None:
        for _, _, writer in self._idle:
            writer.close()
            await writer.wait_closed()


async def closed(
    port: int, questions: Iterator[Question], *, connections: int, seconds: float
) -> Run:
    """Ask over so many connections as fast as answers come."""
    run, pool = Run(), _Connections(port)
    started = time.perf_counter()

    async def one() -> None:
        while time.perf_counter() - started < seconds:
            await _timed(run, pool, next(questions), time.perf_counter())

    await asyncio.gather(*(one() for _ in range(connections)))
    run.seconds = time.perf_counter() - started
    await pool.close()
    return run


async def open_loop(
    port: int, questions: Iterator[Question], *, rate: float, seconds: float
) -> Run:
    """Ask `rate` times a second, whatever comes back; ends when all is answered."""
    run, pool = Run(), _Connections(port)
    started = time.perf_counter()
    async with asyncio.TaskGroup() as asked:
        for number in range(max(int(rate * seconds), 1)):
            due = started + number / rate
            await asyncio.sleep(max(due - time.perf_counter(), 0))
            run.latest_s = max(run.latest_s, time.perf_counter() - due)
            asked.create_task(_timed(run, pool, next(questions), due))
    run.seconds = time.perf_counter() - started
    await pool.close()
    return run


async def _timed(run: Run, pool: _Connections, question: Question, due: float) -> None:
    status = await pool.ask(question)
    run.took_s[question.kind].append(time.perf_counter() - due)
    run.statuses[status] += 1
