"""Servers and commands on one data folder, started, stopped and killed.

Nothing is judged here but that no process tells a traceback, and that the store is whole after
a kill.
"""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections import Counter, deque
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from app.store.database import file_of
from tests import factories, programs
from tests.cli.test_cli import broadsheet, environment, port_of
from tests.faults.victims import _whole

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.outside.oracle import Slot, World

WAIT_S = 120.0
AT_ONCE = 4
"""Operations that go on at once."""
TOLD = 60
"""Steps, and lines of each server's log, that a game which fails tells."""

# The command line in a process whose clock is so many seconds wrong.
CLOCK = """
import datetime, sys, time
shift_s, now = float(sys.argv.pop(1)), time.time

class Kind(type):
    def __instancecheck__(cls, value):
        return isinstance(value, datetime.datetime)

class Wrong(datetime.datetime, metaclass=Kind):
    fromisoformat = datetime.datetime.fromisoformat
    fromtimestamp = datetime.datetime.fromtimestamp

    def __new__(cls, *args, **more):
        return datetime.datetime(*args, **more)

    @classmethod
    def now(cls, tz=None):
        return datetime.datetime.fromtimestamp(now() + shift_s, tz)

for name in (
    *("articles.save", "articles.removal", "articles.stories", "store.keys"),
    *("services.maintenance", "api.deps", "cli", "cli.keys"),
):
    __import__(f"app.{name}")
    sys.modules[f"app.{name}"].datetime = Wrong
time.time = lambda: now() + shift_s
sys.modules["app.cli"].main()
"""
CLOCKS_S = (0, 0, 0, 3_600, -3_600, 100_000, -200_000, 4_000_000)

_IN_PART = "a.id IS NOT NULL AND (SELECT group_concat(key) FROM json_each(v.fields)) = 'url'"
_UNPUBLISHED = (
    "a.id IS NULL AND (s.heir IS NOT NULL OR s.state IS NULL AND NOT EXISTS"
    " (SELECT * FROM article_version v WHERE v.story_id = s.id AND v.due_at IS NULL))"
)

Answer = httpx.Response | None
"""None where the server was gone before it answered."""


@dataclass(eq=False)
class Server:
    """A server that runs; `stopped` counts the steps that it still is."""

    process: subprocess.Popen[Any]
    client: httpx.Client
    log: Path
    name: str
    stopped: int = 0

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)


@dataclass(eq=False)
class Work:
    """An operation that goes on, of some slots: `ended` takes what it answered."""

    name: str
    slots: list[Slot]
    result: Future[Any]
    ended: Callable[[Any], None]
    process: subprocess.Popen[Any] | None = None


@dataclass
class Walk:
    """A list that is read page by page; `expected` has the ids that must come once."""

    path: str
    parameters: dict[str, Any]
    expected: dict[str, tuple[Slot, int]]
    erasures: int
    cursor: str | None = None
    met: Counter[str] = field(default_factory=Counter)


@dataclass
class Backup:
    """A copy, and what each slot may be in it."""

    path: Path
    worlds: dict[Slot, list[World]]
    is_open: bool = True


class Scene:
    """A data folder with what runs on it, and what is known of it."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.folder = folder
        self.chance = chance
        self.told: deque[str] = deque(maxlen=TOLD)
        self.counts: Counter[str] = Counter()
        self.step = self.rested = self.erasures = self.numbers = 0
        self.people: dict[str, str] = {}
        self.servers: list[Server] = []
        self.works: list[Work] = []
        self.walks: list[Walk] = []
        self.slots: list[Slot] = []
        self.retired: list[Slot] = []
        self.keys: dict[str, str] = {}
        self.revoked: list[str] = []
        self.backups: list[Backup] = []
        self.copy: dict[str, tuple[int, int]] = {}
        self.since = 0
        self.pool = ThreadPoolExecutor(AT_ONCE + 2)

    def program(self, *arguments: str | Path, shift_s: int = 0) -> list[str]:
        plain = broadsheet(*arguments)
        return [sys.executable, "-c", CLOCK, str(shift_s), *plain[3:]] if shift_s else plain

    def environment(self, *arguments: str | Path) -> dict[str, str]:
        extractor = "rules" if "extract" in arguments else "none"
        more = {"BROADSHEET_SYNC_INTERVAL_S": "0.2", "BROADSHEET_EXTRACTOR": extractor}
        return environment(self.folder, **more)

    def start(self) -> None:
        """Start a server, its clock right or wrong."""
        self.go_on()
        self.numbers += 1
        shift_s = self.chance.choice(CLOCKS_S)
        name = f"server-{self.numbers}"
        log = self.folder / f"{name}.log"
        self.tell(f"start {name}, clock {shift_s:+} s")
        with log.open("wb") as stderr:
            program = self.program("serve", "--port", "0", shift_s=shift_s)
            process = programs.Popen(program, env=self.environment(), stderr=stderr)
        port = port_of(process, log.read_text)
        client = httpx.Client(
            base_url=f"http://127.0.0.1:{port}", timeout=WAIT_S, headers=self.bearer("eraser")
        )
        self.servers.append(Server(process, client, log, name))

    def kill(self, server: Server) -> None:
        """End a server as `kill -9` does; the store must be whole."""
        self.tell(f"kill {server.name}")
        self.counts["kills of servers"] += 1
        self.servers.remove(server)
        server.process.kill()
        server.process.wait(timeout=WAIT_S)
        self.settle_log(server)
        self.is_whole()

    def settle_log(self, server: Server) -> None:
        server.client.close()
        log = server.log.read_text()
        assert "Traceback" not in log, log
        server.log.unlink()

    def kill_work(self) -> None:
        """Kill a command in the midst of its work."""
        running = [each for each in self.works if each.process is not None]
        if running:
            work = self.chance.choice(running)
            self.tell(f"kill the command of {work.name}")
            self.counts["kills of commands"] += 1
            work.process.kill()  # type: ignore[union-attr]
            work.process.wait(timeout=WAIT_S)  # type: ignore[union-attr]
            self.is_whole()

    def go_on(self) -> None:
        """Let every stopped server go on."""
        for each in self.servers:
            if each.stopped:
                each.stopped = 0
                each.signal(signal.SIGCONT)

    def is_whole(self) -> None:
        """The database is sound, and each text stands once."""
        with closing(sqlite3.connect(file_of(factories.settings(self.folder)))) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert database.execute("PRAGMA foreign_key_check").fetchone() is None
        _whole(self.folder, dropped=_IN_PART, unpublished=_UNPUBLISHED)

    def server(self) -> Server:
        """One that answers."""
        awake = [each for each in self.servers if not each.stopped]
        if not awake:
            self.go_on()
            awake = self.servers
        return self.chance.choice(awake)

    def idle(self) -> list[Slot]:
        busy = {slot for each in self.works for slot in each.slots}
        return [each for each in self.slots if each not in busy]

    def bearer(self, name: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.keys[name]}"}

    def tell(self, what: str) -> None:
        self.told.append(f"{self.step}: {what}")

    def reap(self, *, most: int) -> None:
        """Take in what has ended; wait until no more than so many go on."""
        while True:
            ended = [each for each in self.works if each.result.done()]
            for each in ended:
                self.works.remove(each)
                each.ended(each.result.result())
            if len(self.works) <= most:
                return
            self.go_on()
            wait([each.result for each in self.works], WAIT_S, FIRST_COMPLETED)

    def ask(
        self,
        name: str,
        slots: list[Slot],
        ended: Callable[[Answer], None],
        method: str,
        path: str,
        **more: Any,
    ) -> None:
        """Have a server do it; a stopped one may be asked too."""
        server = self.chance.choice(self.servers)
        self.tell(f"{server.name}: {name}")

        def asked() -> Answer:
            try:
                return server.client.request(method, path, **more)
            except (httpx.TransportError, RuntimeError):
                assert server not in self.servers, f"{server.name} broke off: {name}"
                return None

        self.works.append(Work(name, slots, self.pool.submit(asked), ended))

    def command(
        self,
        name: str,
        slots: list[Slot],
        ended: Callable[[subprocess.CompletedProcess[str] | None], None],
        *arguments: str | Path,
    ) -> None:
        """Have a command do it."""
        shift_s = self.chance.choice(CLOCKS_S)
        self.tell(f"command, clock {shift_s:+} s: {name}")
        process = programs.Popen(
            self.program(*arguments, shift_s=shift_s),
            env=self.environment(*arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

        def ran() -> subprocess.CompletedProcess[str] | None:
            out, err = process.communicate(timeout=WAIT_S)
            done = subprocess.CompletedProcess(process.args, process.returncode, out, err)
            if done.returncode == -signal.SIGKILL:
                return None
            assert "Traceback" not in err, err
            return done

        self.works.append(Work(name, slots, self.pool.submit(ran), ended, process))

    def run_command(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return programs.run(
            self.program(*arguments),
            env=self.environment(*arguments),
            capture_output=True,
            text=True,
            timeout=WAIT_S,
        )

    def get(self, path: str, **parameters: Any) -> Any:
        """The JSON of an answer; None where the server says to come back."""
        answer = self.server().client.get(path, params=parameters)
        if answer.status_code == 503:
            assert answer.headers["retry-after"], answer.text
            self.counts["503"] += 1
            return None
        assert answer.status_code == 200, (path, parameters, answer.text)
        self.counts["reads"] += 1
        return answer.json()

    @contextmanager
    def running(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            print("the last steps:", *self.told, sep="\n", flush=True)
            for each in self.servers:
                print(f"{each.name}:", *each.log.read_text().splitlines()[-TOLD:], sep="\n")
            raise
        finally:
            for each in self.servers:
                each.process.kill()
                each.process.wait(timeout=WAIT_S)
                each.client.close()
            for work in self.works:
                if work.process is not None:
                    work.process.kill()
            self.pool.shutdown()
