"""Types by the words around a name: `near Surkhet`, `the minister, Elena Quispe,`.

A step of `pipeline`, for names whose type neither the authority file nor a title decides.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from app.extract import authority, lexicon
from app.extract.document import Span
from app.text import fold

if TYPE_CHECKING:
    from app.extract.base import Type
    from app.extract.document import Reading

_REACH = 40
_WORD = re.compile(r"\w+")
_JOINED = re.compile(r"[\w-]")
_ROLE = re.compile(
    r"\b(?:minister|president|chairman|chairwoman|director|spokesman|spokeswoman|head|leader|coach|executive|"
    r"secretary|governor|general|chief|wife|husband|son|daughter|brother|sister|lawyer|founder|manager|"
    r"ambassador|mayor|bowler|striker|editor|owner|professor|analyst|author|partner|commissioner),\s$"
)
_WHO = re.compile(
    r",\s(?:who\b|whose\b|\d\d,|a former (?:minister|president|director|student|engineer))"
)
_OFFICE = re.compile(
    r",\s(?:the\s|an?\s)?(?:[\w-]+\s){0,2}(?:chair(?:man|woman)|president|secretary|director|minister|"
    r"spokes(?:man|woman|person)|economist|analyst|head|editor|professor|chief|leader|governor|manager|"
    r"lawyer|attorney|coach|ambassador|mayor|senator|commissioner)\b"
)
_THE = re.compile(r"(?<![\w-])the\s$")  # no article before a person's name
_FIELD = re.compile(
    r"\s(?:\w+\s)?(?:field|project|area|region|coast|river|basin|district|pipeline|refinery|mine|plant|"
    r"valley|mountains?|island|peninsula|province|border|port|terminal)\b"
)
_STAKE = re.compile(
    r"\b(?:stakes?|shares?|interests?|holdings?|invest(?:ed|ors?|ment|ments|ing)?|stock|confidence|"
    r"position|partner|control|investors|believes?|faith|equity|pct|percent)\s(?:in|of)\s$"
)
_IN = re.compile(r"(?<![\w-])(?:in|near|outside|around|across|throughout)\s$", re.IGNORECASE)
_TO = re.compile(r"(?<![\w-])(?:to|from|into)\s$")
_END = re.compile(r"\s(?:by|on|in|for|and|after|before)\b|[,.]")
_LONGEST, _SHORT = 4, 2  # words of a person, of a place that only a preposition shows
_TOWN = re.compile(
    r"\b(?:roads?|border|flights?|trip|visit|route|travel\w*|flew|flown|returned|airport|port|harbou?r|"
    r"town|city|village|province|district|capital|suburbs?|outskirts|streets|island|region|mayor|"
    r"people|residents|north|south|east|west|km|miles|kilometers|kilometres)\s(?:of|to|from|in)\s$"
)
_COMPANY_BEHIND = re.compile(
    r"(?:['’]s)?\s(?:said\s(?:it|its|the company)\b|shares|stock|profits?|net\b|reported|"
    r"posted|units?\b|"
    r"subsidiar|plc|competes|employs|makes|builds|sells|board|spokes|chief executive|management|"
    r"customers|products|acquired|executives?|shareholders|directors|officials|owns|"
    r"agreed to (?:buy|sell|acquire))"
    r"|,\s(?:a|an|the)\s(?:[\w-]+\s){0,3}(?:start-up|startup|company|maker|unit|firm|bank|"
    r"group|retailer|airline|subsidiary|union|party|newspaper|producer|broker|agency|charity|"
    r"chain|manufacturer)\b"
)
_COMPANY_BEFORE = re.compile(
    r"\b(?:makers?|company|firm|start-up|startup|group|broker|brokers|bank|airline|retailer|"
    r"newspaper|union|analysts at|economists at|known as|called|producer|owned by|unit of|"
    r"subsidiary of|parent|charity|acquire|bid for|merge with|takeover of|giant|carrier|party|"
    r"daily|agency|website|platform)\s$"
)
_TRADE = re.compile(
    r"\b(?:(?:drug|car|auto|chip|plane|steel|phone|truck|tyre|tire|toy)-?maker|brewer|insurer|lender|"
    r"retailer|grocer|distiller|conglomerate|homebuilder|airline|miner|chain)\s$"
)


def types(reading: Reading) -> None:
    """Correct types by the words around, and drop spans that are no entity."""
    _people_of_places(reading)
    fulls = {
        fold(reading.surface(span)).split()[-1]
        for span in reading.spans
        if span.type == "person" and " " in reading.surface(span)
    }
    companies = _companies(reading, fulls)
    decided: dict[str, Type] = {}
    for span in reading.in_order():
        text = reading.surface(span)
        if span.sure or span.name or reading.passages[span.passage].field == "dateline":
            continue
        if authority.lookup(text):
            continue
        type_ = "organization" if text in companies else _type_of(reading, span, text, fulls)
        if type_ and type_ != span.type:
            decided.setdefault(text, type_)
    for span in reading.spans:
        type_ = decided.get(reading.surface(span))
        if type_ and not span.sure:
            span.type, span.sure = type_, True
    heard, quiet = _heard(reading), _Quiet(reading)
    reading.spans = [
        span
        for span in reading.spans
        if not _is_event(reading, span) and (not heard or _is_heard(reading, span, heard, quiet))
    ]


def _companies(reading: Reading, people: set[str]) -> set[str]:
    """The beginnings of the article's company names: `Fujitsu` of `Fujitsu Ltd`."""
    found = set()
    for span in reading.spans:
        words = reading.surface(span).split()
        last = words[-1].rstrip(".").lower()
        if span.type == "organization" and last in lexicon.DESIGNATORS:
            found |= {" ".join(words[:count]) for count in range(1, len(words))}
    return {name for name in found if fold(name) not in people}


def _heard(reading: Reading) -> set[str]:
    """The words of all names outside passages in capitals."""
    return {
        word
        for span in reading.spans
        if not reading.passages[span.passage].loud
        for word in fold(reading.surface(span)).split()
    }


class _Quiet:
    """The passages that are not in capitals, indexed by word."""

    def __init__(self, reading: Reading) -> None:
        self._places: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
        for passage in reading.passages:
            if not passage.loud:
                for word in _WORD.finditer(passage.read):
                    self._places[word.group()].append((passage.read, word.start()))

    def hold(self, words: str) -> bool:
        """Whether one of them contains `words` in exactly this case."""
        first = _WORD.search(words)
        places = self._places.get(first.group(), ()) if first else ()
        return any(_stands(words, read, at - first.start()) for read, at in places if first)


def _stands(words: str, read: str, start: int) -> bool:
    if start < 0 or not read.startswith(words, start):
        return False
    end = start + len(words)
    return not (_JOINED.match(read, start - 1) if start else None) and not _JOINED.match(read, end)


def _is_heard(reading: Reading, span: Span, heard: set[str], quiet: _Quiet) -> bool:
    """Whether a name in a passage in capitals is known, or occurs in another passage."""
    if not reading.passages[span.passage].loud or span.sure:
        return True
    text = reading.surface(span)
    known = authority.lookup(text)
    if known and not any(entry.weak for entry in known):
        return True
    if quiet.hold(text.lower()):
        return False
    return any(each in heard for each in fold(text).split())


def _is_event(reading: Reading, span: Span) -> bool:
    words = reading.surface(span).split()
    if span.type == "person" or span.sure or authority.lookup(reading.surface(span)):
        return False
    behind = reading.after(span)
    kind = words[-1] in lexicon.ORG_HEADS
    if behind and not kind and (behind.capitalize() in lexicon.NO_ENTITY_TAILS and len(words) > 1):
        return True
    is_race = words[0] in lexicon.NO_ENTITY_STARTS and not kind
    return len(words) > 1 and (is_race or words[-1] in lexicon.NO_ENTITY_TAILS)


def _type_of(reading: Reading, span: Span, text: str, fulls: set[str]) -> Type | None:
    """The type by the words around; None without evidence."""
    read = reading.passages[span.passage].read
    before = read[max(span.start - _REACH, 0) : span.start]
    behind = read[span.end : span.end + _REACH]
    words = text.split()
    last = words[-1].rstrip(".")
    kind = last in lexicon.ORG_HEADS or last.lower() in lexicon.GENERIC
    several = 1 < len(words) <= _LONGEST and not kind and last not in lexicon.PLACE_HEADS
    if fold(text) in fulls or (several and _is_person(text, before, behind)):
        return "person"
    if len(words) == 1 and _TRADE.search(before):
        return "organization"
    if not kind and _is_place(span, text, before):
        return "place"
    if span.type != "person" or len(words) > 1:
        return None
    if _THE.search(before):
        return "place" if _FIELD.match(behind) else "organization"
    if _COMPANY_BEHIND.match(behind) or _COMPANY_BEFORE.search(before):
        return "organization"
    return "place" if _TO.search(before) and _END.match(behind) else None


def _is_person(text: str, before: str, behind: str) -> bool:
    if text.split()[0] in lexicon.GIVEN_NAMES and " of " not in text and " and " not in text:
        return True
    in_apposition = _ROLE.search(before) and re.match(r"[,.]", behind)
    return bool(in_apposition or _WHO.match(behind) or _OFFICE.match(behind))


def _is_place(span: Span, text: str, before: str) -> bool:
    if text.isupper() and span.type != "person":
        return False
    if _TOWN.search(before):
        return True
    inside = _IN.search(before) and not _STAKE.search(before)
    return bool(inside) and (span.type == "person" or len(text.split()) <= _SHORT)


def _people_of_places(reading: Reading) -> None:
    """Split `Frerichs of Lombard`, if the article has a person of that surname."""
    ends = {reading.surface(span).split()[-1] for span in reading.spans if span.type == "person"}
    for span in reading.spans:
        text = reading.surface(span)
        owner = re.match(r"([\w-]+)['’]s? (?=[A-Z])", text)
        if span.type == "organization" and owner and owner.group(1) in ends:
            start = span.start
            reading.move(span, start + owner.end(), span.end)
            reading.add(Span(span.passage, start, start + len(owner[1]), "person", sure=True))
            continue
        name, of, where = text.partition(" of ")
        if span.type != "organization" or not of or name.split()[-1] not in ends:
            continue
        end = span.end
        reading.move(span, span.start, span.start + len(name))
        span.type, span.sure = "person", True
        reading.add(Span(span.passage, end - len(where), end, "place"))
