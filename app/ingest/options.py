"""Options of a reader: what the caller knows of an input.

>>> Options.mapped(["headline=Article Title", "body=doc.text"]).columns
{'headline': 'Article Title', 'body': 'doc.text'}
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, timedelta, timezone, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo

from app.ingest.draft import FIELDS

_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)")
_LANGUAGE = re.compile(r"[A-Za-z]{2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How an input is read; what is None is taken from the input, or detected.

    `source` and `language` are those of every article, whatever the input says. `time_zone` is
    that of times without one. `encoding` is a codec of Python. `columns` names the column, or
    the path to it with dots, that holds a field. `ids` is what becomes of the id that an archive
    gave: it is taken, or ignored, with a warning or without.
    """

    format: str | None = None
    source: str | None = None
    language: str | None = None
    encoding: str | None = None
    time_zone: tzinfo | None = None
    columns: dict[str, str] = field(default_factory=dict)
    ids: Literal["taken", "warned", "ignored"] = "ignored"

    @classmethod
    def mapped(
        cls,
        columns: Iterable[str] = (),
        *,
        format: str | None = None,  # noqa: A002
        source: str | None = None,
        language: str | None = None,
        encoding: str | None = None,
        time_zone: str | None = None,
    ) -> Options:
        """Options with `columns` from texts `field=column`; raises ValueError for a wrong one."""
        if language is not None and not _LANGUAGE.fullmatch(language):
            raise ValueError(f"language: must be a code of two letters, not {language!r}")
        return cls(
            format=format,
            source=source.strip() or None if source else None,
            language=language.lower() if language else None,
            encoding=known_encoding(encoding) if encoding else None,
            time_zone=_zone(time_zone) if time_zone else None,
            columns=dict(map(_column, columns)),
        )


def known_encoding(name: str) -> str:
    """The codec that decodes text in the encoding `name`; raises ValueError without one."""
    try:
        codec = codecs.lookup(name.strip(" \"'"))
        b"".decode(codec.name)
    except (LookupError, ValueError):
        raise ValueError(f"encoding: {name!r} is none that Python knows") from None
    # What is sent as ISO 8859-1 or ASCII is Windows-1252 (WHATWG Encoding, "get an encoding").
    return "cp1252" if codec.name in {"iso8859-1", "ascii"} else codec.name


def _zone(name: str) -> tzinfo:
    if name.upper() in {"UTC", "Z"}:
        return UTC
    if match := _OFFSET.fullmatch(name):
        offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
        if offset < timedelta(days=1):
            return timezone(-offset if match[1] == "-" else offset)
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        raise ValueError(f"tz: {name!r} is no time zone, such as Europe/Lisbon or +01:00") from None


def _column(text: str) -> tuple[str, str]:
    name, sign, column = text.partition("=")
    name = name.strip()
    if not sign or not column.strip():
        raise ValueError(f"map: {text!r} is not field=column")
    if name not in FIELDS:
        raise ValueError(f"map: {name!r} is not one of {', '.join(FIELDS)}")
    return name, column.strip()
