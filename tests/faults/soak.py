"""`python -m tests.faults.soak`: commands killed at random moments; nothing may be lost by it.

A row of VICTIMS is a command. Each kill starts it on a store that lives through all of its
kills, waits for a moment drawn from the time that it takes, kills it as `kill -9` does, and
proves the store: the database is whole, what was acknowledged is stored, a sync makes the
index agree. At the end the command runs once more to its own end. The seed is printed first;
the same seed draws the same moments, of which a busy machine makes others.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from app import articles
from tests import factories
from tests.test_cli import broadsheet, environment, free_port, wait_until_ready
from tests.test_crash import assert_mended

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ARTICLES = 1200
TIMEOUT_S = 120.0
_STARTED = 0.3  # of a command's time it is not at work yet


@dataclass(frozen=True, slots=True)
class Victim:
    """A command to kill.

    `prepare` readies the store in a folder for one more start, with the number of the kill,
    and gives the command's arguments. `drive` keeps it busy until it is gone, and gives the
    ids that it acknowledged; without one the command is busy by itself.
    """

    prepare: Callable[[Path, int], list[str]]
    drive: Callable[[subprocess.Popen[bytes], list[str], float], list[str]] | None = None


def _pages(folder: Path, number: int) -> list[str]:
    path = folder / "in.jsonl"
    stories = (
        {"headline": f"Story {number} {n}", "body": f"Apples number {n} of {number}. " * 30}
        for n in range(ARTICLES)
    )
    path.write_text("".join(json.dumps(story) + "\n" for story in stories))
    return ["load", str(path)]


def _behind(folder: Path, number: int) -> list[str]:
    """Articles that no index has taken in; every second time there is no index at all."""
    with factories.store(folder) as database:
        drafts = [factories.numbered(number * ARTICLES + n) for n in range(ARTICLES)]
        for start in range(0, ARTICLES, 200):
            factories.save(database, drafts[start : start + 200])
    if number % 2:
        shutil.rmtree(folder / "data" / "index", ignore_errors=True)
    return ["sync"]


def _server(_folder: Path, _number: int) -> list[str]:
    return ["serve", "--port", str(free_port())]


def _post(process: subprocess.Popen[bytes], arguments: list[str], moment_s: float) -> list[str]:
    """Write until the server has been killed, a moment after it was ready."""
    port = int(arguments[-1])
    wait_until_ready(process, port)
    acknowledged = []
    deadline = time.monotonic() + moment_s
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        for number in range(100_000):
            if time.monotonic() > deadline:
                process.kill()
            story = {"headline": f"Post {port} {number}", "body": f"Number {number}."}
            try:
                answer = client.post("/v1/articles", json=story)
            except httpx.TransportError:
                break
            acknowledged.append(answer.json()["items"][0]["id"])
    return acknowledged


VICTIMS = {
    "load": Victim(_pages),
    "sync": Victim(_behind),
    "serve": Victim(_server, _post),
}


def soak(folder: Path, name: str, *, kills: int, chance: random.Random) -> int:
    """Kill one of VICTIMS so many times; how many of them met it at work."""
    victim = VICTIMS[name]
    acknowledged: set[str] = set()
    met = 0
    first_s, last_s = _span(folder, victim)
    for number in range(1, kills + 1):
        arguments = victim.prepare(folder, number)
        moment_s = chance.uniform(first_s, last_s)
        process = _start(folder, arguments)
        try:
            if victim.drive is not None:
                acknowledged |= set(victim.drive(process, arguments, moment_s))
            else:
                signal.sigtimedwait([], moment_s)
        finally:
            process.kill()
            met += process.wait(timeout=30) == -signal.SIGKILL
        _prove(folder, acknowledged)
        print(f"{name} {number}: killed after {moment_s:.2f} s, sound", flush=True)
    if victim.drive is None:
        done = _start(folder, victim.prepare(folder, kills + 1)).wait(timeout=TIMEOUT_S)
        assert done == 0, f"{name} ended with {done}"
        _prove(folder, acknowledged)
    return met


def _span(folder: Path, victim: Victim) -> tuple[float, float]:
    """The seconds between which the command is at work; measured by one run of its own."""
    if victim.drive is not None:
        return 0.0, 1.0
    arguments = victim.prepare(folder, 0)
    started = time.monotonic()
    assert _start(folder, arguments).wait(timeout=TIMEOUT_S) == 0
    took_s = time.monotonic() - started
    return _STARTED * took_s, took_s


def _start(folder: Path, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
    quiet = subprocess.DEVNULL
    return subprocess.Popen(
        broadsheet(*arguments), env=environment(folder), stdout=quiet, stderr=quiet
    )


def _prove(folder: Path, acknowledged: set[str]) -> None:
    assert_mended(folder)
    with factories.store(folder) as database, database.reading() as session:
        stored = {str(id_) for id_, _ in articles.versions(session)}
    assert acknowledged <= stored, f"lost: {acknowledged - stored}"


def main() -> int:
    """Kill each victim of the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.soak", description=main.__doc__)
    parser.add_argument("--kills", type=int, default=50, help="of each victim (50)")
    parser.add_argument("--seed", type=int, help="of the moments; drawn when not given")
    parser.add_argument("--only", choices=VICTIMS, help="one victim alone")
    asked = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if asked.seed is None else asked.seed
    print(f"seed {seed}", flush=True)
    for name in VICTIMS if asked.only is None else (asked.only,):
        with tempfile.TemporaryDirectory(prefix="broadsheet-soak-") as folder:
            chance = random.Random(f"{seed} {name}")
            met = soak(Path(folder), name, kills=asked.kills, chance=chance)
        print(f"{name}: {asked.kills} kills, {met} of them at work, nothing lost", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
