"""Teams and players: `Leeds drew 2-2 with Everton`, `striker Callum Prewett`.

A step of `pipeline`, for articles about sport alone. A city that plays is an organization,
one that is played in stays a place, and so does a country.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
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
    r"manager|winger|forward|quarterback|guard|fans|players|team|side|squad|vs\.?|v)\b|\s\d+[-–]\d+|\s\d+,"
)
_PLAYED = re.compile(
    r"(?:beat|beats|beating|defeat|defeated|defeating|against|versus|vs\.?|over|behind|above|below|"
    r"thrashed|edged|downed|facing|face|faced|host|hosts|hosted|hosting|visit|stun|stunned|hold|held|"
    r"(?:draw|drew|drawn|draws)(?:\s\d+[-–]\d+)?\swith|for|by|past|upset|rout|routed|\d+[-–]\d+(?:\sto)?)\s$"
)


_CAPITALIZED = r"[A-Z][\w.’'&-]{0,99}"
_NAME = rf"{_CAPITALIZED}(?:[ ](?:{_CAPITALIZED}|of|and|de|van|der|den|di|da|del|la|al)){{0,4}}"
_RESULT = re.compile(
    rf"(?:^|(?<=[;,] ))({_NAME}) \d+(?: \(\d+\))? ({_NAME}) \d+\b(?!-)", re.MULTILINE
)
_ROW = re.compile(rf"^(?:\d{{1,2}}\.? )?({_NAME})(?: \d+){{4,}}", re.MULTILINE)
_ROUNDS = re.compile(
    rf"(?:^|(?<= , ))(?:\d{{3}} )?({_NAME})(?: \( \w[\w. ]+ \))?(?: [67]\d){{2,4}}\b", re.MULTILINE
)
_PLAYER = re.compile(rf"(?<![\w.’'&-])({_NAME}) ?\( ?([A-Z][\w. ]+?) ?\)")

_WORD = re.compile(r"[a-z]+")
_WRITTEN = re.compile(r"[\w-]+")
_CLUB_WORDS = 2
_SIGNS = frozenset(
    {"team", "teams", "player", "players", "season", "league", "coach", "game", "match"}
)


_WORD_OF_NAME = r"[^\W\d_a-z][\w-]{1,99}(?:['’](?!s\b)[\w-]{1,99})?"
_TWO = rf"({_WORD_OF_NAME}(?: (?:van|von|de|di|da|del|der|la|al)){{0,2}} {_WORD_OF_NAME})(?! [A-Z])"
_NATIONAL = re.compile(
    rf"(?<![\w-])((?:[A-Z][\w.]{{1,99}} ){{0,2}}[A-Z][\w.]{{1,99}})['’]s? {_TWO}"
)
_OF_NATION = re.compile(rf"(?<![\w-])([A-Z][a-z]+) {_TWO}")
_ROLE = re.compile(rf"\b(?:{'|'.join(sorted(lexicon.PLAYERS))}) {_TWO}")
_OWNS = re.compile(rf"['’]s? {_WORD_OF_NAME} {_WORD_OF_NAME}")
_HOME = re.compile(r"\b(?:\d\d?-year-old from|born in|lives in|trains in|native of)\s$")


def teams(reading: Reading) -> None:
    """Retype cities that play as organizations, with the full name if the article has it."""
    words = {word for passage in reading.passages for word in _WORD.findall(passage.read.lower())}
    if words & _SIGNS:
        _full_names(reading)
    if is_sport(reading):
        _players(reading)
        _results(reading)
        _cities(reading)


def _cities(reading: Reading) -> None:
    meanings = _beginnings(reading)
    surnames = _surnames(reading)
    for span in reading.spans:
        text = reading.surface(span)
        dateline = span.sure and span.type == "place" and span.name
        if (
            reading.passages[span.passage].field == "dateline"
            or dateline
            or (span.sure and span.type == "person")
        ):
            continue
        known = authority.lookup(text, "place")
        if text in surnames and not known:
            span.type = "person"
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
        if span.type == "organization" and not known:
            continue
        if known and (_is_nation(text) or _HOME.search(read[max(span.start - 24, 0) : span.start])):
            span.type = "place"
            continue
        meant = meanings.get(text, ())
        span.type, span.sure = "organization", True
        span.name = meant[0] if len(meant) == 1 else text


def _players(reading: Reading) -> None:
    """Find players behind what they play or the country that they play for, and their teams.

    `spinner Nuwan Rathnayake`, `Italy's Davide Fontanel`, `American Skylar Whitcombe`;
    `McLaren's Oliver Stanhope`, `Real Betis`. Two words behind a demonym must be a name for the
    model, or the last of them stand elsewhere too.
    """
    counts = Counter(
        word for passage in reading.passages for word in _WRITTEN.findall(passage.read)
    )
    for number, passage in enumerate(reading.passages):
        if passage.field == "dateline" or passage.loud:
            continue
        for found in _ROLE.finditer(passage.read):
            _take_player(reading, Span(number, *found.span(1), "person"))
        for found in _NATIONAL.finditer(passage.read):
            if _is_nation(found[1]):
                _take_player(reading, Span(number, *found.span(2), "person"))
        for found in _OF_NATION.finditer(passage.read):
            if found[1] in authority.demonyms() and (
                counts[found[2].split()[-1]] > 1 or reading.touching(number, *found.span())
            ):
                _take_player(reading, Span(number, *found.span(2), "person"), found.start())
    _take_owners_and_clubs(reading)


def _take_player(reading: Reading, player: Span, start: int | None = None) -> None:
    """Add two words as a person, unless they may name a club, a city or a competition.

    At `start` is a demonym before them, which may be taken for a part of the name.
    """
    text = reading.surface(player)
    words = text.split()
    kinds = lexicon.ORG_HEADS | lexicon.PLACE_HEADS | lexicon.NO_ENTITY_TAILS | lexicon.CLUBS
    if kinds.intersection(words) or any(word.lower() in lexicon.GENERIC for word in words):
        return
    if lexicon.CALENDAR.intersection(words) or authority.demonyms().intersection(words):
        return
    if authority.lookup(text) or authority.lookup(words[-1], "place"):
        return
    begin = player.start if start is None else start
    there = reading.touching(player.passage, begin, player.end)
    if any(each.start < begin or each.end > player.end or each.entry for each in there):
        return
    reading.remove(*there)
    player.sure = True
    reading.add(player)


def _take_owners_and_clubs(reading: Reading) -> None:
    """Add organizations: single words that have a player, and names that begin like clubs."""
    surnames = _surnames(reading)
    for span in reading.spans:
        words = reading.surface(span).split()
        if span.type != "person" or span.sure or words[0] in surnames:
            continue
        is_club = len(words) == _CLUB_WORDS and words[0] in lexicon.CLUBS
        if is_club or (len(words) == 1 and _has_player(reading, span, words[0])):
            span.type, span.sure = "organization", True


def _has_player(reading: Reading, span: Span, word: str) -> bool:
    owned = _OWNS.match(reading.passages[span.passage].read, span.end)
    if not owned or word in lexicon.GIVEN_NAMES:
        return False
    there = reading.touching(span.passage, owned.end() - 1, owned.end())
    return any(each.type == "person" for each in there)


def _is_nation(name: str) -> bool:
    known = authority.lookup(name, "place")
    return name in lexicon.NATIONS or (bool(known) and known[0].kind == "country")


def _surnames(reading: Reading) -> set[str]:
    return {
        reading.surface(span).split()[-1]
        for span in reading.spans
        if span.type == "person" and " " in reading.surface(span)
    }


def _results(reading: Reading) -> None:
    """Add the teams and players in lines of results: `Arsenal 2 Chelsea 1`."""
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
