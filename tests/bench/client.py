"""A light client that keeps a server busy: `python -m tests.bench.client PORT CONNECTIONS SECONDS`.

Each connection asks its next question when the last one is answered, all from one thread
with raw sockets, so that the client takes little of the cores that it shares with the
server. The paths to ask come on stdin, one a line; answers and seconds go to stdout as JSON.
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
import time
from itertools import cycle, islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Connection:
    """One connection: what it asks next, and what it has read of the answer."""

    def __init__(self, port: int, requests: Iterator[bytes]) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._requests = requests
        self._answer = b""

    def ask(self) -> None:
        self.socket.sendall(next(self._requests))

    def answered(self) -> bool:
        """Read what has come; whether the answer is complete."""
        data = self.socket.recv(1 << 18)
        if not data:
            raise ConnectionError("the server closed the connection")
        self._answer += data
        head, found, body = self._answer.partition(b"\r\n\r\n")
        if not found:
            return False
        if not head.startswith(b"HTTP/1.1 200"):
            raise ConnectionError(head.decode())
        length = int(head.lower().partition(b"content-length:")[2].split()[0])
        if len(body) < length:
            return False
        self._answer = b""
        return True


def answers(port: int, paths: list[str], *, connections: int, seconds: float) -> dict[str, float]:
    """How many answers came in `seconds` over so many connections."""
    requests = [f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() for path in paths]
    count = 0
    with selectors.DefaultSelector() as selector:
        for number in range(connections):
            asked = islice(cycle(requests), number * 7, None)
            connection = _Connection(port, asked)
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.ask()
            time.sleep(0.02)  # a worker takes all connections that wait when it looks
        started = time.perf_counter()
        while (passed := time.perf_counter() - started) < seconds:
            ready = selector.select(timeout=30)
            if not ready:
                raise TimeoutError("no answer for 30 s")
            for key, _ in ready:
                if key.data.answered():
                    count += 1
                    key.data.ask()
        for key in list(selector.get_map().values()):
            key.data.socket.close()
    return {"answers": count, "seconds": passed}


def main() -> None:
    """Ask, and print what came."""
    port, connections, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    paths = sys.stdin.read().split()
    print(json.dumps(answers(port, paths, connections=connections, seconds=seconds)))


if __name__ == "__main__":
    main()
