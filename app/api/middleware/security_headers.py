"""Security headers and CORS of every answer.

An answer is data, so its policy forbids scripts, frames and loading; the reference pages set a
policy of their own. Pages of other origins may read answers only if the settings name the origin,
and never with cookies. Only the preview of an entity may be shown in a frame.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = "default-src 'none'; frame-ancestors 'none'"
"""The Content-Security-Policy of everything but pages."""
FRAMED = "default-src 'none'; frame-ancestors *"
"""The policy of a page that any other page may frame; it goes without X-Frame-Options."""

_HEADERS = {
    b"content-security-policy": POLICY.encode(),
    b"cross-origin-resource-policy": b"same-origin",
    b"referrer-policy": b"no-referrer",
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
}
_FRAMED = (b"content-security-policy", FRAMED.encode())
_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE")
_SENT = ("Authorization", "Content-Type", "If-Match", "If-None-Match")
_SHOWN = (
    *("ETag", "Link", "Location", "Content-Disposition"),
    *("Retry-After", "RateLimit", "RateLimit-Policy", "WWW-Authenticate"),
)


class Restricted:
    """Adds the security headers that an answer does not set itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and complete its answer."""

        async def restricted(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = [*message.get("headers", ())]
                named = {name.lower() for name, _ in given}
                if _FRAMED in given:
                    named.add(b"x-frame-options")
                added = [each for each in _HEADERS.items() if each[0] not in named]
                message = {**message, "headers": given + added}
            await send(message)

        await self._app(scope, receive, restricted if scope["type"] == "http" else send)


def shared_with(origins: Sequence[str], app: ASGIApp) -> ASGIApp:
    """`app` with CORS for pages of `origins`; `app` itself without any."""
    if not origins:
        return app
    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=_METHODS,
        allow_headers=_SENT,
        expose_headers=_SHOWN,
        allow_credentials=False,
    )
