r"""Records to drafts: JSON Lines, JSON and CSV, read in pieces of any size.

`json_lines`    an article a line; also Elasticsearch's bulk file, whose actions are skipped
`json`          an array of articles, an object that holds such a list (`{"articles": […]}`, also
                deeper), one article or several in a row, a table by columns
`csv`           a row of names, then an article a row; delimiter, quotes and escapes are detected

A reader buffers one record, and those with ambiguous dates until others of their column show the
order of day and month. A record that cannot be read does not affect the others.

    >>> from app.ingest.options import Options
    >>> reader = Csv("a.csv", Options())
    >>> [draft] = reader.feed(b"Title;Text\nOil up;It rose;twice\n") + reader.end()
    >>> draft.headline, draft.body, draft.warnings
    ('Oil up', 'It rose', ('record: 1 cell more than there are names, left out',))
"""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import orjson

from app.ingest import dialects, exported
from app.ingest.decoding import Transcoder
from app.ingest.dialects import Dialect
from app.ingest.draft import Draft, Reject
from app.ingest.field_names import KNOWN, TEXTS, folded
from app.ingest.json_values import Cut, Values
from app.ingest.mapping import Mapping
from app.ingest.options import Options

VERSION = 5
"""Raise with every change of what a record yields."""

LIMIT_BYTES = 8 * 2**20
"""The longest record, and most that is buffered of records with ambiguous dates."""

_SAMPLE = 64 * 1024  # characters from which the dialect of a CSV file is detected
_REREAD = 100  # rows that open a quotation mark and do not close it, after which reading goes on
_ACTIONS = frozenset({"index", "create", "update", "delete"})
_DOCUMENT = frozenset({"doc", "doc_as_upsert", "_index", "_id"})
_ENVELOPES = ("article", "item", "post", "story", "document", "content", "data", "response")
_MOST_NAMES = 30
_TYPES: dict[type, str] = {
    dict: "an object",
    list: "a list",
    str: "text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    type(None): "null",
}


def allow_long_cells() -> None:
    """Raise the csv module's limit of a cell from 128 KiB to a record's, for this process."""
    csv.field_size_limit(max(csv.field_size_limit(), LIMIT_BYTES))


class _Records:
    """The base of the readers of records: decoding, and mapping to drafts."""

    NAME = ""

    def __init__(self, path: str, options: Options) -> None:
        self._path = path
        self._options = options
        self._mapping = Mapping(path, options, reader=self.NAME, version=VERSION)
        self._transcoder = Transcoder(options.encoding)
        self._entered = {column.partition(".")[0] for column in options.columns.values()}
        self._number = 0
        self._waiting: list[tuple[dict[str, Any], bytes, int, str | None]] = []
        self._waiting_bytes = 0
        self._waits = True

    @property
    def held_bytes(self) -> int:
        """The size of the input that is buffered until more has come."""
        return self._transcoder.held_bytes + self._waiting_bytes

    def feed(self, data: bytes) -> list[Draft | Reject]:
        """The articles and rejects that are complete with the next piece."""
        return list(self._split(self._transcoder.feed(data)))

    def end(self) -> list[Draft | Reject]:
        """The articles and rejects that are complete at the end of the input."""
        found = list(self._split(self._transcoder.feed(b"", final=True)))
        found += self._last()
        return [*found, *self._released()]

    def _split(self, data: bytes) -> Iterator[Draft | Reject]:
        raise NotImplementedError

    def _last(self) -> Iterable[Draft | Reject]:
        raise NotImplementedError

    def _loaded(self, raw: bytes, position: int) -> Any:
        """The JSON value of `raw`, or a Reject."""
        try:
            return orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            reason = error.msg
        try:  # Python's own reader takes NaN, half a character, and line ends within a text
            return json.loads(raw.decode("utf-8", "replace"), strict=False)
        except (ValueError, RecursionError):
            return Reject(self._path, position, f"not JSON: {reason}")

    def _taken(self, value: Any, raw: bytes, position: int) -> Iterator[Draft | Reject]:
        """What a JSON value makes."""
        if isinstance(value, Reject):
            yield from self._in_order(value)
        elif not isinstance(value, dict):
            reason = f"not an object but {_TYPES[type(value)]}"
            yield from self._in_order(Reject(self._path, position, reason))
        elif self._options.ids == "taken" and exported.is_exported(value):
            yield from self._in_order(
                exported.of_record(value, self._mapping.origin(raw, position))
            )
        elif (record := _inner(value, self._entered)) is not None:
            yield from self._record(record, raw, position)

    def _record(
        self, record: dict[str, Any], raw: bytes, position: int, doubt: str | None = None
    ) -> Iterator[Draft | Reject]:
        """The result of a record; one with an ambiguous date waits, and so do those after it."""
        is_open = self._waits and self._mapping.is_open(record)
        if not self._waiting and not is_open:
            yield self._made(record, raw, position, doubt)
            return
        self._waiting.append((record, raw, position, doubt))
        self._waiting_bytes += len(raw)
        if self._waiting_bytes > LIMIT_BYTES:
            self._waits = False
        if not self._waits or not (is_open or self._mapping.is_open(self._waiting[0][0])):
            yield from self._released()

    def _made(
        self, record: dict[str, Any], raw: bytes, position: int, doubt: str | None
    ) -> Draft | Reject:
        made = self._mapping.draft(record, raw, position)
        if doubt and isinstance(made, Draft):
            return replace(made, warnings=(*made.warnings, doubt))
        return made

    def _released(self) -> Iterator[Draft | Reject]:
        waiting, self._waiting, self._waiting_bytes = self._waiting, [], 0
        for each in waiting:
            yield self._made(*each)

    def _in_order(self, found: Draft | Reject) -> Iterator[Draft | Reject]:
        yield from self._released()
        yield found

    def _too_long(self, position: int) -> Iterator[Draft | Reject]:
        what = f"longer than {LIMIT_BYTES // 2**20} MiB, the limit of a record"
        yield from self._in_order(Reject(self._path, position, what))


def _inner(value: dict[str, Any], entered: set[str]) -> dict[str, Any] | None:
    """The article without a search engine's wrapper; None for an action of its bulk file.

    What the caller has `entered` by the path of a column is left as it is.
    """
    if len(value) == 1:
        ((name, inner),) = value.items()
        if name in _ACTIONS and isinstance(inner, dict):
            return None
    source, doc, fields = value.get("_source"), value.get("doc"), value.get("fields")
    if isinstance(source, dict) and "_source" not in entered:
        return source
    if isinstance(doc, dict) and "doc" not in entered and value.keys() <= _DOCUMENT:
        return doc
    if isinstance(fields, dict) and "fields" not in entered and "_index" in value:
        return fields
    return value


class JsonLines(_Records):
    """JSON Lines: an article a line, whose number from 1 is its position."""

    NAME = "json_lines"

    def __init__(self, path: str, options: Options) -> None:
        super().__init__(path, options)
        self._cut = Cut(LIMIT_BYTES + 1)  # a CR belongs to no line

    @property
    def held_bytes(self) -> int:
        """The size of what is buffered of an incomplete line, and of lines that wait."""
        return len(self._cut) + super().held_bytes

    def _split(self, data: bytes) -> Iterator[Draft | Reject]:
        *ended, rest = data.split(b"\n")
        if ended and self._cut:
            self._cut.add(ended[0])
            yield from self._line(self._cut.take())
            del ended[0]
        for line in ended:
            yield from self._line(line)
        self._cut.add(rest)

    def _last(self) -> Iterable[Draft | Reject]:
        return self._line(self._cut.take()) if self._cut else ()

    def _line(self, line: bytes | None) -> Iterator[Draft | Reject]:
        self._number += 1
        if line is None or len(line := line.rstrip(b"\r")) > LIMIT_BYTES:
            yield from self._too_long(self._number)
        elif line and not line.isspace():
            yield from self._taken(self._loaded(line, self._number), line, self._number)


class Json(_Records):
    """JSON: the elements of a list of articles, or whole values, counted from 1."""

    NAME = "json"

    def __init__(self, path: str, options: Options) -> None:
        super().__init__(path, options)
        self._values = Values(self._is_text, limit_bytes=LIMIT_BYTES)
        self._header: list[str] | None = None
        self._is_empty = True

    @property
    def held_bytes(self) -> int:
        """The size of what is buffered of an incomplete value, and of articles that wait."""
        return self._values.held_bytes + super().held_bytes

    @staticmethod
    def _is_text(name: str) -> bool:
        return folded(name) in TEXTS

    def _split(self, data: bytes) -> Iterator[Draft | Reject]:
        self._is_empty = self._is_empty and not data.strip()
        for raw in self._values.feed(data):
            yield from self._element(raw)

    def _last(self) -> Iterator[Draft | Reject]:
        for raw in self._values.end():
            yield from self._element(raw)
        if self._is_empty:
            yield Reject(self._path, 1, "not JSON: it is empty")
        elif self._values.is_unended:
            what = "not JSON: the array does not end"
            yield from self._in_order(Reject(self._path, self._number + 1, what))

    def _element(self, raw: bytes | None) -> Iterator[Draft | Reject]:
        if raw is None:
            self._number += 1
            yield from self._too_long(self._number)
            return
        for value in self._articles(self._loaded(raw, self._number + 1)):
            self._number += 1
            yield from self._taken(value, _canonical(value, raw), self._number)

    def _articles(self, value: Any) -> Iterator[Any]:
        """The articles of a value: it is one, or a table of them."""
        if isinstance(value, list) and (row := self._row(value)) is not None:
            yield from row
        elif isinstance(value, dict) and (table := self._table(value)) is not None:
            yield from table
        else:
            yield value

    def _row(self, row: list[Any]) -> list[dict[str, Any]] | None:
        """The article of a row of a table, or none of its row of names."""
        if self._header is None:
            if not all(isinstance(each, str) for each in row) or not self._mapping.knows_text(row):
                return None
            self._header = row
            return []
        return [dict(zip(self._header, row, strict=False))]

    def _table(self, value: dict[str, Any]) -> list[Any] | None:
        """The rows of a table that an object holds by columns, by rows or by keys."""
        columns, rows = value.get("columns"), value.get("data")
        if isinstance(columns, list) and isinstance(rows, list):
            names = [str(each) for each in columns]
            return [dict(zip(names, row, strict=False)) for row in rows if isinstance(row, list)]
        if self._mapping.knows_text(value):
            return self._columns(value) or self._wrapped(value)
        members = list(value.values())
        are_articles = bool(members) and all(map(self._is_article, members))
        if are_articles and len(members) > 1:
            return members
        inner = next(
            (value[each] for each in _ENVELOPES if self._is_article(value.get(each))), None
        )
        if inner is not None:
            return self._table(inner) or [inner]
        return members if are_articles else None

    @staticmethod
    def _columns(value: dict[str, Any]) -> list[Any] | None:
        """The rows of an object whose members are columns: objects by row, or lists."""
        members = list(value.values())
        if all(isinstance(each, dict) and each for each in members) and _is_column(members[0]):
            keys = dict.fromkeys(key for each in members for key in each)
            return [{name: column.get(key) for name, column in value.items()} for key in keys]
        if all(isinstance(each, list) for each in members) and len(members) > 1:
            length = len(members[0])
            if length > 1 and all(len(each) == length for each in members):
                return [dict(zip(value, row, strict=True)) for row in zip(*members, strict=True)]
        return None

    def _wrapped(self, value: dict[str, Any]) -> list[Any] | None:
        """The article in an object whose other members say nothing of an article."""
        inner, content = value.get("article"), value.get("content")
        if len(value) < 4 and self._is_article(inner):
            return [inner]
        others = map(folded, value.keys() - {"content"})
        return [content] if self._is_article(content) and KNOWN.isdisjoint(others) else None

    def _is_article(self, value: Any) -> bool:
        return isinstance(value, dict) and self._mapping.knows_text(value)


def _is_column(column: dict[str, Any]) -> bool:
    return all(key.isdigit() for key in column)


def _canonical(value: Any, raw: bytes) -> bytes:
    """`value` as canonical JSON, so that its formatting makes no other input of it."""
    try:
        return orjson.dumps(value)
    except (TypeError, orjson.JSONEncodeError):  # deeper, or a larger number, than it writes
        return raw


class Csv(_Records):
    """CSV: a row of names, then an article a row; its first line is the article's position."""

    NAME = "csv"

    def __init__(self, path: str, options: Options) -> None:
        super().__init__(path, options)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._dialect: Dialect | None = None
        self._names: list[str] | None = None
        self._is_refused = False
        self._rest = ""  # a line whose end has not come, or all of the sample
        self._lines: list[str] = []  # of a row with a quotation mark that is open
        self._size = 0
        self._begun = 0  # the line where that row begins
        self._reread = 0
        self._is_too_long = False  # the line whose end has not come
        self._seen: list[str] = []

    @property
    def held_bytes(self) -> int:
        """The size of what is buffered of an incomplete row, and of rows that wait."""
        return len(self._rest) + self._size + super().held_bytes

    def _split(self, data: bytes) -> Iterator[Draft | Reject]:
        if self._is_refused:
            return
        self._rest += self._decoder.decode(data)
        if self._dialect is None and len(self._rest) < _SAMPLE:
            return
        yield from self._cut(self._dialect or self._found_dialect())

    def _last(self) -> Iterator[Draft | Reject]:
        if self._is_refused:
            return
        self._rest += self._decoder.decode(b"", final=True)
        dialect = self._dialect or self._found_dialect()
        if self._rest or self._is_too_long:
            self._rest += dialect.line_end
        yield from self._cut(dialect)
        while self._lines:
            yield from self._unquoted(dialect, "a quotation mark opens that does not close")
        if self._names is None and not self._is_refused:
            yield self._refusal()

    def _found_dialect(self) -> Dialect:
        self._dialect = found = dialects.found(self._rest, self._path, self._mapping.knows_text)
        if found.note:
            self._number += 1
            self._rest = self._rest.partition(found.line_end)[2]
        return found

    def _cut(self, dialect: Dialect) -> Iterator[Draft | Reject]:
        """The complete rows."""
        *ended, self._rest = self._rest.split(dialect.line_end)
        if ended and self._is_too_long:
            self._is_too_long = False
            self._number += 1
            yield from self._too_long(self._number)
            del ended[0]
        if len(self._rest) > LIMIT_BYTES:
            self._rest, self._is_too_long = "", True
        for line in ended:
            yield from self._line(dialect, line)

    def _line(self, dialect: Dialect, line: str) -> Iterator[Draft | Reject]:
        self._number += 1
        if not self._lines:
            if not line or line.isspace():
                return
            self._begun = self._number
        is_open = dialect.is_open(line, bool(self._lines))
        self._lines.append(line)
        self._size += len(line) + 1
        if self._size > LIMIT_BYTES:
            what = f"longer than {LIMIT_BYTES // 2**20} MiB, the limit of a record"
            yield from self._unquoted(
                dialect, what if len(self._lines) == 1 else f"{what}: a quote is open"
            )
        elif not is_open:
            row = "\n".join(self._lines)
            self._lines, self._size = [], 0
            yield from self._row(dialect, row, self._begun)

    def _unquoted(self, dialect: Dialect, reason: str) -> Iterator[Draft | Reject]:
        """Reject the line that begins a row without an end, and read the lines after it again."""
        after, begun = self._lines[1:], self._begun
        self._lines, self._size = [], 0
        yield from self._in_order(Reject(self._path, begun, reason))
        self._reread += 1
        if self._reread > _REREAD:
            return
        self._number = begun
        for line in after:
            yield from self._line(dialect, line)

    def _row(self, dialect: Dialect, row: str, number: int) -> Iterator[Draft | Reject]:
        if self._is_refused:
            return
        try:
            cells = dialect.cells(row)
        except csv.Error as error:
            yield from self._in_order(Reject(self._path, number, f"not a row of CSV: {error}"))
            return
        if self._names is None:
            self._take_names(cells)
            if self._is_refused:
                yield self._refusal()
            return
        if cells == self._names or not any(cell and not cell.isspace() for cell in cells):
            return
        names = self._names
        doubt = None
        if (more := sum(map(bool, cells[len(names) :]))) > 0:
            doubt = f"record: {_cells(more)} more than there are names, left out"
        record = dict(zip(names, cells, strict=False))
        if len(record) < min(
            len(names), len(cells)
        ):  # of columns of one name the first that is filled
            record = {}
            for name, cell in zip(names, cells, strict=False):
                if not record.get(name):
                    record[name] = cell
        yield from self._record(record, row.encode("utf-8", "replace"), number, doubt)

    def _record(
        self, record: dict[str, Any], raw: bytes, position: int, doubt: str | None = None
    ) -> Iterator[Draft | Reject]:
        if self._options.ids == "taken" and tuple(record) == exported.COLUMNS:
            yield exported.of_row(record, self._mapping.origin(raw, position))
        else:
            yield from super()._record(record, raw, position, doubt)

    def _take_names(self, cells: list[str]) -> None:
        """Take `cells` as the column names, if a headline or a text is among them."""
        if self._mapping.knows_text(cells):
            self._names = [cell.strip().lstrip("\ufeff") for cell in cells]
        else:
            self._seen = self._seen or cells
            self._is_refused = len(cells) > 1 or self._number > _REREAD

    def _refusal(self) -> Reject:
        seen = ", ".join(each.strip()[:60] for each in self._seen[:_MOST_NAMES] if each.strip())
        if not seen:
            return Reject(self._path, None, "empty")
        return Reject(
            self._path,
            None,
            f"a table without a header that names a headline or a text; its first row: {seen};"
            " tell the columns by --map headline=COLUMN --map body=COLUMN",
        )


def _cells(number: int) -> str:
    return "1 cell" if number == 1 else f"{number} cells"
