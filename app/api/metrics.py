"""Prometheus metrics of the server.

Two kinds. What happens is counted where it happens: in this process alone, or, when
PROMETHEUS_MULTIPROC_DIR names a folder, in files that all worker processes share, so that
whichever of them is asked answers for all. What is (articles, lag, free disk) is looked up
when asked. Labels hold names of ours only, never what a client sent: their number is bounded.
"""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from app.context import RequestContext
from app.errors import BroadsheetError
from app.search.engine import Engine
from app.services import indexing
from app.services.indexing import Synced
from app.settings import Settings
from app.store import sequence
from app.store.database import Database

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_REQUEST_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_SYNC_S = (0.01, 0.1, 1.0, 10.0, 60.0, 600.0, 3600.0)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """The counters of one application."""

    def __init__(self) -> None:
        self.folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
        self._registry = registry = CollectorRegistry()
        counter = partial(Counter, registry=registry)
        histogram = partial(Histogram, registry=registry)
        gauge = partial(Gauge, multiprocess_mode="livesum", registry=registry)
        self._requests = counter(
            "broadsheet_http_requests",
            "Requests that were answered, by route template.",
            ("method", "route", "status"),
        )
        self._durations = histogram(
            "broadsheet_http_request_duration_seconds",
            "From a request's head to its answer's end.",
            ("method", "route"),
            buckets=_REQUEST_S,
        )
        self._in_progress = gauge(
            "broadsheet_http_requests_in_progress", "Requests that are being answered."
        )
        self._problems = counter(
            "broadsheet_http_problems",
            "Requests that were refused or failed, by type of problem.",
            ("type",),
        )
        self._searches = histogram(
            "broadsheet_search_duration_seconds",
            "Time in the search engine, by request.",
            buckets=_REQUEST_S,
        )
        self._cached = counter(
            "broadsheet_search_cache",
            "Searches by whether the engine remembered the answer.",
            ("result",),
        )
        self._waits = histogram(
            "broadsheet_desk_wait_seconds",
            "Time that work on the store waited for a thread.",
            buckets=_REQUEST_S,
        )
        self._queued = gauge("broadsheet_desk_queued", "Pieces of work that wait for a thread.")
        self._syncs = counter(
            "broadsheet_index_syncs",
            "Tries to bring the index up to date: done, busy (another process does it), failed.",
            ("result",),
        )
        self._sync_durations = histogram(
            "broadsheet_index_sync_duration_seconds",
            "Time of a sync that had something to do.",
            buckets=_SYNC_S,
        )
        self._indexed = counter("broadsheet_indexed_articles", "Articles written to the index.")
        self._rebuilds = counter("broadsheet_index_rebuilds", "Indexes that were built anew.")
        self._by_answer: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        # What can be named before it happens starts at 0, so that a first one is a rise.
        for result in ("done", "busy", "failed"):
            self._syncs.labels(result)
        for result in ("hit", "miss"):
            self._cached.labels(result)

    # --- what happens

    def begun(self) -> None:
        """A request has come."""
        self._in_progress.inc()

    def answered(self, method: str, route: str, context: RequestContext, seconds: float) -> None:
        """A request has been answered, for better or worse."""
        self._in_progress.dec()
        key = (method, route, context.status or 500)
        found = self._by_answer.get(key)
        if found is None:
            named = method if method in _METHODS else "other"
            found = self._by_answer[key] = (
                self._requests.labels(named, route, str(key[2])),
                self._durations.labels(named, route),
            )
            if named == "other":  # a name that a client made up is not kept
                del self._by_answer[key]
        found[0].inc()
        found[1].observe(seconds)
        if context.problem is not None:
            self._problems.labels(context.problem).inc()
        if "search" in context.parts:
            self._searches.observe(context.parts["search"])
        if context.cache_hit is not None:
            self._cached.labels("hit" if context.cache_hit else "miss").inc()

    def queued(self) -> None:
        """A piece of work waits for a thread."""
        self._queued.inc()

    def taken(self, waited_s: float) -> None:
        """A thread has taken up a piece of work."""
        self._queued.dec()
        self._waits.observe(waited_s)

    def synced(self, done: Synced, seconds: float) -> None:
        """The index was brought up to date."""
        self._syncs.labels("done").inc()
        if done.applied or done.rebuilt:
            self._indexed.inc(done.applied)
            self._sync_durations.observe(seconds)
        if done.rebuilt:
            self._rebuilds.inc()

    def sync_failed(self, *, busy: bool) -> None:
        """The index was not brought up to date, since another process is `busy` with it or not."""
        self._syncs.labels("busy" if busy else "failed").inc()

    # --- what is

    def exposition(
        self, settings: Settings, database: Database, engine: Engine, *, draining: bool
    ) -> bytes:
        """All metrics in Prometheus' text format. Looks things up: not for the event loop."""
        facts = CollectorRegistry(auto_describe=False)
        facts.register(_Facts(self.processes(), settings, database, engine, draining))
        return generate_latest(self._counted()) + generate_latest(facts)

    def _counted(self) -> CollectorRegistry:
        if self.folder is None:
            return self._registry
        for process_id in self.processes():
            if not _lives(process_id):
                mark_process_dead(process_id, self.folder)  # type: ignore[no-untyped-call]
        together = CollectorRegistry()
        MultiProcessCollector(together, self.folder)  # type: ignore[no-untyped-call]
        return together

    def processes(self) -> list[int]:
        """The worker processes: by the files of their gauges, or this one alone."""
        if self.folder is None:
            return [os.getpid()]
        found = Path(self.folder).glob("gauge_livesum_*.db")
        return sorted(int(path.stem.rpartition("_")[2]) for path in found)


@dataclass(frozen=True, eq=False)
class _Facts:
    """What is looked up at each scrape."""

    processes: list[int]
    settings: Settings
    database: Database
    engine: Engine
    draining: bool

    def collect(self) -> Iterator[GaugeMetricFamily]:
        build = GaugeMetricFamily(
            "broadsheet_build_info",
            "Always 1; the labels tell what runs.",
            labels=("version", "python", "engine"),
        )
        versions = version("broadsheet"), platform.python_version(), self.settings.search_engine
        build.add_metric(versions, 1)
        yield build
        yield from self._of_store()
        yield from self._of_system()

    def _of_store(self) -> Iterator[GaugeMetricFamily]:
        started = perf_counter()
        state = None
        counted: tuple[int, int] | None = None
        with suppress(BroadsheetError):
            state = indexing.state(self.database, self.engine)
            with self.database.reading() as session:
                counted = sequence.count(session), sequence.last_change(session)
        yield _gauge("store_up", "Whether the database answers.", counted is not None)
        yield _gauge(
            "index_ready",
            "Whether the index is one that answers for this store.",
            state is not None and state.name == "ready",
        )
        if counted is not None:
            yield _gauge("articles", "Stored articles.", counted[0])
            yield _gauge("change", "Number of the last change.", counted[1])
            if state is not None and state.cursor is not None:
                lag = max(counted[1] - state.cursor, 0)
                yield _gauge("index_cursor", "Last change that the index took in.", state.cursor)
                yield _gauge("index_lag_changes", "Changes that the index has not taken in.", lag)
        yield _gauge(
            "store_look_seconds", "Time of this look at the store.", perf_counter() - started
        )

    def _of_system(self) -> Iterator[GaugeMetricFamily]:
        folder = self.settings.data_dir
        with suppress(OSError):
            disk = shutil.disk_usage(folder)
            yield _gauge("disk_free_bytes", "Free space where the data folder is.", disk.free)
            yield _gauge("disk_size_bytes", "Space where the data folder is.", disk.total)
        yield _gauge("draining", "Whether this process is about to stop.", self.draining)
        processes = [each for each in self.processes if _lives(each)]
        yield _gauge("workers", "Worker processes.", len(processes))
        with suppress(OSError, ValueError):  # elsewhere than on Linux
            page = os.sysconf("SC_PAGE_SIZE")
            held = [_pages(each) * page for each in processes]
            yield _gauge("memory_bytes", "Resident memory of all workers.", sum(held))
            files = max(len(os.listdir(f"/proc/{each}/fd")) for each in processes)  # noqa: PTH208
            yield _gauge("open_files", "Open files of the worker that has most.", files)
            limit = os.sysconf("SC_OPEN_MAX")
            yield _gauge("open_files_limit", "Files that a worker may have open.", limit)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"broadsheet_{name}", text, value=float(value))


def _pages(process_id: int) -> int:
    return int(Path(f"/proc/{process_id}/statm").read_text(encoding="ascii").split()[1])


def _lives(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
