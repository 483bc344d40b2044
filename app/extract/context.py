"""What the words around a name say of its type: `near Surkhet`, `the minister, Elena Quispe,`.

A step of `resolution`, for names that neither the authority file nor a title has settled.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app.extract import authority, lexicon
from app.extract.passages import Span
from app.text import fold

if TYPE_CHECKING:
    from app.extract.base import Type
    from app.extract.passages import Reading

_REACH = 40
_ROLE = re.compile(
    r"\b(?:minister|president|chairman|chairwoman|director|spokesman|spokeswoman|head|leader|coach|executive|"
    r"secretary|governor|general|chief|wife|husband|son|daughter|brother|sister|lawyer|founder|manager|"
    r"ambassador|mayor|bowler|striker|editor|owner|professor|analyst|author|partner|commissioner),\s$"
)
_WHO = re.compile(
    r",\s(?:who\b|whose\b|\d\d,|a former (?:minister|president|director|student|engineer))"
)
_STAKE = re.compile(
    r"\b(?:stakes?|shares?|interests?|holdings?|invest(?:ed|ors?|ment|ments|ing)?|stock|confidence|"
    r"position|partner|control|investors|believes?|faith|equity|pct|percent)\s(?:in|of)\s$"
)
_IN = re.compile(r"(?<![\w-])(?:in|near|outside|around|across|throughout)\s$", re.IGNORECASE)
_WHERE = re.compile(r"(?<![\w-])(?:to|from|at|of|towards|into)\s$")
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


def types(reading: Reading) -> None:
    """Change the types that the words around speak against, drop what is no entity."""
    _people_of_places(reading)
    fulls = {
        fold(reading.surface(span)).split()[-1]
        for span in reading.spans
        if span.type == "person" and " " in reading.surface(span)
    }
    decided: dict[str, Type] = {}
    for span in reading.in_order():
        text = reading.surface(span)
        if span.sure or span.name or reading.passages[span.passage].field == "dateline":
            continue
        if authority.lookup(text):
            continue
        told = _told(reading, span, text, fulls)
        if told and told != span.type:
            decided.setdefault(text, told)
    for span in reading.spans:
        told = decided.get(reading.surface(span))
        if told and not span.sure:
            span.type, span.sure = told, True
    reading.spans = [span for span in reading.spans if not _is_event(reading, span)]


def _is_event(reading: Reading, span: Span) -> bool:
    words = reading.surface(span).split()
    if span.type != "organization" or span.sure or authority.lookup(reading.surface(span)):
        return False
    behind = reading.after(span)
    if behind and (behind.capitalize() in lexicon.NO_ENTITY_TAILS and len(words) > 1):
        return True
    return len(words) > 1 and words[-1] in lexicon.NO_ENTITY_TAILS


def _told(reading: Reading, span: Span, text: str, fulls: set[str]) -> Type | None:
    """The type that the surroundings tell; None where they are silent."""
    read = reading.passages[span.passage].read
    before = read[max(span.start - _REACH, 0) : span.start]
    behind = read[span.end : span.end + _REACH]
    words = text.split()
    last = words[-1].rstrip(".")
    kind = last in lexicon.ORG_HEADS or last.lower() in lexicon.GENERIC
    if len(words) in {2, 3, 4} and not kind and last not in lexicon.PLACE_HEADS:
        if words[0] in lexicon.GIVEN_NAMES and " of " not in text and " and " not in text:
            return "person"
        if (_ROLE.search(before) and re.match(r"[,.]", behind)) or _WHO.match(behind):
            return "person"
    if fold(text) in fulls:
        return "person"
    if _IN.search(before) and not kind and not _STAKE.search(before):
        alone = len(words) <= 2 and not text.isupper()
        if span.type == "person" or (alone and span.type == "organization"):
            return "place"
    if span.type != "person" or len(words) > 1:
        return None
    if _COMPANY_BEHIND.match(behind) or _COMPANY_BEFORE.search(before):
        return "organization"
    if _WHERE.search(before) and re.match(r"\s(?:by|on|in|for|and|after|before)\b|[,.]", behind):
        return "place" if _WHERE.search(before)[0].strip() in {"to", "from", "into"} else None  # type: ignore[index]
    return None


def _people_of_places(reading: Reading) -> None:
    """Part `Frerichs of Lombard`, where the article knows a Frerichs."""
    ends = {reading.surface(span).split()[-1] for span in reading.spans if span.type == "person"}
    for span in [*reading.spans]:
        text = reading.surface(span)
        owner = re.match(r"([\w-]+)['’]s? (?=[A-Z])", text)
        if span.type == "organization" and owner and owner.group(1) in ends:
            start = span.start
            span.start += owner.end()
            reading.spans.append(
                Span(span.passage, start, start + len(owner[1]), "person", sure=True)
            )
            continue
        name, of, where = text.partition(" of ")
        if span.type != "organization" or not of or name.split()[-1] not in ends:
            continue
        end = span.end
        span.end, span.type, span.sure = span.start + len(name), "person", True
        reading.spans.append(Span(span.passage, end - len(where), end, "place"))
