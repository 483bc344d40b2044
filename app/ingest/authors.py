"""Authors: the names in a byline, for all readers.

In: a byline as printed. Out: the names of people, each once and in order, without `By`, roles,
e-mail addresses and places; if it names no person, those of organizations. `save` leaves out the
publisher. Roles and organizations are recognized by English words only.

    >>> names("By JANE DOE and Omar bin Ali, Staff Reporters, in Cairo")
    ('JANE DOE', 'Omar bin Ali')
    >>> names("Reuters"), names("Jane Doe, Reuters"), names("jane@example.org (Jane Doe)")
    (('Reuters',), ('Jane Doe',), ('Jane Doe',))
"""

from __future__ import annotations

import re

from app.extract import authority
from app.ingest.cleaning import key
from app.ingest.vocabulary import PATTERNS, PLACES, REGIONS, STAFF
from app.text import fold

_BY = re.compile(r"^(?:(?:written|reported|reporting|story|words)\s+)?by\b:?\s+", re.IGNORECASE)
_MAIL = re.compile(r"<?\S+@\S+?>?(?=[\s,;)]|$)|@\w+|https?://\S+")
_PARTS = re.compile(
    r"\s*[,;/|()•·、،／＝]\s*|\s+[-–—]\s+|\s+(?:&|and|with|for|und|mit|et|avec|con|och|og|и|та|с|ve|ו?עם)\s+(?=\S)"
    r"|\s+in\s+(?=[A-Z])"
    r"|(?P<joint>\s+(?:(?:y|e|en|i|і)\s+|[وו])(?=[\w.'’-]+\s+\w))"
    r"|\s+(?=(?:by|By|BY)\s)"
)
_BRACKETS = re.compile(r"\([^()]*\)|（[^（）]*）")
_ANY_NAME = re.compile(r"[^\W\d_]{2}")
_REPORTER = re.compile(
    r"^(?:本[报報])?(?:特[约約])?(?:[記记]者|編集委員)[ :：]?"
    r"|(?<=[가-힣]) ?(?:특파원|선임기자|기자)$"
    r"|(?<=\w)記者$"
    r"|(?:[台新][^\W\d_]{1,2})?(?:報導|报道)$"
)
_NO_NAME = re.compile(rf"\b(?:{PATTERNS['roles']})\b|^in ", re.IGNORECASE)
_ORGANIZATION = re.compile(PATTERNS["organizations"], re.IGNORECASE)
_NAME = re.compile(r"(?!\d)\w[\w.'’ʼ\- ]{1,58}[\w.]|[\u3400-\u9fff\uac00-\ud7af]{2}")


def is_place(part: str) -> bool:
    """Whether a list has a place of that name, in any script."""
    return part.upper() in REGIONS or part in PLACES or bool(authority.lookup(part, "place"))


def is_organization(part: str) -> bool:
    """Whether `part` of a byline names an organization by its words."""
    return key(part) in STAFF or _ORGANIZATION.search(part) is not None


def names(byline: str | None) -> tuple[str, ...]:
    """The people that a byline names, otherwise its organizations."""
    if byline is None:
        return ()
    text = _MAIL.sub(" ", _BY.sub("", byline.strip()))
    bare = _BRACKETS.sub(" ", text)
    if _ANY_NAME.search(bare):
        text = bare
    people: dict[str, str] = {}
    organizations: dict[str, str] = {}
    of_place = False
    start = 0
    for match in [*_PARTS.finditer(text), None]:
        part = _BY.sub("", text[start : match.start() if match else len(text)].strip(" .:"))
        if match is not None and match["joint"] and len(part.split()) < 2:
            continue  # José Ortega y Gasset
        part = _REPORTER.sub("", part)
        if people and is_place(part):
            part = ""
        if part and not of_place and not _NO_NAME.search(part):
            if is_organization(part):
                organizations.setdefault(fold(part), part)
            elif _NAME.fullmatch(part):
                people.setdefault(fold(part), part)
        of_place = match is not None and match.group().strip() == "in"
        start = match.end() if match else start
    return tuple((people or organizations).values())
