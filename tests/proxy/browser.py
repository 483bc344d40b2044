"""A headless Chromium, driven by its DevTools protocol over one WebSocket."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from websockets.sync.client import connect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from websockets.sync.client import ClientConnection

FLAGS = (
    *("--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--no-proxy-server"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-default-apps", "--disable-dev-shm-usage", "--remote-debugging-port=0"),
    "--ignore-certificate-errors",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
TIMEOUT_S = 60


class Tab:
    """An open tab: what it asked for and what it complained of are kept."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._last = 0
        self.asked: list[str] = []
        self.complaints: list[str] = []
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The result of a method of the protocol; events on the way are taken in."""
        self._last += 1
        self._socket.send(json.dumps({"id": self._last, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(timeout=TIMEOUT_S))
            if message.get("id") == self._last:
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result
            self._take_in(message)

    def _take_in(self, event: dict[str, Any]) -> None:
        given = event.get("params", {})
        match event.get("method"):
            case "Network.requestWillBeSent":
                self.asked.append(given["request"]["url"])
            case "Log.entryAdded":
                self.complaints.append(f"{given['entry']['text']} {given['entry'].get('url', '')}")
            case "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(given["exceptionDetails"]))

    def value(self, script: str) -> Any:
        """What `script` evaluates to in the page."""
        done = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    def wait(self, script: str) -> Any:
        """The first value of `script` that is true, asked again until then."""
        until = time.monotonic() + TIMEOUT_S
        while not (found := self.value(script)):
            assert time.monotonic() < until, (script, self.complaints, self.value(_TEXT))
            time.sleep(0.05)
        return found


_TEXT = "document.body.innerText.slice(0, 2000)"


@contextmanager
def tab(folder: Path) -> Iterator[Tab]:
    """A tab of a new Chromium with its profile in `folder`; skipped where there is none."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("chromium is not installed")
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    command = [program, *FLAGS, *sandbox, f"--user-data-dir={folder}", "about:blank"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        told = folder / "DevToolsActivePort"
        until = time.monotonic() + TIMEOUT_S
        while not (told.exists() and told.read_text().count("\n")):
            assert process.poll() is None, "chromium has ended"
            assert time.monotonic() < until, "chromium does not start"
            time.sleep(0.05)
        port = int(told.read_text().splitlines()[0])
        listed = httpx.get(f"http://127.0.0.1:{port}/json/list", trust_env=False).json()
        (page,) = [each for each in listed if each["type"] == "page"]
        address = page["webSocketDebuggerUrl"]
        with connect(address, max_size=None, proxy=None) as socket:
            yield Tab(socket)
    finally:
        process.terminate()
        try:
            process.wait(timeout=120)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
