"""The API behind a proxy: its addresses are right, and only trusted peers say what they are."""

from __future__ import annotations

from contextlib import asynccontextmanager
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import httpx
import pytest
from asgi_lifespan import LifespanManager
from pydantic import ValidationError

from app.api import create_app
from app.api.middleware.proxy import Proxied
from app.settings import OWN_SEGMENTS, Settings
from tests import factories

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from starlette.types import Message, Receive, Scope, Send

pytestmark = pytest.mark.anyio

PROXY = "10.0.0.7"
STRANGER = "203.0.113.9"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def seen(path: str = "/v1/articles", *, peer: str = PROXY, **more: Any) -> dict[str, Any]:
    """What the application is given of a request; keywords are headers and `Proxied`'s own."""
    options: dict[str, Any] = {
        "root_path": "",
        "trusted": (ip_network("10.0.0.0/8"), ip_network("fd00::/8")),
    }
    options |= {name: more.pop(name) for name in [*options] if name in more}
    found: dict[str, Any] = {}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        found.update(scope)

    headers = [(b"host", b"inside:8000")]
    for name, value in more.items():
        for each in value if isinstance(value, list) else [value]:
            headers.append((name.replace("_", "-").encode(), each.encode()))
    scope = {
        "type": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "scheme": "http",
        "client": (peer, 4711),
        "headers": headers,
    }

    async def receive() -> Message:
        raise AssertionError

    async def send(message: Message) -> None:
        raise AssertionError

    await Proxied(app, **options)(scope, receive, send)
    return {**found, "headers": dict(found["headers"])}


ALL = {
    "x_forwarded_for": "198.51.100.1",
    "x_forwarded_proto": "https",
    "x_forwarded_host": "news.example.org",
    "x_forwarded_prefix": "/archive",
}


async def test_a_trusted_peer_says_who_asked_for_what() -> None:
    scope = await seen(**ALL)
    assert scope["client"][0] == "198.51.100.1"
    assert scope["scheme"] == "https"
    assert scope["headers"] == {b"host": b"news.example.org"}
    assert (scope["root_path"], scope["path"]) == ("/archive", "/archive/v1/articles")


@pytest.mark.parametrize("peer", [STRANGER, "not an address", "::ffff:203.0.113.9"])
async def test_nobody_else_does_and_the_headers_are_dropped(peer: str) -> None:
    scope = await seen(peer=peer, **ALL, forwarded="for=1.2.3.4", x_real_ip="1.2.3.4")
    assert scope["client"] == (peer, 4711)
    assert scope["scheme"] == "http"
    assert scope["headers"] == {b"host": b"inside:8000"}
    assert (scope.get("root_path", ""), scope["path"]) == ("", "/v1/articles")


@pytest.mark.parametrize(
    ("hops", "client"),
    [
        ("198.51.100.1", "198.51.100.1"),
        ("198.51.100.1, 10.1.1.1", "198.51.100.1"),
        ("1.2.3.4, 198.51.100.1, 10.1.1.1, 10.2.2.2", "198.51.100.1"),
        (["1.2.3.4", "198.51.100.1"], "198.51.100.1"),
        ("10.1.1.1, 10.2.2.2", "10.1.1.1"),
        ("198.51.100.1:5000", "198.51.100.1"),
        ("[2001:db8::1]:5000", "2001:db8::1"),
        ("2001:db8::1, fd00::2", "2001:db8::1"),
        ("::ffff:198.51.100.1", "198.51.100.1"),
        ("198.51.100.1, unknown", PROXY),
        ("198.51.100.1, <script>, 10.1.1.1", "10.1.1.1"),
        ("", PROXY),
    ],
)
async def test_the_client_is_the_last_that_is_no_proxy_of_ours(hops: Any, client: str) -> None:
    assert (await seen(x_forwarded_for=hops))["client"][0] == client


async def test_the_port_is_the_hosts_own() -> None:
    scope = await seen(**{**ALL, "x_forwarded_host": "news.example.org:8443"}, x_forwarded_port="1")
    assert scope["headers"] == {b"host": b"news.example.org:8443"}


async def test_headers_that_are_ignored_change_nothing() -> None:
    more = {"x_forwarded_port": "1", "forwarded": "for=1.2.3.4;proto=http", "x_real_ip": "1.2.3.4"}
    assert await seen(**ALL, **more) == await seen(**ALL)


async def test_of_a_header_given_twice_the_nearest_proxy_wrote_the_last() -> None:
    scope = await seen(x_forwarded_proto=["https", "http"], x_forwarded_host="evil, good.example")
    assert scope["scheme"] == "http"
    assert scope["headers"][b"host"] == b"good.example"


@pytest.mark.parametrize(
    ("prefix", "path", "given"),
    [
        ("/archive", "/archive/v1/articles", "/archive/v1/articles"),
        ("/archive", "/v1/articles", "/archive/v1/articles"),
        ("/archive", "/archived/v1", "/archive/archived/v1"),
        ("/archive", "/archive", "/archive/"),
        ("/archive", "/archive/", "/archive/"),
        ("/archive", "/", "/archive/"),
        ("/a/b-c", "/a/v1", "/a/b-c/a/v1"),
    ],
)
async def test_a_prefix_is_added_only_where_it_is_absent(
    prefix: str, path: str, given: str
) -> None:
    by_setting = await seen(path, root_path=prefix, peer=STRANGER)
    by_header = await seen(path, x_forwarded_prefix=f"{prefix}/")
    for scope in (by_setting, by_header):
        assert (scope["root_path"], scope["path"], scope["raw_path"]) == (
            prefix,
            given,
            given.encode(),
        )


@pytest.mark.parametrize(
    "prefix",
    ["//evil.example", "archive", "/a/../b", "/..", "/a b", '/"><script>', "/v1", "/docs/x"],
)
async def test_a_prefix_that_is_none_is_refused(prefix: str) -> None:
    scope = await seen(x_forwarded_prefix=prefix, root_path="/set")
    assert scope["root_path"] == "/set"
    with pytest.raises(ValidationError, match="root_path"):
        Settings(root_path=prefix)


def test_no_route_begins_with_a_segment_that_a_prefix_may_have() -> None:
    paths = {getattr(route, "path", "/") for route in create_app(Settings()).routes}
    assert {path.split("/")[1] for path in paths} - {""} <= OWN_SEGMENTS


@pytest.mark.parametrize("wrong", ["*", "127.0.0.1,*", "0.0.0.0/0", "::/0", "10.0.0.1/8", "proxy"])
def test_trust_in_everybody_is_refused(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROADSHEET_TRUSTED_PROXIES", wrong)
    with pytest.raises(ValidationError, match="trusted_proxies"):
        Settings()


# --- addresses in answers


@asynccontextmanager
async def behind(folder: Path, **more: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application that has three articles and trusts the proxy it stands behind."""
    chosen = factories.settings(folder, trusted_proxies=f"{PROXY}/32", **more)
    app = create_app(chosen)
    async with LifespanManager(app, startup_timeout=120, shutdown_timeout=120):
        factories.save(app.state.executor.database, [factories.numbered(n) for n in range(3)])
        factories.take_key(app.state.executor.database)
        app.state.executor.wake.set()
        transport = httpx.ASGITransport(app, client=(PROXY, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://inside:8000") as client:
            client.headers.update(factories.KEYED)
            while (await client.get("/v1/status")).json()["index"]["lag"] != 0:
                pass
            yield client


OUTSIDE = "https://news.example.org/archive"
TOLD = {name.replace("_", "-"): value for name, value in ALL.items()}


@pytest.mark.parametrize("kept", ["", "/archive"])
async def test_every_address_in_an_answer_is_the_clients(tmp_path: Path, kept: str) -> None:
    async with behind(tmp_path) as client:
        client.headers.update(TOLD)
        listed = await client.get(f"{kept}/v1/articles?limit=1")
        assert listed.links["next"]["url"].startswith(f"{OUTSIDE}/v1/articles?limit=1&cursor=")
        found = await client.get(f"{kept}/v1/search?q=apples&limit=1")
        assert found.links["next"]["url"].startswith(f"{OUTSIDE}/v1/search?")

        atom = ET.fromstring((await client.get(f"{kept}/v1/search.atom?q=apples&limit=1")).content)
        links = [each.attrib["href"] for each in atom.iter("{http://www.w3.org/2005/Atom}link")]
        assert len(links) == 5
        assert all(link.startswith(f"{OUTSIDE}/v1/") for link in links)
        feed = (await client.get(f"{kept}/v1/search.json?q=apples&limit=1")).json()
        for name in ("home_page_url", "feed_url", "next_url"):
            assert feed[name].startswith(f"{OUTSIDE}/v1/search")
        assert feed["items"][0]["url"].startswith(f"{OUTSIDE}/v1/articles/")

        document = (await client.get(f"{kept}/openapi.json")).json()
        assert document["servers"] == [{"url": "/archive"}]
        for start in (f"{kept}/", kept or "/"):
            assert (await client.get(start)).headers["location"] == "/archive/docs"
        absent = (await client.get(f"{kept}/v1/nowhere")).json()
        assert absent["instance"] == "/archive/v1/nowhere"
        created = await client.post(f"{kept}/v1/articles", json={"headline": "One", "body": "Two"})
        assert created.status_code == 200
        assert created.headers.get("location", OUTSIDE).startswith(OUTSIDE)
        for page in ("docs", "redoc"):
            text = (await client.get(f"{kept}/{page}")).text
            for address in (each.split('"')[1] for each in text.split("=") if each[0] == '"'):
                if address.startswith("/"):
                    assert address.startswith("/archive/")
                    assert (await client.get(address.removeprefix("/archive"))).status_code == 200


async def test_one_prefix_does_not_leak_into_the_next_answer(tmp_path: Path) -> None:
    async with behind(tmp_path) as client:
        for prefix in ("/one", "/two"):
            told = {**TOLD, "X-Forwarded-Prefix": prefix}
            document = (await client.get("/openapi.json", headers=told)).json()
            assert document["servers"] == [{"url": prefix}]
        assert "servers" not in (await client.get("/openapi.json")).json()


async def test_the_setting_gives_the_prefix_without_a_header(tmp_path: Path) -> None:
    async with behind(tmp_path, root_path="/archive/") as client:
        for path in ("/v1/articles?limit=1", "/archive/v1/articles?limit=1"):
            link = (await client.get(path)).links["next"]["url"]
            assert link.startswith("http://inside:8000/archive/v1/articles?")


async def test_a_page_on_the_proxys_machine_cannot_speak_for_it(tmp_path: Path) -> None:
    chosen = factories.settings(tmp_path, trusted_proxies="127.0.0.1/32")
    transport = httpx.ASGITransport(create_app(chosen))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        told = {"X-Forwarded-Host": "localhost"}
        for host, status in {"rebound.example:8000": 421, "127.0.0.1:8000": 307}.items():
            answer = await client.get("/", headers={"Host": host, **told})
            assert answer.status_code == status


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("news.example.org", 200),
        ("NEWS.example.org.:8443", 200),
        ("a.example.net", 200),
        ("a.b.example.net", 200),
        ("example.net", 421),
        ("evilexample.net", 421),
        ("evil.example", 421),
        ("evil.example/news.example.org", 400),
        ("news.example.org@evil.example", 400),
        ("a b", 400),
    ],
)
async def test_only_allowed_hosts_are_answered(tmp_path: Path, host: str, status: int) -> None:
    async with LifespanManager(
        create_app(factories.settings(tmp_path, allowed_hosts="News.example.org, *.example.net"))
    ) as manager:
        transport = httpx.ASGITransport(manager.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://inside") as client:
            answer = await client.get("/v1/articles", headers={"Host": host})
            assert answer.status_code == status
            if status != 200:
                assert answer.headers["content-type"] == "application/problem+json"
            assert (await client.get("/healthz", headers={"Host": "10.1.2.3:8000"})).is_success
