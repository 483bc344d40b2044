"""Mapping of a record to a draft: which of its members is which field, and what they say.

In: an object from JSON, a row or a document store. Out: a Draft, or a Reject if there is no text.
Fields are found by the caller's columns, then by the names that common sources use (`field_names`);
names ignore case, blanks, `_` and `-`, and a dot reaches into an object. A field that cannot be
read is left out with a warning. `nan`, `None`, `null` and the like count as missing.

    >>> from app.ingest.options import Options
    >>> mapping = Mapping("a.json", Options(), reader="json", version=1)
    >>> draft = mapping.draft({"Title": "Oil up", "content": "It rose.", "by": "Jo Roe"}, b"", 1)
    >>> draft.headline, draft.body, draft.authors
    ('Oil up', 'It rose.', ('Jo Roe',))
    >>> mapping.draft({"price": 3}, b"", 2).reason
    'neither headline nor body'
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from urllib.parse import quote, urlsplit

from app.ingest import authors, bounds, cleaning, markup, record_values
from app.ingest.draft import Draft, NoText, Origin, Precision, Reject, Subject
from app.ingest.field_names import DERIVED, FIELDS, LANGUAGES, PASSED_OVER, folded
from app.ingest.options import Options
from app.ingest.page_text import dateline as page_text_dateline
from app.ingest.record_dates import NO_DATE, Column, Read
from app.text import fold

_MOST_UNKNOWN = 10
_MOST_NAMES = 20
_PLANS = 512
_PRECISIONS = ("day", "minute", "second")
_CHARS = re.compile(r"\s*(?:…|\.\.\.)?\s*\[\+?(\d+) chars\]\W*$")
_SURROGATE = re.compile("[\ud800-\udfff]")
_DATED = re.compile(r"[\d(]|[-–—:]\s*$")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_UNSAFE = re.compile(r"[\s<>\"\\^`{|}\x00-\x20\x7f]")
_PARTS = re.compile(r"\s*[;|\n]\s*")
_COMMA = re.compile(r"\s*,\s*")
_EDITED = re.compile(r"\s*(?:edit(?:ed|ing)|compiled|translated|photos?) by\b", re.IGNORECASE)
_INVERTED = re.compile(r"[^\W\d_][\w'’-]*[A-Za-zÀ-ž], ?[^\W\d_][\w.'’-]*(?: ?[A-Z]\.)?")
_TAG_OF_LANGUAGE = re.compile(r"([A-Za-z]{2,3})(?:[-_][A-Za-z0-9]{1,8})*")
_AGAIN = re.compile(r"(.+)\.([1-9]\d?)")
_AFTER = 1000  # more than there are names of a field
_NESTED = [
    (field, rank, name)
    for field, names in FIELDS.items()
    for rank, name in enumerate(names)
    if "." in name
]
_ENTERED = frozenset(name.partition(".")[0] for _, _, name in _NESTED)


@dataclass(frozen=True, slots=True)
class _Plan:
    """The paths to each field in records with the same members, and members that are no field."""

    paths: dict[str, tuple[tuple[str, ...], ...]]
    unknown: tuple[str, ...]
    has_text: bool


class _FieldError(ValueError):
    """A field that rejects its article; the message is the reason."""


class _NoTextError(ValueError):
    """There is neither headline nor text."""


class Mapping:
    """Maps the records of one input to drafts, with one order of day and month per column."""

    def __init__(self, path: str, options: Options, *, reader: str, version: int) -> None:
        self._path = path
        self._options = options
        self._reader = reader
        self._version = version
        self._plans: dict[tuple[str, ...], _Plan] = {}
        self._columns: dict[str, Column] = {}
        self._reported: set[str] = set()

    def knows_text(self, names: Iterable[str]) -> bool:
        """Whether a record of these members may hold a headline or a text."""
        return self._plan(dict.fromkeys(names)).has_text

    def column(self, name: str) -> Column:
        """What is known of the dates under `name`."""
        found = self._columns.get(name)
        if found is None:
            found = self._columns[name] = Column(self._options.time_zone)
        return found

    def is_open(self, record: dict[str, Any]) -> bool:
        """Whether a date of `record` waits for others to tell its order of day and month."""
        plan = self._plan(record)
        waits = False
        for name in ("published_at", "updated_at", "embargoed_until"):
            for path in plan.paths.get(name, ()):
                value = record_values.reached(record, path)
                waits |= self.column(".".join(path)).is_open(value)
        return waits

    def draft(self, record: dict[str, Any], raw: bytes, position: int) -> Draft | Reject:
        """The article of `record`, which stands as `raw` at that place of the input."""
        origin = self.origin(raw, position)
        try:
            return _Reading(self, record, self._plan(record), self._options).draft(origin)
        except _NoTextError:
            names = tuple(name[:60] for name in record if folded(name))[:_MOST_NAMES]
            return NoText(self._path, position, "neither headline nor body", names)
        except _FieldError as error:
            return Reject(self._path, position, str(error))

    def origin(self, raw: bytes, position: int) -> Origin:
        """The origin of `raw`."""
        return Origin(
            path=self._path,
            sha256=sha256(raw).hexdigest(),
            position=position,
            reader=self._reader,
            reader_version=self._version,
        )

    def not_reported(self, names: Iterable[str]) -> Iterator[str]:
        """Those of `names` that no record of the input has reported before."""
        for name in names:
            if name not in self._reported and len(self._reported) < _PLANS:
                self._reported.add(name)
                yield name

    def _plan(self, record: dict[str, Any]) -> _Plan:
        key = tuple(record)
        plan = self._plans.get(key)
        if plan is None:
            if len(self._plans) >= _PLANS:
                self._plans.clear()
            plan = self._plans[key] = _planned(record, self._options.columns)
        return plan


def _planned(record: dict[str, Any], columns: dict[str, str]) -> _Plan:
    ranked: dict[str, list[tuple[int, tuple[str, ...]]]] = {}
    unknown: list[str] = []
    chosen = {folded(column) for column in columns.values()}
    names_in = {folded(name) for name in record}
    inside = {folded(column.partition(".")[0]) for column in columns.values()}
    for name in record:
        spelled = folded(name)
        if spelled in chosen:
            continue
        first, after = _once_named(spelled, names_in)
        found = [field for field, names in FIELDS.items() if first in names]
        for field in found:
            ranked.setdefault(field, []).append((FIELDS[field].index(first) + after, (name,)))
        if spelled == "source":  # of some it is the address
            ranked.setdefault("url", []).append((len(FIELDS["url"]), (name,)))
        if not found and spelled not in inside and not _is_passed_over(name, spelled):
            unknown.append(name)
    for field, rank, spelled in _NESTED:
        if path := _found(record, spelled):
            ranked.setdefault(field, []).append((rank, path))
    for field, column in columns.items():
        path = _found(record, column)
        ranked[field] = [(0, path)] if path else []
    paths = {field: tuple(path for _, path in sorted(each)) for field, each in ranked.items()}
    has_text = any(paths.get(name) for name in ("headline", "body", "summary"))
    return _Plan(paths, tuple(sorted(unknown)), has_text)


def _once_named(name: str, names: set[str]) -> tuple[str, int]:
    """What a column is called, and how far it stands after the first of that name.

    A data frame makes `title.1` of a second column `title`.
    """
    again = _AGAIN.fullmatch(name)
    if again is None or again[1] not in names:
        return name, 0
    return again[1], int(again[2]) * _AFTER


def _is_passed_over(name: str, spelled: str) -> bool:
    return (
        name in DERIVED
        or spelled in PASSED_OVER
        or not spelled
        or spelled.startswith(("unnamed", "$", "@"))
        or name == "_id"
    )


def _found(record: dict[str, Any], column: str) -> tuple[str, ...] | None:
    """The path to `column`: a member of that name, else one inside others, by its dots."""
    if column in record:
        return (column,)
    wanted = folded(column)
    if name := next((each for each in record if folded(each) == wanted), None):
        return (name,)
    start, dot, rest = column.partition(".")
    while dot:
        inner = next((each for each in record if folded(each) == folded(start)), None)
        if inner is not None:
            value = record[inner]
            if isinstance(value, list) and value and isinstance(value[0], dict):
                value = value[0]
            if isinstance(value, dict):
                return (
                    (inner, *path) if (path := _found(value, rest)) else (inner, *rest.split("."))
                )
            return (inner, *rest.split("."))
        more, dot, rest = rest.partition(".")
        start = f"{start}.{more}"
    return None


def _once(texts: Iterable[str]) -> tuple[str, ...]:
    found: dict[str, str] = {}
    for text in texts:
        found.setdefault(text.casefold(), text)
    return tuple(found.values())


def _is_contributor(tag: Any) -> bool:
    """Whether a tag names a writer of the article, as the Guardian's do."""
    return isinstance(tag, dict) and tag.get("type") == "contributor"


class _Reading:
    """The mapping of one record."""

    def __init__(
        self, mapping: Mapping, record: dict[str, Any], plan: _Plan, options: Options
    ) -> None:
        self._mapping = mapping
        self._record = record
        self._plan = plan
        self._options = options
        self._doubts: list[str] = []

    def draft(self, origin: Origin) -> Draft | Reject:
        """The article. Raises _FieldError where there is none."""
        headline = self._line("headline", most=None)
        body, given_summary = self._body()
        summary = tuple(self._texts("summary", split=False)) or given_summary
        if not headline and not body and not summary:
            raise _NoTextError
        dateline, body, found = self._dateline(body)
        if not headline:
            headline = cleaning.first_sentence(body or " ".join(summary))
            if not headline:
                raise _NoTextError
            self._doubts.append("headline: missing, the first sentence of the text")
        published_at, precision, updated_at = self._dates(found)
        source, url = self._source_and_url()
        byline, writers = self._authors(source)
        if byline is None and found is not None and not self._names("byline"):
            byline = found.agency
        keywords, subjects = self._keywords(), self._subjects()
        named = [each.name for each in subjects if each.name]
        sections = self._texts("section", split=False)
        draft = Draft(
            headline=headline,
            body=body,
            summary=self._few("summary", summary),
            caption=self._line("caption"),
            credit=self._line("credit"),
            byline=byline,
            authors=writers,
            dateline=dateline,
            places=self._few("places", self._places() or (found.places if found else ())),
            published_at=published_at,
            published_precision=precision,
            updated_at=updated_at,
            embargoed_until=self._embargo(),
            guid=self._bounded("guid", self._line("guid"), bounds.URL_CHARS),
            sender_version=self._number("sender_version", 0, 2**63 - 1),
            source=source,
            url=url,
            language=self._language(),
            section=self._bounded("section", sections[0], bounds.TEXT_CHARS) if sections else None,
            keywords=self._few("keywords", _once([*keywords, *sections[1:], *named])),
            urgency=self._number("urgency", 1, 9),
            subjects=subjects[: bounds.LIST_TEXTS],
            usage_terms=self._line("usage_terms"),
            warnings=self._warnings(),
            origin=origin,
        )
        if too_long := bounds.excess(draft):
            raise _FieldError(too_long)
        return draft

    # --- values

    def _values(self, field: str) -> Iterator[tuple[str, Any]]:
        """The values of `field` that are not missing, with the names of their columns."""
        for path in self._plan.paths.get(field, ()):
            value = record_values.reached(self._record, path)
            if value is not None and value not in ("", [], {}):
                yield ".".join(path), value

    def _value(self, field: str) -> tuple[str, Any]:
        return next(self._values(field), ("", None))

    def _names(self, field: str) -> bool:
        """Whether the record has `field` under the name that it has here."""
        return field in self._record

    def _doubt(self, field: str, what: str) -> None:
        self._doubts.append(f"{field}: {what}")

    def _string(self, field: str, value: Any) -> str | None:
        """A value as text; None, with a warning, for what is none."""
        text = record_values.text_of(value)
        if text is None:
            if value not in (None, "", [], {}):
                self._doubt(field, f"must be text, not {record_values.kind(value)}: left out")
            return None
        if text.isascii():
            return text
        if _SURROGATE.search(text):
            self._doubt(field, "holds half a character, which is left out")
            text = _SURROGATE.sub("\ufffd", text)
        elif "\ufffd" in text:
            self._doubt(field, "has characters that could not be decoded")
        return text

    def _line(self, field: str, most: int | None = bounds.TEXT_CHARS) -> str | None:
        if field not in self._plan.paths:
            return None
        for _, value in self._values(field):
            text = self._string(field, value)
            if text and (line := markup.line(text)):
                return line if most is None else self._bounded(field, line, most)
        return None

    def _bounded(self, field: str, text: str | None, most: int) -> str | None:
        if text is None or len(text) <= most:
            return text
        self._doubt(field, f"{len(text):,} characters, more than {most:,}: left out")
        return None

    def _texts(self, field: str, *, split: bool) -> list[str]:
        """The texts of a list; one text is a list of one, or is `split` at its separators."""
        if field not in self._plan.paths:
            return []
        for _, value in self._values(field):
            texts = self._listed(field, value, split=split)
            if texts:
                return texts
        return []

    def _listed(self, field: str, value: Any, *, split: bool) -> list[str]:
        value = record_values.as_list(value)
        if isinstance(value, list):
            given = [self._string(field, each) for each in value]
        elif (text := self._string(field, value)) is not None and split:
            parts = _PARTS.split(text)
            given = list(_COMMA.split(text) if len(parts) == 1 else parts)
        else:
            given = [text] if text is not None else []
        texts = (markup.line(each) for each in given if each)
        return [each for each in texts if each and each.casefold() not in record_values.NOTHING]

    def _few(self, field: str, texts: tuple[str, ...]) -> tuple[str, ...]:
        kept = tuple(each for each in texts if len(each) <= bounds.TEXT_CHARS)
        if len(kept) < len(texts):
            self._doubt(field, f"a text of more than {bounds.TEXT_CHARS:,} characters left out")
        if len(kept) > bounds.LIST_TEXTS:
            self._doubt(field, f"{len(kept):,} texts, of which {bounds.LIST_TEXTS} are kept")
        return kept[: bounds.LIST_TEXTS]

    def _number(self, field: str, least: int, most: int) -> int | None:
        _, value = self._value(field)
        if value is None:
            return None
        try:
            number = int(value) if not isinstance(value, bool) else -1
            if number != float(value):
                number = -1
        except (TypeError, ValueError, OverflowError):
            number = -1
        if least <= number <= most:
            return number
        wide = "2^63-1" if most == 2**63 - 1 else str(most)
        self._doubt(field, f"must be a whole number from {least} to {wide}: left out")
        return None

    # --- fields

    def _body(self) -> tuple[str, tuple[str, ...]]:
        """The text in paragraphs, and the summary that stands in one object with it."""
        for _, value in self._values("body"):
            summary: tuple[str, ...] = ()
            if isinstance(value, dict) and "sections" in value:
                summary = tuple(self._listed("summary", value.get("summary") or [], split=False))
            text = self._string("body", record_values.paragraphs_of(value))
            if not text:
                continue
            if "chars]" in text[-20:] and (cut := _CHARS.search(text)):
                text = text[: cut.start()] + "…"
                self._doubt("body", f"cut by its source, {cut[1]} characters are missing")
            if body := markup.paragraphs(text):
                return body, summary
            if summary:
                return "", summary
        return "", ()

    def _dateline(self, body: str) -> tuple[str | None, str, page_text_dateline.Dateline | None]:
        """The dateline as printed, the body without it, and what the dateline says."""
        given = self._line("dateline")
        found = None
        if given is not None and _DATED.search(given):
            bare = given.rstrip(" -–—:")
            found = page_text_dateline.parse(f"{bare}: X") or page_text_dateline.parse(
                f"{bare} - X"
            )
            given = found.printed if found else given
        first, gap, rest = body.partition("\n\n")
        opening = page_text_dateline.parse(first) if first else None
        if opening is not None and (not self._names("dateline") or opening.printed == given):
            body = opening.rest + gap + rest if opening.rest else rest
            given, found = given or opening.printed, found or opening
            self._doubts += [f"dateline: {opening.doubt}"] if opening.doubt else []
        return given, body, found

    def _source_and_url(self) -> tuple[str | None, str | None]:
        url = None
        for _, value in self._values("url"):
            text = self._string("url", record_values.address(value))
            if text and (url := self._url(text)) is not None:
                break
        if self._options.source is not None:
            return self._options.source, url
        for _, value in self._values("source"):
            if isinstance(value, str) and value.lstrip()[:8].lower().startswith("http"):
                continue
            text = self._string("source", record_values.as_list(value))
            if text and (line := markup.line(text)):
                return self._bounded("source", line, bounds.TEXT_CHARS), url
        return None, url

    def _url(self, text: str) -> str | None:
        text = cleaning.one_line(text)
        if not text or not text[:8].lower().startswith(("http:", "https:", "www.", "//")):
            if text and not self._is_source(text):
                self._doubt("url", f'must be an http or https address, not "{text[:100]}"')
            return None
        if text.startswith("//"):
            text = f"https:{text}"
        elif text[:4].lower() == "www.":
            text = f"https://{text}"
        text = _UNSAFE.sub(lambda match: quote(match.group()), text)
        try:
            parts = urlsplit(text)
            is_address = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
        except ValueError:
            is_address = False
        if not is_address or "%20" in parts.netloc:
            self._doubt("url", f'must be an http or https address, not "{text[:100]}"')
            return None
        return self._bounded("url", text, bounds.URL_CHARS)

    def _is_source(self, text: str) -> bool:
        return any(record_values.text_of(value) == text for _, value in self._values("source"))

    def _authors(self, source: str | None) -> tuple[str | None, tuple[str, ...]]:
        """The byline as printed, and the names; a list of names makes a byline where none is."""
        byline = None
        found: tuple[str, ...] = ()
        for _, value in self._values("byline"):
            listed = record_values.as_list(value)
            if isinstance(listed, list):
                found = self._names_of(self._listed("byline", listed, split=False), source)
                byline = ", ".join(found) or None
            else:
                byline = self._line("byline")
            break
        for _, value in self._values("authors"):
            listed = record_values.as_list(value)
            if isinstance(listed, dict):
                listed = [listed]
            if isinstance(listed, list):
                given = [record_values.person(each) for each in listed]
                texts = [text for each in given if (text := self._string("authors", each))]
                found = self._names_of(texts, source) or found
                byline = byline or (None if self._names("byline") else ", ".join(found) or None)
            elif text := self._string("authors", listed):
                found = self._names_of([text], source) or found
                printed = cleaning.one_line(markup.plain(text))
                byline = byline or (None if self._names("byline") else printed or None)
            if found:
                break
        if not found and byline and not self._names("authors"):
            found = self._names_of([byline], source)
        if not found and byline is None:
            tags = [
                each
                for _, value in self._values("keywords")
                if isinstance(value, list)
                for each in value
                if _is_contributor(each)
            ]
            names = [name for each in tags if (name := self._string("authors", each))]
            found = self._names_of(names, source)
            byline = ", ".join(found) or None
        return self._bounded("byline", byline, bounds.TEXT_CHARS), found

    def _names_of(self, texts: list[str], source: str | None) -> tuple[str, ...]:
        """The names in `texts`, except that of the publisher."""
        lines = [line for text in texts for line in _PARTS.split(markup.plain(text))]
        lines = [line for line in lines if not _EDITED.match(line)]
        found = [line.strip() for line in lines if _INVERTED.fullmatch(line.strip())]
        found += authors.names("; ".join(line for line in lines if line.strip() not in found))
        own = fold(source) if source else None
        return self._few("authors", tuple(each for each in _once(found) if fold(each) != own))

    def _places(self) -> tuple[str, ...]:
        return _once(
            page_text_dateline.title(each.upper()) if each.isupper() or each.islower() else each
            for each in self._texts("places", split=True)
        )

    def _keywords(self) -> list[str]:
        found = []
        for name, value in self._values("keywords"):
            split = folded(name) not in {"category", "topic"}
            if isinstance(value, list):
                value = [each for each in value if not _is_contributor(each)]
            found += self._listed("keywords", value, split=split)
        return found

    def _subjects(self) -> tuple[Subject, ...]:
        found: list[Subject] = []
        for _, value in self._values("subjects"):
            listed = record_values.as_list(value)
            for each in listed if isinstance(listed, list) else [listed]:
                if isinstance(each, dict):
                    members = {
                        name: self._string("subjects", record_values.unwrapped(each.get(name)))
                        for name in ("scheme", "code", "name")
                    }
                    found.append(
                        Subject(
                            scheme=members["scheme"], code=members["code"], name=members["name"]
                        )
                    )
                else:
                    texts = self._listed("subjects", each, split=True)
                    found += [Subject(scheme=None, code=None, name=text) for text in texts]
        return tuple(each for each in found if each.code or each.name)

    def _language(self) -> str | None:
        if self._options.language is not None:
            return self._options.language
        if self._record.get("language_detected") is True:  # an export's own guess
            return None
        _, value = self._value("language")
        if isinstance(value, list):
            value = value[0] if value else None
        text = self._string("language", value)
        if not text or not (text := text.strip()):
            return None
        if known := LANGUAGES.get(text.casefold()):
            return known
        if (match := _TAG_OF_LANGUAGE.fullmatch(text)) is not None:
            code = match[1].lower()
            if len(code) == 2 or code in LANGUAGES:
                return LANGUAGES.get(code, code)
        self._doubt("language", f'"{text[:100]}" is not a language tag: left out')
        return None

    def _warnings(self) -> tuple[str, ...]:
        given = self._texts("warnings", split=False) if self._names("warnings") else []
        has = record_values.is_something
        unknown_names = [
            name
            for name in self._plan.unknown
            if has(value := self._record[name])
            and not (isinstance(value, dict) and folded(name) in _ENTERED)
        ]
        unknown_names = list(self._mapping.not_reported(unknown_names)) if unknown_names else []
        unknown = [
            f'"{name[:60]}": an unknown field, left out' for name in unknown_names[:_MOST_UNKNOWN]
        ]
        if len(unknown_names) > _MOST_UNKNOWN:
            unknown.append(f"{len(unknown_names) - _MOST_UNKNOWN} more unknown fields, left out")
        doubts = [*self._doubts, *unknown]
        if self._options.ids == "warned" and _UUID.fullmatch(str(self._record.get("id"))):
            doubts.append("id: given by an archive, which is ignored here")
        given = [each[: bounds.TEXT_CHARS] for each in given]
        return (*given[: max(bounds.LIST_TEXTS - len(doubts), 0)], *doubts)

    # --- dates

    def _dates(
        self, dateline: page_text_dateline.Dateline | None
    ) -> tuple[datetime | None, Precision | None, datetime | None]:
        """When it was published, how exactly that is known, and when it was updated."""
        published = self._read("published_at")
        updated = self._read("updated_at")
        is_own = self._names("published_at") or self._names("updated_at")
        if published.at is None and updated.at is not None and not is_own:
            published, updated = updated, NO_DATE
        at, precision = self._as_asked(published)
        if at is None and dateline is not None and dateline.date:
            read = Column().take(dateline.date)
            if read.at is not None and bounds.implausible(read.at) is None:
                at, precision = read.at, read.precision
                self._doubt("published_at", f'taken from the dateline, "{dateline.date}"')
        return at, precision, updated.at

    def _as_asked(self, read: Read) -> tuple[datetime | None, Precision | None]:
        _, asked = self._value("published_precision")
        at, precision = read.at, read.precision
        if asked is None:
            return at, precision
        if asked not in _PRECISIONS:
            self._doubt("published_precision", "must be day, minute or second: left out")
        elif at is None:
            self._doubt("published_precision", "left out, there is no published_at")
        elif precision == "day" and asked != "day":
            self._doubt("published_precision", f'"{asked}", but published_at is only a day')
        else:
            precision = asked
            at = at.replace(second=0) if asked != "second" else at
            at = at.replace(hour=0, minute=0) if asked == "day" else at
        return at, precision

    def _read(self, field: str) -> Read:
        """The first of the values of `field` that is a date; what is none is told."""
        doubts = []
        for name, value in self._values(field):
            if isinstance(value, list):
                value = record_values.unwrapped(value[0]) if value else None
            shown = record_values.shown(value)
            asked = self._record.get("published_precision") if field == "published_at" else None
            read = self._mapping.column(name).take(value)
            if read.at is not None and (wrong := bounds.implausible(read.at)):
                read = Read(None, None, f"{wrong}: left out")
            if read.doubt and not (asked == "day" and read.precision == "day"):
                doubts.append(f'"{shown}" {read.doubt}')
            if read.at is not None:
                for each in doubts[-1:] if read.doubt else ():
                    self._doubt(field, each)
                return read
        for each in doubts[:1]:
            self._doubt(field, each)
        return NO_DATE

    def _embargo(self) -> datetime | None:
        """When it may be shown; an embargo that cannot be read keeps the article out."""
        for name, value in self._values("embargoed_until"):
            if value is False:
                return None
            read = self._mapping.column(name).take(value)
            if read.at is not None and not read.doubt:
                return read.at
            shown = record_values.shown(value)
            what = "is not a date" if read.at is None else "has no time zone (see --tz)"
            raise _FieldError(f'embargoed_until: "{shown}" {what}')
        return None
