"""How fast people, organizations and places are found, in one process and in two; memory.

Each worker is a process of its own that gets stories on stdin, opens the extractor, reads a
few to warm up and then all: `python -m tests.bench.extraction < STORIES` prints what that
took. The same number of stories for each worker, so two have twice the work of one. Words of
headline and body count.
"""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, Any

import orjson

from app.extract import open_extractor
from app.extract.base import Failure, Text
from tests.bench import corpus
from tests.bench.processes import Neighbours, Ran, run, say
from tests.bench.scale import MOST_NEIGHBOURS

if TYPE_CHECKING:
    from pathlib import Path

WORKERS = 2
TIMEOUT_S = 900.0
_WARM_UP = 20  # stories


def measure(data: Path, work: Path, *, articles: int) -> dict[str, Any]:
    """Words a second of one worker and of two at once, and the memory of a worker."""
    say(f"extracting from {articles} stories, then {WORKERS} times as many with {WORKERS} workers")
    stories = islice(corpus.stories(corpus.items(data)), WORKERS * articles)
    texts = [(each.headline, each.place, "\n\n".join(each.paragraphs)) for each in stories]
    parts = [orjson.dumps(texts[n * articles : (n + 1) * articles]) for n in range(WORKERS)]
    neighbours = Neighbours()
    one = _run(parts[0], work / "worker-0")
    with ThreadPoolExecutor(WORKERS) as pool:
        folders = [work / f"worker-{number}" for number in range(WORKERS)]
        several = list(pool.map(_run, parts, folders))
    busy = neighbours.cores()
    rates = [each.output["words"] / each.output["seconds"] for each in several]
    rate = one.output["words"] / one.output["seconds"]
    return {
        "extractor": one.output["extractor"],
        "articles": articles,
        "words": one.output["words"],
        "mentions": one.output["mentions"],
        "failures": one.output["failures"],
        "words_per_s": round(rate),
        "words_per_cpu_s": round(_words_per_cpu_s(one)),
        f"workers_{WORKERS}_words_per_s": round(sum(rates)),
        "ratio": round(sum(rates) / rate, 3),
        "cpu_ratio": round(sum(map(_words_per_cpu_s, several)) / _words_per_cpu_s(one), 3),
        "worker_peak_mb": round(max(each.peak_mb for each in (one, *several)), 1),
        "neighbours_cores": round(busy, 2),
        "two_cores_free": (os.cpu_count() or 1) >= WORKERS and busy <= MOST_NEIGHBOURS,
    }


def _words_per_cpu_s(ran: Ran) -> float:
    rate: float = ran.output["words"] / ran.output["cpu_seconds"]
    return rate


def _run(texts: bytes, folder: Path) -> Ran:
    folder.mkdir(exist_ok=True)
    return run(["tests.bench.extraction"], folder, timeout_s=TIMEOUT_S, stdin=texts)


def main() -> None:
    """Read stories from stdin and print what extracting took."""
    rows = orjson.loads(sys.stdin.buffer.read())
    texts = [Text(headline, dateline=place, body=body) for headline, place, body in rows]
    extractor = open_extractor("spacy")
    list(extractor.extract(texts[:_WARM_UP]))
    started, cpu = time.perf_counter(), time.process_time()
    mentions = failures = 0
    for found in extractor.extract(texts):
        if isinstance(found, Failure):
            failures += 1
        else:
            mentions += len(found)
    took = {
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time() - cpu,
        "words": sum(len(each.headline.split()) + len(each.body.split()) for each in texts),
        "mentions": mentions,
        "failures": failures,
        "extractor": extractor.version,
    }
    sys.stdout.buffer.write(orjson.dumps(took))


if __name__ == "__main__":
    main()
