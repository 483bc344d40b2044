"""Rate limits: one for each key, and one for each address that asks without a key.

Counted in this process, by the generic cell rate algorithm: a minute's worth may come at once
and more comes back steadily. An IPv6 network of 64 bits counts as one address. What is
remembered is bounded; of too many clients those that asked least lately are forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from math import ceil

from throttled import MemoryStore, RateLimiterType, Throttled, per_min

from app.errors import TooManyRequests
from app.settings import Settings
from app.store.keys import Key

CLIENTS = 20_000
"""Keys, and addresses, that are remembered."""


@dataclass(frozen=True, slots=True)
class Rate:
    """What the answer says of the rate, and why there is none if it was passed."""

    headers: dict[str, str]
    refusal: TooManyRequests | None


class Rates:
    """The rates of one worker."""

    def __init__(self, settings: Settings) -> None:
        self._of_keys = _throttled(settings.key_requests_per_minute)
        self._of_clients = _throttled(settings.client_requests_per_minute)
        self._per_minute = {
            "key": settings.key_requests_per_minute,
            "client": settings.client_requests_per_minute,
        }

    def count(self, key: Key | None, client: tuple[str, int] | None) -> Rate:
        """Count a request with `key`, or without one from the address of `client`."""
        if key is not None:
            kind, who = "key", f"the key {key.name!r}"
            state = self._of_keys.limit(key.name)
        else:
            address = _network(client[0]) if client else "-"
            kind, who = "client", f"the address {address}"
            state = self._of_clients.limit(address)
        most, left = self._per_minute[kind], state.state
        headers = {
            # https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
            "RateLimit-Policy": f'"{kind}";q={most};w=60',
            "RateLimit": f'"{kind}";r={left.remaining};t={ceil(left.reset_after)}',
        }
        if not state.limited:
            return Rate(headers, None)
        return Rate(headers, TooManyRequests(who, most, max(ceil(left.retry_after), 1)))


def _throttled(per_minute: int) -> Throttled:
    return Throttled(
        using=RateLimiterType.GCRA.value,
        quota=per_min(per_minute, burst=per_minute),
        store=MemoryStore(options={"MAX_SIZE": CLIENTS}),
    )


@lru_cache(maxsize=1024)
def _network(address: str) -> str:
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:  # a socket of this machine, say
        return address or "-"
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(IPv6Address(int(parsed) >> 64 << 64)) + "/64"
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)
