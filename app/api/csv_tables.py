r"""Tables as CSV: rows of values in, bytes out; for programs, or for Excel.

RFC 4180: CRLF, quotes doubled, in UTF-8. For programs there is no byte order mark, which would
become a part of the first column's name, and cells hold the stored text and nothing else. Excel
needs the mark to read UTF-8, takes some texts for formulas, which here get an apostrophe before
them, and breaks a row whose cell has more characters than it holds. Nothing is read here.

    >>> lines([["-5°C in Murree", -5]], dialect=None), lines([["-5°C", -5]], dialect="excel")
    (b'-5\xc2\xb0C in Murree,-5\r\n', b"'-5\xc2\xb0C,-5\r\n")
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from typing import Any, Literal

Dialect = Literal["excel"] | None
"""Who reads the table: Excel, or (None) a program."""

EXCEL_CHARS = 32_767
"""What a cell of Excel holds; a longer text is cut, with an ellipsis."""

_SURROGATE = re.compile("[\ud800-\udfff]")
# What a spreadsheet may take for a formula (OWASP, CSV injection), with the wide forms.
_FORMULA = re.compile(r"[=+\-@\t\r\n＝＋－＠]")


def header(columns: Sequence[str], *, dialect: Dialect) -> bytes:
    """The first line of a table, with what stands before it."""
    return ("\ufeff" if dialect else "").encode() + lines([columns], dialect=dialect)


def lines(rows: Iterable[Sequence[object]], *, dialect: Dialect) -> bytes:
    """The lines of rows: see `_cell` for what becomes of a value."""
    text = io.StringIO(newline="")
    made = ([_cell(value, dialect) for value in row] for row in rows)
    csv.writer(text, lineterminator="\r\n").writerows(made)
    return _SURROGATE.sub("\ufffd", text.getvalue()).encode()


def instant(at: datetime) -> str:
    """`at`, aware, as RFC 3339 in UTC to the second."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def _cell(value: object, dialect: Dialect) -> object:
    """Texts as they are, names parted by `; `, objects as JSON; what is unknown is empty."""
    if isinstance(value, datetime):
        return value.isoformat() if value.utcoffset() else instant(value)
    if isinstance(value, list):
        if all(isinstance(each, str) for each in value):
            value = "; ".join(value)
        else:
            value = json.dumps(value, ensure_ascii=False, default=_plain)
    if dialect is None or not isinstance(value, str):
        return value
    if _FORMULA.match(value):
        value = f"'{value}"
    return value if len(value) <= EXCEL_CHARS else value[: EXCEL_CHARS - 1] + "…"


def _plain(value: Any) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return instant(value) if isinstance(value, datetime) else str(value)
