r"""Values of records, whichever program wrote them, as texts, lists, names and addresses.

In: a value from JSON, or a cell as text. Out: the normalized value, None if it is missing (`nan`,
`None`, `NULL`, …). No value raises.

    >>> reached({"meta": {"when": {"$date": {"$numberLong": "5"}}}}, ("meta", "when"))
    5
    >>> as_list("['Jane Roe', 'John Doe']"), as_list("Jane Roe")
    (['Jane Roe', 'John Doe'], 'Jane Roe')
    >>> text_of({"rendered": "Oil up"}), text_of([1, "a"]), text_of("NaN")
    ('Oil up', '1\n\na', None)
"""

from __future__ import annotations

import ast
import csv
import math
import re
from typing import Any

import orjson

from app.ingest.field_names import folded

NOTHING = frozenset(
    {"", "nan", "none", "null", "nat", "<na>", "n/a", "#n/a", "\\n", "undefined"}
    | {"[removed]", "[deleted]"}
)
"""What programs write for a value that is missing, without its case."""

_TEXT_OF = (
    *("rendered", "text", "value", "name", "plain", "content", "body", "html", "main", "#text"),
    *("label", "title", "term", "webTitle", "displayName", "fullName", "full_name", "en"),
)
_WRAPPERS = frozenset({"$date", "$oid", "$symbol", "#text", "_text", "$t"})
_NUMBERS = frozenset({"$numberLong", "$numberInt", "$numberDouble", "$numberDecimal"})
_IS_MEMBERS = re.compile(r"\{\s*'[^']*'\s*:")  # as Python writes an object
_NUMPY = re.compile(r"(?<=['\"])\s+(?=['\"])")
_LONGEST_LIST = 10_000  # characters of a list that is written as a text
_DEEPEST = 8
_NAMES = (
    *(("firstName", "lastName"), ("first_name", "last_name"), ("firstname", "lastname")),
    *(("given", "family"), ("given_name", "family_name"), ("givenName", "familyName")),
)


def reached(value: Any, path: tuple[str, ...]) -> Any:
    """The value at `path`; of a list of objects those of all of them."""
    for number, name in enumerate(path):
        if isinstance(value, list):
            if name.isdigit():
                value = value[int(name)] if int(name) < len(value) else None
                continue
            found = [reached(each, path[number:]) for each in value]
            return [each for each in found if each is not None]
        if not isinstance(value, dict):
            return None
        if name not in value:
            wanted = folded(name)
            name = next((each for each in value if folded(each) == wanted), name)
        value = value.get(name)
    return unwrapped(value)


def unwrapped(value: Any) -> Any:
    """A value without the wrappers of MongoDB's export; None if it is missing."""
    if isinstance(value, str):
        return None if len(value) < 12 and value.strip().casefold() in NOTHING else value
    if isinstance(value, dict) and len(value) == 1:
        ((name, inner),) = value.items()
        if name in _WRAPPERS and not (isinstance(inner, dict) and name in inner):
            return unwrapped(inner)
        if name in _NUMBERS:
            try:
                return float(inner) if "." in str(inner) else int(inner)
            except (TypeError, ValueError, OverflowError):
                return inner
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def is_something(value: Any) -> bool:
    """Whether a value is not missing."""
    return unwrapped(value) not in (None, "", [], {}, False)


def kind(value: Any) -> str:
    """What a value is, for a message."""
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    return "an object" if isinstance(value, dict) else "a list"


def shown(value: Any) -> str:
    """A value as it is written, for a message."""
    if isinstance(value, str):
        return value[:100]
    try:
        return orjson.dumps(value).decode()[:100]
    except TypeError:
        return str(value)[:100]


def text_of(value: Any, *, depth: int = 0) -> str | None:
    """A value as text, if it is one: of a list the texts in it, of an object its text."""
    value = unwrapped(value)
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, bool) or depth > _DEEPEST:
        return None
    if isinstance(value, int | float):
        return str(int(value)) if value == int(value) else str(value)
    if isinstance(value, list):
        texts = [text for each in value if (text := text_of(each, depth=depth + 1))]
        return "\n\n".join(texts) or None
    named = (value[name] for name in _TEXT_OF if name in value)
    return next((text for each in named if (text := text_of(each, depth=depth + 1))), None)


def paragraphs_of(value: Any) -> Any:
    """The paragraphs of a body that is an object of sections, with their headlines."""
    if not isinstance(value, dict):
        return value
    sections = value.get("sections")
    if not isinstance(sections, list):
        return value.get("paragraphs", value)
    texts: list[Any] = []
    for each in sections:
        if isinstance(each, dict):
            parts = (each.get("headline"), each.get("paragraphs"))
            texts += [
                text for part in parts for text in (part if isinstance(part, list) else [part])
            ]
        else:
            texts.append(each)
    return texts


def as_list(value: Any) -> Any:
    """A list or an object, parsed from the text that Python, numpy, JSON or PostgreSQL writes."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if len(text) > _LONGEST_LIST or text[:1] + text[-1:] not in {"[]", "{}"}:
        return value
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        if text[0] == "{" and not _IS_MEMBERS.match(text):
            inner = next(csv.reader([text[1:-1].replace("\n", " ").replace("\r", " ")]), [])
            return [each for each in inner if each and each != "NULL"]
        try:
            found = ast.literal_eval(_NUMPY.sub(", ", text))
        except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
            parts = (each.strip(" '\"") for each in text[1:-1].split(","))
            return [each for each in parts if each]
    return list(found) if isinstance(found, list | tuple | set) else found


def person(value: Any) -> Any:
    """The name of the person that an object describes."""
    if not isinstance(value, dict):
        return value
    for first, last in _NAMES:
        parts = (text_of(value.get(first)), text_of(value.get(last)))
        if whole := " ".join(part for part in parts if part):
            return whole
    names = ("name", "fullName", "full_name", "fullname", "displayName", "display_name")
    return next((text for each in names if (text := text_of(value.get(each)))), value)


def address(value: Any) -> Any:
    """The address that a list of links, or an object, begins with."""
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, dict):
        names = ("url", "href", "@id", "link", "web")
        return next((value[name] for name in names if value.get(name)), None)
    return value
