"""The server process under clients that never finish: each loses its connection, others don't."""

from __future__ import annotations

import json
import signal
import socket
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from app.api import server
from tests import factories, programs
from tests.cli.test_cli import broadsheet, environment, port_of
from tests.faults.house import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMITS = {
    "BROADSHEET_LOG_REQUESTS": "none",  # nobody reads its lines while it runs
    "BROADSHEET_CLIENT_TIMEOUT_S": "2",
    "BROADSHEET_KEEP_ALIVE_S": "2",
    "BROADSHEET_CONNECTION_LIMIT": "20",
    "BROADSHEET_HEADER_LIMIT_BYTES": "4096",
    "FORWARDED_ALLOW_IPS": "*",
}
PATIENCE_S = 120
"""Longer than any limit above by far: a test that waits so long has failed."""


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A server with short limits, which holds ten megabytes."""
    with served(tmp_path_factory.mktemp("served")) as port:
        body = "\n\n".join(f"Paragraph {n} of a long story about apples." for n in range(10_000))
        articles = [{"headline": f"Long {n}", "body": f"{n} {body}"} for n in range(20)]
        stored = httpx.post(
            f"http://127.0.0.1:{port}/v1/articles",
            json=articles,
            timeout=120,
            headers=factories.KEYED,
        )
        assert stored.json()["saved"] == 20
        status = f"http://127.0.0.1:{port}/v1/status"
        eventually(lambda: httpx.get(status, timeout=120).json()["index"]["lag"] == 0, "the index")
        yield port


@contextmanager
def served(folder: Path) -> Iterator[int]:
    log = folder / "serve.log"
    with log.open("wb") as stderr:
        process = programs.Popen(
            broadsheet("serve", "--port", "0"), env={**environment(folder), **LIMITS}, stderr=stderr
        )
    try:
        yield port_of(process, log.read_text)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=120)
    assert "Traceback" not in log.read_text()


@contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as connection:
        yield connection


def rest(connection: socket.socket) -> bytes:
    """All that still comes until the server closes."""
    received = b""
    try:
        while piece := connection.recv(65536):
            received += piece
    except ConnectionResetError:
        pass
    return received


def drip(connection: socket.socket, piece: bytes, every_s: float) -> bytes:
    """Send `piece` again and again until the server has had enough; what it answered."""
    until = time.monotonic() + PATIENCE_S
    connection.settimeout(every_s)
    while time.monotonic() < until:
        try:
            connection.sendall(piece)
            received = connection.recv(65536)
        except TimeoutError:
            continue
        except OSError:
            return b""
        else:
            return received
    raise AssertionError("the server goes on listening")


GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST /v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
WRITE = POST.replace(b"search", b"articles")
KEY = f"Authorization: {factories.KEYED['Authorization']}\r\n".encode()


@pytest.mark.parametrize(
    "begun", [b"", b"GE", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: localhost"]
)
def test_a_head_that_stops_is_not_waited_for(port: int, begun: bytes) -> None:
    with connected(port) as connection:
        connection.sendall(begun)
        assert rest(connection)[:12] == (b"HTTP/1.1 408" if begun else b"")


def test_a_head_that_drips_is_not_waited_for(port: int) -> None:
    with connected(port) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n")
        assert drip(connection, b"X: y\r\n", 0.1)[:12] in (b"HTTP/1.1 408", b"")


@pytest.mark.parametrize("endless", [b"GET /" + b"a" * 90_000, GET[:-2] + b"X: " + b"a" * 90_000])
def test_a_head_without_end_is_not_kept(port: int, endless: bytes) -> None:
    with connected(port) as connection:
        try:
            for _ in range(1000):
                connection.sendall(endless)
        except OSError:
            return
        raise AssertionError("90 MB were taken")


def test_trailers_without_end_are_not_kept(port: int) -> None:
    with connected(port) as connection:
        connection.sendall(POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX: ")
        try:
            for _ in range(1000):
                connection.sendall(b"a" * 90_000)
        except OSError:
            return
        raise AssertionError("90 MB were taken")


def test_a_body_that_stops_is_a_408(port: int) -> None:
    with connected(port) as connection:
        connection.sendall(POST + b"Content-Length: 10\r\n\r\n{")
        assert rest(connection).startswith(b"HTTP/1.1 408")


def test_a_body_that_breaks_off_is_no_error_of_ours(port: int) -> None:
    with connected(port) as connection:
        connection.sendall(WRITE + KEY + b"Content-Length: 10\r\n\r\n{")
    told = 'broadsheet_http_requests_total{method="POST",route="/v1/articles",status="400"} 1.0'
    until = time.monotonic() + PATIENCE_S
    while told not in httpx.get(f"http://127.0.0.1:{port}/metrics", headers=factories.KEYED).text:
        assert time.monotonic() < until


def test_what_comes_after_the_answer_is_not_waited_for(port: int) -> None:
    with connected(port) as connection:
        connection.sendall(GET[:-2] + b"Content-Length: 100000000\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        drip(connection, b".", 0.1)


def test_a_client_that_reads_nothing_is_let_go(port: int) -> None:
    with connected(port) as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.sendall(b"GET /v1/search.csv HTTP/1.1\r\nHost: localhost\r\n\r\n")
        until = time.monotonic() + PATIENCE_S
        while len(open_connections(port)) > 0:
            assert time.monotonic() < until, "the connection is still held"
            time.sleep(0.05)


def open_connections(port: int) -> list[str]:
    """The server's own ends of connections that are established, as the kernel lists them."""
    with Path("/proc/net/tcp").open() as table:
        rows = [line.split() for line in table][1:]
    return [row[2] for row in rows if row[1].endswith(f":{port:04X}") and row[3] == "01"]


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux to ask its socket")
def test_what_the_kernel_holds_to_be_sent_is_not_taken_for_read() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with (
            socket.create_connection(listening.getsockname()) as client,
            listening.accept()[0] as reader,
        ):
            client.setblocking(False)
            sent = 0
            with pytest.raises(BlockingIOError):
                while True:
                    sent += client.send(b"." * 65536)
            held = server.kernel_bytes(client)
            assert 0 < held < sent
            taken = 0
            while server.kernel_bytes(client) > held // 2:  # long before it is all gone
                taken += len(reader.recv(4096))
            assert taken < sent
    assert server.kernel_bytes(client) == 0  # it is closed
    assert server.kernel_bytes(None) == 0


def test_an_idle_connection_is_closed(port: int) -> None:
    with connected(port) as connection:
        connection.sendall(GET)
        answered = rest(connection)
        assert answered.startswith(b"HTTP/1.1 200")


def test_too_many_connections_leave_room_for_those_who_ask(port: int) -> None:
    idle = []
    try:
        for _ in range(50):  # each asks once and stays: the oldest idle ones make room
            connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
            idle.append(connection)
            connection.sendall(GET)
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        assert len(open_connections(port)) <= 21
    finally:
        for connection in idle:
            connection.close()


def test_connections_that_say_nothing_are_bounded(port: int) -> None:
    mute = [socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) for _ in range(40)]
    try:
        with connected(port) as connection:
            connection.sendall(GET)
            assert rest(connection).startswith((b"HTTP/1.1 503", b"HTTP/1.1 200"))
    finally:
        for connection in mute:
            connection.close()
    until = time.monotonic() + PATIENCE_S
    while httpx.get(f"http://127.0.0.1:{port}/healthz").status_code != 200:
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.mark.parametrize("upgrade", [b"websocket", b"h2c", b"TLS/1.0"])
def test_an_upgrade_is_passed_over(port: int, upgrade: bytes) -> None:
    with connected(port) as connection:
        connection.sendall(GET[:-2] + b"Connection: Upgrade\r\nUpgrade: " + upgrade + b"\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "wrong",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /v1/search?q=\xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        POST + b"Content-Length: -1\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\nZ\r\n",
    ],
)
def test_what_is_no_http_is_a_400(port: int, wrong: bytes) -> None:
    with connected(port) as connection:
        connection.sendall(wrong)
        assert refused(rest(connection)) == (400, "malformed-request")


def refused(received: bytes) -> tuple[int, str]:
    """Status and type of the one problem document that came."""
    head, _, body = received.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head
    document = json.loads(body)
    assert head.startswith(f"HTTP/1.1 {document['status']} ".encode())
    return document["status"], document["type"].removeprefix("urn:broadsheet:problem:")


@pytest.mark.parametrize(
    ("refusing", "expected"),
    [
        (b"GE", (408, "too-slow")),
        (b"GET /" + b"a" * 66_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", (414, "too-large")),
        (GET[:-2] + b"X: " + b"a" * 200_000, (431, "too-large")),
    ],
)
def test_every_refusal_is_a_problem_document(
    port: int, refusing: bytes, expected: tuple[int, str]
) -> None:
    with connected(port) as connection:
        connection.sendall(refusing)
        assert refused(rest(connection)) == expected


def test_a_client_that_asks_ahead_and_goes_leaves_no_trace(port: int) -> None:
    asked = b"GET /v1/search?q=apples&limit=20 HTTP/1.1\r\nHost: localhost\r\n\r\n"
    for _ in range(10):  # the fixture looks for a traceback at the end
        with connected(port) as connection:
            connection.sendall(asked * 100)
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")


def test_a_body_that_is_none_waits_for_the_answer_before_it(port: int) -> None:
    with connected(port) as connection:
        connection.sendall(GET + POST + b"Transfer-Encoding: chunked\r\n\r\nZ\r\n")
        head, _, body = rest(connection).partition(b"\r\n\r\n")
    assert (head[:12], json.loads(body)) == (b"HTTP/1.1 200", {"status": "ok"})


def test_what_is_no_http_waits_for_the_answer_before_it(port: int) -> None:
    search = b"GET /v1/search?q=a*&limit=20 HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with connected(port) as connection:
        connection.sendall(search + b"\x00\x01 no http\r\n\r\n")
        head, _, body = rest(connection).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert len(json.loads(body)["items"]) == 20


def test_the_environment_cannot_make_the_server_believe_a_client(port: int) -> None:
    told = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=told) as client:
        feed = client.get("/v1/search.json").json()
        assert feed["feed_url"] == f"http://127.0.0.1:{port}/v1/search.json"


# --- a write without a key


def test_a_write_without_a_key_is_refused_before_its_body(port: int) -> None:
    for length in (b"Content-Length: 30000000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n"):
        with connected(port) as connection:
            connection.sendall(WRITE + length)
            assert connection.recv(65536).startswith(b"HTTP/1.1 401")


def test_who_asks_before_sending_a_body_is_told_not_to(port: int) -> None:
    with connected(port) as connection:
        connection.sendall(WRITE + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        answer = rest(connection).lower()
    assert answer.startswith(b"http/1.1 401")
    assert b"connection: close" in answer
    with connected(port) as connection:
        connection.sendall(WRITE + KEY + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 100")
        connection.sendall(b"{}")
        assert connection.recv(65536).startswith(b"HTTP/1.1 422")


def test_the_body_of_a_refused_write_is_no_next_request(port: int) -> None:
    hidden = b"GET /v1/articles?limit=1 HTTP/1.1\r\nHost: a\r\n\r\n"
    with connected(port) as connection:
        connection.sendall(WRITE + b"Content-Length: %d\r\n\r\n" % (200_000 + len(hidden)))
        refusal = connection.recv(65536)  # its head, perhaps without its body
        assert refusal.startswith(b"HTTP/1.1 401")
        connection.sendall(b" " * 200_000 + hidden)
        connection.sendall(GET[:-2] + b"Connection: close\r\n\r\n")
        answers = (refusal + rest(connection)).split(b"HTTP/1.1 ")[1:]
    assert [each[:3] for each in answers] == [b"401", b"200"]
