"""The proxies of docs/proxy, really run: their files with only addresses and paths replaced."""

from __future__ import annotations

import json
import os
import shutil
import signal
import ssl
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psutil
import pytest

from tests import programs
from tests.cli.test_cli import broadsheet, environment, free_port, wait_until_ready

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = Path(__file__).parents[2] / "docs" / "proxy"
SEEDS = Path(__file__).parents[2] / "seeds"
CLIENT = "127.0.0.2"
"""The address that tests ask from: not the one that the proxies ask from, which is trusted."""


def needed(program: str) -> str:
    """The path of `program`; the test is skipped where there is none."""
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip(f"{program} is not installed")
    return found


@dataclass(frozen=True)
class Front:
    """A running proxy, with the ports that it listens on."""

    http_port: int
    https_port: int
    certificate: Path

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.https_port}"

    @property
    def trust(self) -> ssl.SSLContext:
        """Trust in the proxy's certificate and in no other."""
        return ssl.create_default_context(cafile=self.certificate)

    def client(self, **more: Any) -> httpx.Client:
        """A client at the address `CLIENT`."""
        transport = httpx.HTTPTransport(verify=self.trust, local_address=CLIENT)
        return httpx.Client(base_url=self.url, transport=transport, timeout=120, **more)


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    made, key = folder / "front.pem", folder / "front.key"
    named = "subjectAltName=IP:127.0.0.1"
    words = f"{needed('openssl')} req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1"
    subprocess.run(
        [*words.split(), "-addext", named, "-keyout", key, "-out", made],
        check=True,
        capture_output=True,
    )
    return made, key


def example(name: str, changes: dict[str, str]) -> str:
    """A file of docs/proxy with `changes`, each of which must be found."""
    text = (EXAMPLES / name).read_text()
    for old, new in changes.items():
        assert old in text, f"{name} has no {old!r}"
        text = text.replace(old, new)
    return text


@contextmanager
def nginx(folder: Path, ports: list[int], *, kept: bool = False) -> Iterator[Front]:
    """nginx as in docs/proxy before the two `ports`; `kept` leaves the prefix in place."""
    made, key = certificate(folder)
    front = Front(free_port(), free_port(), made)
    paths = "".join(
        f"{kind}_temp_path {folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    first, second = (ports * 2)[:2]
    user = "user root root;" if os.geteuid() == 0 else ""
    changes = {
        "http {": f"http {{ access_log off; {paths}",
        "worker_processes auto": f"{user} daemon off; pid {folder}/nginx.pid; worker_processes 2",
        "127.0.0.1:8001": f"127.0.0.1:{first}",
        "127.0.0.1:8002": f"127.0.0.1:{second}",
        "listen 80": f"listen 127.0.0.1:{front.http_port}",
        "listen 443": f"listen 127.0.0.1:{front.https_port}",
        "https://news.example.org$request_uri": f"{front.url}$request_uri",
        "$host != news.example.org": "$host != 127.0.0.1",
        "/etc/ssl/news.example.org.pem": str(made),
        "/etc/ssl/news.example.org.key": str(key),
        "server_name news.example.org": "server_name 127.0.0.1",
        "return 308 /archive/": f"return 308 {front.url}/archive/",
        "rate=50r/s": "rate=100000r/s",
    }
    if kept:
        changes["proxy_pass http://broadsheet/;"] = "proxy_pass http://broadsheet;"
    (folder / "nginx.conf").write_text(example("nginx.conf", changes))
    with started(_nginx(folder), front.http_port, folder):
        yield front


def _nginx(folder: Path) -> list[Any]:
    files = ["-c", folder / "nginx.conf", "-e", folder / "error.log"]
    return [needed("nginx"), "-p", folder, *files]


def reload_nginx(folder: Path) -> None:
    """Let the nginx of `folder` read its configuration anew, until its old workers are gone."""
    master = psutil.Process(int((folder / "nginx.pid").read_text()))
    old = master.children()
    subprocess.run([*_nginx(folder), "-s", "reload"], check=True, capture_output=True)
    _, left = psutil.wait_procs(old, timeout=120)
    assert left == []
    assert len(master.children()) == len(old)


@contextmanager
def haproxy(folder: Path, ports: list[int], *, kept: bool = False) -> Iterator[Front]:
    """HAProxy as in docs/proxy before the two `ports`; `kept` leaves the prefix in place."""
    program = needed("haproxy")
    made, key = certificate(folder)
    (folder / "both.pem").write_bytes(made.read_bytes() + key.read_bytes())
    front = Front(free_port(), free_port(), made)
    first, second = (ports * 2)[:2]
    changes = {
        "bind :80": f"bind 127.0.0.1:{front.http_port}",
        "bind :443": f"bind 127.0.0.1:{front.https_port}",
        "/etc/ssl/news.example.org.pem": str(folder / "both.pem"),
        "redirect scheme https code": f"redirect prefix {front.url} code",
        "host_only -i news.example.org": "host_only -i 127.0.0.1",
        "sc0_http_req_rate gt 500": "sc0_http_req_rate gt 100000",
        "127.0.0.1:8001": f"127.0.0.1:{first}",
        "127.0.0.1:8002": f"127.0.0.1:{second}",
    }
    if kept:
        changes["    http-request replace-path /archive/(.*) /\\1\n"] = ""
    (folder / "haproxy.cfg").write_text(example("haproxy.cfg", changes))
    with started([program, "-db", "-f", folder / "haproxy.cfg"], front.http_port, folder):
        yield front


@contextmanager
def caddy(folder: Path, ports: list[int], *, kept: bool = False) -> Iterator[Front]:
    """Caddy as in docs/proxy before the two `ports`; `kept` leaves the prefix in place."""
    program = needed("caddy")
    made, key = certificate(folder)
    front = Front(free_port(), free_port(), made)
    first, second = (ports * 2)[:2]
    changes = {
        "{\n\tservers {": f"{{\n\tadmin off\n\thttp_port {front.http_port}\n\tservers {{",
        "news.example.org {": f"{front.url} {{\n\tbind 127.0.0.1\n\ttls {made} {key}",
        "127.0.0.1:8001": f"127.0.0.1:{first}",
        "127.0.0.1:8002": f"127.0.0.1:{second}",
    }
    if kept:
        changes["handle_path /archive/*"] = "handle /archive/*"
    (folder / "Caddyfile").write_text(example("Caddyfile", changes))
    with started([program, "run", "--config", folder / "Caddyfile"], front.http_port, folder):
        yield front


PROXIES = {"nginx": nginx, "haproxy": haproxy, "caddy": caddy}


@contextmanager
def started(command: list[Any], port: int, folder: Path) -> Iterator[None]:
    """A proxy's process, once it listens on `port`, until the end; all its files in `folder`."""
    homes = dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"), str(folder))
    log = folder / "proxy.log"
    with log.open("w") as stderr:
        process = subprocess.Popen(
            command, env={**os.environ, **homes}, stdout=subprocess.DEVNULL, stderr=stderr
        )
    try:
        until = time.monotonic() + 120
        while True:
            assert process.poll() is None, log.read_text()
            try:
                httpx.get(f"http://127.0.0.1:{port}/", trust_env=False)
                break
            except httpx.TransportError:
                assert time.monotonic() < until, "the proxy does not listen"
                time.sleep(0.05)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=120)


class Upstream:
    """A server of the seeds that can be stopped and started again on its port."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._log = folder / f"{self.port}.log"
        self._environment = {
            **environment(folder),
            "BROADSHEET_TRUSTED_PROXIES": "127.0.0.1/32",  # as the examples say
            "BROADSHEET_ALLOWED_HOSTS": "127.0.0.1",
            "BROADSHEET_LOG_FORMAT": "json",
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Serve, and return when it is ready."""
        with self._log.open("a") as stderr:
            self._process = programs.Popen(
                broadsheet("serve", "--port", str(self.port)), env=self._environment, stderr=stderr
            )
        wait_until_ready(self._process, self.port)

    def stop(self) -> None:
        """Let it finish what it has, and wait for its end."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(timeout=120)
            assert "Traceback" not in self._log.read_text()
            self._process = None

    def logged(self, request_id: str) -> dict[str, Any]:
        """The line of a request that was answered; it may come a moment later."""
        until = time.monotonic() + 120
        while True:
            for line in self._log.read_text().splitlines():
                if f'"{request_id}"' in line:
                    found: dict[str, Any] = json.loads(line)
                    return found
            assert time.monotonic() < until, f"{request_id} is not in the log"
            time.sleep(0.05)


@contextmanager
def upstreams(folder: Path, number: int) -> Iterator[list[Upstream]]:
    """Servers of one data folder, which holds the seeds."""
    load = broadsheet("load", SEEDS)
    programs.run(load, env=environment(folder), check=True, capture_output=True)
    servers = [Upstream(folder) for _ in range(number)]
    try:
        for server in servers:
            server.start()
        yield servers
    finally:
        for server in servers:
            server.stop()
