"""The finder without a model: names by capitals, titles, given names and the authority file.

Much less accurate than the model, but without its dependencies. Paragraphs in, spans out;
`pipeline` resolves them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app.extract import authority, lexicon
from app.extract.document import Span, last_word, next_word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.extract.base import Type
    from app.extract.document import Reading

_CAP = r"(?:[A-Z][\w’'-]*[\w]|[A-Z]\.|[A-Z])"
_PARTICLE = r"(?:bin|ibn|bint|al|el|de|da|di|van|von|der|den|del|du|ul)"
_RUN = re.compile(rf"(?<![\w-]){_CAP}(?:[ ](?:{_PARTICLE}[ -])*{_CAP})*")
_LOWER = re.compile(r"(?<![\w-])[a-z][\w’'-]*")
_OPENS = re.compile(r"(?:^|[.!?:;\n•“\"‘(]\s*)$")
_SAYING = frozenset(
    ("said", "says", "told", "added", "asked", "called", "declined", "denied", "warned", "argued")
)


class RulesFinder:
    """Finds names by rules alone."""

    name = "rules"

    def find(self, readings: Sequence[Reading]) -> None:
        """Add to each reading the spans that the rules find."""
        for reading in readings:
            common = {word for passage in reading.passages for word in _LOWER.findall(passage.read)}
            for number, passage in reading.prose():
                reading.add(*_found(number, passage.read, common))


def _found(number: int, read: str, common: set[str]) -> list[Span]:
    found = []
    for run in _RUN.finditer(read):
        start, end = run.span()
        start, end = _inner(read, start, end, common)
        if start < end and (type_ := _type(read, start, end)):
            found.append(Span(number, start, end, type_))
    return found


def _inner(read: str, start: int, end: int, common: set[str]) -> tuple[int, int]:
    """The run without a first word that is capitalized only because it begins a sentence."""
    text = read[start:end]
    possessive = re.search(r"['’]s?$", text)
    end -= len(possessive.group()) if possessive else 0
    if _OPENS.search(read, max(start - 4, 0), start):
        first, _, rest = read[start:end].partition(" ")
        if first.lower() in common or first.lower() in lexicon.NO_NAMES | lexicon.LOCATIVE:
            start = end if not rest else start + len(first) + 1
    return start, end


def _type(read: str, start: int, end: int) -> Type | None:
    """The likely type of a capitalized run; None without evidence."""
    text = read[start:end]
    words = text.split()
    known = authority.lookup(text)
    if known:
        return known[0].type
    last = words[-1].rstrip(".")
    if len(words) > 1 and (last in lexicon.ORG_HEADS or last.lower() in lexicon.DESIGNATORS):
        return "organization"
    if len(words) > 1 and last in lexicon.PLACE_HEADS:
        return "place"
    if text.isupper() and len(text) > 1:
        return "organization"
    before, after = last_word(read, start), next_word(read, end)
    named = words[0] in lexicon.GIVEN_NAMES or before.rstrip(".").lower() in lexicon.HONORIFICS
    titled = words[0].rstrip(".").lower() in lexicon.HONORIFICS
    if len(words) > 1 and (named or titled or after in _SAYING):
        return "person"
    if before in lexicon.LOCATIVE and before != "to":
        return "place"
    if after in _SAYING or named:
        return "person"
    if len(words) in {2, 3} and not any(word.lower() in lexicon.ROLE_WORDS for word in words):
        return "person"
    return None
