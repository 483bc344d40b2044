"""Real processes, with an extractor in them that does what an article says."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing
from types import SimpleNamespace
from typing import TYPE_CHECKING

import psutil
import pytest

from app.errors import ExtractorMissing
from app.extract import Resolving
from app.extract import pool as extract_pool
from app.extract.base import Failure, Mention, Text
from app.extract.pool import PART, ExtractorPool, PoolStopped
from tests import programs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from app.extract import Choice


class Obedient:
    """Ends its process, interrupts it, raises or reads, as it is told."""

    version = "obedient 1"

    def extract(self, texts: Sequence[Text]) -> Iterator[list[Mention] | Failure]:
        for text in texts:
            if text.body == "end":
                os._exit(1)
            if text.body == "sleep":
                time.sleep(600)
            if text.body == "interrupt":
                os.kill(os.getpid(), signal.SIGINT)
            while text.body == "spin":
                pass
            if text.body == "raise":
                raise ValueError("no")
            surface = f"{text.body} {os.getpid()}"
            yield [Mention("place", text.body, None, surface, "body", None, 0, 1)]


def open_obedient(choice: str, _model: object) -> Obedient:
    if choice == "spacy":
        raise ExtractorMissing(choice, "it is not here")
    return Obedient()


def pool_of(
    choice: Choice = "auto", *, workers: int = 1, budget_s: float = 60.0
) -> closing[ExtractorPool]:
    opened = ExtractorPool(choice, None, workers=workers, budget_s=budget_s, opener=open_obedient)
    return closing(opened)


def read(pool_: ExtractorPool, *bodies: str) -> list[str]:
    found = pool_.extract([Text("", body=body) for body in bodies])
    return [each.reason if isinstance(each, Failure) else each[0].name for each in found]


def pid_of(pool_: ExtractorPool) -> int:
    """The process that reads a text, of one."""
    (found,) = pool_.extract([Text("", body="one")])
    assert isinstance(found, list)
    return int(found[0].surface.split()[1])


def test_texts_come_back_in_their_order_from_several_processes() -> None:
    bodies = [str(n) for n in range(100)]
    with pool_of(workers=2) as pool_:
        found = list(pool_.extract([Text("", body=body) for body in bodies]))
    assert [each[0].name for each in found if isinstance(each, list)] == bodies
    pids = {each[0].surface.split()[1] for each in found if isinstance(each, list)}
    assert 1 <= len(pids) <= 2
    assert str(os.getpid()) not in pids


def test_an_article_that_breaks_the_extractor_costs_itself_alone() -> None:
    bodies = [str(n) for n in range(20)]
    bodies[3], bodies[12] = "end", "raise"
    expected = list(bodies)
    expected[3], expected[12] = "the extractor's process ended", "ValueError: no"
    with pool_of() as pool_:
        assert read(pool_, *bodies) == expected
        assert read(pool_, "after") == ["after"]


def test_an_article_that_takes_too_long_costs_itself_alone() -> None:
    bodies = ["one", "spin", "three"]
    with pool_of(budget_s=0.2) as pool_:
        pid = pid_of(pool_)
        said = "too long: it takes more than 0.2 s of processor time"
        assert read(pool_, *bodies) == ["one", said, "three"]
        assert pid_of(pool_) == pid  # nothing had to be started again


def test_the_budget_holds_inside_an_extractor_that_fails_article_by_article() -> None:
    # Resolving takes any Exception for an article that it cannot read
    finder = SimpleNamespace(name="slow", find=lambda _readings: spin())
    with pytest.raises(extract_pool.TooLong), extract_pool._budget(0.1):
        list(Resolving(finder).extract([Text("One"), Text("Two")]))


def spin() -> None:
    while True:
        pass


def test_an_idle_crew_goes_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    with pool_of() as pool_:
        pool_.rest()
        assert read(pool_, "one") == ["one"]
        pool = pool_._pool
        pool_.rest()
        assert pool_._pool is pool
        monkeypatch.setattr(extract_pool, "IDLE_S", -1.0)
        pool_.rest()
        assert pool_._pool is None
        assert read(pool_, "two") == ["two"]


def test_a_crew_that_is_stopped_ends_in_the_middle_of_its_work() -> None:
    with pool_of() as pool_:
        found = pool_.extract([Text("", body=body) for body in ["one"] * PART + ["sleep"] * 30])
        pid = int(next(found)[0].surface.split()[1])  # type: ignore[index]
        stopping = threading.Timer(0.1, pool_.stop)
        stopping.start()
        with pytest.raises(PoolStopped):
            list(found)
        stopping.join()  # who waits is told before the processes have ended
        assert not psutil.pid_exists(pid)
        with pytest.raises(PoolStopped):
            read(pool_, "after")
        with pytest.raises(PoolStopped):
            assert pool_.version


@pytest.mark.parametrize("after_s", [0.0, 0.01, 0.1, 0.3])
def test_a_program_that_stops_its_crew_and_is_ended_says_nothing(after_s: float) -> None:
    program = (
        "import contextlib, os, signal, threading, time; from app.extract.pool import PoolStopped\n"
        "from tests.extract import test_pool as test_crew\n"
        "crew = test_crew.ExtractorPool('auto', None, opener=test_crew.open_obedient)\n"
        "def read():\n"
        "    with contextlib.suppress(PoolStopped): test_crew.read(crew, 'sleep')\n"
        "threading.Thread(target=read).start()\n"
        f"time.sleep({after_s})\n"
        "crew.stop()\n"
        "os.kill(os.getpid(), signal.SIGTERM)"
    )
    ended = programs.run([sys.executable, "-c", program], capture_output=True, timeout=120)
    assert (ended.returncode, ended.stderr) == (-signal.SIGTERM, b"")


def test_ctrl_c_in_a_terminal_is_for_the_program_alone() -> None:
    with pool_of() as pool_:
        assert read(pool_, "one", "interrupt", "two") == ["one", "interrupt", "two"]
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


@pytest.mark.parametrize("then", ["idle", "sleep"])
def test_the_processes_of_a_killed_program_end_idle_or_at_work(then: str) -> None:
    program = (
        "import time; from tests.extract import test_pool as test_crew\n"
        "with test_crew.pool_of() as crew:\n"
        "    print(test_crew.pid_of(crew), flush=True)\n"
        f"    {then!r} == 'idle' and time.sleep(600) or test_crew.read(crew, {then!r})"
    )
    killed = programs.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    with killed:
        assert killed.stdout is not None
        extractor = psutil.Process(int(killed.stdout.readline()))
        killed.kill()
    extractor.wait(120)


def test_a_crew_has_the_version_of_its_extractor_and_its_error() -> None:
    with pool_of() as pool_:
        assert [pool_.version, pool_.version] == ["obedient 1"] * 2
    with pool_of("spacy") as pool_, pytest.raises(ExtractorMissing, match="it is not here"):
        assert pool_.version
