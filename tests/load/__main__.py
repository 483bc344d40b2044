"""`python -m tests.load`: fill an archive, find what its server can do, ask half of it for long.

Prints JSON; exits with 0 when every floor holds (or cannot be told), else with 1. See
docs/load.md.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import tempfile
import threading
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

import orjson

from tests.bench import corpus, load, report
from tests.bench.processes import Failed, Neighbours, say, serving
from tests.load import client, mix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.processes import Server
    from tests.load.client import Run

MEMORY_RATIO = 1.10
"""The most that the server's own memory grows after the warm-up."""
P99_OF_P50 = 10.0
"""The most that the slowest of a hundred answers takes, in median ones, at half the rate."""
CONNECTIONS = 8
WARM_UP_SHARE = 0.25
"""Of the run; its answers count, its memory doesn't."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for."""
    asked = _arguments(arguments)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that all that was started ends
    data = corpus.data_file()
    if asked.data_dir is None and not data.is_file():
        _print({"skipped": f"the benchmark's news data is not there: {data}"})
        return 0
    try:
        with tempfile.TemporaryDirectory(prefix="broadsheet-load-") as folder:
            work = Path(folder)
            figures = _measure(asked, asked.data_dir or _filled(asked.articles, data, work), work)
    except Failed as error:
        say(f"error: {error}")
        return 1
    _print(figures)
    return int(any(floor["holds"] is False for floor in figures["floors"].values()))


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=main.__doc__)
    parser.add_argument("--articles", type=int, default=100_000, help="to fill in (100000)")
    parser.add_argument("--data-dir", type=Path, help="use this filled data folder; it is changed")
    parser.add_argument("--seconds", type=float, default=120, help="of the run (120)")
    parser.add_argument("--probe-seconds", type=float, default=20, help="to find the rate (20)")
    parser.add_argument("--rate", type=float, help="questions a second; default: half of the most")
    parser.add_argument("--workers", type=int, default=1, help="processes of the server (1)")
    return parser.parse_args(arguments)


def _filled(articles: int, data: Path, work: Path) -> Path:
    """A data folder with so many articles, or one more; every fifth page holds two of them."""
    pages = work / "pages"
    pages.mkdir()
    wanted = max(articles - articles // (corpus.FURTHER_EVERY + 1), 1)
    made = corpus.write(pages, corpus.stories(corpus.items(data)), pages=wanted)
    return load.load(pages, made, work, least=0.99).data_dir


def _measure(asked: argparse.Namespace, data_dir: Path, work: Path) -> dict[str, Any]:
    machine = report.machine()
    neighbours = Neighbours()
    with serving(data_dir, work, workers=asked.workers) as server:
        archive = mix.Archive(server.port)
        asking = mix.questions(archive)
        say(f"finding what the server can do: {asked.probe_seconds:.0f} s")
        most = asyncio.run(
            client.closed(server.port, asking, connections=CONNECTIONS, seconds=asked.probe_seconds)
        )
        most_per_s = most.answers / most.seconds
        rate = asked.rate or most_per_s / 2
        say(f"asking {rate:.1f} of {most_per_s:.1f} a second for {asked.seconds:.0f} s")
        with _Watched(server, asked.seconds) as memory:
            run = asyncio.run(
                client.open_loop(server.port, asking, rate=rate, seconds=asked.seconds)
            )
    figures = {
        "machine": machine,
        "workers": asked.workers,
        "articles": archive.articles,
        "saturation_per_s": round(most_per_s, 1),
        "saturation_ms": _times(most),
        "rate_per_s": round(rate, 1),
        "seconds": round(run.seconds, 1),
        "answers": run.answers,
        "statuses": {
            str(status): n for status, n in sorted((most.statuses + run.statuses).items())
        },
        "latency_ms": _times(run),
        "client_latest_ms": round(run.latest_s * 1000, 1),
        "memory_mb": memory.figures(),
        "neighbours_cores": round(neighbours.cores(), 2),
    }
    return {**figures, "floors": _floors(figures)}


def _times(run: Run) -> dict[str, dict[str, float]]:
    found = {"all": [took for each in run.took_s.values() for took in each], **run.took_s}
    return {kind: _spread(took) for kind, took in sorted(found.items())}


def _spread(took_s: list[float]) -> dict[str, float]:
    cuts = quantiles(took_s, n=100, method="inclusive") if len(took_s) > 1 else took_s * 99
    named = {"p50": cuts[49], "p95": cuts[94], "p99": cuts[98], "max": max(took_s)}
    return {"count": len(took_s), **{name: round(s * 1000, 2) for name, s in named.items()}}


class _Watched:
    """The server's own memory, looked at every now and then while the block runs."""

    def __init__(self, server: Server, seconds: float) -> None:
        self._server = server
        self._every_s = max(seconds / 120, 0.05)
        self._found: list[float] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def _watch(self) -> None:
        while not self._stop.wait(self._every_s):
            self._found.append(self._server.memory_mb()["serving_own_mb"])

    def __enter__(self) -> _Watched:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def figures(self) -> dict[str, Any]:
        """After the warm-up, at the end, and the two compared: each the median of some looks."""
        after = self._found[int(len(self._found) * WARM_UP_SHARE) :] or [0.0]
        some = max(len(after) // 5, 1)
        first, last = median(after[:some]), median(after[-some:])
        return {
            "first": round(first, 1),
            "last": round(last, 1),
            "peak": round(max(after), 1),
            "ratio": round(last / first, 3) if first else 1.0,
        }


def _floors(figures: dict[str, Any]) -> dict[str, dict[str, Any]]:
    failed = sum(n for status, n in figures["statuses"].items() if not "200" <= status < "400")
    taken = figures["latency_ms"]["all"]
    found = {
        "failed": report.at_most(failed, 0),
        "memory_ratio": report.at_most(figures["memory_mb"]["ratio"], MEMORY_RATIO),
        "p99_of_p50": report.at_most(round(taken["p99"] / taken["p50"], 2), P99_OF_P50),
    }
    if figures["neighbours_cores"] > report.MOST_NEIGHBOURS:
        found["p99_of_p50"]["holds"] = None  # what could be done before cannot be done now
    return found


def _print(figures: dict[str, Any]) -> None:
    sys.stdout.buffer.write(orjson.dumps(figures, option=orjson.OPT_INDENT_2) + b"\n")


if __name__ == "__main__":
    sys.exit(main())
