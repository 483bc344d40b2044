r"""Detection of a CSV file's dialect: delimiter, quotes, escapes and line ends.

In: the beginning of the file. The delimiter is the one with which the rows have equally many cells
and the column names are known; a first line `sep=;` also sets it. Quotation marks within quotes are
doubled or escaped by a backslash.

    >>> dialect = found("title;text\nOil up;It rose, twice\n", "a.csv", lambda names: True)
    >>> dialect.delimiter, dialect.cells('"Oil; up";It rose')
    (';', ['Oil; up', 'It rose'])
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

_DELIMITERS = ",;\t|"
_ROWS = 40  # at the beginning that are examined
NOTE = re.compile(r"\ufeff?(\"?)sep=(.)\1\r?\n", re.IGNORECASE)
"""A first line that names the delimiter, its second group."""
_ESCAPED = re.compile(r'(?<!\\)\\"(?![,;\t|\r\n])')


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """A CSV dialect; `note` is whether the first line only names the delimiter."""

    delimiter: str
    quote: str = '"'
    is_escaped: bool = False
    is_spaced: bool = False
    line_end: str = "\n"
    note: bool = False
    _opening: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        blanks = " *" if self.is_spaced else ""
        opening = rf"(?:^|{re.escape(self.delimiter)}){blanks}{re.escape(self.quote)}"
        object.__setattr__(self, "_opening", re.compile(opening))

    def is_open(self, line: str, is_open: bool) -> bool:
        """Whether quotes are open after `line`, which may begin inside of quotes."""
        if self.quote not in line:
            return is_open
        if self.is_escaped:
            line = line.replace("\\\\", "  ").replace("\\" + self.quote, "  ")
        at = 0
        while True:
            if is_open:
                at = line.find(self.quote, at) + 1
                if not at:
                    return True
                if line.startswith(self.quote, at):
                    at += 1
                    continue
                is_open = False
            opening = self._opening.search(line, at)
            if opening is None:
                return False
            at, is_open = opening.end(), True

    def cells(self, row: str) -> list[str]:
        """The cells of a row, whose quotes are closed; raises csv.Error."""
        row = row.removesuffix("\r").replace("\r\n", "\n")
        if self.is_escaped:
            row = row.replace("\\" + self.quote, self.quote * 2)
        if "\r" in row or self.quote not in row:
            row = row.replace("\r", " ")
        return next(self.rows([row]), [])

    def rows(self, lines: Iterable[str]) -> Iterator[list[str]]:
        """The rows in `lines`."""
        return csv.reader(
            lines,
            delimiter=self.delimiter,
            quotechar=self.quote,
            skipinitialspace=self.is_spaced,
        )


def found(start: str, path: str, knows: Callable[[list[str]], bool]) -> Dialect:
    """The dialect of a file that begins with `start`; `knows` recognizes column names."""
    line_end = "\n" if "\n" in start or "\r" not in start else "\r"
    is_noted = False
    if note := NOTE.match(start):
        candidates, is_noted = note[2], True
        start = start[note.end() :]
    elif path.lower().endswith((".tsv", ".tab")) and "\t" in start[:10_000]:
        candidates = "\t"
    else:
        candidates = _DELIMITERS
    quote = "'" if _is_single_quoted(start) else '"'
    is_escaped = (
        quote == '"' and _ESCAPED.search(start) is not None and '""' not in start.replace(',""', "")
    )
    made = [
        Dialect(
            delimiter=each,
            quote=quote,
            is_escaped=is_escaped,
            is_spaced=f"{each} {quote}" in start,
            line_end=line_end,
            note=is_noted,
        )
        for each in candidates
    ]
    return max(made, key=lambda dialect: _fit(dialect, start, knows))


def evenness(dialect: Dialect, start: str) -> tuple[int, int, float]:
    """The number of rows at the beginning, of cells in the first, and of rows with as many."""
    lines = start.split(dialect.line_end)[:-1] or [start]
    rows: list[list[str]] = []
    held: list[str] = []
    for line in lines:
        if not held and not line.strip():
            continue
        is_open = dialect.is_open(line, bool(held))
        held.append(line)
        if is_open:
            continue
        try:
            rows.append(dialect.cells("\n".join(held)))
        except csv.Error:
            rows.append([])
        held = []
        if len(rows) >= _ROWS:
            break
    if not rows:
        return 0, 0, 0.0
    width = len(rows[0])
    return len(rows), width, sum(len(row) == width for row in rows) / len(rows)


def _fit(
    dialect: Dialect, start: str, knows: Callable[[list[str]], bool]
) -> tuple[bool, float, int]:
    _, width, even = evenness(dialect, start)
    try:
        first = dialect.cells(start.split(dialect.line_end, 1)[0])
    except csv.Error:
        first = []
    return width > 1 and knows(first), even if width > 1 else 0.0, width


def _is_single_quoted(start: str) -> bool:
    lines = [line.strip() for line in start.split("\n")[:_ROWS] if line.strip()]
    quoted = sum(line.startswith("'") and line.endswith("'") for line in lines)
    return len(lines) > 1 and quoted > 0.8 * len(lines) and '"' not in start[:1000]
