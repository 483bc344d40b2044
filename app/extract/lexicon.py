"""Word lists: titles, kinds of organizations and places, given names, spellings.

`lexicon.toml` says what each list is for.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

_LISTS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


def _words(name: str) -> frozenset[str]:
    return frozenset(_LISTS[name].split())


def _lines(name: str) -> tuple[str, ...]:
    return tuple(_LISTS[name].strip().splitlines())


HONORIFICS = _words("honorifics")
ROLE_WORDS = HONORIFICS | _words("role_words")
OFFICES = _words("offices")
DESIGNATORS = _words("designators")
GENERIC = DESIGNATORS | _words("generic")
ORG_HEADS = _words("org_heads")
OF_HEADS = _words("of_heads")
PLACE_HEADS = _words("place_heads")
CALENDAR = _words("calendar")
NO_NAMES = _words("no_names")
NO_PHRASES = frozenset(_lines("no_phrases"))
PARTICLES = _words("particles")
LOCATIVE = _words("locative")
NO_ENTITY_TAILS = _words("no_entity_tails")
NO_ENTITY_STARTS = _words("no_entity_starts")
SPORT = _words("sport")
SLUGS = _words("slugs")
PLAYERS = _words("players")
CLUBS = _words("clubs")
NATIONS = frozenset(_LISTS["nations"].strip().split("/"))
GIVEN_NAMES = _words("given_names")
NICKNAMES = dict(pair.split("/") for pair in _words("nicknames"))
SURNAME_PARTICLES = _words("surname_particles")
CHINESE_SURNAMES = _words("chinese_surnames")
KOREAN_SURNAMES = _words("korean_surnames")
SPELLINGS = tuple(line.split() for line in _lines("spellings"))
