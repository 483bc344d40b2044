"""Format detection: the reader of an input, by its name and first bytes, or why it has none.

In: the beginning of an input whose format the caller does not name. Out: the name of a format, or
`NoNews` with what the input is and what to do with it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable

from app.ingest import decoding, dialects
from app.ingest.field_names import KNOWN, folded

START_BYTES = 64 * 1024
"""Bytes of an input that are examined."""

_LINES_SUFFIXES = (".jsonl", ".ndjson", ".jl", ".jsonlines")
_TABLE_SUFFIXES = (".csv", ".tsv", ".tab", ".psv")
_OBJECT = re.compile(r'\{\s*["}]')
_ARRAY = re.compile(r'\[\s*(?:[\[{\]]|"[^"\n]*"\s*[,\]]|\d+\s*[,\]]|null)')
_SAVE = "save its text as .txt, or its articles as CSV or JSON"
_BINARY = (
    (b"%PDF-", f"a PDF, not text: {_SAVE}"),
    (b"{\\rtf", f"an RTF document, not plain text: {_SAVE}"),
    (b"\xd0\xcf\x11\xe0", f"an old Word or Excel file, not text: {_SAVE}"),
    (b"PAR1", "a Parquet file: write it as JSON Lines or CSV"),
    (b"ARROW1", "an Arrow file: write it as JSON Lines or CSV"),
    (b"SQLite format 3\0", "a SQLite database: write its table as JSON Lines or CSV"),
    (b"\x89PNG", "an image, not text"),
    (b"\xff\xd8\xff", "an image, not text"),
    (b"GIF8", "an image, not text"),
    (b"\x89HDF", "an HDF5 file: write it as JSON Lines or CSV"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it, or pack it as .zip or .tar"),
    (b"Rar!", "a RAR archive: unpack it, or pack it as .zip or .tar"),
    (b"\x7fELF", "a program, not text"),
    (b"WARC/", "a WARC file, not text"),
    (b"filedesc://", "an ARC file, not text"),
)
_HEADER = re.compile(
    r"(From|To|Cc|Subject|Date|Received|Return-Path|Message-ID|MIME-Version|Delivered-To|Reply-To"
    r"|Content-Type|Content-Transfer-Encoding|X-[\w-]+): .",
    re.IGNORECASE,
)
_OF_MAIL = frozenset({"message-id", "mime-version", "received", "return-path", "delivered-to"})
_MBOX = re.compile(r"From \S+@\S+ +(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b")
_CODE = re.compile(
    r"#!/|#include\b|import [\w.{* ]+|from [\w.]+ import |(?:async )?def \w+\(|class \w+.*[:{]$"
    r"|(?:export |async |static |public |private |protected )*(?:function|class|interface|void|int"
    r"|string|const|let|var|fn|func|struct|enum|type|package|namespace|using|use)\b.*[;{(=]"
    r"|(?:if|for|while|switch|elif|else|try|catch|return|with|except)\b.*[;{:)]$|[})\]]+[;,)]*$"
    r"|.*[;{]$|(?://|/\*|\*/|<\?php)|(?:INSERT INTO|CREATE TABLE|SELECT .* FROM|DROP TABLE)\b"
    r"|@\w+(?:\(.*\))?$|\w+(?:\.\w+)*\(.*\)$|\w+ [+*/-]?= \S.*|return\b.*"
    r"|\\(?:documentclass|begin|usepackage)\b",
)
_LOG = re.compile(
    r"\[?\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d "
    r"|\[?(?:DEBUG|INFO|WARN|WARNING|ERROR|FATAL|TRACE|CRITICAL)\b|\[[A-Z][a-z]{2} [A-Z][a-z]{2} "
    r"|[\d.:a-f]{7,39} \S+ \S+ \[\d\d/[A-Z][a-z]{2}/\d{4}|\[\s*\d+\.\d+\] |\d{10,13}[. ]"
    r"|\s+at [\w.$<>]+\(|Traceback \(most recent"
)
_PRICE = re.compile(
    r"(?:^|.*[\s.…·—-])(?:[€$£¥₹]\s?\d{1,4}(?:[.,]\d{1,2})?|\d{1,4}[.,]\d{2}(?:\s?(?:€|EUR|USD|zł|kr|CHF|£|\$))?"
    r"|\d{1,4}\s?(?:€|EUR|zł|kr))\s*$"
)
_SETTING = re.compile(r"\[[\w .:-]+\]$|[\w.-]+ ?= ?\S|[#;] ?\S|export \w+=")
_SUBTITLE = re.compile(r"\d\d:\d\d:\d\d[,.]\d{3} --> ")
_MOST = 0.5  # of the lines, for a text to be what they look like
_FEWEST = 3


class NoNews(ValueError):
    """An input has no articles that a reader can read; the message says what it is."""


def sniff(start: bytes, path: str, columns: Iterable[str] = (), encoding: str | None = None) -> str:
    """The name of the format of an input at `path` that begins with `start`.

    `columns` are names that the caller gave to columns. Raises NoNews.
    """
    for magic, what in _BINARY:
        if start.lstrip(b"\xef\xbb\xbf \r\n").startswith(magic):
            raise NoNews(what)
    text = _text(start, encoding)
    opening = text[:4096].lstrip()
    lower = path.lower()
    if lower.endswith(_LINES_SUFFIXES) and not _ARRAY.match(opening):
        return "json_lines" if not _is_pretty(opening) else "json"
    if _OBJECT.match(opening) or _ARRAY.match(opening):
        return "json_lines" if _is_lines(text) else "json"
    if lower.endswith(_TABLE_SUFFIXES) and not opening.startswith("<"):
        return "csv"
    if opening.startswith("<"):
        return "page_text"  # which tells that it is markup
    if opening and is_table(text, columns):
        return "csv"
    if news := no_page(text):
        raise NoNews(f"{news}, not the text of a page (--format page_text reads it as one)")
    return "page_text"


def _text(start: bytes, encoding: str | None) -> str:
    start = start[:START_BYTES]
    found = decoding.marked(start) or encoding or decoding.guess(start)
    return start.decode(found, "replace").removeprefix("\ufeff")


def _is_lines(text: str) -> bool:
    """Whether each line is an object of its own: the first is whole, and another one follows."""
    first, end, rest = text.lstrip().partition("\n")
    return bool(end) and first.rstrip().endswith("}") and rest.lstrip().startswith("{")


def _is_pretty(opening: str) -> bool:
    first = opening.partition("\n")[0].strip()
    return first == "{"


def is_table(text: str, columns: Iterable[str] = ()) -> bool:
    """Whether a text has the rows of a table, with names of columns or many equal rows."""
    if dialects.NOTE.match(text):
        return True
    wanted = {folded(column) for column in columns}

    def knows(names: list[str]) -> bool:
        known = {folded(name) for name in names}
        return len(known & wanted) > 0 or len(known & KNOWN) > 1

    dialect = dialects.found(text, "", knows)
    rows, width, even = dialects.evenness(dialect, text)
    if rows < 2 or width < 2:
        return False
    try:
        names = dialect.cells(text.split(dialect.line_end, 1)[0])
    except csv.Error:
        return False
    if all(len(name) < 40 for name in names) and knows(names):
        return even >= 0.5
    return rows > 3 and width > 2 and even == 1.0 and '"' not in names[0]


def no_page(text: str) -> str | None:
    """What a text is, if it is none that a page shows: an e-mail, code, a log, a menu."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()][:400]
    headers = [match[1].lower() for line in lines[:25] if (match := _HEADER.match(line))]
    if lines and (_MBOX.match(lines[0]) or _is_mail(headers, lines)):
        return "an e-mail"
    if lines and lines[0].startswith(("BEGIN:VCALENDAR", "BEGIN:VCARD")):
        return "a calendar or a card"
    if len(lines) < _FEWEST:
        return None
    shares = (
        (_LOG, "a log"),
        (_PRICE, "a menu or a price list"),
        (_SETTING, "a file of settings"),
        (_CODE, "program code"),
    )
    if sum(_SUBTITLE.match(line) is not None for line in lines) > 1:
        return "subtitles"
    for form, what in shares:
        found = sum(
            form.match(line.strip() if form is not _LOG else line) is not None for line in lines
        )
        if found >= _FEWEST and found > _MOST * len(lines):
            return what
    return None


def _is_mail(headers: list[str], lines: list[str]) -> bool:
    known = set(headers)
    if len(known) < 2:
        return False
    is_sent = "from" in known and known & {"to", "subject", "date"} and "@" in "".join(lines[:25])
    return bool(known & _OF_MAIL) or (bool(is_sent) and _HEADER.match(lines[0]) is not None)
