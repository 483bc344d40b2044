"""The server process: uvicorn, with bounds for clients that never finish.

uvicorn waits without end for the head of a request, for a body that nobody reads, and for a
client that does not take its answer; it holds any number of connections. `Bounded` adds the
limits that lie below the application. uvicorn's own reading of `X-Forwarded-…` stays off:
`proxy.py` does that, and the environment cannot turn it on.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import re
import socket
import sys
import termios
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from struct import Struct
from typing import Any

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.supervisors.multiprocess import Multiprocess

from app import logs
from app.api import problems
from app.api.middleware.limits import SLOWEST_BYTES_S
from app.settings import Settings

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one connection, and all of them, may take of a worker."""

    connections: int
    head_bytes: int
    patience_s: float


def run(settings: Settings, *, host: str, port: int, workers: int) -> None:
    """Serve the API until told to stop; raises SystemExit when it cannot start."""
    config = uvicorn.Config(_APP, host=host, port=port, workers=workers, **_options(settings))
    metrics = [_metrics_socket(settings.metrics_port)] if settings.metrics_port else []
    if workers > 1:  # all listen on all sockets, so whichever takes a scrape answers for all
        Multiprocess(config, sockets=[config.bind_socket(), *metrics]).run()
        return
    server = uvicorn.Server(config)
    with suppress(KeyboardInterrupt):  # alone it binds all addresses of a name such as localhost
        server.run([config.bind_socket(), *metrics] if metrics else None)
    if not server.started:
        sys.exit(STARTUP_FAILURE)


def run_on(listener: socket.socket, settings: Settings, *, started: Callable[[], None]) -> None:
    """Serve the API on a socket that listens, until told to stop by whichever signal.

    Calls `started` when it answers. Raises SystemExit when it cannot start, or is told to stop
    before it has.
    """
    server = _Telling(uvicorn.Config(_APP, **_options(settings)))
    server.reported = started
    try:
        server.run(sockets=[listener])
    except (KeyboardInterrupt, SystemExit):  # the server raises anew what has stopped it
        if not server.started:
            raise


_APP = "app.api:served"


def _options(settings: Settings) -> dict[str, Any]:
    bounds = Bounds(
        connections=settings.connection_limit,
        head_bytes=settings.header_limit_bytes,
        patience_s=settings.client_timeout_s,
    )
    return {
        "factory": True,
        "http": partial(Bounded, bounds),
        "ws": "none",
        "proxy_headers": False,
        "access_log": False,
        "log_config": logs.config(settings.log_format),
        "server_header": False,
        "timeout_keep_alive": settings.keep_alive_s,
        "timeout_worker_healthcheck": _WORKER_START_S,
        "timeout_graceful_shutdown": max(round(settings.stop_timeout_s), 1),
    }


class _Telling(uvicorn.Server):
    """A server that tells when it answers."""

    reported: Callable[[], None]

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.reported()


def _metrics_socket(port: int) -> socket.socket:
    """The socket of the port that serves the metrics; it is the machine's own alone."""
    try:
        opened = socket.create_server(("127.0.0.1", port))
    except OSError as error:
        log.error("BROADSHEET_METRICS_PORT=%d: %s", port, error.strerror)
        sys.exit(STARTUP_FAILURE)
    opened.set_inheritable(True)
    return opened


_WORKER_START_S = 60
"""How long a worker may take to answer its supervisor. By default that is 5 s: on a busy machine
the imports take longer, and uvicorn would kill each worker at its start, again and again."""


class Bounded(HttpToolsProtocol):
    """A connection that is closed when its client keeps it waiting.

    One timer runs whenever it is the client's turn: until a head is complete, while the
    client does not read, and when closing until the rest has been read. While a body comes
    and while the application works, `limits.py` keeps the time.
    """

    def __init__(self, bounds: Bounds, **more: Any) -> None:
        super().__init__(**more)
        self._bounds = bounds
        self._unanswered: deque[RequestResponseCycle] = deque()
        self._head_begun = False
        self._unaccounted_bytes = 0
        self._unread_bytes = 0
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, in place of an idle one if there are too many."""
        super().connection_made(transport)
        if len(self.connections) > self._bounds.connections:
            idle = next((each for each in self.connections if _is_idle(each)), None)
            if idle is None:
                self._turn_away(503, "too many connections are open; ask again in a moment")
                return
            idle.transport.close()
        self._wait_for_client()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection, and let no answer write to it: uvicorn stops the last alone."""
        self._stop_waiting()
        super().connection_lost(exc)
        for cycle in self._unanswered:
            cycle.disconnected = True
            cycle.message_event.set()

    def data_received(self, data: bytes) -> None:
        """Read on, unless what came belongs to nothing: an endless head or trailer."""
        if self.transport.is_closing():
            return
        self._unaccounted_bytes += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            self._wait_for_client()
        elif self._unaccounted_bytes > self._bounds.head_bytes + _FRAMING_BYTES:
            limit = self._bounds.head_bytes
            self._turn_away(431, f"the headers are larger than {limit:,} bytes")
        elif self._patience is None and (self.cycle is None or self.cycle.response_complete):
            self._wait_for_client()

    def on_message_begin(self) -> None:
        """A request begins."""
        self._head_begun = True
        self._unaccounted_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is there: it is the application's turn."""
        self._head_begun = False
        self._unaccounted_bytes = 0
        self._stop_waiting()
        if whole := _WHOLE_ADDRESS.match(self.url):
            self._take_host(whole[1])
        before = self.cycle
        super().on_headers_complete()
        if self.cycle is not None and self.cycle is not before:
            self._unanswered.append(self.cycle)

    def _take_host(self, authority: bytes) -> None:
        """A whole address as the target names a host as `Host` does: one more, unless the same."""
        if not any(n == b"host" and v.lower() == authority.lower() for n, v in self.headers):
            self.headers.append((b"host", authority))

    def on_body(self, body: bytes) -> None:
        """A piece of the body, which the application counts."""
        self._unaccounted_bytes = 0
        super().on_body(body)

    def on_response_complete(self) -> None:
        """The answer is written; what the client has not read yet is its turn."""
        self._unanswered.popleft()
        super().on_response_complete()
        if self.transport.is_closing():
            self._wait_for_client()

    def pause_writing(self) -> None:
        """The client does not read what it asked for."""
        super().pause_writing()
        self._wait_for_client()

    def resume_writing(self) -> None:
        """The client reads again."""
        if not self.transport.is_closing():
            self._stop_waiting()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """Nothing was asked for a while."""
        super().timeout_keep_alive_handler()
        self._wait_for_client()

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: that a client asks for another protocol is none of ours."""

    def _not_taken(self) -> int:
        """Bytes of answers that the client's side has not got yet.

        The server's own buffer alone would not tell: the kernel takes from it in large steps,
        for which a client that reads at a steady 30 KiB a second needs half a minute.
        """
        queued = kernel_bytes(self.transport.get_extra_info("socket"))
        return self.transport.get_write_buffer_size() + queued

    def _wait_for_client(self) -> None:
        if self._patience is None:
            self._unread_bytes = self._not_taken()
            self._patience = self.loop.call_later(self._bounds.patience_s, self._give_up)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _give_up(self) -> None:
        self._patience = None
        read_bytes = self._unread_bytes - self._not_taken()
        if read_bytes >= SLOWEST_BYTES_S * self._bounds.patience_s:
            self._wait_for_client()
            return
        if self._head_begun and not self.transport.is_closing() and not self._is_answering():
            self._turn_away(408, "the head of the request came too slowly")
        else:
            self.transport.abort()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002
        """Refuse what the parser cannot read; its reason is not for others."""
        if len(self.url) > _LONGEST_READ_BYTES:
            self._turn_away(414, f"the address is longer than {_LONGEST_READ_BYTES:,} bytes")
        else:
            self._turn_away(400, "what came is not HTTP")

    def _turn_away(self, status: int, detail: str) -> None:
        """Say why and close, at once if that is not read; after the answer that is under way."""
        self._stop_waiting()
        if self._is_answering():
            whole = [each for each in self._unanswered if not each.more_body]
            (whole or self._unanswered)[-1].keep_alive = False
            self.flow.pause_reading()
            return
        body = problems.of_connection(status, detail)
        lines = [
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
            f"content-type: {problems.MEDIA_TYPE}",
            f"content-length: {len(body)}",
            *([f"retry-after: {problems.RETRY_AFTER_S}"] if status == 503 else []),
            "connection: close\r\n\r\n",
        ]
        self.transport.write("\r\n".join(lines).encode() + body)
        self.transport.close()
        self._wait_for_client()

    def _is_answering(self) -> bool:
        """Whether a request is there as a whole, or has the beginning of an answer."""
        first = self._unanswered[0] if self._unanswered else None
        return first is not None and (first.response_started or not first.more_body)


def kernel_bytes(connection: Any) -> int:
    """Bytes that the kernel holds to be sent over a socket; 0 where it does not say."""
    try:
        held = fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, bytes(_INT.size))
    except (AttributeError, OSError, ValueError):  # no socket, a closed one, no such question
        return 0
    return int(_INT.unpack(held)[0])


_INT = Struct("i")
_WHOLE_ADDRESS = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)")
_LONGEST_READ_BYTES = 0xFFFF
"""An address that is longer cannot be taken apart by the parser."""
_FRAMING_BYTES = 64 * 1024
"""What may come besides in one go: the server reads this much at once, heads of later requests
among it. The exact limit of a head is held by `limits.py`, once it is complete."""


def _is_idle(connection: Any) -> bool:
    """Whether a connection waits for its next request, of which nothing has come."""
    return (
        isinstance(connection, Bounded)
        and connection.timeout_keep_alive_task is not None
        and not connection.transport.is_closing()
    )
