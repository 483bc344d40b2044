"""Which host names are answered where a request comes in, and what the metrics' port serves."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from app.api.middleware.limits import Guarded
from tests import factories, programs
from tests.cli.test_cli import broadsheet, environment, free_port
from tests.faults.house import eventually
from tests.test_serving import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.types import Message, Receive, Scope, Send

OURS = ["localhost", "LocalHost.", "127.0.0.1", "127.3.2.1", "127.0.0.1.", "[::1]", "localhost:"]
FOREIGN = [
    "rebound.example",
    "localhost.evil",
    "evil.localhost",
    "127.0.0.1.nip.example",
    "127.1",
    "0127.0.0.1",
    "2130706433",
    "0x7f000001",
    "0.0.0.0",
    "192.168.1.7",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::]",
    "[127.0.0.1]",
    "localhost..",
    "",
]
NONE = [
    "localhost@evil.example",
    "evil@localhost",
    "localhost evil",
    "localhost/x",
    "[::1%lo]",
    "::1",
]
LOOPBACK = ("127.0.0.1", 8000)


async def status(folder: Path, host: str | None, **more: Any) -> int:
    """What a request for the articles is answered; keywords are the scope's or settings."""
    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": "/v1/articles",
        "query_string": b"",
        "server": LOOPBACK,
        "client": ("127.0.0.1", 4711),
        "sent_host": b"",
        "headers": [] if host is None else [(b"host", host.encode())],
    }
    scope |= {name: more.pop(name) for name in [*scope] if name in more}
    sent: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive() -> Message:
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    await Guarded(app, factories.settings(folder, **more))(scope, receive, send)
    return int(sent[0]["status"])


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.anyio
@pytest.mark.parametrize("server", ["127.0.0.1", "127.0.0.9", "::1", "::ffff:127.0.0.1"])
async def test_a_loopback_address_answers_for_its_own_names(tmp_path: Path, server: str) -> None:
    at = {"server": (server, 8000)}
    for name in OURS:
        assert await status(tmp_path, name, **at) == 200, name
        assert await status(tmp_path, f"{name.removesuffix(':')}:8000", **at) == 200, name
    for name in FOREIGN:
        assert await status(tmp_path, name, **at) == 421, name
        assert await status(tmp_path, f"{name}:8000", **at) in (421, 400), name
        assert await status(tmp_path, name, path="/metrics", **at) == 421, name
        assert await status(tmp_path, name, path="/readyz", **at) == 200, name
    for name in NONE:
        assert await status(tmp_path, name, **at) == 400, name
    assert await status(tmp_path, None, **at) == 421


@pytest.mark.anyio
async def test_the_operators_hosts_are_answered_and_the_machines_own_to_itself(
    tmp_path: Path,
) -> None:
    given = {"allowed_hosts": "news.example,*.example.net"}
    outside: dict[str, Any] = {"server": ("10.0.0.2", 8000), "client": ("10.0.0.9", 1)}
    for at in ({}, outside, {"client": ("198.51.100.1", 0)}):  # the last one came by a proxy
        assert await status(tmp_path, "news.example:8443", **at, **given) == 200
        assert await status(tmp_path, "a.example.net", **at, **given) == 200
        assert await status(tmp_path, "rebound.example", **at, **given) == 421
        assert await status(tmp_path, None, **at, **given) == 421
        mine = await status(tmp_path, "localhost", **at, **given)
        assert mine == (421 if at else 200)


@pytest.mark.anyio
async def test_elsewhere_any_host_is_answered_unless_some_are_given(tmp_path: Path) -> None:
    for server in (("10.0.0.2", 8000), ("2001:db8::1", 8000), ("/run/broadsheet.sock", None), None):
        assert await status(tmp_path, "news.example", server=server, client=None) == 200
    assert await status(tmp_path, "news.example", allowed_hosts="*") == 200
    assert await status(tmp_path, "a b", allowed_hosts="*") == 400


@pytest.mark.anyio
async def test_the_port_of_the_metrics_serves_nothing_else_and_nobody_else(tmp_path: Path) -> None:
    at: dict[str, Any] = {"metrics_port": 9100, "server": ("127.0.0.1", 9100)}
    assert await status(tmp_path, "127.0.0.1:9100", path="/metrics", **at) == 200
    assert await status(tmp_path, "127.0.0.1:9100", **at) == 404
    assert await status(tmp_path, "127.0.0.1:9100", path="/readyz", **at) == 404
    for hosts in ("*", "news.example"):
        more = {"path": "/metrics", "allowed_hosts": hosts, **at}
        assert await status(tmp_path, "news.example", **more) == 421
        assert await status(tmp_path, "localhost", client=("10.0.0.9", 1), **more) == 421


@pytest.mark.anyio
@pytest.mark.parametrize("told", ["localhost", "news.example"])
async def test_a_page_cannot_tell_its_name_as_a_proxy_does(tmp_path: Path, told: str) -> None:
    given = {"allowed_hosts": "news.example"}
    for sent in ("127.0.0.1:8001", "upstream", "news.example", "10.0.0.7", "[::1]", ""):
        at = {"sent_host": sent.encode(), **given}
        assert await status(tmp_path, told, **at) == 200, sent
    for sent in ("rebound.example:8001", "rebound.example.", "localhost.evil", "127.0.0.1.evil"):
        at = {"sent_host": sent.encode(), **given}
        assert await status(tmp_path, told, **at) == 421, sent
        assert await status(tmp_path, told, path="/metrics", **at) == 421, sent
        outside = {"server": ("10.0.0.2", 8000), **at}
        if told == "news.example":
            assert await status(tmp_path, told, **outside) == 200, sent


# --- a server, over bare connections


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, int]]:
    """The port of a server with two workers, and that of its metrics."""
    metrics = free_port()
    folder = tmp_path_factory.mktemp("hosts")
    with serving(folder, "--workers", "2", metrics_port=str(metrics)) as (_, address, _):
        yield int(address.rpartition(":")[2]), metrics


def answered(port: int, head: str) -> tuple[int, str]:
    """The status of the answer to a head that is sent as it stands, and its body."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(f"{head}\r\nConnection: close\r\n\r\n".encode())
        received = b""
        while piece := connection.recv(65536):
            received += piece
    start, _, body = received.decode().partition("\r\n\r\n")
    return int(start.split(" ")[1]), body


OWN = "GET /v1/articles HTTP/1.1\r\nHost: localhost"
HEADS = {
    OWN: 200,
    "GET /v1/articles HTTP/1.1\r\nhost:\tLOCALHOST": 200,
    "GET HTTP://LocalHost/v1/articles HTTP/1.1\r\nHost: localhost": 200,
    "GET http://localhost/v1/articles HTTP/1.0\r\nX: y": 200,
    "GET http://localhost/v1/articles HTTP/1.1\r\nHost: rebound.example": 400,
    "GET /v1/articles?source=http://rebound.example HTTP/1.1\r\nHost: localhost": 200,
    "GET http://rebound.example/v1/articles HTTP/1.1\r\nHost: localhost": 400,
    "GET http://rebound.example/v1/articles HTTP/1.1\r\nHost: rebound.example": 421,
    "GET HTTP://rebound.example:80/v1/articles HTTP/1.0\r\nX: y": 421,
    "GET http://localhost@rebound.example/v1/articles HTTP/1.1\r\nHost: localhost": 400,
    "GET http://localhost/v1/articles HTTP/1.1\r\nHost: localhost\r\nHost: a": 400,
    "GET http://rebound.example HTTP/1.1\r\nHost: localhost": 400,
    "GET /v1/articles HTTP/1.0\r\nX: y": 421,
    "GET /v1/articles HTTP/1.1\r\nX: y": 421,
    "GET /v1/articles HTTP/1.1\r\nHost:": 421,
    "GET /v1/articles HTTP/1.1\r\nHost: rebound.example": 421,
    "GET //rebound.example/v1/articles HTTP/1.1\r\nHost: rebound.example": 421,
    "GET /metrics HTTP/1.1\r\nHost: rebound.example": 421,
    "GET /healthz/../v1/articles HTTP/1.1\r\nHost: rebound.example": 421,
    "GET /healthz%2f..%2fv1/articles HTTP/1.1\r\nHost: rebound.example": 421,
    "GET / HTTP/1.1\r\nHost: rebound.example": 421,
    "GET /docs HTTP/1.1\r\nHost: rebound.example": 421,
    "GET /openapi.json HTTP/1.1\r\nHost: rebound.example": 421,
    "OPTIONS * HTTP/1.1\r\nHost: rebound.example": 421,
    "DELETE /v1/articles/x HTTP/1.1\r\nHost: rebound.example": 421,
    f"{OWN}\r\nHost: rebound.example": 400,
    f"{OWN}\r\nX-Forwarded-Host: rebound.example": 200,  # of a peer that nobody trusts
    "GET /v1/articles HTTP/1.1\r\nHost: rebound.example\r\nX-Forwarded-Host: localhost": 421,
    "GET /v1/articles HTTP/1.1\r\nHost: rebound.example\r\nX-Forwarded-Prefix: /readyz": 421,
    "GET /healthz HTTP/1.1\r\nHost: rebound.example": 200,
    "GET /readyz HTTP/1.0\r\nX: y": 200,
}


@pytest.mark.parametrize("head", HEADS)
def test_a_server_on_a_loopback_address(ports: tuple[int, int], head: str) -> None:
    assert answered(ports[0], head)[0] == HEADS[head]


def test_the_refusal_names_the_setting(ports: tuple[int, int]) -> None:
    _, told = answered(ports[0], "GET / HTTP/1.1\r\nHost: news.example.org:80")
    assert "BROADSHEET_ALLOWED_HOSTS=news.example.org" in told


def test_the_metrics_have_a_port_of_their_own(ports: tuple[int, int]) -> None:
    own = f"http://127.0.0.1:{ports[1]}"
    eventually(lambda: "broadsheet_workers 2.0" in httpx.get(f"{own}/metrics").text, "both told")
    for _ in range(6):  # whichever worker takes it
        assert httpx.get(f"{own}/metrics").status_code == 200
    for path in ("/", "/v1/articles", "/healthz", "/openapi.json", "/docs"):
        assert httpx.get(f"{own}{path}").status_code == 404
    assert answered(ports[1], "GET /metrics HTTP/1.1\r\nHost: rebound.example")[0] == 421


def test_a_port_of_the_metrics_that_is_taken_stops_the_start(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = str(other.getsockname()[1])
        for port, code in (("0", 1), (taken, 2)):
            done = programs.run(
                broadsheet("serve", "--port", port),
                env=environment(tmp_path, BROADSHEET_METRICS_PORT=taken),
                capture_output=True,
                text=True,
                timeout=60,
            )
            assert done.returncode == code
            assert "BROADSHEET_METRICS_PORT" in done.stderr
            assert taken in done.stderr


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]"])
def test_a_page_of_the_machine_itself_is_answered(ports: tuple[int, int], name: str) -> None:
    head = f"GET /v1/articles HTTP/1.1\r\nHost: {name}:{ports[0]}"
    assert answered(ports[0], head)[0] == 200
