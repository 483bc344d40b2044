r"""JSON Lines to drafts: one article a line, its fields named as in the API.

Needed is a `headline` or a text; null and blank are the same as absent. A text without a
headline gets its first sentence, with a warning. What
only the store can know (`id`, `change`, `related` …), an export's extras, is passed over
silently; any other unknown field with a warning. A line that breaks the rules is rejected
with its number and the reason, and the next one is read. One line is held at a time.

    >>> line = b'{"headline": "Oil up", "body": "One.\\nTwo.", "published_at": "2020-05-09"}'
    >>> draft = parse(line, "a.jsonl", 1)
    >>> draft.body, draft.published_precision
    ('One.\n\nTwo.', 'day')
    >>> parse(b'{"source": "The Hill Post"}', "a.jsonl", 2)
    Reject(path='a.jsonl', line=2, reason='neither headline nor body')
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson

from app.ingest import bounds, normal
from app.ingest.draft import Draft, Origin, Reject

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator

    from app.ingest.draft import Precision

NAME = "json_lines"
VERSION = 2
"""Raise with every change of what a line yields."""

LIMIT_BYTES = 8 * 2**20
"""The longest line."""

DERIVED = frozenset(
    {"id", "change", "version", "word_count", "related", "sources", "mentions", "score"}
)
"""Fields of an export that the store makes itself."""

_KNOWN = DERIVED | {
    *("headline", "body", "summary", "caption", "credit", "byline", "dateline", "places"),
    *("published_at", "published_precision", "updated_at", "embargoed_until", "guid"),
    *("sender_version", "source", "url", "language", "section", "warnings"),
}
_BOM = b"\xef\xbb\xbf"
_SKIPPED_BYTES = 64 * 1024
_UNKNOWN_TOLD = 10
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?P<second>:\d\d(?:\.\d{1,9})?)?"
    r"(?P<zone>[Zz]|[+-]\d\d:?\d\d)?",
    re.ASCII,
)
_LANGUAGE = re.compile(r"[A-Za-z]{2}")
_ADDRESS = re.compile(r"[^\s<>\"\\^`{|}\x00-\x20\x7f]+")
_PRECISIONS = ("day", "minute", "second")
_TYPES: dict[type, str] = {
    dict: "an object",
    list: "a list",
    str: "text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    type(None): "null",
}


class _FieldError(ValueError):
    """A field that breaks the rules; the message is the reason."""


def read(stream: io.BufferedReader, path: str) -> Iterator[Draft | Reject]:
    """An article, or the reason why it is none, for each line of `stream` that is not blank."""
    number = 0
    while found := stream.readline(LIMIT_BYTES + 2):
        number += 1
        if len(found.rstrip(b"\r\n")) <= LIMIT_BYTES:
            yield from line(found, path, number)
            continue
        while found and not found.endswith(b"\n"):
            found = stream.readline(_SKIPPED_BYTES)
        yield too_long(path, number)


def line(found: bytes | None, path: str, number: int) -> list[Draft | Reject]:
    """What a line holds: nothing if it is blank; None stands for one that is too long."""
    if found is not None and number == 1:
        found = found.removeprefix(_BOM)
    if found is None or len(found := found.rstrip(b"\r\n")) > LIMIT_BYTES:
        return [too_long(path, number)]
    return [parse(found, path, number)] if found and not found.isspace() else []


def too_long(path: str, number: int) -> Reject:
    """The rejection of a line, or of an element of an array, that is longer than one may be."""
    return Reject(path, number, f"longer than {LIMIT_BYTES // 2**20} MiB, the limit of a line")


def parse(line: bytes, path: str, number: int) -> Draft | Reject:
    """The article of `line`, given without its line end; `number` counts lines from 1."""
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return Reject(path, number, f"not JSON: {error.msg}")
    if not isinstance(value, dict):
        return Reject(path, number, f"not an object but {_TYPES[type(value)]}")
    origin = Origin(
        path=path,
        sha256=sha256(line).hexdigest(),
        position=number,
        reader=NAME,
        reader_version=VERSION,
    )
    try:
        draft = _draft(value, origin)
    except _FieldError as error:
        return Reject(path, number, str(error))
    too_long = bounds.excess(draft)
    return Reject(path, number, too_long) if too_long else draft


def _draft(value: dict[str, Any], origin: Origin) -> Draft:
    published_at, precision, doubt = _published(value)
    if published_at is not None and (wrong := bounds.implausible(published_at)):
        doubt = f'published_at: "{_text(value, "published_at")}" {wrong}: left out'
        published_at = precision = None
    doubts = [doubt] if doubt else []
    updated_at = _instant(value, "updated_at")
    if updated_at is not None and (wrong := bounds.implausible(updated_at)):
        doubts.append(f'updated_at: "{_text(value, "updated_at")}" {wrong}: left out')
        updated_at = None
    unknown = sorted(value.keys() - _KNOWN)
    doubts += [f'"{name[:60]}": an unknown field, left out' for name in unknown[:_UNKNOWN_TOLD]]
    if len(unknown) > _UNKNOWN_TOLD:
        doubts.append(f"{len(unknown) - _UNKNOWN_TOLD} more unknown fields, left out")
    headline, body = _text(value, "headline"), normal.paragraphs(_string(value, "body") or "")
    summary = _texts(value, "summary")
    if headline is None:
        headline = normal.first_sentence(body or " ".join(summary))
        if not headline:
            raise _FieldError("neither headline nor body")
        doubts.append("headline: missing, the first sentence of the text")
    return Draft(
        headline=headline,
        body=body,
        summary=summary,
        caption=_text(value, "caption"),
        credit=_text(value, "credit"),
        byline=_text(value, "byline"),
        dateline=_text(value, "dateline"),
        places=_texts(value, "places"),
        published_at=published_at,
        published_precision=precision,
        updated_at=updated_at,
        embargoed_until=_instant(value, "embargoed_until"),
        guid=_text(value, "guid"),
        sender_version=_number(value, "sender_version"),
        source=_text(value, "source"),
        url=_url(value),
        language=_language(value),
        section=_text(value, "section"),
        warnings=(*_texts(value, "warnings"), *doubts),
        origin=origin,
    )


def _string(value: dict[str, Any], name: str) -> str | None:
    text = value.get(name)
    if text is None:
        return None
    return _checked(text, name)


def _checked(text: object, name: str) -> str:
    if not isinstance(text, str):
        raise _FieldError(f"{name}: must be text, not {_TYPES[type(text)]}")
    if "\0" in text:
        raise _FieldError(f"{name}: holds a NUL character")
    return text


def _text(value: dict[str, Any], name: str) -> str | None:
    text = _string(value, name)
    return normal.one_line(text) or None if text else None


def _texts(value: dict[str, Any], name: str) -> tuple[str, ...]:
    given = value.get(name)
    if given is None:
        return ()
    if not isinstance(given, list):
        raise _FieldError(f"{name}: must be a list of texts, not {_TYPES[type(given)]}")
    texts = (normal.one_line(_checked(text, name)) for text in given)
    return tuple(text for text in texts if text)


def _number(value: dict[str, Any], name: str) -> int | None:
    number = value.get(name)
    if number is None:
        return None
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < 2**63:
        raise _FieldError(f"{name}: must be a whole number from 0 to 2^63-1")
    return number


def _instant(value: dict[str, Any], name: str) -> datetime | None:
    """An instant in full, or a day, which is its beginning."""
    text = _text(value, name)
    if text is None:
        return None
    return _parsed(text, name, is_day=_DAY.fullmatch(text) is not None)


def _url(value: dict[str, Any]) -> str | None:
    text = _text(value, "url")
    if text is None:
        return None
    try:
        parts = urlsplit(text)
        is_address = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address or not _ADDRESS.fullmatch(text):
        raise _FieldError(f'url: must be an http or https address, not "{text[:100]}"')
    return text


def _language(value: dict[str, Any]) -> str | None:
    text = _text(value, "language")
    if text is None:
        return None
    if not _LANGUAGE.fullmatch(text):
        raise _FieldError(f'language: must be a code of two letters, not "{text[:100]}"')
    return text.lower()


def _published(value: dict[str, Any]) -> tuple[datetime | None, Precision | None, str | None]:
    """The instant, its precision, and what is doubtful about them."""
    text = _text(value, "published_at")
    wanted = value.get("published_precision")
    if wanted is not None and wanted not in _PRECISIONS:
        raise _FieldError("published_precision: must be day, minute or second")
    if text is None:
        doubt = "published_precision: left out, there is no published_at"
        return None, None, doubt if wanted else None
    day, match = _DAY.fullmatch(text), _TIME.fullmatch(text)
    if day and wanted not in {None, "day"}:
        raise _FieldError(f'published_precision: "{wanted}", but published_at is only a day')
    at = _parsed(text, "published_at", is_day=wanted == "day" or day is not None)
    inferred: Precision = "day" if day else "second" if match and match["second"] else "minute"
    precision: Precision = inferred if wanted is None else wanted
    if precision == "day":
        at = at.replace(hour=0, minute=0, second=0)
    elif precision == "minute":
        at = at.replace(second=0)
    return at, precision, None


def _parsed(text: str, name: str, *, is_day: bool) -> datetime:
    """`text` as an aware instant; one that has no zone can only be a day."""
    match = _TIME.fullmatch(text)
    wrong = _FieldError(f'{name}: "{text[:100]}" is not an ISO 8601 date and time')
    if not match and not _DAY.fullmatch(text):
        raise wrong
    try:
        at = datetime.fromisoformat(text.upper())
        if match and match["zone"]:
            at = at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise wrong from None
    if match and not match["zone"] and not is_day:
        raise _FieldError(f'{name}: "{text}" has no time zone')
    return at.replace(tzinfo=UTC, microsecond=0)
