"""Two servers and a loader on one data folder."""

from __future__ import annotations

import json
import subprocess
import threading
from typing import TYPE_CHECKING

from tests import programs
from tests.cli.test_cli import broadsheet, environment
from tests.faults.house import eventually, filled, honest, serving
from tests.test_crash import assert_mended

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.house import Server


def test_two_servers_and_a_loader_share_a_folder(tmp_path: Path) -> None:
    ids = filled(tmp_path, 30)
    source = tmp_path / "pears.jsonl"
    pears = ({"headline": f"Pear {n}", "body": f"Pears, number {n}."} for n in range(200))
    source.write_text("".join(json.dumps(pear) + "\n" for pear in pears))
    with serving(tmp_path) as one, serving(tmp_path) as other:
        loader = programs.Popen(
            broadsheet("load", source), env=environment(tmp_path), stdout=subprocess.DEVNULL
        )
        written: list[str] = []
        wrong: list[str] = []

        def work(server: Server, name: str) -> None:
            seen = 0
            for number in range(8):
                answer = server.post(f"Story {name} {number}")
                if answer.status_code != 200:
                    wrong.append(answer.text)
                    continue
                written.append(answer.json()["items"][0]["id"])
                found = server.search().json()
                if found["total"] < seen or len(found["items"]) != min(found["total"], 100):
                    wrong.append(f"{found['total']} after {seen}")
                seen = found["total"]

        workers = [
            threading.Thread(target=work, args=(server, name))
            for server, name in ((one, "one"), (other, "other"))
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(timeout=120)
        assert not wrong
        assert loader.wait(timeout=120) == 0
        ids |= set(written)
        for server in (one, other):
            eventually(lambda: _is_followed(server), "all writes")  # noqa: B023 (asked at once)
            assert honest(server.search(), ids)
            assert server.search("pears").json()["total"] == 200
        one.kill()
        answer = other.post("Alone")
        ids.add(answer.json()["items"][0]["id"])
        eventually(lambda: _is_followed(other), "a write after the other was killed")
        assert honest(other.search(), ids)
    assert assert_mended(tmp_path) == 30 + 200 + 16 + 1


def _is_followed(server: Server) -> bool:
    return bool(server.get("/v1/status").json()["index"]["lag"] == 0)
