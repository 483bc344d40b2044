"""The programs that are measured, each in a process of its own that ends with its block.

`run` is for one that ends by itself, `serving` for the server. Both start in a session of
their own, so that whatever they started is ended with them.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import resource
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from tests import factories

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_MEASURED = Path(__file__).with_name("measured.py")
_START_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 20.0


class Failed(Exception):
    """A program that is measured did not do its work."""


def say(text: str) -> None:
    """Progress, to stderr."""
    print(text, file=sys.stderr, flush=True)


# --- programs that end


@dataclass(frozen=True, slots=True)
class Ran:
    """What a program took and printed."""

    seconds: float
    cpu_seconds: float
    peak_mb: float
    output: Any


def run(
    arguments: Sequence[str], work: Path, *, timeout_s: float, stdin: bytes = b"", **settings: str
) -> Ran:
    """Run `python -m arguments`, which prints JSON; `settings` are its `BROADSHEET_` environment.

    Raises Failed unless it ends well and in time.
    """
    report, output = work / "measured.json", work / "output.json"
    command = [sys.executable, str(_MEASURED), str(report), sys.executable, "-m", *arguments]
    with (
        output.open("wb") as stdout,
        _started(command, stdin=subprocess.PIPE, stdout=stdout, **settings) as process,
    ):
        try:
            process.communicate(stdin, timeout_s)
        except subprocess.TimeoutExpired as error:
            raise Failed(f"{arguments[0]} took more than {timeout_s:.0f} s") from error
    measured = orjson.loads(report.read_bytes())
    if measured.pop("returncode") != 0:
        raise Failed(f"{' '.join(arguments)} failed")
    return Ran(**measured, output=orjson.loads(output.read_bytes()))


@contextmanager
def _started(
    command: Sequence[str], *, stdin: int, stdout: Any, stderr: Any = None, **settings: str
) -> Iterator[subprocess.Popen[bytes]]:
    """The running command; it and all that it started have ended when the block has."""
    kept = {name: value for name, value in os.environ.items() if "BROADSHEET_" not in name}
    given = {f"BROADSHEET_{name.upper()}": value for name, value in settings.items()}
    given.setdefault("BROADSHEET_EXTRACTOR", "none")  # extraction is measured by itself
    with subprocess.Popen(
        command,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        env=kept | given,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_STOP_TIMEOUT_S)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


# --- the server


@dataclass(frozen=True, slots=True)
class Server:
    """A running server on the loopback."""

    port: int
    pid: int

    def memory_mb(self) -> dict[str, float]:
        """Memory of all its processes, pages that they share counted in each.

        The peak counts pages of the index and the database that are mapped, which the
        system takes back when it needs them; `own` leaves those out.
        """
        found = [_memory(pid) for pid in _family(self.pid)]
        return {
            "serving_peak_mb": round(sum(one["VmHWM"] for one in found), 1),
            "serving_own_mb": round(sum(one["RssAnon"] for one in found), 1),
        }


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in _family(int(child)))]


def _memory(pid: int) -> dict[str, float]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    sizes = (line.split() for line in lines if line.endswith(" kB"))
    return {name.rstrip(":"): int(size) / 1024 for name, size, _ in sizes}


@contextmanager
def serving(data_dir: Path, work: Path, *, workers: int) -> Iterator[Server]:
    """`broadsheet serve` on the store in `data_dir`, once it says that it is ready."""
    path = work / "serve.log"
    key_file = work / "first-key"
    key_file.write_text(factories.KEY)
    command = [sys.executable, "-m", "app", "serve", "--port", "0"]
    command += ["--workers", str(workers)]
    with (
        path.open("wb") as log,
        _started(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            data_dir=str(data_dir),
            first_key_file=str(key_file),
            client_requests_per_minute=str(10**9),  # all that it can do is asked from one address
            key_requests_per_minute=str(10**9),
        ) as process,
    ):
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not _is_ready(port := _port_in(path.read_bytes())):
            if process.poll() is not None or time.monotonic() > deadline:
                raise Failed(f"the server did not start:\n{path.read_text()}")
            time.sleep(0.1)
        yield Server(port, process.pid)


def _port_in(log: bytes) -> int:
    """The port that the server has taken, as its log says; 0 before it does."""
    found = re.search(rb"running on http://[^ ]*:(\d+)", log)
    return int(found[1]) if found else 0


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


# --- the rest of the machine


class Neighbours:
    """How many cores other programs kept busy while a phase ran; ours must have ended by then."""

    def __init__(self) -> None:
        self._before = self._now()

    def cores(self) -> float:
        """Since this was made."""
        wall, busy, ours = (now - then for now, then in zip(self._now(), self._before, strict=True))
        return max(busy - ours, 0.0) / wall if wall else 0.0

    @staticmethod
    def _now() -> tuple[float, float, float]:
        line, *_ = Path("/proc/stat").read_text().splitlines()
        user, nice, system, _idle, _wait, *irqs = map(int, line.split()[1:9])
        busy = (user + nice + system + sum(irqs)) / os.sysconf("SC_CLK_TCK")
        usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        ours = sum(usage.ru_utime + usage.ru_stime for usage in usages)
        return time.monotonic(), busy, ours
