"""`python -m tests.bench`: make the pages, measure, print JSON. See docs/benchmark.md.

Exits with 0 whatever the figures are, and with 1 if something failed to run.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from tests.bench import corpus, entities, extraction, features, load, report, scale, search
from tests.bench.processes import Failed, say

SUBJECTS = ("load", "search", "features", "scale", "extraction", "entities")


def main() -> int:
    """Measure what the command line asks for."""
    asked = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that all that was started ends
    data = corpus.data_file()
    if asked.only != "entities" and not data.is_file():
        _print({"skipped": f"the benchmark's news data is not there: {data}"})
        return 0
    try:
        with tempfile.TemporaryDirectory(prefix="broadsheet-bench-") as work:
            _print(_figures(asked, data, Path(work)))
    except Failed as error:
        say(f"error: {error}")
        return 1
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=main.__doc__)
    parser.add_argument("--pages", type=int, default=20_000, help="pages to load (20000)")
    parser.add_argument("--only", choices=SUBJECTS, help="one subject alone")
    parser.add_argument("--load-rounds", type=int, default=1, help="times to load (1)")
    parser.add_argument("--search-rounds", type=int, default=5, help="times to ask all queries (5)")
    parser.add_argument("--feature-rounds", type=int, default=3, help="turns of each feature (3)")
    parser.add_argument("--entity-rounds", type=int, default=3, help="turns of each read (3)")
    parser.add_argument("--scale-rounds", type=int, default=3, help="turns of each number (3)")
    parser.add_argument("--scale-seconds", type=float, default=8, help="seconds of a turn (8)")
    parser.add_argument("--stories", type=int, default=600, help="stories a worker extracts (600)")
    return parser.parse_args()


def _figures(asked: argparse.Namespace, data: Path, work: Path) -> dict[str, Any]:
    subjects = SUBJECTS if asked.only is None else (asked.only,)
    figures: dict[str, Any] = {"machine": report.machine()}
    if "extraction" in subjects:
        figures["extraction"] = extraction.measure(data, work, articles=asked.stories)
    if "entities" in subjects:
        figures["entities"] = entities.measure(work, rounds=asked.entity_rounds)
    if subjects in (("extraction",), ("entities",)):  # these need no pages
        return figures | {"floors": report.floors(figures)}
    pages = work / "pages"
    pages.mkdir()
    say(f"making {asked.pages} pages")
    made = corpus.write(pages, corpus.stories(corpus.items(data)), pages=asked.pages)
    figures["corpus"] = asdict(made)
    if "load" in subjects:
        loaded, figures["load"] = load.measure(pages, made, work, rounds=asked.load_rounds)
    else:
        loaded = load.load(pages, made, work)
    if "search" in subjects:
        figures["search"] = search.measure(loaded.data_dir, work, rounds=asked.search_rounds)
    if "features" in subjects:
        figures["features"] = features.measure(loaded.data_dir, work, rounds=asked.feature_rounds)
    if "scale" in subjects:
        figures["scale"] = scale.measure(
            loaded.data_dir, work, rounds=asked.scale_rounds, seconds=asked.scale_seconds
        )
    figures["floors"] = report.floors(figures)
    return figures


def _print(figures: dict[str, Any]) -> None:
    sys.stdout.buffer.write(orjson.dumps(figures, option=orjson.OPT_INDENT_2) + b"\n")


if __name__ == "__main__":
    sys.exit(main())
