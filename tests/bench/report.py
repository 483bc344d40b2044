"""What the benchmark prints: the machine, the figures, and whether the floors hold."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from typing import Any

LOAD_RATIO = 0.75
"""Least articles a second of `load`, in those of bare Whoosh."""
LOAD_PEAK_MB = 400.0
SEARCH_FACTOR, SEARCH_EXTRA_MS = 1.5, 2.0
"""The median search over HTTP takes at most this many bare ones and so much more."""
SCALE_RATIO = 1.7
"""Least searches a second of two workers, in those of one, where two cores are free."""
HIGHLIGHTS_MS = 3.0
"""The most that ten highlights add to a search."""
TOTAL_RATIO = 1.3
"""The most that an exact total takes, in `docs_for_query` of bare Whoosh."""
COUNT_RATIO = 1.5
"""The most that a facet or a histogram adds, in plain counts by hand of the same hits."""
DATES_RATIO = 3.0
"""The least times that a range of dates is faster than Whoosh's DateRange."""
BUDGET_SHARE = 1.1
"""The most of its budget that a hostile search takes."""
REPEATED_RATIO = 20.0
"""The least times that a repeated search is faster than a new one."""
EXTRACTION_WORDS = 4_000
"""Least words that one core extracts from in a second of its time."""
EXTRACTION_RATIO = 1.7
"""Least words a second of two workers that extract, in those of one, where two cores are free."""
EXTRACTION_PEAK_MB = 450.0
ENTITY_RATIO = 5.0
"""The most that a read of entities takes at the 95th percentile, in reads of its rows by key."""
MOST_NEIGHBOURS = 0.15
"""Cores that other programs may have kept busy for an overrun budget to count."""


def machine() -> dict[str, Any]:
    """What the figures were measured on, and how busy it was."""
    return {
        "cores": os.cpu_count(),
        "memory_mb": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**20),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "whoosh": version("whoosh-reloaded"),
        "load_average": [round(load, 2) for load in os.getloadavg()],
    }


def floors(figures: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Each floor or ceiling whose figure is there, and whether it holds; None: cannot tell."""
    found: dict[str, dict[str, Any]] = {}
    if load := figures.get("load"):
        found["load_ratio"] = at_least(load["ratio"], LOAD_RATIO)
        found["load_peak_mb"] = at_most(load["load_peak_mb"], LOAD_PEAK_MB)
    if search := figures.get("search"):
        bare_ms = search["bare"]["one_word"]["p50_ms"]
        ceiling = round(SEARCH_FACTOR * bare_ms + SEARCH_EXTRA_MS, 3)
        found["search_p50_ms"] = at_most(search["http"]["one_word"]["p50_ms"], ceiling)
    if features := figures.get("features"):
        found |= _feature_floors(features)
    if entities := figures.get("entities"):
        for name in ("list", "one", "related", "timeline"):
            found[f"entities_{name}_p95"] = at_most(entities[name]["p95_ratio"], ENTITY_RATIO)
    if scale := figures.get("scale"):
        found["scale_ratio"] = at_least(scale["ratio"], SCALE_RATIO)
        if not scale["two_cores_free"]:
            found["scale_ratio"]["holds"] = None
    if extraction := figures.get("extraction"):
        found |= _extraction_floors(extraction)
    return found


def _extraction_floors(extraction: dict[str, Any]) -> dict[str, dict[str, Any]]:
    ratio = at_least(extraction["ratio"], EXTRACTION_RATIO)
    if not extraction["two_cores_free"]:
        ratio["holds"] = None
    return {
        "extraction_words": at_least(extraction["words_per_cpu_s"], EXTRACTION_WORDS),
        "extraction_ratio": ratio,
        "extraction_peak_mb": at_most(extraction["worker_peak_mb"], EXTRACTION_PEAK_MB),
    }


def _feature_floors(features: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    if words := features["highlights"].get("words"):  # few pages hold no ten hits
        found["highlights_ms"] = at_most(words["added_p50_ms"], HIGHLIGHTS_MS)
    found["total_ratio"] = at_most(features["total"]["ratio"], TOTAL_RATIO)
    for feature, name in (("facet", "place"), ("histogram", "day"), ("histogram", "month")):
        ratio = features[feature][name]["ratio"]
        if ratio is not None:
            found[f"{feature}_{name}_ratio"] = at_most(ratio, COUNT_RATIO)
    for name, dates in features["dates"].items():
        found[f"dates_{name}_ratio"] = at_least(dates["ratio"], DATES_RATIO)
    hostile = features["hostile"]
    found["hostile_of_budget"] = at_most(hostile["worst_of_budget"], BUDGET_SHARE)
    busy = features["neighbours_cores"] > MOST_NEIGHBOURS
    if busy and hostile["worst_cpu_of_budget"] <= BUDGET_SHARE < hostile["worst_of_budget"]:
        found["hostile_of_budget"]["holds"] = None
    found["repeated_ratio"] = at_least(features["repeated"]["ratio"], REPEATED_RATIO)
    found["searches_of_304"] = at_most(features["unchanged"]["searches_of_304"], 0)
    return found


def at_least(value: float, floor: float) -> dict[str, Any]:
    """A figure with its floor, and whether that holds."""
    return {"value": value, "floor": floor, "holds": value >= floor}


def at_most(value: float, ceiling: float) -> dict[str, Any]:
    """A figure with its ceiling, and whether that holds."""
    return {"value": value, "ceiling": ceiling, "holds": value <= ceiling}
