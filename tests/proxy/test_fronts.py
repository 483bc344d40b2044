"""Behind real proxies, configured as in docs/proxy: addresses, spoofing, restarts."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import httpx
import pytest

from tests import factories
from tests.proxy import fronts
from tests.proxy.fronts import CLIENT, PROXIES
from tests.proxy.readers import Readers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.proxy.fronts import Front, Upstream

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Upstream]]:
    with fronts.upstreams(tmp_path_factory.mktemp("upstreams"), 2) as running:
        yield running


@pytest.fixture(scope="module")
def upstream(servers: list[Upstream]) -> Upstream:
    return servers[0]


@pytest.fixture(
    scope="module", params=[(name, kept) for name in PROXIES for kept in (False, True)], ids=str
)
def front(
    request: pytest.FixtureRequest, upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Front]:
    name, kept = request.param
    fronts.needed(name)
    with PROXIES[name](tmp_path_factory.mktemp(name), [upstream.port], kept=kept) as running:
        yield running


def test_every_address_in_an_answer_leads_back_through_the_proxy(front: Front) -> None:
    begin = f"{front.url}/archive/"
    with front.client() as client:
        found: list[str] = []
        for path in ("v1/articles?limit=1", "v1/search?q=pakistan&limit=1"):
            found.append(client.get(f"/archive/{path}").links["next"]["url"])
        atom = ET.fromstring(client.get("/archive/v1/search.atom?limit=1").content)
        found += [each.attrib["href"] for each in atom.iter("{http://www.w3.org/2005/Atom}link")]
        feed = client.get("/archive/v1/search.json?limit=1").json()
        found += [
            feed["home_page_url"],
            feed["feed_url"],
            feed["next_url"],
            feed["items"][0]["url"],
        ]
        (server,) = client.get("/archive/openapi.json").json()["servers"]
        found.append(f"{front.url}{server['url']}/healthz")
        for address in found:
            assert address.startswith(begin), address
            assert client.get(address).status_code == 200, address
        landed = client.get("/archive", follow_redirects=True)
        assert landed.url == f"{begin}docs"
        assert landed.status_code == 200


def test_plain_http_leads_to_https(front: Front) -> None:
    asked = f"http://127.0.0.1:{front.http_port}/archive/v1/articles?limit=1"
    answer = httpx.get(asked, trust_env=False)
    assert answer.status_code == 308
    assert answer.headers["location"] == f"{front.url}/archive/v1/articles?limit=1"


SPOOFED = {
    "X-Forwarded-For": "1.2.3.4",
    "X-Forwarded-Proto": "gopher",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Prefix": "//evil.example",
    "Forwarded": "for=1.2.3.4;host=evil.example;proto=http",
    "X-Real-IP": "1.2.3.4",
}


def test_spoofed_headers_reach_nobody_through_the_proxy(front: Front, upstream: Upstream) -> None:
    with front.client(headers=SPOOFED) as client:
        feed = client.get("/archive/v1/search.json")
        assert "evil" not in feed.text
        assert feed.json()["feed_url"] == f"{front.url}/archive/v1/search.json"
        assert upstream.logged(feed.headers["x-request-id"])["client"] == CLIENT


def test_spoofed_headers_reach_nobody_past_the_proxy(upstream: Upstream) -> None:
    own = f"http://127.0.0.1:{upstream.port}"
    transport = httpx.HTTPTransport(local_address=CLIENT)
    with httpx.Client(base_url=own, headers=SPOOFED, transport=transport) as client:
        feed = client.get("/v1/search.json")
        assert feed.json()["feed_url"] == f"{own}/v1/search.json"
        assert client.get("/").headers["location"] == "/docs"
        assert upstream.logged(feed.headers["x-request-id"])["client"] == CLIENT


def test_answers_are_compressed_and_tags_still_hold(front: Front) -> None:
    with front.client() as client:
        answer = client.get("/archive/v1/search?q=pakistan")
        assert answer.headers["content-encoding"] == "gzip"
        tag = {"If-None-Match": answer.headers["etag"]}
        assert client.get("/archive/v1/search?q=pakistan", headers=tag).status_code == 304
        assert "max-age" in answer.headers["strict-transport-security"]
        assert "nosniff" in answer.headers["x-content-type-options"]


def test_what_is_too_large_is_refused_before_it_gets_here(front: Front) -> None:
    with front.client() as client:
        large = b" " * (32 * 1024 * 1024 + 1)
        answer = client.post("/archive/v1/articles", content=large, headers=factories.KEYED)
        assert answer.status_code == 413
        assert client.get(f"/archive/v1/search?q={'a' * 20_000}").status_code in (400, 414)


@pytest.mark.parametrize(
    "path", ["metrics", "metrics?x=1", "%6detrics", "./metrics", "v1/../metrics", "/metrics"]
)
def test_the_metrics_stay_inside(front: Front, path: str) -> None:
    answer = asked(front, f"/archive/{path}", host=f"127.0.0.1:{front.https_port}")
    assert answer.partition("\r\n")[0].split(" ")[1] in ("400", "404", "308")
    assert "broadsheet_" not in answer


@pytest.mark.parametrize("host", ["evil.example", "localhost", "127.0.0.1.evil.example", ""])
def test_foreign_names_reach_nobody(front: Front, host: str) -> None:
    answer = asked(front, "/archive/v1/articles", host=host)
    assert answer.partition("\r\n")[0].split(" ")[1] in ("200", "400", "421")
    assert "items" not in answer  # Caddy answers nothing at all, with 200


def asked(front: Front, target: str, *, host: str) -> str:
    """The answer to a request as it stands here, over TLS."""
    with (
        socket.create_connection(("127.0.0.1", front.https_port), timeout=30) as connection,
        front.trust.wrap_socket(connection, server_hostname="127.0.0.1") as secured,
    ):
        head = f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        secured.sendall(head.encode())
        with secured.makefile("rb") as answer:
            return answer.read().decode(errors="replace")


RELOADS = 5


@pytest.mark.parametrize("name", PROXIES)
def test_a_restart_in_turn_under_load_loses_no_get(
    name: str, servers: list[Upstream], tmp_path: Path
) -> None:
    ports = [each.port for each in servers]
    with PROXIES[name](tmp_path, ports) as front, Readers(front, kept=4) as readers:
        for server in servers:
            before = len(readers.answered)
            server.stop()
            server.start()
            assert len(readers.answered) > before
            readers.go_on(50)
    assert readers.failed == []
    assert readers.stale == []
    assert len(readers.answered) > 100
    print(f"{len(readers.answered)} GETs during {len(servers)} restarts, none failed")


def test_a_reload_of_nginx_under_load_loses_no_get(servers: list[Upstream], tmp_path: Path) -> None:
    ports = [each.port for each in servers]
    with fronts.nginx(tmp_path, ports) as front, Readers(front, kept=3, fresh=3) as readers:
        for _ in range(RELOADS):
            fronts.reload_nginx(tmp_path)
            readers.go_on(50)
    assert readers.failed == []
    told = f"{len(readers.answered)} GETs during {RELOADS} reloads, none failed"
    print(f"{told}, {len(readers.stale)} asked again on a new connection")
