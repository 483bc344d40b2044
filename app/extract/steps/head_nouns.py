"""Organizations and places by their head nouns: `Bank of Ghana`, `Norrland Corp`, `Tila River`.

A step of `pipeline`: adds and widens capitalized runs that end in a head noun, or continue with
`of` after one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app.extract import authority, lexicon
from app.extract.document import Span

if TYPE_CHECKING:
    from app.extract.base import Type
    from app.extract.document import Reading

# Words are bounded, so that a long run of letters does not take quadratic time.
_CAP = r"(?:(?:[A-Z]\.){2,9}|[A-Z][\w’'&-]{0,99}|[A-Z]\.)"
_OF = re.compile(
    rf"(?<![\w-])(?:{_CAP}[ ]){{0,4}}(?:{'|'.join(sorted(lexicon.OF_HEADS))})[ ]"
    rf"(?:of|for)[ ](?:the[ ])?{_CAP}(?:(?:,?[ ]and|[ ]of|[ ]for)?[ ]{_CAP}){{0,4}}"
)
_RUN = re.compile(rf"(?<![\w-])(?:{_CAP}(?:[ ](?:and|&)(?=[ ][A-Z]))?[ ]){{1,5}}{_CAP}\.?")
_SUFFIXES = re.compile(
    r"(?:(?:[ ](?:and|&)[ ]Co\b)?,?[ ](?:Inc|Corp|Co|Ltd|Plc|PLC|LLC|LLP|AG|SA|"
    r"S\.A|NV|N\.V|GmbH|SpA|Bhd|AB|Oy|A/S|AS|KK|Pty|"
    r"Company|Corporation|Holdings|Group|Limited|Incorporated)\b\.?)+"
)


def organizations(reading: Reading) -> None:
    """Add, widen and retype organizations and places by their head nouns."""
    for number, passage in reading.prose():
        for match in _OF.finditer(passage.read):
            owner = re.match(r".*?['’]s?[ ](?=.*[ ](?:of|for)[ ])", match.group())
            start = match.start() + (owner.end() if owner else 0)
            start = _start(passage.read, start, match.end())
            end = _end(passage.read, start, match.end())
            start, end = _without_neighbour(passage.read, start, end)
            _take(reading, number, start, end, "organization")
    for span in reading.spans:
        _with_suffix(reading, span)
        words = reading.surface(span).split()
        if len(words) > 1 and span.entry is None and not span.sure:
            last = words[-1].rstrip(".")
            if last in lexicon.ORG_HEADS and span.type != "organization":
                span.type = "organization"
            elif last in lexicon.PLACE_HEADS and span.type == "person":
                span.type = "place"
    _runs(reading)


def _start(read: str, start: int, end: int) -> int:
    """The start without leading words such as `The` and titles; demonyms are part of the name."""
    for word in re.finditer(r"\S+", read[start:end]):
        plain = word.group().rstrip(".,")
        if plain in {"The", "A", "An", "In", "At", "But", "And", "On", "For", "When", "As"}:
            continue
        if re.search(r"-(?:based|listed|led|owned|backed|run)$", plain):
            continue
        if plain.lower() in lexicon.HONORIFICS and plain not in lexicon.OF_HEADS | {"General"}:
            continue
        return start + word.start()
    return end


def _without_neighbour(read: str, start: int, end: int) -> tuple[int, int]:
    """The part of `ICC and Zorin Court` that is one name: an acronym or a known name is another."""
    left = re.match(r"(.+?)[ ](?:and|&)[ ]", read[start:end])
    if left and _is_whole(left.group(1)):
        start += left.end()
    right = re.search(r"[ ](?:and|&)[ ]((?:(?![ ]and[ ]).)+)$", read[start:end])
    if right and _is_whole(right.group(1)):
        end = start + right.start()
    return start, end


def _is_whole(name: str) -> bool:
    several = " " in name and name.split()[-1] in lexicon.ORG_HEADS
    return name.isupper() or several or bool(authority.lookup(name))


def _end(read: str, start: int, end: int) -> int:
    text = read[start:end]
    text = re.sub(r"(?:['’]s?|[.,])$", "", text)
    cut = re.search(r"(?<=\w)['’]s[ ]", text)
    return start + (cut.start() if cut else len(text))


def _with_suffix(reading: Reading, span: Span) -> None:
    """Widen a span to a company designator after it, and make it an organization."""
    read = reading.passages[span.passage].read
    behind = _SUFFIXES.match(read, span.end)
    if not behind or read[span.start : span.end].isdigit():
        return
    end = behind.end()
    if read[end - 1] == "." and (end == len(read) or read[end : end + 2].strip()[:1].isupper()):
        end -= 1
    if reading.free(span.passage, span.end, end):
        reading.move(span, span.start, end)
        span.type, span.sure = "organization", True


def _runs(reading: Reading) -> None:
    """Add capitalized runs that end in a head noun."""
    for number, passage in reading.prose():
        for match in _RUN.finditer(passage.read) if passage.field != "headline" else ():
            for start, end, type_ in _kinds(passage.read, match.start(), match.end()):
                _take(reading, number, start, end, type_)


def _kinds(read: str, start: int, end: int) -> list[tuple[int, int, Type]]:
    words = list(re.finditer(r"\S+", read[start:end]))
    for count in range(len(words), 1, -1):
        last = words[count - 1].group().rstrip(".,")
        last = re.sub(r"['’]s?$", "", last)
        if last in lexicon.ORG_HEADS:
            type_: Type = "organization"
        elif last in lexicon.PLACE_HEADS:
            type_ = "place"
        else:
            continue
        if (
            count < len(words)
            and words[count].group().strip(".,").lower() not in lexicon.ROLE_WORDS
        ):
            return []
        first = _start(read, start, start + words[count - 1].start())
        until = _end(read, start, start + words[count - 1].start() + len(last))
        first, until = _without_neighbour(read, first, until)
        text = read[first:until]
        parts = text.split()
        if len(parts) < 2 or (parts[0] in authority.demonyms() and len(parts) < 3):
            return []
        if (
            "'s " in text
            or "’s " in text
            or (parts[0].lower() in lexicon.ROLE_WORDS and len(parts) < 3)
        ):
            return []
        return [(first, until, type_)]
    return []


def _take(reading: Reading, passage: int, start: int, end: int, type_: Type) -> None:
    """Add a span in place of those inside it, unless one there extends beyond it."""
    there = reading.touching(passage, start, end)
    if any(s.start < start or s.end > end for s in there):
        return
    if len(there) > 1 and any(s.type == "person" for s in there):
        return
    reading.replace(Span(passage, start, end, type_, sure=bool(there)))
