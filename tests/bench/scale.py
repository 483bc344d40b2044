"""How searches scale with workers: one against two, the same questions from the same client.

The queries are words of very many articles with one hit asked for, so that the server's
search decides and not the client. Where other programs keep the cores busy the ratio tells
nothing: `two_cores_free` says whether it does.
"""

from __future__ import annotations

import os
from statistics import median
from typing import TYPE_CHECKING, Any

from tests.bench.processes import Neighbours, run, say, serving

if TYPE_CHECKING:
    from pathlib import Path

WORDS = ("said", "the", "of", "and", "to", "company", "dlrs", "mln", "year", "march")
CONNECTIONS = 8
WORKERS = 2
MOST_NEIGHBOURS = 0.15
"""Cores that other programs may have kept busy for the ratio to count."""


def measure(data_dir: Path, work: Path, *, rounds: int, seconds: float) -> dict[str, Any]:
    """Searches a second of one worker and of two, taking turns."""
    say(f"loading one and {WORKERS} workers, {rounds} rounds")
    neighbours = Neighbours()
    rates: dict[int, list[float]] = {1: [], WORKERS: []}
    client_cores: list[float] = []
    for _ in range(rounds):
        for workers, found in rates.items():
            with serving(data_dir, work, workers=workers) as server:
                _load(server.port, work, seconds / 4)
                rate, cores = _load(server.port, work, seconds)
            found.append(rate)
            client_cores.append(cores)
    busy = neighbours.cores()
    one, more = median(rates[1]), median(rates[WORKERS])
    return {
        "connections": CONNECTIONS,
        "words": len(WORDS),
        "seconds": seconds,
        "workers_1_per_s": [round(rate, 1) for rate in rates[1]],
        f"workers_{WORKERS}_per_s": [round(rate, 1) for rate in rates[WORKERS]],
        "ratio": round(more / one, 3),
        "client_cores": round(max(client_cores), 2),
        "neighbours_cores": round(busy, 2),
        "two_cores_free": (os.cpu_count() or 1) >= WORKERS and busy <= MOST_NEIGHBOURS,
    }


def _load(port: int, work: Path, seconds: float) -> tuple[float, float]:
    """Answers a second, and the cores that asking took."""
    paths = "\n".join(f"/v1/search?q={word}&limit=1" for word in WORDS)
    ran = run(
        ["tests.bench.client", str(port), str(CONNECTIONS), str(seconds)],
        work,
        timeout_s=seconds + 60,
        stdin=paths.encode(),
    )
    return ran.output["answers"] / ran.output["seconds"], ran.cpu_seconds / ran.seconds
