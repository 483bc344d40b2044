"""Forwarded headers of trusted proxies: client address, scheme, host and path prefix.

In: a request as it came. Out: the same request with `client`, `scheme`, `Host`, `root_path`
and `path` as they were at the outermost proxy; a `Host` that was replaced is in `sent_host`.
`X-Forwarded-…` headers are trusted from the networks in the settings and dropped from all others;
no request can widen that. Of several values of a header the last counts: the nearest proxy wrote
it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from starlette.types import ASGIApp, Receive, Scope, Send

from app.settings import is_prefix

FORWARDED = frozenset(
    {b"forwarded", b"x-real-ip"}
    | {b"x-forwarded-" + each for each in (b"for", b"host", b"port", b"prefix", b"proto")}
)
"""Headers that are removed from each request. Three of them are not evaluated: `forwarded` and
`x-real-ip` repeat others, and `x-forwarded-port` is a proxy's own port, not the client's."""
_PORT = re.compile(r"(?:(?P<v4>[0-9.]+)|\[(?P<v6>[0-9A-Fa-f:.]+)\])(?::[0-9]{1,5})?")


class Proxied:
    """Gives the application each request as the outermost proxy got it."""

    def __init__(
        self, app: ASGIApp, *, root_path: str, trusted: Sequence[IPv4Network | IPv6Network]
    ) -> None:
        self._app = app
        self._root_path = root_path
        self._trusted = tuple(trusted)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on as it was at the outermost proxy."""
        if scope["type"] == "http":
            scope = self._seen_from_outside(scope)
        await self._app(scope, receive, send)

    def _seen_from_outside(self, scope: Scope) -> Scope:
        forwarded = {name: value for name, value in scope["headers"] if name in FORWARDED}
        prefix = self._root_path
        if forwarded:
            headers = [each for each in scope["headers"] if each[0] not in FORWARDED]
            peer = scope["client"]
            if peer is not None and self._trusts(_address(peer[0])):
                given = _texts(forwarded)
                if scheme := given.get("x-forwarded-proto", "").lower():
                    scope = {**scope, "scheme": scheme if scheme == "https" else "http"}
                if host := given.get("x-forwarded-host"):
                    sent = dict(headers).get(b"host", b"")
                    headers = [each for each in headers if each[0] != b"host"]
                    headers.append((b"host", host.encode("latin-1")))
                    scope = {**scope, "sent_host": sent}
                offered = given.get("x-forwarded-prefix", "").rstrip("/")
                if is_prefix(offered):
                    prefix = offered
                scope = {**scope, "client": (self._client(scope), 0)}
            scope = {**scope, "headers": headers}
        return _under(prefix, scope) if prefix else scope

    def _client(self, scope: Scope) -> str:
        """The last address on the way here that is not a trusted proxy."""
        named = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
        client: str = scope["client"][0]
        for hop in reversed(b",".join(named).decode("latin-1").split(",")):
            address = _address(hop.strip())
            if address is None:
                break  # the hops before it cannot be trusted
            client = str(address)
            if not self._trusts(address):
                break
        return client

    def _trusts(self, address: IPv4Address | IPv6Address | None) -> bool:
        return address is not None and any(address in network for network in self._trusted)


def _texts(forwarded: dict[bytes, bytes]) -> dict[str, str]:
    """The last value of each header; `forwarded` holds the last line of several."""
    return {
        name.decode(): value.decode("latin-1").rpartition(",")[2].strip()
        for name, value in forwarded.items()
    }


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """The address in `text`, with or without a port; None for anything else."""
    if with_port := _PORT.fullmatch(text):
        text = with_port["v4"] or with_port["v6"]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _under(prefix: str, scope: Scope) -> Scope:
    """`scope` below `prefix`, which is put before the path if the proxy stripped it."""
    path: str = scope["path"]
    raw: bytes = scope.get("raw_path") or b""
    if path == prefix:
        path, raw = f"{path}/", raw + b"/"
    elif not path.startswith(f"{prefix}/"):
        path, raw = prefix + path, prefix.encode() + raw
    return {**scope, "root_path": prefix, "path": path, "raw_path": raw}
