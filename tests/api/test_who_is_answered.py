"""The tables of docs/http.md that tell who is answered what, held to a running application."""

from __future__ import annotations

import re
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from app.api import create_app
from app.api.middleware.limits import Guarded
from app.api.middleware.proxy import Proxied
from app.settings import Settings
from app.store import keys
from tests import factories
from tests.api.conftest import executor_of

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from tests.api.conftest import Serve

pytestmark = pytest.mark.anyio

PAGE = (Path(__file__).parents[2] / "docs" / "http.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("\n## Who is answered what\n")[2].partition("\n## ")[0]
TABLES = [
    [[cell.strip() for cell in row.strip("|").split(" | ")] for row in table.splitlines()]
    for table in re.findall(r"^(?:\|.*\|\n)+", SECTION, re.MULTILINE)
]
REQUESTS, NAMES = ({row[0].strip("` "): row[1:] for row in table[2:]} for table in TABLES)
UNKNOWN = "00000000-0000-4000-8000-000000000000"


def test_the_table_has_every_route() -> None:
    paths = create_app(Settings()).openapi()["paths"]
    routes = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    assert routes <= set(REQUESTS)


@pytest.mark.parametrize("reads", ["open", "keyed"])
async def test_a_key_opens_what_the_table_says(serve: Serve, reads: str) -> None:
    async with serve([factories.numbered(1)], reads=reads) as client:
        del client.headers["Authorization"]
        held: dict[str, dict[str, str]] = {}
        with executor_of(client).database.transaction() as session:
            for scope in keys.SCOPES:
                text = keys.create(session, scope, scope=scope)
                held[scope] = {"Authorization": f"Bearer {text}"}
        for request, (open_, keyed, *scoped) in REQUESTS.items():
            method, path = request.split(" ")
            address = re.sub(r"\{\w+\}", UNKNOWN, path)
            told = [open_ if reads == "open" else keyed, *scoped]
            for headers, expected in zip(({}, *held.values()), told, strict=True):
                for asked in [method, "HEAD"] if method == "GET" else [method]:
                    answer = await client.request(asked, address, headers=headers)
                    found = answer.status_code
                    assert (str(found) if found in (401, 403) else "yes") == expected, request


LOOPBACK, OTHER = ("127.0.0.1", 8000), ("192.0.2.1", 8000)
HERE, ELSEWHERE = "127.0.0.1", "192.0.2.9"
COMES_IN: dict[str, dict[str, Any]] = {
    "by a loopback address, no names being set": {"hosts": None},
    "by a loopback address": {},
    "by another address, no names being set": {"at": OTHER, "peer": ELSEWHERE, "hosts": None},
    "by another address": {"at": OTHER, "peer": ELSEWHERE},
    "by a trusted proxy on this machine, for somebody elsewhere": {"proxied": True},
    "by any address, `*` being set": {"at": OTHER, "peer": ELSEWHERE, "hosts": "*"},
    "by `BROADSHEET_METRICS_PORT`, for `/metrics`, without a key": {
        "at": (HERE, 9100),
        "path": "/metrics",
    },
    "by `BROADSHEET_METRICS_PORT`, for anything else": {"at": (HERE, 9100)},
}


def test_the_table_has_every_way_in() -> None:
    assert set(NAMES) == {way.strip("` ") for way in COMES_IN}


@pytest.mark.parametrize("way", COMES_IN)
async def test_a_name_is_answered_where_the_table_says(tmp_path: Path, way: str) -> None:
    ours, allowed, other = NAMES[way.strip("` ")]
    more = COMES_IN[way]
    assert await statuses(tmp_path, "localhost", "127.3.2.1:80", "[::1]", **more) == {ours}
    assert await statuses(tmp_path, "news.example", "NEWS.example.:80", **more) == {allowed}
    assert await statuses(tmp_path, "evil.example", "localhost.evil", "", **more) == {other}


async def statuses(
    folder: Path,
    *names: str,
    at: tuple[str, int] = LOOPBACK,
    peer: str = HERE,
    hosts: str | None = "news.example",
    proxied: bool = False,
    path: str = "/v1/articles",
) -> set[str]:
    """How requests under `names` are answered, "yes" being 200."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    chosen = {} if hosts is None else {"allowed_hosts": hosts}
    guarded = Guarded(app, factories.settings(folder, metrics_port=9100, **chosen))
    stack = Proxied(guarded, root_path="", trusted=[ip_network("127.0.0.1/32")])
    forwarded = {"X-Forwarded-For": ELSEWHERE} if proxied else {}
    transport = httpx.ASGITransport(stack, client=(peer, 4711))
    found = set()
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{at[0]}:{at[1]}") as client:
        for name in names:
            told = {"X-Forwarded-Host": name} if proxied and name else {"Host": name}
            answer = await client.get(path, headers={**forwarded, **told})
            found.add("yes" if answer.is_success else str(answer.status_code))
            if at[1] != 9100:
                assert (await client.get("/readyz", headers={**forwarded, **told})).is_success
    return found
