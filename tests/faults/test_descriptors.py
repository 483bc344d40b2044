"""A server that may open no more files."""

from __future__ import annotations

import resource
import socket
from contextlib import ExitStack
from typing import TYPE_CHECKING

import httpx

from tests.faults.house import eventually, filled, honest, served, serving, unavailable
from tests.test_crash import assert_mended

if TYPE_CHECKING:
    from pathlib import Path

MOST = 160


def few_files() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (MOST, MOST))


def test_without_descriptors_nothing_wrong_is_said_and_no_index_thrown_away(
    tmp_path: Path,
) -> None:
    ids = filled(tmp_path)
    index = tmp_path / "data" / "index"
    before = {path.name for path in index.glob("whoosh-*")}
    with serving(tmp_path, preexec=few_files) as server:
        address = (server.client.base_url.host, server.client.base_url.port or 0)
        assert honest(server.search(), ids)
        with ExitStack() as held:
            for _ in range(2 * MOST):  # idle clients, more than there is room for
                held.enter_context(socket.create_connection(address, timeout=5))
            for number in range(20):  # over the connection that is open already
                try:
                    honest(server.search(), ids)
                    answer = server.post(f"Perhaps {number}")
                    if answer.status_code == 200:
                        ids.add(answer.json()["items"][0]["id"])
                        break  # the index may follow or not: searches are asked below
                    unavailable(answer, "store-unavailable")
                except httpx.TransportError:
                    pass  # no answer is no wrong answer
        eventually(lambda: server.get("/readyz").status_code == 200, "readiness")
        answer = server.post("Room again")
        assert answer.status_code == 200, answer.text
        ids.add(answer.json()["items"][0]["id"])
        eventually(lambda: server.get("/v1/status").json()["index"]["lag"] == 0, "the writes")
        assert honest(server.search(), ids)
        served(server, ids)
        assert {path.name for path in index.glob("*whoosh-*")} == before, "it was sound"
    assert assert_mended(tmp_path) == len(ids)
