"""`python -m tests.faults.soak`: commands killed at random moments; nothing may be lost by it.

Each kill starts a command of `victims` on a store that lives through all of its kills, waits
for a moment drawn from the time that it takes, kills it as `kill -9` does, and proves the
store: what the command promises holds, the database is whole, what was acknowledged is
stored, a sync makes the index agree. At the end the command runs once more to its own end.
The seed is printed first; the same seed draws the same moments, of which a busy machine makes
others.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from app.articles import changes
from tests import factories, programs
from tests.cli.test_cli import broadsheet, environment
from tests.faults import victims
from tests.faults.victims import VICTIMS
from tests.test_crash import assert_mended

if TYPE_CHECKING:
    import subprocess

    from tests.faults.victims import Victim

TIMEOUT_S = 120.0
_STARTED = 0.1  # of a command's time it is not at work yet


def soak(folder: Path, name: str, *, kills: int, chance: random.Random) -> int:
    """Kill one of VICTIMS so many times; how many of them met it at work."""
    victim = VICTIMS[name]
    acknowledged: set[str] = set()
    met = 0
    first_s, last_s = _span(folder, victim)
    for number in range(1, kills + 1):
        arguments = victim.prepare(folder, number)
        moment_s = chance.uniform(first_s, last_s)
        process = _start(folder, victim, arguments)
        try:
            if victim.drive is not None:
                acknowledged |= set(victim.drive(process, folder, moment_s))
            else:
                signal.sigtimedwait([], moment_s)
        finally:
            process.kill()
            met += process.wait(timeout=120) == -signal.SIGKILL
        _prove(folder, victim, acknowledged)
        print(f"{name} {number}: killed after {moment_s:.2f} s, sound", flush=True)
    if victim.drive is None:
        arguments = victim.prepare(folder, kills + 1)
        done = _start(folder, victim, arguments).wait(timeout=TIMEOUT_S)
        assert done == 0, f"{name} ended with {done}"
        _prove(folder, victim, acknowledged)
    return met


def _span(folder: Path, victim: Victim) -> tuple[float, float]:
    """The seconds between which the command is at work; measured by one run of its own."""
    if victim.drive is not None:
        return 0.0, 1.0
    arguments = victim.prepare(folder, 0)
    programs.run(broadsheet("--version"), check=True, capture_output=True)  # readies the forks
    started = time.monotonic()
    assert _start(folder, victim, arguments).wait(timeout=TIMEOUT_S) == 0
    took_s = time.monotonic() - started
    return _STARTED * took_s, took_s


def _start(folder: Path, victim: Victim, arguments: list[str]) -> subprocess.Popen[bytes]:
    settings = environment(folder, **victim.settings)
    with victims.log_of(folder).open("wb") as log:
        return programs.Popen(broadsheet(*arguments), env=settings, stdout=log, stderr=log)


def _prove(folder: Path, victim: Victim, acknowledged: set[str]) -> None:
    victim.prove(folder)
    assert_mended(folder)
    with factories.store(folder) as database, database.reading() as session:
        stored = {str(id_) for id_, _ in changes.versions(session)}
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
