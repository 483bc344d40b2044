"""Word lists of the page readers: agencies, labels, regions, boilerplate.

`vocabulary.toml` documents each. Lists of lines are compared by `cleaning.key`, lists in capitals
with text in capitals.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from app.ingest.cleaning import key

_LISTS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


def _words(name: str) -> frozenset[str]:
    return frozenset(_LISTS["words"][name].split())


def _names(name: str) -> frozenset[str]:
    return frozenset(each.strip() for each in _LISTS["names"][name].split(","))


def _lines(name: str) -> frozenset[str]:
    listed: str = _LISTS["lines"][name]
    return frozenset(key(line) for line in listed.strip().replace("\n", "|").split("|"))


def _labels(name: str) -> frozenset[str]:
    listed: str = _LISTS[name]
    return frozenset(
        label.strip().casefold() for label in listed.replace("\n", "|").split("|") if label.strip()
    )


AGENCIES = tuple(_LISTS["agencies"])
CREDIT_SIGNS = tuple(_LISTS["credit_signs"])
UNDER_WAY = tuple(_LISTS["under_way"])
PATTERNS = {name: text.strip().replace("\n", "|") for name, text in _LISTS["patterns"].items()}
"""Regular expressions by what they are for."""

PLACES = _names("places")
STILL_PLACES = frozenset(_LISTS["still_places"])

POSITIONS = _words("positions")
SMALL_WORDS = _words("small_words")
NEEDS_AGENCY = _words("needs_agency")
PARTICLES = _words("particles")
ACRONYMS = _words("acronyms")
NEVER_FIRST = _words("never_first")
NEVER_LAST = _words("never_last")
NEVER_ALONE = NEVER_FIRST | NEVER_LAST | _words("never_alone")
LABELS = _words("labels")
REGIONS = _names("regions")
STATES = _words("states") | _names("states")

WEEKDAYS = frozenset(_LISTS["weekdays"].casefold().split())
PUBLISHED_LABELS = _labels("published_labels")
UPDATED_LABELS = _labels("updated_labels")

SHARE = _lines("share")
NAVIGATION = _lines("navigation")
STATIC_TITLES = _lines("static_titles")
ALWAYS_STATIC = _lines("always_static")
STAFF = _lines("staff")
SECTIONS = _lines("sections")

MONTHS: dict[str, int] = {}
"""The number of each month's name and short form; the first language that has it decides."""
for _year in _LISTS["months"]:
    for _number, _several in enumerate(_year.split(), start=1):
        for _name in _several.split("/"):
            MONTHS.setdefault(_name.casefold(), _number)
