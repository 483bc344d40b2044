"""What clients ask of a news archive, mixed as they ask it: mostly searches, few writes.

Words come from the headlines of the archive itself, so the mix fits whatever it holds. Common
questions are asked again and again and rare ones once, as Zipf's law has it. The same archive
and seed give the same questions.
"""

from __future__ import annotations

import http.client
import random
from itertools import accumulate, count
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import orjson

from tests.load.client import Question

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SHARES = {
    "search": 28,
    "search_filtered": 12,
    "search_facets": 8,
    "search_histogram": 4,
    "search_highlight": 12,
    "article": 16,
    "list": 10,
    "suggest": 4,
    "changes": 3,
    "write": 3,
}
"""Of a hundred questions."""

_HEADLINES = 1000
_QUESTIONS = 5000  # different texts of searches
_SEED = 100


class Archive:
    """What the questions are made of: headlines, ids, places and the last change."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.headlines: list[str] = []
        self.ids: list[str] = []
        path: str | None = "/v1/articles?limit=100"
        while path and len(self.headlines) < _HEADLINES:
            found = self._get(path)
            self.headlines += [each["headline"] for each in found["items"]]
            self.ids += [each["id"] for each in found["items"]]
            path = found["next"] and f"/v1/articles?limit=100&cursor={found['next']}"
        facet = self._get("/v1/search?facets=place&limit=1")["facets"]["place"]
        self.places = [each["value"] for each in facet] or ["nowhere"]
        status = self._get("/v1/status")
        self.change, self.articles = status["change"], status["articles"]
        self._connection.close()

    def _get(self, path: str) -> Any:
        self._connection.request("GET", path)
        return orjson.loads(self._connection.getresponse().read())


def questions(archive: Archive) -> Iterator[Question]:
    """Questions without end."""
    chance = random.Random(_SEED)
    texts = [_text(chance, archive.headlines) for _ in range(_QUESTIONS)]
    common = list(accumulate(1 / (rank + 1) for rank in range(_QUESTIONS)))
    kinds = list(SHARES)
    shares = list(accumulate(SHARES.values()))
    numbers = count()

    def search(**more: object) -> str:
        (q,) = chance.choices(texts, cum_weights=common)
        return "/v1/search?" + urlencode({"q": q, **more})

    def filtered() -> str:
        if chance.random() < 0.5:
            return search(place=chance.choice(archive.places))
        day = chance.randint(1, 20)
        return search(**{"from": f"1987-03-{day:02}", "to": f"1987-04-{day:02}"}, sort="newest")

    make: dict[str, Callable[[], str]] = {
        "search": search,
        "search_filtered": filtered,
        "search_facets": lambda: search(facets="place,source,section"),
        "search_histogram": lambda: search(histogram="day"),
        "search_highlight": lambda: search(highlight="true"),
        "article": lambda: f"/v1/articles/{chance.choice(archive.ids)}",
        "list": lambda: f"/v1/articles?limit={chance.choice((10, 20, 50))}",
        "suggest": lambda: "/v1/search/suggest?" + urlencode({"q": chance.choice(texts)[:4]}),
        "changes": lambda: f"/v1/changes?since={max(archive.change - chance.randint(1, 3), 0)}",
    }
    while True:
        (kind,) = chance.choices(kinds, cum_weights=shares)
        if kind == "write":
            yield _write(next(numbers), chance.choice(archive.headlines), chance.choice(texts))
        else:
            yield Question(kind, make[kind]())


def _text(chance: random.Random, headlines: list[str]) -> str:
    """One to three plain words of a headline."""
    words = [word for word in chance.choice(headlines).split() if word.isalpha()] or ["the"]
    start = chance.randrange(len(words))
    return " ".join(words[start : start + chance.randint(1, 3)]).lower()


def _write(number: int, headline: str, text: str) -> Question:
    story = {
        "headline": f"{headline} ({number})",
        "body": f"Report {number} on {text}.\n\n" + f"What is known of {text} is this. " * 40,
        "published_at": f"1987-05-{1 + number % 28:02}T12:00:00Z",
    }
    return Question("write", "/v1/articles", "POST", orjson.dumps(story))
