"""What a request body holds: articles in any format that the loader reads, by Content-Type.

application/json                articles: one, an array, or a list in an object
text/plain                      the text of a news page; what is found to be JSON or CSV is read so
text/csv, /tab-separated-values a row of names, then one article a row
application/x-ndjson, /jsonl    one article a line

The `charset` of the type says how the body is encoded.

A body is read, stored and reported in batches while it comes, so that memory does not depend on
its length: a small one is one transaction, of a long one each batch is. Reading is done in the
pool, never on the event loop.
"""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import orjson
from fastapi import Request, Response
from starlette.exceptions import HTTPException
from starlette.responses import StreamingResponse

from app import ingest
from app.api import components, problems
from app.api.deps import Executor
from app.api.middleware.limits import visit_of
from app.articles import save
from app.articles.save import Saved
from app.errors import ParameterError
from app.ingest import page_text
from app.ingest.draft import Draft, Reject
from app.ingest.options import Options, known_encoding
from app.store.keys import Key

PATH = "http"
"""The name under which uploads stand in an article's `sources`."""

_FORMATS = {
    "application/json": "json",  # first, so that Swagger UI offers an example that is stored
    "text/plain": None,
    "text/csv": "csv",
    "text/tab-separated-values": "csv",
    "application/x-ndjson": "json_lines",
    "application/jsonl": "json_lines",
}
_CHARSET = re.compile(r";\s*charset\s*=\s*\"?([^\s\";]+)", re.IGNORECASE)

_EXAMPLE = {"headline": "Rain fills reservoirs", "body": "It rained for a week.\n\nAll are full."}

_DRAFT = components.ref("Draft")
_NOT_EMPTY = {"type": "string", "minLength": 1}


def _documented(schema: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = {name: {"schema": _NOT_EMPTY} for name in _FORMATS}
    content["application/json"] = {"schema": schema, "example": _EXAMPLE}
    return {"requestBody": {"required": True, "content": content}}


ONE = _documented(_DRAFT)
"""What OpenAPI says of a body that holds one article."""
MANY = _documented({"anyOf": [_DRAFT, {"type": "array", "items": _DRAFT}]})
"""What OpenAPI says of a body that holds any number of articles."""


@dataclass(frozen=True, slots=True)
class Upload:
    """What a batch of a body held, in its order."""

    found: list[Draft | Reject]

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
            ]
        )

    def items(self, saved: Sequence[Saved]) -> Iterator[dict[str, Any]]:
        """What became of each; `saved` is in the drafts' order."""
        outcomes = iter(saved)
        for each in self.found:
            item: dict[str, Any] = {"outcome": "rejected", "id": None, "reason": None}
            if isinstance(each, Reject):
                item |= {"line": each.line, "reason": each.reason}
            else:
                result = next(outcomes)
                item |= {"outcome": result.outcome, "reason": result.reason, "line": None}
                item["id"] = None if result.outcome == "rejected" else result.id
                if each.origin.reader != page_text.NAME:
                    item["line"] = each.origin.position
            yield item


BATCH = 1_000
"""Articles that are stored at once."""
BATCH_BYTES = 2**20
"""Of a body that are stored at once, but for one article."""
BLOCK_BYTES = 128 * 1024
"""Of a body that are read at once."""
NAMED = 1_000
"""Rejected ones that an answer names; more are only counted."""
_REASONS = 3  # of those rejected that a problem's detail tells
_KINDS = ("saved", "revised", "unchanged", "stale", "withheld", "removed", "rejected")
_IN_MEMORY_BYTES = 1 << 20
_PIECE_BYTES = 256 * 1024


async def store(request: Request, executor: Executor, key: Key) -> Response:
    """Store what the body of a request holds; the answer says what became of each article."""
    report = UploadReport(executor, request.url.path)
    load = save.Load("http")
    publisher = executor.settings.source
    try:
        async for found in _batches(request, executor, ids="warned"):
            upload = Upload(found).by(key)
            saved: Sequence[Saved] = ()
            if drafts := upload.drafts:
                saved = await executor.write(
                    key, save.save, drafts, publisher=publisher, load=load, by=key
                )
            await executor.run(report.add, upload, saved)
        return await executor.run(report.response)
    except BaseException:
        report.close()
        raise


async def one(request: Request, executor: Executor, key: Key) -> Draft:
    """The only article of a body; raises ParameterError for none, several or a bad one."""
    found: list[Draft | Reject] = []
    async for more in _batches(request, executor, ids="ignored"):  # its path says whose it is
        found += more
        if len(found) > 1:
            break
    first = Upload(found).by(key).found[0] if len(found) == 1 else None
    if isinstance(first, Draft):
        return first
    reason = first.reason if first else f"holds {len(found)} articles, not one"
    raise ParameterError("article", reason, where="body")


async def _batches(
    request: Request, executor: Executor, *, ids: Literal["warned", "ignored"]
) -> AsyncIterator[list[Draft | Reject]]:
    """What is in a body, as it comes; raises HTTPException 415 without a reader."""
    reading = reader_of(request.headers.get("content-type", ""), ids=ids)
    visit = visit_of(request)
    found: list[Draft | Reject] = []
    block, taken_bytes = bytearray(), 0
    async for chunk in request.stream():
        block += chunk
        if len(block) < BLOCK_BYTES:
            continue
        found += await executor.run(reading.feed, bytes(block))
        taken_bytes += len(block)
        block.clear()
        if not found or len(found) >= BATCH or taken_bytes >= BATCH_BYTES:
            if found:
                yield found
            found, taken_bytes = [], 0
            visit.hold(reading.held_bytes)
    found += await executor.run(reading.feed, bytes(block))
    found += await executor.run(reading.end)
    if found:
        yield found


class UploadReport:
    """What became of an upload's articles, in a file when they are many."""

    def __init__(self, executor: Executor, path: str) -> None:
        self._executor = executor
        self._path = path
        folder = str(executor.settings.data_dir)
        self._file = tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES, "w+b", dir=folder)  # noqa: SIM115
        self._counts: Counter[str] = Counter()
        self._reasons: dict[str, None] = {}
        self._file.write(b'{"items":[')
        self._separator = b""

    def add(self, upload: Upload, saved: Sequence[Saved]) -> None:
        """Take in what became of a batch."""
        for item in upload.items(saved):
            self._counts[item["outcome"]] += 1
            if item["reason"] is not None and len(self._reasons) < _REASONS:
                self._reasons[item["reason"]] = None
            if item["outcome"] == "rejected" and self._counts["rejected"] > NAMED:
                continue
            self._file.write(self._separator + orjson.dumps(item))
            self._separator = b","

    def response(self) -> Response:
        """The answer: all was taken, or some was rejected, or all of it was."""
        counts = {kind: self._counts[kind] for kind in _KINDS}
        status, media_type, more = 200, "application/json", {}
        if rejected := counts["rejected"]:
            status = 207
            if rejected == sum(counts.values()):
                status, media_type = 422, problems.MEDIA_TYPE
                more = problems.members(422, "all-rejected", "; ".join(self._reasons), self._path)
        self._file.write(b"]," + orjson.dumps(counts | more)[1:])
        length = self._file.tell()
        self._file.seek(0)
        if length <= _IN_MEMORY_BYTES:
            with self._file:
                return Response(self._file.read(), status, media_type=media_type)
        headers = {"Content-Length": str(length)}
        return StreamingResponse(self._pieces(), status, headers=headers, media_type=media_type)

    async def _pieces(self) -> AsyncIterator[bytes]:
        try:
            while piece := await self._executor.run(self._file.read, _PIECE_BYTES):
                yield piece
        finally:
            self.close()

    def close(self) -> None:
        """Remove what was written."""
        self._file.close()


def reader_of(content_type: str, *, ids: Literal["warned", "ignored"] = "warned") -> ingest.Reader:
    """The reader of a content type; raises HTTPException 415 where there is none."""
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type not in _FORMATS:
        known = ", ".join(_FORMATS)
        raise HTTPException(
            415, f"no reader knows {media_type or 'a missing Content-Type'}; known: {known}"
        )
    charset = _CHARSET.search(content_type)
    try:
        encoding = known_encoding(charset[1]) if charset else None
    except ValueError as error:
        raise HTTPException(415, str(error)) from error
    options = Options(format=_FORMATS[media_type], encoding=encoding, ids=ids)
    return ingest.Unread(PATH, options)
