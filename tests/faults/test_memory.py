"""Bodies and files that are longer than memory: what they take does not grow with their length."""

from __future__ import annotations

import random
import subprocess
import time
from itertools import islice
from typing import TYPE_CHECKING

import httpx
import orjson
import psutil
import pytest

from tests import factories
from tests.cli.test_cli import broadsheet, environment
from tests.test_serving import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MB = 1_000_000
_LINE_BYTES = 20_000
_LINES = 30 * _MB // _LINE_BYTES
_GROWTH_MB, _MOST_MB = 16, 200

pytestmark = pytest.mark.long


def lines() -> Iterator[bytes]:
    """30 MB of articles that share no two sentences, a line each."""
    chance = random.Random(7)
    syllables = [first + then for first in "bdfgklmnprst" for then in ("a", "en", "i", "or", "un")]
    words = ["".join(chance.choices(syllables, k=chance.randint(1, 4))) for _ in range(20_000)]
    shares = [1 / rank for rank in range(1, len(words) + 1)]
    for number in range(_LINES):
        body = " ".join(chance.choices(words, shares, k=_LINE_BYTES // 7))
        yield orjson.dumps({"headline": f"{number}", "body": body}) + b"\n"


class Watch:
    """The memory of a process while lines are handed to it."""

    def __init__(self) -> None:
        self.mb: list[float] = []

    def over(self, process: psutil.Process) -> Iterator[bytes]:
        """The lines; each hundredth one is when the memory is read."""
        found = lines()
        while some := list(islice(found, 100)):
            yield b"".join(some)
            self.read(process)

    def read(self, process: psutil.Process) -> None:
        self.mb.append(process.memory_info().rss / _MB)

    def hold(self) -> None:
        """The last half takes no more than the first half took, and all stay below the limit."""
        half = len(self.mb) // 2
        assert half >= 4
        assert max(self.mb[half:]) - max(self.mb[:half]) < _GROWTH_MB, self.mb
        assert max(self.mb) < _MOST_MB, self.mb


def test_a_long_body_takes_no_more_memory_than_a_short_one(tmp_path: Path) -> None:
    watch = Watch()
    limit = str(2 * _LINES * _LINE_BYTES)
    with serving(tmp_path, body_limit_bytes=limit) as (process, address, _):
        answer = httpx.post(
            f"{address}/v1/articles",
            content=watch.over(psutil.Process(process.pid)),
            headers={"Content-Type": "application/x-ndjson", **factories.KEYED},
            timeout=600,
        )
        assert answer.status_code == 200
        assert len(answer.json()["items"]) == _LINES
        watch.read(psutil.Process(process.pid))
    watch.hold()


def test_a_long_file_takes_no_more_memory_than_a_short_one(tmp_path: Path) -> None:
    peaks = []
    for count in (_LINES // 3, _LINES):
        folder = tmp_path / str(count)
        folder.mkdir()
        with (folder / "long.jsonl").open("wb") as out:
            out.writelines(islice(lines(), count))
        loading = subprocess.Popen(
            broadsheet("load", str(folder / "long.jsonl")), env=environment(folder)
        )
        watch = Watch()
        while loading.poll() is None:
            watch.read(psutil.Process(loading.pid))
            time.sleep(0.05)
        assert loading.returncode == 0
        peaks.append(max(watch.mb))
    assert peaks[1] - peaks[0] < _GROWTH_MB, peaks
    assert peaks[1] < _MOST_MB, peaks
