"""Access control: the key of a request, the scope that it needs, and the rate of its sender.

In: a request that is within the limits of `middleware.limits`. Out: the same with its `Key` in
the scope, or a problem document: 401 without a good key where one is needed, 403 with one that
does not allow it, 429. That is decided by method, path and headers alone, before any route is
looked for and before a byte of the body is read, so a stranger learns nothing of what is
stored. A key is looked up in the store at each request: one that was revoked opens nothing from
then on, at any worker. Where none is needed a bad one makes no difference.
"""

from __future__ import annotations

import base64
from urllib.parse import parse_qsl, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api import problems
from app.api.deps import Executor
from app.api.middleware.limits import METRICS, PROBES, is_metrics_port
from app.api.rates import Rates
from app.context import current
from app.errors import AccessError, BroadsheetError, Forbidden, StoreError, Unauthorized
from app.settings import Settings
from app.store.keys import Key
from app.store.keys import Scope as Allowed

OPEN = PROBES | {"/", "/docs", "/redoc", "/openapi.json"}
"""Open to everybody, also where reading needs a key; so is what begins with `_OPEN_FOLDER`."""
KEYED = frozenset({METRICS})
"""Needs a key, also where reading does not: it tells of the machine."""
READING = frozenset({"/v1/search", "/v1/entities/reconcile"})
"""Where POST reads."""

_OPEN_FOLDER = "/static/"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_NOT = frozenset({"false", "0", "no", "off"})


class Keyed:
    """Lets the application answer those who may ask."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings
        self._reads_keyed = settings.reads == "keyed"
        self._rates = Rates(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        path = scope.get("path", "").removeprefix(scope.get("root_path", ""))
        if scope["type"] != "http" or self._is_of_the_machine(scope, path):
            await self._app(scope, receive, send)
            return
        query = scope["query_string"]
        needed = need(scope["method"], path, query, reads_keyed=self._reads_keyed)
        headers = Headers(scope=scope)
        key: Key | None = None
        refusal: BroadsheetError | None = None
        try:
            key = await _key(scope, headers, needed)
        except (AccessError, StoreError) as error:
            refusal = None if needed is None else error
        rate = self._rates.count(key, scope["client"])

        async def noted_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                message.setdefault("headers", [])
                answered = MutableHeaders(scope=message)
                answered.update(rate.headers)
                if needed is not None:
                    kept = answered.get("cache-control")
                    answered["cache-control"] = f"private, {kept}" if kept else "private"
                    answered.add_vary_header("Authorization")
            await send(message)

        refusal = rate.refusal or refusal
        if refusal is None:
            if (context := current.get()) is not None and key is not None:
                context.key = key.name
            await self._app({**scope, "key": key}, receive, noted_send)
            return
        request = Request({**scope, "query_string": b""})
        response = await problems.of_error(request, refusal)
        if "expect" in headers:  # whether the body follows is for the client to decide
            response.headers["connection"] = "close"
        if scope["method"] == "HEAD":
            response.body = b""
        await response(scope, receive, noted_send)

    def _is_of_the_machine(self, scope: Scope, path: str) -> bool:
        """Whether a request needs no key, ever, and is not counted.

        It is a probe, or came in by the port that serves the machine's own Prometheus alone.
        """
        probe = path in PROBES and scope["method"] in _SAFE
        return probe or is_metrics_port(scope, self._settings)


def need(method: str, path: str, query: bytes, *, reads_keyed: bool) -> Allowed | None:
    """The scope that a request needs; None where it needs no key.

    Whatever method is not known to read is a write.
    """
    if method in _SAFE or (method == "POST" and path in READING):
        opened = path in OPEN or path.startswith(_OPEN_FOLDER)
        return "read" if path in KEYED or (reads_keyed and not opened) else None
    if method == "DELETE" and any(
        name == "erase" and value.lower() not in _NOT
        for name, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    ):
        return "erase"
    return "write"


async def _key(scope: Scope, headers: Headers, needed: Allowed | None) -> Key | None:
    """The key of a request, which allows what it needs; raises an AccessError."""
    given = headers.getlist("authorization")
    try:
        if not given and needed is None:
            return None
        text, basic = _sent(given)
        executor: Executor = scope["app"].state.executor
        key = await executor.key(text)
    except Unauthorized as error:
        raise Unauthorized(error.reason, scope=needed or "read") from error
    if needed is not None:
        key.require(needed)
        if basic and needed != "read" and not _same_origin(headers):
            raise Forbidden(
                "a write with a password that names another origin than this server's is taken "
                "for that of a foreign page; send the key as Authorization: Bearer"
            )
    return key


def _sent(given: list[str]) -> tuple[str, bool]:
    """The text of a key in Authorization headers, and whether a password holds it."""
    if not given:
        raise Unauthorized("this needs a key, sent as Authorization: Bearer KEY")
    if len(given) > 1:
        raise Unauthorized("there are several Authorization headers")
    scheme, _, rest = given[0].strip(" \t").partition(" ")
    rest = rest.lstrip(" ")
    if scheme.lower() == "bearer":
        return rest, False
    if scheme.lower() != "basic":
        raise Unauthorized("the Authorization is neither Bearer nor Basic")
    try:
        password = base64.b64decode(rest, validate=True).partition(b":")[2]
    except ValueError as error:
        raise Unauthorized("the Authorization is not proper Basic") from error
    return password.decode("latin-1"), True


def _same_origin(headers: Headers) -> bool:
    """Whether a write comes from a page of this server, or from no page at all.

    Browsers add a password by themselves, to what foreign pages send as well.
    """
    if sites := headers.getlist("sec-fetch-site"):
        return set(sites) == {"same-origin"}
    host = headers.get("host", "").lower()
    return all(_host(origin, host) for origin in headers.getlist("origin"))


def _host(origin: str, host: str) -> bool:
    """Whether an Origin names `host`: its scheme may be a proxy's, its port goes unsaid."""
    try:
        parts = urlsplit(origin.lower())
    except ValueError:
        return False
    port = {"http": ":80", "https": ":443"}.get(parts.scheme)
    if port is None or not parts.netloc:  # a page inside an app has a scheme of its own
        return False
    return parts.netloc.removesuffix(port) == host.removesuffix(port)
