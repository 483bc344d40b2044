"""How fast pages are loaded and indexed, against bare Whoosh on the same articles; memory.

The real `broadsheet load` with a new data folder, start of the program included, against
nothing but `add_document` and one `commit`.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from tests.bench.processes import Failed, Neighbours, Ran, run, say

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bench.corpus import Corpus

TIMEOUT_S = 1800.0


@dataclass(frozen=True, slots=True)
class Loaded:
    """A loaded store, and what loading it took."""

    data_dir: Path
    ran: Ran


def load(pages: Path, corpus: Corpus, work: Path, *, least: float = 1.0) -> Loaded:
    """Load the folder `pages` into a new store; raises Failed unless all of it was saved.

    Of very many stories a few are taken for revisions: `least` is the share that is enough.
    """
    data_dir = work / "data"
    shutil.rmtree(data_dir, ignore_errors=True)
    say(f"loading {corpus.pages} pages")
    ran = run(
        ["app", "load", str(pages), "--json"],
        work,
        timeout_s=TIMEOUT_S,
        data_dir=str(data_dir),
    )
    if not least * corpus.articles <= ran.output["saved"] <= corpus.articles:
        raise Failed(f"{ran.output['saved']} of {corpus.articles} articles were saved")
    return Loaded(data_dir, ran)


def bare_folder(work: Path) -> Path:
    """Where bare Whoosh's index is, once it was made."""
    return work / "bare"


def index_bare(data_dir: Path, work: Path) -> dict[str, Any]:
    """What bare Whoosh took to index the articles of `data_dir` into `bare_folder`."""
    folder = bare_folder(work)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    say("indexing the same articles with bare Whoosh")
    ran = run(["tests.bench.bare", str(data_dir), str(folder)], work, timeout_s=TIMEOUT_S)
    took: dict[str, Any] = ran.output
    return took


def measure(pages: Path, corpus: Corpus, work: Path, *, rounds: int) -> tuple[Loaded, Any]:
    """The store of the last round, and the figures; the two take turns."""
    neighbours = Neighbours()
    loads: list[Loaded] = []
    bares: list[dict[str, Any]] = []
    for _ in range(rounds):
        loads.append(load(pages, corpus, work))
        bares.append(index_bare(loads[-1].data_dir, work))
    load_s, bare_s = median(of.ran.seconds for of in loads), median(of["seconds"] for of in bares)
    load_cpu_s = median(of.ran.cpu_seconds for of in loads)
    bare_cpu_s = median(of["cpu_seconds"] for of in bares)
    return loads[-1], {
        "articles": corpus.articles,
        "rounds": rounds,
        "load_seconds": [round(of.ran.seconds, 2) for of in loads],
        "bare_seconds": [round(of["seconds"], 2) for of in bares],
        "load_cpu_seconds": [round(of.ran.cpu_seconds, 2) for of in loads],
        "bare_cpu_seconds": [round(of["cpu_seconds"], 2) for of in bares],
        "load_articles_per_s": round(corpus.articles / load_s, 1),
        "bare_articles_per_s": round(corpus.articles / bare_s, 1),
        "load_pages_per_s": round(corpus.pages / load_s, 1),
        "ratio": round(bare_s / load_s, 3),
        "cpu_ratio": round(bare_cpu_s / load_cpu_s, 3),
        "load_peak_mb": round(max(of.ran.peak_mb for of in loads), 1),
        "database_mb": _size_mb(loads[-1].data_dir / "broadsheet.db"),
        "index_mb": _size_mb(loads[-1].data_dir / "index"),
        "bare_index_mb": _size_mb(bare_folder(work)),
        "neighbours_cores": round(neighbours.cores(), 2),
    }


def _size_mb(path: Path) -> float:
    files = path.rglob("*") if path.is_dir() else [path]
    return round(sum(file.stat().st_size for file in files if file.is_file()) / 2**20, 1)
