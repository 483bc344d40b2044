"""Runs `make serve` until a search is answered, tells what that took, and stops it.

    python3 -m tests.setup.first_answer [VARIABLE=VALUE…]

In a fresh clone; needs nothing but Python and make. The variables are make's. Fails if no right
answer comes, if `.venv` is larger than LIMITS_MB, or if Ctrl-C does not end the server.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LIMITS_MB = {"0": 170, "1": 450}
"""By ENTITIES. Blocks on disk, as du counts them."""
PATIENCE_S = 300


def main() -> None:
    """Try it; the exit status is 1 if something fails."""
    variables = dict(each.split("=", 1) for each in sys.argv[1:])
    port = variables.setdefault("PORT", str(free_port()))
    started = time.monotonic()
    server = subprocess.Popen(
        ["make", "serve", *(f"{name}={value}" for name, value in variables.items())],
        cwd=ROOT,
        start_new_session=True,
    )
    try:
        answer = first_answer(server, f"http://127.0.0.1:{port}/v1/search?q=prisoner+releases")
        took_s = time.monotonic() - started
        headlines = [each["article"]["headline"] for each in answer["items"]]
        if headlines != ["Khalilzad discusses Afghan peace with officials in Pakistan"]:
            sys.exit(f"first answer: found {headlines}")
    finally:
        os.killpg(server.pid, signal.SIGINT)
        try:
            server.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            raise
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", int(port))) == 0:
            sys.exit(f"first answer: port {port} is still served after Ctrl-C")
    size_mb = sum(path.lstat().st_blocks for path in (ROOT / ".venv").rglob("*")) * 512 >> 20
    limit_mb = LIMITS_MB[variables.get("ENTITIES", "1")]
    python = Path(os.path.realpath(ROOT / ".venv" / "bin" / "python")).name
    print(f"first answer: {took_s:.0f} s, .venv {size_mb} MB of {limit_mb}, {python}")
    if size_mb > limit_mb:
        sys.exit(1)


def first_answer(server: subprocess.Popen[bytes], address: str) -> dict[str, Any]:
    """The body of the first answer."""
    ends = time.monotonic() + PATIENCE_S
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < ends and server.poll() is None:
        try:
            with direct.open(address, timeout=30) as response:
                body: dict[str, Any] = json.load(response)
                return body
        except OSError:
            time.sleep(0.1)
    sys.exit(f"first answer: none within {PATIENCE_S} s; make's status is {server.poll()}")


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
