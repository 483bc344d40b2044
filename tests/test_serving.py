"""Servers as processes: several workers counted together, draining, bounded stops, logs."""

from __future__ import annotations

import json
import platform
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests import factories, programs
from tests.cli.test_cli import broadsheet, environment, port_of
from tests.faults.house import eventually
from tests.services.test_backup import fill

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def serving(
    folder: Path, *arguments: str, **settings: str
) -> Iterator[tuple[subprocess.Popen[str], str, list[str]]]:
    """A server that is ready, its address, and the lines that it logs; stopped at the end."""
    process = programs.Popen(
        broadsheet("serve", "--port", "0", *arguments),
        env=environment(folder, **{f"BROADSHEET_{n.upper()}": v for n, v in settings.items()}),
        stderr=subprocess.PIPE,
        text=True,
    )
    lines: list[str] = []
    assert process.stderr is not None
    reader = threading.Thread(target=lambda: lines.extend(process.stderr or ()))
    reader.start()
    try:
        port = port_of(process, lambda: "".join(lines))
        yield process, f"http://127.0.0.1:{port}", lines
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(120)
        finally:
            if process.poll() is None:
                process.kill()
            reader.join(120)
            process.stderr.close()


def metric(text: str, name: str, **labels: str) -> float:
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def test_workers_are_counted_together(tmp_path: Path) -> None:
    fill(tmp_path, range(2))
    with serving(tmp_path, "--workers", "2") as (_, address, _):
        for _ in range(30):  # each on a connection of its own, so that both workers get some
            assert httpx.get(f"{address}/v1/articles").status_code == 200
        texts = [httpx.get(f"{address}/metrics", headers=factories.KEYED).text for _ in range(6)]
        for text in texts:
            route = {"route": "/v1/articles", "status": "200"}
            assert metric(text, "broadsheet_http_requests_total", **route) == 30
            duration = "broadsheet_http_request_duration_seconds_count"
            assert metric(text, duration, route="/v1/articles") == 30
            assert metric(text, "broadsheet_workers") == 2
            assert metric(text, "broadsheet_articles") == 2
            assert metric(text, "broadsheet_http_requests_in_progress") == 1
            assert metric(text, "broadsheet_memory_bytes") > 5e7


def test_a_worker_that_died_takes_its_gauges_with_it_and_not_its_counts(tmp_path: Path) -> None:
    fill(tmp_path, range(1))
    with serving(tmp_path, "--workers", "2") as (process, address, _):
        for _ in range(20):
            httpx.get(f"{address}/v1/articles")
        workers = _spawned_by(process.pid)
        assert len(workers) == 2
        workers[0].kill()

        def together() -> bool:
            try:
                text = httpx.get(f"{address}/metrics", headers=factories.KEYED).text
            except httpx.TransportError:
                return False
            route = {"route": "/v1/articles", "status": "200"}
            assert metric(text, "broadsheet_http_requests_total", **route) == 20
            assert metric(text, "broadsheet_http_requests_in_progress") == 1
            return metric(text, "broadsheet_workers") == 2

        deadline = time.monotonic() + 120
        while not together():
            assert time.monotonic() < deadline
            signal.sigtimedwait([], 0.1)


def test_workers_that_start_slowly_are_not_killed(tmp_path: Path) -> None:
    slowly = "import sys, time; '--multiprocessing-fork' in sys.orig_argv and time.sleep(7)"
    (tmp_path / "sitecustomize.py").write_text(slowly)  # longer than uvicorn waits by itself
    log = tmp_path / "serve.log"
    with log.open("wb") as stderr:
        process = programs.Popen(
            broadsheet("serve", "--port", "0", "--workers", "2"),
            env=environment(tmp_path, PYTHONPATH=str(tmp_path)),
            stderr=stderr,
        )
    try:
        port_of(process, log.read_text)
        assert len(_spawned_by(process.pid)) == 2
        assert "died" not in log.read_text()
    finally:
        process.terminate()
        process.wait(120)


@pytest.mark.parametrize(("workers", "processes"), [("1", 1), ("2", 4)])
def test_a_killed_server_leaves_no_process_and_its_port(
    tmp_path: Path, workers: str, processes: int
) -> None:
    fill(tmp_path, range(1))
    settings = {"extractor": "rules", "drain_s": "300", "sync_interval_s": "0.1"}
    with serving(tmp_path, "--workers", workers, **settings) as (process, address, _):
        eventually(lambda: len(_spawned_by(process.pid)) == processes, "an extractor each")
        left = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        _assert_ended(left)
        with socket.create_server(("127.0.0.1", int(address.rpartition(":")[2]))):
            pass


def test_workers_of_a_killed_server_answer_what_has_begun(tmp_path: Path) -> None:
    head = b"POST /v1/articles HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    head += f"Authorization: {factories.KEYED['Authorization']}\r\n".encode()
    body = json.dumps({"headline": "Rain", "body": "It rained."}).encode()
    with serving(tmp_path, "--workers", "2", stop_timeout_s="300") as (process, address, lines):
        left = _spawned_by(process.pid)
        with socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2]))) as client:
            client.sendall(head + b"Content-Length: %d\r\n\r\n{" % len(body))
            _await_a_request(address)
            process.kill()
            eventually(
                lambda: sum("the parent process has ended" in each for each in lines) == 2, "both"
            )
            client.sendall(body[1:])
            assert client.recv(99).startswith(b"HTTP/1.1 200 ")
        _assert_ended(left)


def _await_a_request(address: str) -> None:
    """Wait until the server has a request beside the one that asks."""

    def begun() -> bool:
        text = httpx.get(f"{address}/metrics", headers=factories.KEYED).text
        return metric(text, "broadsheet_http_requests_in_progress") == 2

    eventually(begun, "a request that has begun")


def _spawned_by(pid: int) -> list[psutil.Process]:
    """The processes below `pid` that multiprocessing started."""
    below = psutil.Process(pid).children(recursive=True)
    return [each for each in below if "spawn_main" in " ".join(each.cmdline())]


def _assert_ended(processes: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(processes, timeout=120)
    for each in alive:
        each.kill()
    assert alive == []


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_server_that_stops_says_so_first_and_answers_on(tmp_path: Path, workers: str) -> None:
    fill(tmp_path, range(1))
    arguments = ("--workers", workers)
    with serving(tmp_path, *arguments, drain_s="5", log_format="json") as (process, address, _):
        with httpx.Client(base_url=address) as client:
            assert "connection" not in client.get("/v1/articles").headers
            process.send_signal(signal.SIGTERM)
            started = time.monotonic()
            while (ready := httpx.get(f"{address}/readyz")).status_code == 200:
                pass  # until the server ends, which is an error
            assert ready.json()["type"] == "urn:broadsheet:problem:draining"
            assert ready.headers["connection"] == "close"
            assert httpx.get(f"{address}/v1/search?q=apples").status_code == 200
            assert httpx.get(f"{address}/healthz").status_code == 200
        process.wait(120)
        assert 4.5 < time.monotonic() - started < 60
    assert process.returncode in (0, -signal.SIGTERM)


def test_a_second_signal_ends_the_wait(tmp_path: Path) -> None:
    with serving(tmp_path, drain_s="300") as (process, address, _):
        process.send_signal(signal.SIGTERM)
        while httpx.get(f"{address}/readyz").status_code == 200:
            signal.sigtimedwait([], 0.02)
        process.send_signal(signal.SIGTERM)
        process.wait(120)


def test_what_runs_is_answered_before_the_end(tmp_path: Path) -> None:
    fill(tmp_path, range(1))
    with serving(tmp_path, stop_timeout_s="300") as (process, address, lines):

        def slowly() -> Iterator[bytes]:
            yield b'{"headline": "Late", '
            _await_a_request(address)
            process.send_signal(signal.SIGTERM)
            eventually(lambda: any("Shutting down" in each for each in lines), "the stop")
            yield b'"body": "But whole."}'

        headers = {"Content-Type": "application/json", **factories.KEYED}
        answer = httpx.post(f"{address}/v1/articles", content=slowly(), headers=headers)
        assert answer.json()["saved"] == 1
        process.wait(120)


def test_a_client_that_never_ends_does_not_hold_up_the_stop(tmp_path: Path) -> None:
    settings = {"stop_timeout_s": "1", "client_timeout_s": "600"}
    with serving(tmp_path, **settings) as (process, address, _):
        host, _, port = address.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port))) as client:
            key = factories.KEYED["Authorization"]
            head = f"POST /v1/articles HTTP/1.1\r\nHost: localhost\r\nAuthorization: {key}\r\n"
            head += "Content-Type: application/json\r\n"
            client.sendall(f"{head}Content-Length: 9\r\n\r\n{{".encode())
            _await_a_request(address)
            process.send_signal(signal.SIGTERM)
            process.wait(120)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_every_line_is_json_when_asked(tmp_path: Path, workers: str) -> None:
    fill(tmp_path, range(1))
    with serving(tmp_path, "--workers", workers, log_format="json") as (_, address, lines):
        trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        headers = {"X-Request-ID": "of-mine", "traceparent": trace}
        httpx.get(f"{address}/v1/search?q=apples", headers=headers)
        httpx.get(f"{address}/%0AINFO%20fake%1B[2J")
    told = [json.loads(line) for line in lines]
    (mine,) = [each for each in told if each.get("request_id") == "of-mine"]
    assert mine["trace_id"] == "0af7651916cd43dd8448eb211c80319c"
    assert (mine["route"], mine["status"], mine["client"]) == ("/v1/search", 200, "127.0.0.1")
    (fake,) = [each for each in told if each.get("status") == 404]
    assert fake["path"] == "/\nINFO fake\x1b[2J"


def test_the_console_shows_one_harmless_line_a_request(tmp_path: Path) -> None:
    with serving(tmp_path) as (_, address, lines):
        httpx.get(f"{address}/%0AINFO%20fake%1B[2J")
    (line,) = [line for line in lines if "fake" in line]
    assert re.match(r"\d{4}-\S+Z INFO request method=GET path=/\\nINFO fake\\x1b\[2J ", line)


def test_a_process_that_hangs_ends_itself() -> None:
    program = (
        "import time; from app.api.middleware import shutdown as draining; draining.SPARE_S = 0.1;"
        "draining.Drain(drain_s=0, stop_timeout_s=0.1)._end(lambda *_: None, 15, None);"
        "time.sleep(600)"
    )
    done = programs.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 1
    assert "ending now" in done.stderr


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_ctrl_c_in_a_destructor_ends_a_start(command: str, tmp_path: Path) -> None:
    program = (
        "import os, signal, sys\n"
        "from app import cli\n"
        "class Late:\n"
        "    def __del__(self):\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "        list(range(10))\n"
        "class Finder:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'uvicorn': Late()\n"
        "sys.meta_path.insert(0, Finder())\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"sys.argv = ['broadsheet', '{command}', '--port', '0']\n"
        "cli.main()"
    )
    started_in = environment(tmp_path)
    ended = subprocess.run(  # not forked: what is imported already runs no destructor
        [sys.executable, "-c", program], env=started_in, capture_output=True, timeout=60
    )
    assert (ended.returncode, ended.stderr) == (-signal.SIGINT, b"")


def test_a_second_ctrl_c_leaves_no_traceback(tmp_path: Path) -> None:
    command = broadsheet("serve", "--port", "0")
    with programs.Popen(
        command, env=environment(tmp_path), stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stderr is not None
        assert any("running on" in line for line in server.stderr)
        server.send_signal(signal.SIGINT)
        assert any("Shutting down" in line for line in server.stderr)
        server.send_signal(signal.SIGINT)
        assert "Traceback" not in server.stderr.read()
    assert server.returncode in (0, -signal.SIGINT)


_ARENAS = """
import ctypes, re, sys, threading
from app import api
api._share_arenas()
libc = ctypes.CDLL(None)
libc.malloc.restype = libc.fopen.restype = ctypes.c_void_p
together = threading.Barrier(8)
def allocate():
    libc.malloc(1000)
    together.wait()
threads = [threading.Thread(target=allocate) for _ in range(8)]
[each.start() for each in threads]
[each.join() for each in threads]
file = ctypes.c_void_p(libc.fopen(sys.argv[1].encode(), b"w"))
libc.malloc_info(0, file)
libc.fclose(file)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no arenas")
def test_threads_share_the_arenas_of_the_allocator(tmp_path: Path) -> None:
    told = tmp_path / "malloc.xml"
    subprocess.run([sys.executable, "-c", _ARENAS, str(told)], check=True)
    assert told.read_text().count("<heap ") <= 2
