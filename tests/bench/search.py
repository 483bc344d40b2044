"""How fast searches are over HTTP, against the bare Whoosh call on the same index files.

One worker, one client, one kept-alive connection (`http.client`), one search after another.
Each round asks all queries over HTTP and then of Whoosh, so that what disturbs the machine
disturbs both. The two must agree on the number of hits.
"""

from __future__ import annotations

import http.client
import time
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import orjson
from whoosh.query import Term

from app import text
from tests.bench import bare, load
from tests.bench.processes import Failed, Neighbours, say, serving

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LIMIT = 20
_BY_FREQUENCY = (
    "the said company march year",
    "oil bank shares trade market prices dollar government agreement president",
    "wheat japan loss dividend talks crude inflation imports quota minister",
    "cocoa coffee gulf tariffs airline strike copper pipeline takeover sugar",
    "tanker drought refinery soybean embargo lawsuit zinc earthquake rubber textile",
    "venezuela ferry tungsten cathedral hurricane uranium orchard glacier",
)
WORDS = tuple(word for words in _BY_FREQUENCY for word in words.split())
"""From a word of nearly every article to words of a handful or none."""

PHRASES = (
    *("crude oil", "interest rates", "new york", "central bank", "prime minister"),
    *("money supply", "trade deficit", "stock split", "grain exports", "balance of payments"),
)
PAIRS = (
    *("oil prices", "bank japan", "wheat exports", "dollar yen", "company dividend"),
    *("cocoa quota", "gulf tanker", "said president", "sugar tender", "copper strike"),
)
FILTER = {"from": "1987-03-10", "to": "1987-03-20"}


@dataclass(frozen=True, slots=True)
class Kind:
    """Queries of one kind, as parameters of the search route."""

    name: str
    asked: tuple[dict[str, str], ...]


KINDS = (
    Kind("one_word", tuple({"q": word} for word in WORDS)),
    Kind("two_words", tuple({"q": pair} for pair in PAIRS)),
    Kind("phrase", tuple({"q": f'"{phrase}"'} for phrase in PHRASES)),
    Kind("one_word_dated", tuple({"q": word} | FILTER for word in WORDS)),
    Kind("one_word_newest", tuple({"q": word, "sort": "newest"} for word in WORDS)),
    Kind("all_newest", ({},) * 10),
)


def measure(data_dir: Path, work: Path, *, rounds: int) -> dict[str, Any]:
    """The figures of all kinds of queries, and of bare Whoosh for words.

    `bare` is asked on the server's own index, `bare_own_index` on the one that bare Whoosh
    made of the same articles, if it was measured in this run.
    """
    neighbours = Neighbours()
    say(f"searching, {rounds} rounds")
    http_ms: dict[str, list[float]] = {kind.name: [] for kind in KINDS}
    folders = {"bare": index_folder(data_dir), "bare_own_index": load.bare_folder(work)}
    searchers = {
        name: bare.open_index(folder).searcher()
        for name, folder in folders.items()
        if folder.exists()
    }
    bare_ms: dict[str, list[float]] = {name: [] for name in searchers}
    terms = [Term("words", text.terms(word)[0]) for word in WORDS]
    with (
        serving(data_dir, work, workers=1) as server,
        closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)) as client,
    ):
        _agree(client, searchers["bare"])
        for number in range(rounds + 1):
            client.close()  # the server gives up a connection that is idle for five seconds
            _ask(client, KINDS[0].asked[0])
            took = {
                kind.name: [_ms(partial(_ask, client, asked)) for asked in kind.asked]
                for kind in KINDS
            }
            took_bare = {
                name: [_ms(partial(searcher.search, term, limit=LIMIT)) for term in terms]
                for name, searcher in searchers.items()
            }
            if number:  # the first one warms up
                for name, times in took.items():
                    http_ms[name] += times
                for name, times in took_bare.items():
                    bare_ms[name] += times
        memory_mb = server.memory_mb()
    for searcher in searchers.values():
        searcher.close()
    return {
        "client": "http.client, one kept-alive connection",
        "limit": LIMIT,
        "rounds": rounds,
        "words": len(WORDS),
        "http": {name: _spread(times) for name, times in http_ms.items()},
        **{name: {"one_word": _spread(times)} for name, times in bare_ms.items()},
        **memory_mb,
        "neighbours_cores": round(neighbours.cores(), 2),
    }


def index_folder(data_dir: Path) -> Path:
    """The folder of the index that the engine uses."""
    folder = data_dir / "index"
    name: str = orjson.loads((folder / "whoosh.json").read_bytes())["directory"]
    return folder / name


def _agree(client: http.client.HTTPConnection, searcher: Any) -> None:
    for word in WORDS:
        total = orjson.loads(_ask(client, {"q": word}))["total"]
        expected = searcher.doc_frequency("words", text.terms(word)[0])
        if total != expected:
            raise Failed(f"{total} hits for {word}, Whoosh finds {expected}")


def _ask(client: http.client.HTTPConnection, asked: dict[str, str]) -> bytes:
    client.request("GET", f"/v1/search?{urlencode({**asked, 'limit': LIMIT})}")
    answer = client.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise Failed(f"{asked} was answered {answer.status}: {body.decode()}")
    return body


def _ms(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1000


def _spread(times: list[float]) -> dict[str, float | int]:
    return {
        "searches": len(times),
        "p50_ms": round(median(times), 3),
        "p95_ms": round(quantiles(times, n=20, method="inclusive")[-1], 3),
        "max_ms": round(max(times), 3),
    }
