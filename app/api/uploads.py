"""What a request body holds: articles in any format that the loader reads, by Content-Type.

text/plain                      the text of a news page
application/json                one article, or an array of them
application/x-ndjson, /jsonl    one article a line
"""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import orjson
from starlette.exceptions import HTTPException

from app import ingest
from app.errors import ParameterError
from app.ingest.draft import Draft, Reject

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.articles import Saved
    from app.keys import Key

PATH = "http"
"""The name under which uploads stand in an article's `sources`."""

_FORMATS = {
    "text/plain": "page_text",
    "application/json": "json_lines",
    "application/x-ndjson": "json_lines",
    "application/jsonl": "json_lines",
}

_EXAMPLE = {"headline": "Rain fills reservoirs", "body": "It rained for a week.\n\nAll are full."}

_NEEDED: dict[str, Any] = {"type": "string", "minLength": 1, "pattern": r"\S"}
_TEXT: dict[str, Any] = {"type": ["string", "null"]}
_TEXTS: dict[str, Any] = {"type": ["array", "null"], "items": {"type": "string"}}
_NOT_EMPTY = {"type": "string", "minLength": 1}

ARTICLE: dict[str, Any] = {
    "type": "object",
    "required": ["headline", "body"],
    "properties": {
        "headline": _NEEDED,
        "body": _NEEDED,
        **dict.fromkeys(("summary", "places", "warnings"), _TEXTS),
        **dict.fromkeys(("caption", "credit", "byline", "dateline", "source", "section"), _TEXT),
        "published_at": {**_TEXT, "examples": ["2020-05-09", "2020-05-09T12:00:00Z"]},
        "published_precision": {"enum": ["day", "minute", "second", None]},
        "url": {**_TEXT, "examples": ["https://example.org/rain"]},
        "language": {**_TEXT, "examples": ["en"]},
    },
}
"""An article as JSON; other members are ignored or left out with a warning."""


def _documented(schema: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = {name: {"schema": _NOT_EMPTY} for name in _FORMATS}
    content["application/json"] = {"schema": schema, "example": _EXAMPLE}
    return {"requestBody": {"required": True, "content": content}}


ONE = _documented(ARTICLE)
"""What OpenAPI says of a body that holds one article."""
MANY = _documented({"anyOf": [ARTICLE, {"type": "array", "items": ARTICLE}]})
"""What OpenAPI says of a body that holds any number of articles."""


@dataclass(frozen=True, slots=True)
class Upload:
    """What a body held, in its order."""

    found: list[Draft | Reject]
    limit: str | None = None
    """Why the store rejects an article, where the key may not write all."""

    @property
    def drafts(self) -> list[Draft]:
        """The articles among it."""
        return [each for each in self.found if isinstance(each, Draft)]

    def by(self, key: Key) -> Upload:
        """The same, sent with `key`: what names no source has that of the key, if it has one."""
        if key.source is None:
            return self
        return Upload(
            [
                replace(each, source=each.source or key.source) if isinstance(each, Draft) else each
                for each in self.found
            ],
            key.limit,
        )

    def report(self, saved: Sequence[Saved]) -> dict[str, Any]:
        """The answer: what became of each, and the counts; `saved` is in the drafts' order."""
        outcomes = iter(saved)
        items: list[dict[str, Any]] = []
        for each in self.found:
            item: dict[str, Any] = {"outcome": "rejected", "id": None, "reason": None}
            if isinstance(each, Reject):
                item |= {"line": each.line, "reason": each.reason}
            else:
                result = next(outcomes)
                item["line"] = None
                if result.outcome == "rejected":
                    item["reason"] = f"source: {self.limit}"
                else:
                    item |= {"outcome": result.outcome, "id": result.id}
                if each.origin.reader == "json_lines":
                    item["line"] = each.origin.position
            items.append(item)
        counts = Counter(item["outcome"] for item in items)
        kinds = ("saved", "revised", "unchanged", "stale", "rejected")
        return {"items": items, **{kind: counts[kind] for kind in kinds}}


def read(body: bytes, content_type: str) -> Upload:
    """What `body` holds; raises HTTPException 415 for a content type without a reader."""
    media_type = content_type.partition(";")[0].strip().lower()
    reader = _FORMATS.get(media_type)
    if reader is None:
        known = ", ".join(_FORMATS)
        raise HTTPException(
            415, f"no reader knows {media_type or 'a missing Content-Type'}; known: {known}"
        )
    if media_type == "application/json":
        body = _as_lines(body)
    stream = io.BufferedReader(io.BytesIO(body))
    return Upload(list(ingest.read(stream, PATH, format=reader)))  # type: ignore[arg-type]


def one(upload: Upload) -> Draft:
    """The only article of an upload; raises ParameterError for none, several or a bad one."""
    first = upload.found[0] if len(upload.found) == 1 else None
    if isinstance(first, Draft):
        return first
    reason = first.reason if first else f"holds {len(upload.found)} articles, not one"
    raise ParameterError("article", reason, where="body")


def _as_lines(body: bytes) -> bytes:
    try:
        content = orjson.loads(body)
        return b"\n".join(map(orjson.dumps, content if isinstance(content, list) else [content]))
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):  # it writes less depth than it reads
        return b" ".join(body.split(b"\n"))  # the reader of lines says what is wrong with it
