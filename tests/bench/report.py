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
        found["load_ratio"] = _at_least(load["ratio"], LOAD_RATIO)
        found["load_peak_mb"] = _at_most(load["load_peak_mb"], LOAD_PEAK_MB)
    if search := figures.get("search"):
        bare_ms = search["bare"]["one_word"]["p50_ms"]
        ceiling = round(SEARCH_FACTOR * bare_ms + SEARCH_EXTRA_MS, 3)
        found["search_p50_ms"] = _at_most(search["http"]["one_word"]["p50_ms"], ceiling)
    if scale := figures.get("scale"):
        found["scale_ratio"] = _at_least(scale["ratio"], SCALE_RATIO)
        if not scale["two_cores_free"]:
            found["scale_ratio"]["holds"] = None
    return found


def _at_least(value: float, floor: float) -> dict[str, Any]:
    return {"value": value, "floor": floor, "holds": value >= floor}


def _at_most(value: float, ceiling: float) -> dict[str, Any]:
    return {"value": value, "ceiling": ceiling, "holds": value <= ceiling}
