"""What the features of a search cost, each against the plainest way to the same answer.

In this process, on the index that the server uses: highlights, exact totals, facets,
histograms, dates, repeated searches. Through the whole application: hostile queries and
what they take of their budget, and that a client that has the newest answer costs no search.
The engine's kept answers are forgotten before a search that counts as new; what it keeps
for a generation (columns) it has. What runs in this process waits for nothing, so its
milliseconds are those of the processor, which on a free machine pass as fast as any; of
each the best of all rounds counts, and then the median of the words. What goes over HTTP
and what has a budget is measured by the clock.
"""

from __future__ import annotations

import asyncio
import gc
import http.client
import time
from collections import defaultdict
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any
from unittest.mock import patch
from urllib.parse import urlencode

import httpx
from asgi_lifespan import LifespanManager
from whoosh import fields
from whoosh.filedb.filestore import FileStorage
from whoosh.index import FileIndex
from whoosh.query import And, DateRange, Term

from app import filters, text
from app.api import create_app
from app.search import query
from app.search.engine import Request
from app.search.whoosh.engine import WhooshEngine
from app.search.whoosh.schema import UNDATED, Positions
from app.services import search as search_service
from app.settings import Settings
from app.store.database import Database
from tests.bench import bare
from tests.bench.processes import Failed, Neighbours, say, serving
from tests.bench.search import FILTER, LIMIT, PAIRS, PHRASES, WORDS, index_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from fastapi import FastAPI

    Hits = list[tuple[Any, list[int]]]

HIGHLIGHTED = 10
"""Hits of a page whose highlights are measured; queries of fewer are left out."""
BUDGETS_S = (0.5, 2.0)
MANY_HITS = 1_000
WIDE = {"from": "1987-03", "to": "1987-12"}
"""Nearly every article; `search.FILTER` lets through the busiest days alone."""

_MORE = 3  # times the rounds for what takes little: differences need them
_DAY_US = 86_400_000_000
_NAMES = ("place", "source", "section", "language")


def measure(data_dir: Path, work: Path, *, rounds: int) -> dict[str, Any]:
    """The figures of all features."""
    say(f"features, {rounds} rounds")
    neighbours = Neighbours()
    engine = WhooshEngine(Settings(data_dir=data_dir).index_dir)
    asked = {word: Request(query=query.parse(word), limit=LIMIT) for word in WORDS}
    with closing(engine), closing(bare.open_index(index_folder(data_dir)).searcher()) as searcher:
        hits = {word: _hits(engine, word) for word in WORDS}
        figures = {
            "rounds": rounds,
            "words": len(WORDS),
            "highlights": _highlights(data_dir, engine, rounds),
            "total": _total(engine, searcher, asked, rounds),
            "facet": _counting(
                engine, asked, {"place": {"facets": ("place",)}}, hits, _places_by_hand, rounds
            ),
            "histogram": _counting(
                engine,
                asked,
                {"day": {"histogram": "day"}, "month": {"histogram": "month"}},
                hits,
                _days_by_hand,
                rounds,
            ),
            "dates": _dates(engine, work, asked, rounds),
            "repeated": _repeated(engine, asked, rounds),
            "unchanged": _unchanged(data_dir, work, rounds),
            "hostile": _hostile(data_dir, _frequent(engine)),
        }
    return figures | {"neighbours_cores": round(neighbours.cores(), 2)}


def _ms(call: Callable[..., object], *args: Any) -> float:
    """Milliseconds of the processor that `call` takes in this thread."""
    started = time.thread_time()
    call(*args)
    return (time.thread_time() - started) * 1000


def _best(rounds: int, *calls: Callable[[], float]) -> list[float]:
    """The least milliseconds of each of `calls`, which take turns, after one that warms up."""
    took = [[call() for call in calls] for _ in range(rounds + 1)]
    return [min(times) for times in zip(*took[1:], strict=True)]


def _searching(engine: WhooshEngine, request: Request) -> float:
    engine._caches.answers.clear()
    return _ms(engine.search, request)


def _p50(times: Sequence[float]) -> float:
    return round(median(times), 4)


def _ratios(over: Sequence[float], under: Sequence[float]) -> list[float]:
    return [a / b for a, b in zip(over, under, strict=True)]


# --- highlights


def _highlights(data_dir: Path, engine: WhooshEngine, rounds: int) -> dict[str, Any]:
    """What they add to a page of ten hits; the engine has kept the answers to both."""
    kinds = {"words": WORDS, "pairs": PAIRS, "phrases": [f'"{phrase}"' for phrase in PHRASES]}
    figures: dict[str, Any] = {"hits": HIGHLIGHTED}
    with closing(Database.open(Settings(data_dir=data_dir))) as database:
        for kind, queries in kinds.items():
            added = []
            for q in queries:
                request = Request(query=query.parse(q), limit=HIGHLIGHTED)
                if len(engine.search(request).hits) < HIGHLIGHTED:
                    continue

                def find(highlight: bool, request: Request = request) -> float:
                    with database.reading() as session:
                        session.connection()
                        return _ms(
                            partial(
                                search_service.find, session, engine, request, highlight=highlight
                            )
                        )

                plain, marked = _best(_MORE * rounds, partial(find, False), partial(find, True))
                added.append(marked - plain)
            if len(added) > 1:
                figures[kind] = {
                    "queries": len(added),
                    "added_p50_ms": _p50(added),
                    "added_p95_ms": round(quantiles(added, n=20, method="inclusive")[-1], 3),
                    "added_max_ms": round(max(added), 3),
                }
    return figures


# --- totals


def _total(
    engine: WhooshEngine, searcher: Any, asked: Mapping[str, Request], rounds: int
) -> dict[str, Any]:
    """A search for one hit and the exact total, against Whoosh's numbers of all documents."""
    ours, plain = [], []
    for word, request in asked.items():
        one = replace(request, limit=1)
        term = Term("words", text.terms(word)[0])

        def counted(term: Term = term) -> int:
            return len(list(searcher.docs_for_query(term)))

        if engine.search(one).total != counted():
            raise Failed(f"{engine.search(one).total} hits for {word}, Whoosh finds {counted()}")
        mine, theirs = _best(
            _MORE * rounds, partial(_searching, engine, one), partial(_ms, counted)
        )
        ours.append(mine)
        plain.append(theirs)
    return {
        "ratio": round(median(_ratios(ours, plain)), 3),
        "ratio_max": round(max(_ratios(ours, plain)), 3),
        "ratio_of_sums": round(sum(ours) / sum(plain), 3),
        "engine_p50_ms": _p50(ours),
        "docs_for_query_p50_ms": _p50(plain),
    }


# --- facets and histograms


def _hits(engine: WhooshEngine, word: str) -> Hits:
    """The document numbers of all hits, by segment, for counts by hand."""
    token = text.terms(word)[0]
    with engine._snapshots.lend() as snapshot:
        return [
            (segment, [n for numbers, _, _ in segment.blocks("words", token) for n in numbers])
            for segment in snapshot.segments
        ]


def _places_by_hand(hits: Hits) -> Mapping[Any, int]:
    counts: defaultdict[str, int] = defaultdict(int)
    for segment, numbers in hits:
        places = segment.names("place")
        for number in numbers:
            for place in places[number]:
                counts[place] += 1
    return counts


def _days_by_hand(hits: Hits) -> Mapping[Any, int]:
    counts: defaultdict[int, int] = defaultdict(int)
    for segment, numbers in hits:
        published = segment.columns.published
        for number in numbers:
            at = published[number]
            if at != UNDATED:
                counts[at // _DAY_US] += 1
    return counts


def _counting(
    engine: WhooshEngine,
    asked: Mapping[str, Request],
    features: Mapping[str, dict[str, Any]],
    hits: Mapping[str, Hits],
    by_hand: Callable[[Hits], Mapping[Any, int]],
    rounds: int,
) -> dict[str, Any]:
    """What a count adds to a search, against a loop over the same hits and columns.

    `ratio` is of the words of many hits; in a few microseconds of few hits there is nothing
    to count, and `fixed_ms` is what the feature takes for a word without any.
    """
    figures: dict[str, Any] = {"many_hits": MANY_HITS}
    plain, bare_ms = [], []
    added: dict[str, list[float]] = {name: [] for name in features}
    sizes = [sum(len(numbers) for _, numbers in hits[word]) for word in asked]
    for word, request in asked.items():
        without, hand, *took = _best(
            _MORE * rounds,
            partial(_searching, engine, request),
            partial(_ms, by_hand, hits[word]),
            *(
                partial(_searching, engine, replace(request, **feature))
                for feature in features.values()
            ),
        )
        plain.append(without)
        bare_ms.append(hand)
        for name, milliseconds in zip(added, took, strict=True):
            added[name].append(milliseconds - without)
    many = [number for number, size in enumerate(sizes) if size >= MANY_HITS]
    few = [number for number, size in enumerate(sizes) if size < MANY_HITS]
    figures["queries"] = len(many)
    figures["by_hand_p50_ms"] = _p50([bare_ms[n] for n in many]) if many else None
    for name, times in added.items():
        figures[name] = {
            "ratio": round(median(times[n] / bare_ms[n] for n in many), 3) if many else None,
            "ratio_of_sums": round(sum(times) / sum(bare_ms), 3),
            "added_p50_ms": _p50([times[n] for n in many]) if many else None,
            "few_hits_added_p50_ms": _p50([times[n] for n in few]) if few else None,
        }
    return figures


# --- dates


class _Given(fields.FieldType):  # type: ignore[misc]
    """A field whose postings are handed over as they are."""

    def __init__(self) -> None:
        super().__init__(Positions(), None, scorable=True)

    def index(self, postings: Any, **_options: object) -> Any:
        """The postings of a document."""
        return postings


def _dated_index(engine: WhooshEngine, folder: Path) -> Any:
    """Whoosh's own index of the same articles, with a DATETIME and the words that are asked.

    The postings are the engine's: the same documents, weights and positions. Words that
    nobody asks for are left out, which no search notices.
    """
    folder.mkdir()
    schema = fields.Schema(words=_Given(), published=fields.DATETIME())
    made = FileIndex.create(FileStorage(str(folder)), schema)
    writer = made.writer(limitmb=bare.LIMIT_MB)
    with engine._snapshots.lend() as snapshot:
        for segment in snapshot.segments:
            held: dict[int, list[Any]] = defaultdict(list)
            for token in sorted({text.terms(word)[0] for word in WORDS}):
                for numbers, weights, values in segment.blocks("words", token):
                    for number, weight, value in zip(numbers, weights, values, strict=True):
                        held[number].append((token.encode(), len(value) // 4, weight, value))
            for number, at in enumerate(segment.columns.published):
                dated = {} if at == UNDATED else {"published": _naive(at)}
                writer.add_document(words=held[number], **dated)
    writer.commit()
    return made


def _naive(microseconds: int) -> datetime:
    return datetime(1970, 1, 1) + timedelta(microseconds=microseconds)  # noqa: DTZ001 Whoosh's


def _dates(
    engine: WhooshEngine, work: Path, asked: Mapping[str, Request], rounds: int
) -> dict[str, Any]:
    """A word between two dates, against Whoosh's search for the word And its DateRange.

    Whoosh's `filter` argument is measured too; the quicker of its two ways counts.
    """
    figures: dict[str, Any] = {}
    with closing(_dated_index(engine, work / "dated").searcher()) as searcher:
        for name, period in (("days", FILTER), ("wide", WIDE)):
            chosen = filters.parse({}, since=period["from"], until=period["to"])
            since, until = (
                at.astimezone(UTC).replace(tzinfo=None) if at else None
                for at in (chosen.since, chosen.until)
            )
            dates = DateRange("published", since, until, endexcl=True)
            ours: list[float] = []
            together: list[float] = []
            filtered: list[float] = []
            for word, request in asked.items():
                dated = replace(request, filters=chosen)
                term = Term("words", text.terms(word)[0])
                both = And([term, dates])
                expected = len(list(searcher.docs_for_query(both)))
                if engine.search(dated).total != expected:
                    raise Failed(f"{word} in {period}: Whoosh finds {expected}")
                times = _best(
                    rounds,
                    partial(_searching, engine, dated),
                    partial(_ms, partial(searcher.search, both, limit=LIMIT)),
                    partial(_ms, partial(searcher.search, term, filter=dates, limit=LIMIT)),
                )
                for found, took in zip((ours, together, filtered), times, strict=True):
                    found.append(took)
            alone = Request(query=None, filters=chosen, sort="newest", limit=LIMIT)
            mine, theirs = _best(
                rounds,
                partial(_searching, engine, alone),
                partial(_ms, partial(searcher.search, dates, limit=LIMIT)),
            )
            quicker = list(map(min, together, filtered))
            figures[name] = {
                "articles": engine.search(alone).total,
                "ratio": round(median(_ratios(quicker, ours)), 2),
                "ratio_min": round(min(_ratios(quicker, ours)), 2),
                "engine_p50_ms": _p50(ours),
                "and_date_range_p50_ms": _p50(together),
                "filter_date_range_p50_ms": _p50(filtered),
                "alone_ratio": round(theirs / mine, 2),
            }
    return figures


# --- repeated searches


def _repeated(engine: WhooshEngine, asked: Mapping[str, Request], rounds: int) -> dict[str, Any]:
    first, again = [], []
    for request in asked.values():
        engine.search(request)
        new, kept = _best(
            rounds, partial(_searching, engine, request), partial(_ms, engine.search, request)
        )
        first.append(new)
        again.append(kept)
    return {
        "ratio": round(median(_ratios(first, again)), 1),
        "ratio_min": round(min(_ratios(first, again)), 1),
        "first_p50_ms": _p50(first),
        "repeated_p50_ms": _p50(again),
    }


def _unchanged(data_dir: Path, work: Path, rounds: int) -> dict[str, Any]:
    """A client that has the newest answer: milliseconds over HTTP, searches in this process.

    The 200s are new to the engine the first time (`facet_limit` differs, nothing else does)
    and repeated the second time.
    """
    took: dict[str, list[float]] = {"200_new": [], "200_repeated": [], "304": []}
    with (
        serving(data_dir, work, workers=1) as server,
        closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)) as client,
    ):
        for number in range(rounds + 1):
            for word in WORDS:
                asked = {"q": word, "limit": LIMIT, "facet_limit": number + 1}
                url = f"/v1/search?{urlencode(asked)}"
                new, tag = _get(client, url, 200, {})
                repeated, _ = _get(client, url, 200, {})
                unchanged, _ = _get(client, url, 304, {"If-None-Match": tag})
                if number:
                    for times, ms in zip(took.values(), (new, repeated, unchanged), strict=True):
                        times.append(ms)
    return {
        **{f"http_{name}_p50_ms": _p50(times) for name, times in took.items()},
        **asyncio.run(_searches(data_dir)),
    }


def _get(
    client: http.client.HTTPConnection, url: str, expected: int, headers: dict[str, str]
) -> tuple[float, str]:
    started = time.perf_counter()
    client.request("GET", url, headers=headers)
    answer = client.getresponse()
    answer.read()
    took = (time.perf_counter() - started) * 1000
    if answer.status != expected:
        raise Failed(f"{url} was answered {answer.status}, not {expected}")
    return took, answer.headers["ETag"]


async def _searches(data_dir: Path) -> dict[str, int]:
    """How often the engine is asked for as many answers of either status."""
    app = _application(data_dir)
    counts = {"answers_of_each": len(WORDS)}
    async with LifespanManager(app), _client(app) as client:
        engine = app.state.executor.engine
        tags: dict[str, str] = {}
        for status in (200, 304):
            with patch.object(engine, "search", wraps=engine.search) as search:
                for word in WORDS:
                    headers = {"If-None-Match": tags[word]} if status == 304 else {}
                    answer = await client.get("/v1/search", params={"q": word}, headers=headers)
                    if answer.status_code != status:
                        raise Failed(f"{word} was answered {answer.status_code}, not {status}")
                    tags[word] = answer.headers["ETag"]
                counts[f"searches_of_{status}"] = search.call_count
    return counts


# --- hostile searches


def _application(data_dir: Path, **more: Any) -> FastAPI:
    return create_app(Settings(data_dir=data_dir, sync_interval_s=3600, extractor="none", **more))


def _client(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bench")


def _frequent(engine: WhooshEngine) -> list[str]:
    """The words of letters of the index, commonest first."""
    with engine._snapshots.lend() as snapshot:
        forms = {form for segment in snapshot.segments for form in segment.columns.forms}
    stems = {form: text.stem(form) for form in forms if form.isascii() and form.isalpha()}
    known = engine.frequencies(stems.values())
    return sorted(stems, key=lambda form: (-known[stems[form]], form))


def _attacks(frequent: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Searches that ask for as much work as they can, as bodies of a POST."""
    common = frequent[:500]
    letters = "abcdefghijklmnopqrstuvwxyz"
    nested = common[0]
    for depth, word in enumerate(common[1:20]):
        nested = f"({nested}) {'OR' if depth % 2 else 'AND'} ({word} OR {word[:2]}*)"
    everything = {
        "highlight": True,
        "limit": 100,
        "facets": list(_NAMES),
        "histogram": "day",
        "normalize": True,
        "tz": "Asia/Riyadh",
        "boost": "recent",
    }
    queries = {
        "prefixes": "a* b* c* d*",
        "any_prefix": " OR ".join(f"{letter}*" for letter in letters),
        "not_prefixes": " ".join(f"-{letter}*" for letter in letters),
        "pairs_of_letters": " OR ".join(f"{a}{b}*" for a in letters for b in letters),
        "everything": "*",
        "any_name": "place:* OR source:* OR section:* OR language:*",
        "typing_errors": "a~ b~",
        "typing_errors_300": " OR ".join(f"{word}~2" for word in common[:300]),
        "frequent_or": " OR ".join(common),
        "frequent_and": " ".join(common),
        "words_10000": " ".join(frequent[:9_999]),
        "words_10000_or": " OR ".join(frequent[:9_999]),
        "unknown_words_300": " ".join(f"{word}qx" for word in common[:300]),
        "phrases": " OR ".join(f'"{a} {b} {a}"~50' for a, b in pairwise(common[:60])),
        "nested": nested,
    }
    attacks: dict[str, dict[str, Any]] = {
        name: {"q": q, "highlight": True, "limit": 100} for name, q in queries.items()
    }
    attacks["everything_at_once"] = {"q": "*"} | everything
    attacks["frequent_or_at_once"] = {"q": " OR ".join(common)} | everything
    attacks["collapsed"] = {"q": "*", "collapse": "duplicates"}
    return attacks


def _hostile(data_dir: Path, frequent: Sequence[str]) -> dict[str, Any]:
    """The worst of each attack's two turns, the first of them on an index just opened.

    The whole request counts: reading the query, highlights, a suggestion, the answer. No
    request is quicker than its processor time, so what that says of a budget that is
    overrun holds on a busy machine as well.
    """
    attacks = _attacks(frequent)
    figures: dict[str, Any] = {}
    shares: dict[str, float] = {}
    worst_cpu = 0.0
    for budget in BUDGETS_S:
        took = asyncio.run(_attacked(data_dir, attacks, budget))
        figures[f"budget_{budget:g}_s"] = took
        for name, found in took.items():
            share = round(found["seconds"] / budget, 3)
            shares[name] = max(share, shares.get(name, 0.0))
            worst_cpu = max(worst_cpu, found["cpu_seconds"] / budget)
    worst = max(shares, key=lambda name: shares[name])
    return {
        "worst": worst,
        "worst_of_budget": shares[worst],
        "worst_cpu_of_budget": round(worst_cpu, 3),
        **figures,
    }


async def _attacked(
    data_dir: Path, attacks: Mapping[str, dict[str, Any]], budget: float
) -> dict[str, dict[str, Any]]:
    took: dict[str, dict[str, Any]] = {}
    for name, body in attacks.items():
        app = _application(data_dir, search_timeout_s=budget)
        gc.collect()
        gc.freeze()  # as `api.served` does
        async with LifespanManager(app), _client(app) as client:
            times, cpu_times = [], []
            for _ in range(2):
                started, cpu_started = time.perf_counter(), time.process_time()
                answer = await client.post("/v1/search", json=body, timeout=None)
                times.append(time.perf_counter() - started)
                cpu_times.append(time.process_time() - cpu_started)
        took[name] = {
            "seconds": round(max(times), 3),
            "cpu_seconds": round(max(cpu_times), 3),
            "status": answer.status_code,
            "complete": answer.json().get("complete"),
        }
    return took
