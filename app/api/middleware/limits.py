"""Limits of requests: hosts, size of address, headers and body, speed, and how many run at once.

In: any request. Out: the application's answer, or a problem document: a 4xx that names the limit
that was exceeded, or a 503 with `Retry-After` if this worker is overloaded. Requests are not
queued. A request takes a slot only when its body is complete, so that slow senders occupy none.
Bodies of uploads are counted apart from all others, and exports have slots of their own, so that
neither blocks the other requests.

`server.py` handles a request until its head is complete.
"""

from __future__ import annotations

import asyncio
import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api import inputs, problems
from app.settings import Settings

SLOWEST_BYTES_S = 8 * 1024
"""Least bytes a second that a client must send or read, after the time that any client gets."""
HELD_BYTES = 32 * 2**20
"""Most bytes that one worker holds of the bodies of uploads, and as many of all others."""
EXPORTS = 16
"""Exports that one worker sends at once."""
SENT_BYTES = 64 * 2**20
"""Most bytes of complete answers that are being sent without occupying slots."""
PROBES = frozenset({"/healthz", "/readyz"})
"""Answered for any host and under any load: whoever asks may restart the worker."""
METRICS = "/metrics"
"""Answered under any load, when metrics matter most; the host is checked."""

_HOST = re.compile(r"(?P<name>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")
_PLACELESS = PROBES | {METRICS}
_ASCII = bytes(range(128))
_AGAIN = {"Retry-After": str(problems.RETRY_AFTER_S)}
_CLOSE = {"Connection": "close"}


class Guarded:
    """Passes on requests that are within the limits of `settings`."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings
        self._hosts = {each for each in settings.allowed_hosts if not each.startswith("*.")}
        self._domains = tuple(
            each[1:] for each in settings.allowed_hosts if each not in self._hosts
        )
        self.running = 0
        self.exports = 0
        self.sent_bytes = 0
        self.held_bytes = {True: 0, False: 0}  # of uploads, of other requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        limit_bytes = inputs.body_limit(path, self._settings)
        refusal = self._refusal(scope, path, limit_bytes)
        if refusal is not None:
            await _refuse(refusal, scope, receive, send)
            return
        query: bytes = scope["query_string"]
        if not query.isascii():  # raw UTF-8, as typed into curl
            scope = {**scope, "query_string": quote(query, safe=_ASCII).encode()}
        place = path not in _PLACELESS
        visit = _Visit(self, self._settings, path, receive, send, place=place)
        scope = {**scope, _VISIT: visit}
        try:
            async with asyncio.timeout(self._settings.request_timeout_s) as clock:
                visit.clock = clock
                if scope["method"] in ("GET", "HEAD"):
                    visit.enter()
                await self._app(scope, visit.receive, visit.send)
        except _Full as full:
            if visit.started:
                raise
            visit.leave()
            await _refuse(full, scope, receive, send)
        except TimeoutError:
            if visit.started or not clock.expired():
                raise
            visit.leave()
            await _refuse(visit.lateness(), scope, receive, send)
        finally:
            visit.leave()

    def _refusal(self, scope: Scope, path: str, limit_bytes: int) -> HTTPException | None:
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) > 1:
            return HTTPException(400, "the host is given twice", _CLOSE)
        try:
            scope["query_string"].decode()
        except UnicodeDecodeError:
            return HTTPException(400, "the query is not UTF-8", _CLOSE)
        host = _HOST.fullmatch(hosts[0].decode("latin-1")) if hosts else None
        if hosts and hosts[0] and host is None:
            return HTTPException(400, "the Host header is not a host", _CLOSE)
        if path not in PROBES:
            name = host["name"] if host else ""
            if not self._serves(name, scope) or self._may_be_rebound(scope):
                return HTTPException(421, self._misdirected(name))
        if is_metrics_port(scope, self._settings) and path != METRICS:
            return HTTPException(404, f"this port serves {METRICS} alone")
        size = len(scope.get("raw_path") or scope["path"]) + len(scope["query_string"])
        if size > (limit := self._settings.address_limit_bytes):
            return HTTPException(414, f"the address is longer than {limit:,} bytes", _CLOSE)
        size += sum(len(name) + len(value) + 4 for name, value in scope["headers"])
        if size > (limit := self._settings.header_limit_bytes):
            return HTTPException(431, f"the headers are larger than {limit:,} bytes", _CLOSE)
        return None if _fits(scope, limit_bytes) else _too_large(limit_bytes)

    def _serves(self, host: str, scope: Scope) -> bool:
        """Whether `host` is accepted on the address where `scope` came in.

        A web page whose domain resolves to a loopback address can reach it, but sends its own
        host: https://en.wikipedia.org/wiki/DNS_rebinding. So there only loopback names, from
        this machine, and the names in the settings are accepted.
        """
        if is_loopback_name(host) and _is_loopback(scope["client"]):
            return True
        if is_metrics_port(scope, self._settings):
            return False
        if not self._settings.allowed_hosts:
            return not _is_loopback(scope["server"])
        if "*" in self._hosts:
            return True
        host = host.lower().removesuffix(".")
        return host in self._hosts or host.endswith(self._domains or ("\0",))

    def _may_be_rebound(self, scope: Scope) -> bool:
        """Whether the `Host` as sent is a foreign domain, though a trusted proxy forwarded another.

        A browser on the proxy's machine has the proxy's address, and a page in it can send any
        header except `Host`. Proxies send a name that clients use, or that of their upstream.
        """
        sent = _HOST.fullmatch(scope.get("sent_host", b"").decode("latin-1"))
        if sent is None or not _is_loopback(scope["server"]):
            return False
        name = sent["name"]
        domain = "." in name.removesuffix(".") and _address(name.strip("[].")) is None
        return domain and not self._serves(name, scope)

    def _misdirected(self, name: str) -> str:
        if self._settings.allowed_hosts:
            return (
                "this server does not answer for that host; BROADSHEET_ALLOWED_HOSTS names its own"
            )
        reason = "on a loopback address this server answers for loopback names alone"
        return f"{reason}; others are set by BROADSHEET_ALLOWED_HOSTS={name or '…'}"


def is_metrics_port(scope: Scope, settings: Settings) -> bool:
    """Whether a request came in by the port that serves the metrics, and nothing else."""
    _, port = scope["server"] or (None, None)
    return settings.metrics_port is not None and port == settings.metrics_port


def is_loopback_name(host: str) -> bool:
    """Whether a `Host` without its port means the machine itself, wherever it is looked up.

    >>> [is_loopback_name(each) for each in ("LOCALHOST.", "127.9.9.9", "[::1]")]
    [True, True, True]
    >>> [is_loopback_name(each) for each in ("localhost.evil", "2130706433", "0.0.0.0", "")]
    [False, False, False, False]
    """
    host = host.lower().removesuffix(".")
    return host in ("localhost", "[::1]") or (host[:4] == "127." and _is_loopback((host, None)))


def _is_loopback(endpoint: tuple[str, int | None] | None) -> bool:
    """Whether an end of a connection is a loopback address, IPv4-mapped IPv6 included."""
    address = _address(endpoint[0] if endpoint else "")
    inner = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return address is not None and (inner or address).is_loopback


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


class _Full(HTTPException):
    """All slots are taken."""

    def __init__(self, detail: str) -> None:
        super().__init__(503, detail, _AGAIN)


class _Visit:
    """The state of one request: its slot, its body and its deadline."""

    clock: asyncio.Timeout

    def __init__(
        self,
        guard: Guarded,
        settings: Settings,
        path: str,
        receive: Receive,
        send: Send,
        *,
        place: bool,
    ) -> None:
        self._guard = guard
        self._settings = settings
        self._limit_bytes = inputs.body_limit(path, settings)
        self._uploads = inputs.takes_articles(path)
        self._receive = receive
        self._send = send
        self._takes_place = place
        self._entered = False
        self._whole = False
        self._waits = False
        self._exports = False
        self._sent_bytes = 0
        self._received_bytes = 0
        self._held_bytes = 0
        self._credit_s = settings.client_timeout_s
        self.started = False

    def enter(self) -> None:
        """Take a slot of running requests; raises an HTTPException if all are taken."""
        if not self._takes_place or self._entered:
            return
        if self._guard.running >= self._settings.request_limit:
            raise _Full("too many requests are running; ask again in a moment")
        self._entered = True
        self._guard.running += 1

    def leave(self) -> None:
        """Release the slot and the bytes of the body."""
        self._guard.running -= self._entered
        self._guard.exports -= self._exports
        self._guard.sent_bytes -= self._sent_bytes
        self._entered = self._exports = False
        self._sent_bytes = 0
        self.hold(0)

    def hold(self, size_bytes: int) -> None:
        """Count `size_bytes` of the body as held; the rest has been processed."""
        self._guard.held_bytes[self._uploads] += size_bytes - self._held_bytes
        self._held_bytes = size_bytes

    def export(self) -> None:
        """Exchange the slot for one of exports; raises an HTTPException if all are taken."""
        if self._exports:
            return
        if self._guard.exports >= EXPORTS:
            raise _Full("too many exports are being sent; ask again in a moment")
        self._guard.exports += 1
        self._guard.running -= self._entered
        self._exports, self._entered, self._takes_place = True, False, False

    def lateness(self) -> HTTPException:
        """The error for a passed deadline: 408 if the client was slow, otherwise 503."""
        if self._waits:
            return HTTPException(408, "the body came too slowly", _CLOSE)
        limit = self._settings.request_timeout_s
        return HTTPException(503, f"there was no answer within {limit:g} seconds", _AGAIN)

    async def receive(self) -> Message:
        """The next message of the client, within its deadline and the limits of size."""
        if self._whole or self.started:
            return await self._receive()
        now = asyncio.get_running_loop().time
        self._waits = True
        asked_at = now()
        self._until(asked_at + self._credit_s)
        message = await self._receive()
        self._waits = False
        self._until(now() + self._settings.request_timeout_s)
        size_bytes = len(message.get("body", b""))
        # A fast client earns time, but never more than any client starts with.
        left_s = self._credit_s - (now() - asked_at) + size_bytes / SLOWEST_BYTES_S
        self._credit_s = min(left_s, self._settings.client_timeout_s)
        self._take(size_bytes)
        if not message.get("more_body", False):
            self._whole = True
            self.enter()
        return message

    def _take(self, size_bytes: int) -> None:
        # Only HTTPException passes through the framework's reading of JSON.
        self._received_bytes += size_bytes
        self.hold(self._held_bytes + size_bytes)
        if self._received_bytes > self._limit_bytes:
            raise _too_large(self._limit_bytes)
        if self._guard.held_bytes[self._uploads] > HELD_BYTES:
            raise _Full("too many bodies are being read; send it again in a moment")

    async def send(self, message: Message) -> None:
        """Pass on a message of the answer; once it has begun there is no deadline."""
        if message["type"] == "http.response.start":
            self.started = True
            self._until(None)
        elif not message.get("more_body", False):
            self._finish(len(message.get("body", b"")))
        await self._send(message)

    def _finish(self, size_bytes: int) -> None:
        """Release the slot when the answer is complete and only its client has to read it."""
        if self._entered and self._guard.sent_bytes + size_bytes <= SENT_BYTES:
            self._guard.running -= 1
            self._entered = self._takes_place = False
            self._guard.sent_bytes += size_bytes
            self._sent_bytes += size_bytes

    def _until(self, when_s: float | None) -> None:
        if not self.clock.expired():
            self.clock.reschedule(when_s)


def visit_of(request: Request) -> _Visit:
    """The state of this request."""
    found: _Visit = request.scope[_VISIT]
    return found


_VISIT = "broadsheet.visit"


def _fits(scope: Scope, limit_bytes: int) -> bool:
    """Whether the Content-Length is within the limit; bodies of GET are not read."""
    lengths = [value for name, value in scope["headers"] if name == b"content-length"]
    asks = scope["method"] in ("GET", "HEAD")
    return asks or all(not each.isdigit() or int(each) <= limit_bytes for each in lengths)


def _too_large(limit_bytes: int) -> HTTPException:
    return HTTPException(413, f"the body is larger than {limit_bytes:,} bytes", _CLOSE)


async def _refuse(error: HTTPException, scope: Scope, receive: Receive, send: Send) -> None:
    request = Request({**scope, "query_string": b""})
    response = problems.of_http(request, error)
    if scope["method"] == "HEAD":
        response.body = b""
    await response(scope, receive, send)
