"""Teams that go by the name of their city: `Leeds drew 2-2 with Everton`.

A step of `pipeline`, for articles about sport alone. A city that plays is an organization,
one that is played in stays a place.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from app.extract import authority, lexicon
from app.extract.document import Span
from app.extract.steps.gazetteer import is_sport

if TYPE_CHECKING:
    from app.extract.base import Type
    from app.extract.document import Reading

_PLAYS = re.compile(
    r"\s(?:\w+ly\s)?(?:beat|beats|beaten|drew|draw|draws|lost|lose|loses|won|win|wins|face|faces|faced|"
    r"host|hosts|hosted|hold|holds|held|lead|leads|led|stun|stuns|stunned|edge|edged|thrash|thrashed|"
    r"defeat|defeats|defeated|scored?|signed?|stay|stays|remain|remains|trail|trailed|are|were|had|came|"
    r"got|took|go|went|top|topped|rout|routed|striker|midfielder|defender|goalkeeper|captain|coach|"
    r"manager|winger|forward|quarterback|guard|fans|players|vs\.?|v)\b|\s\d+[-–]\d+|\s\d+,"
)
_PLAYED = re.compile(
    r"(?:beat|beats|beating|defeat|defeated|defeating|against|versus|vs\.?|over|behind|above|below|"
    r"thrashed|edged|downed|facing|face|faced|host|hosts|hosted|hosting|visit|stun|stunned|hold|held|"
    r"(?:draw|drew|drawn|draws)(?:\s\d+[-–]\d+)?\swith|for|by|past|upset|rout|routed|\d+[-–]\d+(?:\sto)?)\s$"
)


_NAME = r"[A-Z][\w.’'&-]*(?:[ ](?:[A-Z][\w.’'&-]*|of|and|de|van|der|den|di|da|del|la|al)){0,4}"
_RESULT = re.compile(
    rf"(?:^|(?<=[;,] ))({_NAME}) \d+(?: \(\d+\))? ({_NAME}) \d+\b(?!-)", re.MULTILINE
)
_ROW = re.compile(rf"^(?:\d{{1,2}}\.? )?({_NAME})(?: \d+){{4,}}", re.MULTILINE)
_ROUNDS = re.compile(
    rf"(?:^|(?<= , ))(?:\d{{3}} )?({_NAME})(?: \( \w[\w. ]+ \))?(?: [67]\d){{2,4}}\b", re.MULTILINE
)
_PLAYER = re.compile(rf"({_NAME}) ?\( ?([A-Z][\w. ]+?) ?\)")

_WORD = re.compile(r"[a-z]+")
_SIGNS = frozenset(
    {"team", "teams", "player", "players", "season", "league", "coach", "game", "match"}
)


def teams(reading: Reading) -> None:
    """Make cities that play organizations, under their full name where the article has it."""
    words = {word for passage in reading.passages for word in _WORD.findall(passage.read.lower())}
    if words & _SIGNS:
        _full_names(reading)
    if not is_sport(reading):
        return
    _results(reading)
    meanings = _beginnings(reading)
    surnames = {
        reading.surface(span).split()[-1]
        for span in reading.spans
        if span.type == "person" and " " in reading.surface(span)
    }
    for span in reading.spans:
        text = reading.surface(span)
        dateline = span.sure and span.type == "place" and span.name
        if (
            reading.passages[span.passage].field == "dateline"
            or dateline
            or (span.sure and span.type == "person")
        ):
            continue
        if span.type == "person" and (" " in text or text in surnames):
            continue
        if span.type == "place" and not _is_city(text):
            continue
        read = reading.passages[span.passage].read
        plays = _PLAYS.match(read, span.end) or _PLAYED.search(
            read[max(span.start - 24, 0) : span.start]
        )
        if span.type != "organization" and not plays:
            continue
        if span.type == "organization" and not authority.lookup(text, "place"):
            continue
        meant = meanings.get(text, ())
        span.type, span.sure = "organization", True
        span.name = meant[0] if len(meant) == 1 else text


def _results(reading: Reading) -> None:
    """Take the teams and players of lines of results: `Arsenal 2 Chelsea 1`."""
    for number, passage in enumerate(reading.passages):
        if passage.field != "body":
            continue
        for pattern, person in ((_RESULT, False), (_ROW, False), (_ROUNDS, True), (_PLAYER, True)):
            for line in pattern.finditer(passage.text):
                if pattern is _PLAYER and not _is_player(line):
                    continue
                for group in range(1, 3 if pattern is _RESULT else 2):
                    _take(reading, number, *line.span(group), person=person)


def _is_player(line: re.Match[str]) -> bool:
    """Whether a name before a country in brackets is a person's."""
    return bool(
        1 < len(line[1].split()) < 5
        and any(entry.kind == "country" for entry in authority.lookup(line[2], "place"))
        and not authority.lookup(line[1])
    )


def _take(reading: Reading, number: int, start: int, end: int, *, person: bool) -> None:
    known = authority.lookup(reading.passages[number].text[start:end], "place")
    country = bool(known) and known[0].kind == "country"
    type_: Type = "place" if country else "person" if person else "organization"
    reading.replace(Span(number, start, end, type_, sure=True))


def _beginnings(reading: Reading) -> dict[str, list[str]]:
    """The names of organizations by the words that they begin with."""
    names = (reading.surface(span) for span in reading.spans if span.type == "organization")
    found: defaultdict[str, list[str]] = defaultdict(list)
    for name in dict.fromkeys(names):
        for blank in re.finditer(" ", name):
            found[name[: blank.start()]].append(name)
    return found


def _full_names(reading: Reading) -> None:
    """Take two words for a team, not a person, if the first is a city: `Miami Heat`."""
    for span in reading.spans:
        words = reading.surface(span).split()
        if span.type != "person" or span.sure or len(words) != 2:
            continue
        found = authority.lookup(words[0], "place")
        given = words[0] in lexicon.GIVEN_NAMES or any(words[0] in entry.weak for entry in found)
        if found and not given:
            span.type = "organization"


def _is_city(text: str) -> bool:
    found = authority.lookup(text, "place")
    return not found or found[0].kind in {"city", "capital"}
