"""`python -m tests.outside.play`: servers and commands on one data folder, against the oracle.

A step starts an operation (an upload, a load, a removal, a key …), reads what is served, kills
or stops a process, starts another whose clock is wrong, or goes on with a walk. Operations of
different slots go on at once. What is read must be allowed by the oracle; at a rest everything
is compared with it. The seed is printed; the same one draws the same steps, of which a busy
machine makes others. A game that fails tells its last steps.
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.store.database import file_of
from tests import factories
from tests.outside import oracle
from tests.outside.reading import Reading
from tests.outside.scene import AT_ONCE, WAIT_S, Server
from tests.outside.writing import Writing

if TYPE_CHECKING:
    from collections.abc import Callable

SLOTS = 10
"""Slots that are written; one that has no more to send makes room for another."""
REST = 60
"""Steps from one rest to the next."""


class Game(Writing, Reading):
    """Steps in a random order."""

    def play(self, steps: int) -> None:
        with self.running():
            self.make_room()
            self.keys["eraser"] = self.run_command(
                "keys", "create", "eraser", "--scope", "erase"
            ).stdout.strip()
            self.start()
            self.start()
            for self.step in range(1, steps + 1):
                self.one()
            self.rest()

    def one(self) -> None:
        """A step."""
        self.reap(most=AT_ONCE - 1)
        for each in self.servers:
            if each.stopped:
                each.stopped -= 1
                if not each.stopped:
                    each.signal(signal.SIGCONT)
        if not self.servers:
            self.start()
        if self.step - self.rested >= REST:
            self.rest()
            return
        kinds = {
            self.write: 40, self.read: 14, self.walk: 14, self.follow: 6, self.try_keys: 2,
            self.revoke_key: 4, self.kill_server: 3, self.kill_work: 5, self.stop: 4,
            self.more: 4, self.back_up: 1, self.restore: 1, self.sync: 2, self.copy_back: 1,
        }  # fmt: skip
        (kind,) = self.chance.choices(list(kinds), list(kinds.values()))
        kind()

    def write(self) -> None:
        idle = self.idle()
        if not idle:
            self.reap(most=0)
            return
        slot = self.chance.choice(idle)
        if not slot.is_certain and not (self.look(slot) and slot.is_certain):
            if len(slot.worlds) > 4 or not slot.sent:
                self.slots.remove(slot)
                self.retired.append(slot)
            else:
                self.send(slot)
        elif slot.pending and self.chance.random() < 0.5:
            self.send(slot)
        else:
            self.change(slot)

    def read(self) -> None:
        slot = self.chance.choice(self.slots)
        if slot.after or slot not in self.idle():
            self.look(slot)
        else:
            self.look_closely(slot)

    def kill_server(self) -> None:
        if self.servers:
            self.kill(self.chance.choice(self.servers))

    def stop(self) -> None:
        server = self.chance.choice(self.servers)
        if not server.stopped:
            self.tell(f"stop {server.name}")
            self.counts["stops"] += 1
            server.stopped = self.chance.randint(1, 6)
            server.signal(signal.SIGSTOP)

    def more(self) -> None:
        if len(self.servers) < 3:
            self.start()
        else:
            self.make_key()

    def rest(self) -> None:
        """Wait until nothing goes on; then everything must agree."""
        self.reap(most=0)
        self.go_on()
        self.tell("rest")
        self.counts["rests"] += 1
        while len(self.servers) < 2:
            self.start()
        read = self.run_command("extract")
        assert read.returncode == 0, read.stderr
        for each in self.servers:
            _eventually(lambda each=each: _is_settled(each), f"{each.name} has caught up")  # type: ignore[misc]
        for slot in (*self.slots, *self.chance.sample(self.retired, min(8, len(self.retired)))):
            self.look_closely(slot)
            self.look_at_people(slot)
        self.try_keys()
        self.follow()
        stored = self.every("/v1/articles", {})
        assert {id_: (each["change"], each["version"]) for id_, each in stored.items()} == self.copy
        found = self.every("/v1/search", {"q": oracle.COMMON, "sort": "oldest"})
        assert found.keys() == stored.keys()
        assert all(found[id_]["change"] == each["change"] for id_, each in stored.items())
        served = Counter(each["source"] for each in stored.values())
        for slot in (*self.slots, *self.retired):
            if slot.is_certain:
                assert served[slot.source] == len(slot.world.served()), slot.number
        self.forbidden_is_gone()
        check = self.run_command("check")
        assert check.returncode == 0, check.stdout + check.stderr
        self.is_whole()
        self.rested = self.step
        for slot in self.chance.sample(self.slots, 4):
            self.reap(most=AT_ONCE - 1)
            if slot.is_certain:
                self.decide(slot)
        self.reap(most=0)
        self.make_room()

    def copy_back(self) -> None:
        """Put a backup's file in the place of the database under servers: they must notice.

        What was written since is gone, with its erasures and keys; who follows is told.
        """
        good = [each for each in self.backups if not each.is_open]
        if not good or not self.servers:
            self.back_up()
            return
        backup = self.chance.choice(good)
        self.reap(most=0)
        self.go_on()
        page = self.get("/v1/changes", since=self.since, limit=1)
        if page is None:
            return
        way = self.chance.choice([put_in_place, put_in_place_without_logs])
        self.tell(f"{way.__name__} {backup.path.name}")
        way(backup.path, file_of(factories.settings(self.folder)))
        for slot in (*self.slots, *self.retired):
            self.take_back(slot, backup.worlds.get(slot, [oracle.World()]))
        self.keys, self.revoked = {"eraser": self.keys["eraser"]}, []
        self.walks.clear()
        self.copy.clear()
        self.since = 0
        self.erasures += 1
        for each in self.servers:
            _eventually(lambda each=each: _is_settled(each), f"{each.name} has caught up")  # type: ignore[misc]
        for each in self.servers:
            told = {"since": page["last"], "token": page["token"]}
            answer = each.client.get("/v1/changes", params=told)
            assert answer.status_code == (200 if holds(backup.path, told) else 410), answer.text
        self.counts["copies back"] += 1
        for slot in self.slots:
            self.look(slot)

    def make_room(self) -> None:
        """Write other slots in place of those that have sent all."""
        for slot in list(self.slots):
            has_ended = not slot.pending and self.chance.random() < 0.5
            if has_ended or not slot.is_certain:
                self.slots.remove(slot)
                self.retired.append(slot)
        while len(self.slots) < SLOTS:
            self.numbers += 1
            self.slots.append(oracle.slot(self.chance, self.numbers))


def put_in_place(copy: Path, file: Path) -> None:
    """Rename a copy to the database's name."""
    fresh = file.with_name("copied.db")
    shutil.copyfile(copy, fresh)
    fresh.rename(file)


def put_in_place_without_logs(copy: Path, file: Path) -> None:
    """The same, and remove the logs before it."""
    for suffix in ("-wal", "-shm"):
        file.with_name(f"{file.name}{suffix}").unlink(missing_ok=True)
    put_in_place(copy, file)


def holds(copy: Path, write: dict[str, Any]) -> bool:
    """Whether a copy has a write."""
    with closing(sqlite3.connect(f"file:{copy}?mode=ro", uri=True)) as database:
        known = "SELECT 1 FROM write_token WHERE (change, token) = (:since, :token)"
        return database.execute(known, write).fetchone() is not None


def _is_settled(server: Server) -> bool:
    answer = server.client.get("/v1/status")
    if answer.status_code != 200:
        return False
    status = answer.json()
    return (status["index"]["lag"], status["kept"]["erasures_pending"]) == (0, 0)


def _eventually(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < deadline, f"not in {WAIT_S:.0f} s: {what}"
        signal.sigtimedwait([], 0.02)


def main() -> int:
    """Play a game."""
    parser = argparse.ArgumentParser(prog="python -m tests.outside.play", description=main.__doc__)
    parser.add_argument("--steps", type=int, default=2000, help="of the game (2000)")
    parser.add_argument("--seed", type=int, help="of the game; drawn when not given")
    asked = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if asked.seed is None else asked.seed
    print(f"seed {seed}", flush=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="broadsheet-outside-") as folder:
        game = Game(Path(folder), random.Random(str(seed)))
        try:
            game.play(asked.steps)
        finally:
            print(f"step {game.step}, {time.monotonic() - started:.0f} s, {dict(game.counts)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
