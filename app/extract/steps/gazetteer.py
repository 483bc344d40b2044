"""The authority file applied to an article: spans retyped and added, datelines, disambiguation.

Steps of `pipeline`. A name of the file alone is not enough: in `Bank of Ghana` or `Paris
Lindqvist` it is part of another name, and some names are words or surnames as well.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app.extract import authority, lexicon
from app.extract.document import Span, last_word, next_word

if TYPE_CHECKING:
    from app.extract.authority import Entry, KnownName
    from app.extract.document import Passage, Reading

_ADJECTIVES = frozenset({"US", "U.S.", "UK", "U.K.", "UN", "U.N.", "EU", "EC", "NATO", "UAE"})
"""Used like adjectives: `US envoy`, `UN Resolution 2231`."""
_SCORE = re.compile(r"\b\d{1,3}-\d{1,3}\b")
_FEW = 3
_STATE = re.compile(
    r"(?:government|king|queen|kingdom|crown prince|president|prime minister|people|army|capital|"
    r"parliament|republic|embassy|ambassador|border|borders|state|north|south|east|west|neighbou?rs?|"
    r"citizens|economy|visit to|territory) (?:of|with|to) $",
    re.IGNORECASE,
)
"""Before a country: `the king of`."""


def known_names(reading: Reading) -> None:
    """Retype spans by the authority file, and add its names that the finder missed."""
    sport = is_sport(reading)
    for number, passage in reading.prose():
        for hit in authority.scan(passage.read):
            there = reading.touching(number, hit.start, hit.end)
            if not there:
                if _is_meant(passage, hit) and stands_alone(passage.read, hit.start, hit.end):
                    reading.add(_span(number, hit))
            elif len(there) == 1 and (there[0].start, there[0].end) == (hit.start, hit.end):
                _retype(passage, there[0], hit, sport=sport)
            elif hit.name not in hit.entries[0].weak and all(
                hit.start <= span.start and span.end <= hit.end for span in there
            ):
                reading.replace(_span(number, hit))


def sure_names(reading: Reading) -> None:
    """Add the names of the file that are unambiguous in any language."""
    for number, passage in reading.prose():
        for hit in authority.scan(passage.read):
            weak = any(hit.name in entry.weak | entry.ambiguous for entry in hit.entries)
            long = len(hit.name) > _FEW or hit.name.isupper()
            inside = _CAPITAL_BEFORE.search(passage.read, max(hit.start - 40, 0), hit.start)
            if not weak and long and len(hit.entries) == 1 and not inside:
                reading.add(_span(number, hit))


_CAPITAL_BEFORE = re.compile(r"(?<![.!?:])[ ][^\W\d_a-z][\w’'.-]*[ ]$|[-@]$")


def _span(number: int, hit: KnownName) -> Span:
    weak = any(hit.name in entry.weak or hit.name in entry.ambiguous for entry in hit.entries)
    return Span(number, hit.start, hit.end, hit.entries[0].type, sure=not weak)


def _retype(passage: Passage, span: Span, hit: KnownName, *, sport: bool) -> None:
    if span.type in {entry.type for entry in hit.entries}:
        span.sure = span.sure or not any(hit.name in entry.weak for entry in hit.entries)
        return
    doubtful = any(hit.name in entry.weak | entry.ambiguous for entry in hit.entries)
    if span.sure and (doubtful or span.type == "person"):
        return
    if any(hit.name in entry.ambiguous for entry in hit.entries):
        return
    club = sport and hit.entries[0].kind in {"city", "capital"}
    if club and span.type == "organization":
        span.sure = True
        return
    weak = any(hit.name in entry.weak for entry in hit.entries)
    if not weak or _is_meant(passage, hit):
        span.type, span.sure = hit.entries[0].type, not weak or is_state(passage.read, hit.start)


def is_state(read: str, start: int) -> bool:
    """Whether the words before say that a country follows: `the government of`."""
    return _STATE.search(read, max(start - 40, 0), start) is not None


def _is_meant(passage: Passage, hit: KnownName) -> bool:
    """Whether the context supports a name that may also be a word or a surname."""
    if not any(hit.name in entry.weak for entry in hit.entries):
        return True
    before = last_word(passage.read, hit.start)
    if hit.entries[0].kind == "country" and is_state(passage.read, hit.start):
        return True
    if hit.entries[0].type == "organization":
        return (
            len(hit.name) <= _FEW and hit.name.isupper() and before.lower() in {"the", "an", "by"}
        )
    if re.search(r"[A-Z][\w’'-]*[a-z],\s$", passage.read[max(hit.start - 20, 0) : hit.start]):
        return hit.entries[0].kind == "country" or hit.entries[-1].kind == "state"
    state = re.match(r",\s(?:[A-Z][\w.]+)", passage.read[hit.end : hit.end + 12])
    return before in lexicon.LOCATIVE or bool(state and before in {"of", "in", "at", "from"})


def stands_alone(read: str, start: int, end: int) -> bool:
    """Whether these characters are not part of a longer capitalized name."""
    name = read[start:end]
    before, after = last_word(read, start), next_word(read, end)
    if _is_joined(read, start, end):
        return False
    if read[end : end + 2] in {"’s", "'s"}:
        after = ""
    if name in _ADJECTIVES:
        return before[:1].islower() or not before or _is_plain(before) or read[start - 1] == "("
    if before[:1].isupper() and not _is_plain(before) and not _starts_sentence(read, start, before):
        return False
    if before == "of" and re.search(r"[A-Z][\w’'-]*[ ]of[ ]$", read[max(start - 30, 0) : start]):
        owner = last_word(read, read.rfind("of", 0, start))
        return owner.lower() in lexicon.ROLE_WORDS
    if after[:1].isupper():
        plain = after.rstrip(".,")
        return plain.lower() in lexicon.ROLE_WORDS or plain in lexicon.CALENDAR
    return True


def _is_joined(read: str, start: int, end: int) -> bool:
    """Whether a hyphen makes these characters part of another name, or a bracket a ticker."""
    if read[start - 1 : start] == "<" and read[start:end].isupper():
        return True
    if read[start - 1 : start] in {"-", "@"}:
        joined = re.search(r"([\w.]+)-$", read[max(start - 20, 0) : start])
        if not joined or not (joined.group(1).islower() or authority.lookup(joined.group(1))):
            return True
    if read[end : end + 1] == "-" and read[end + 1 : end + 2].isupper():
        joined = re.match(r"-([\w.]+)", read[end : end + 20])
        other = joined.group(1) if joined else ""
        return not (authority.lookup(other) or other in authority.demonyms())
    return False


def _is_plain(word: str) -> bool:
    plain = word.rstrip(".,")
    return (
        plain.lower() in lexicon.HONORIFICS
        or plain in lexicon.CALENDAR
        or plain in authority.demonyms()
        or plain in {"The", "In", "At", "From", "But", "And", "For", "While", "When", "As", "If"}
        or plain.endswith(("'s", "’s"))
        or bool(authority.lookup(plain, "place"))
    )


def _starts_sentence(read: str, start: int, before: str) -> bool:
    """Whether the word before begins its sentence, so that its capital says nothing."""
    at = read.rfind(before, 0, start)
    lead = read[max(at - 3, 0) : at].strip(" \"“‘'")
    common = before.lower() in lexicon.LOCATIVE or len(before) <= _FEW
    return common and (not lead or lead[-1] in ".!?:\n•")


_SPORT = re.compile(
    r"(?:soccer|football|tennis|cricket|rugby(?: union| league)?|baseball|basketball|golf|boxing|"
    r"cycling|athletics|(?:ice |field )?hockey|motor ?racing|skiing|swimming|badminton|"
    r"n[bfh]l|mlb|formula one)\s?[-–—:]",
    re.IGNORECASE,
)


def is_sport(reading: Reading) -> bool:
    """Whether an article is about a match or a season."""
    words = {
        word
        for passage in reading.passages
        for word in re.findall(r"[a-z-]+", passage.read.lower())
    }
    found = len(words & lexicon.SPORT)
    if _SPORT.match(reading.passages[0].text if reading.passages else ""):
        return True
    scores = any(_SCORE.search(passage.read) for passage in reading.passages)
    return found >= _FEW + 2 or (found >= _FEW and scores)


# --- datelines


_BODY_DATELINE = re.compile(
    r"([A-Z][A-Z’'.-]+(?:[ /][A-Z][A-Z’'.-]+){0,4}(?:,\s[A-Z][\w.]+(?:[ ][A-Z][\w.]+)?)?)"
    r"(?:,?\s\w+\.?\s\d{1,2})?(?:\s\([^)]{2,30}\))?\s?(?:--?|–|—|:)\s"
)
_BODY_DATELINE_ALONE = re.compile(
    r"([A-Z][A-Z’'.-]+(?: [A-Z][A-Z’'.-]+){0,3})(?: \d{4}-\d\d-\d\d)?\n(?=.)"
)
_DATE = re.compile(r",?\s*(?:[A-Z][a-z]{2,8}\.?)\s+\d{1,2}\b.*$")


def datelines(reading: Reading) -> None:
    """Add the places of the dateline, in its own field or at the start of the body."""
    for number, passage in enumerate(reading.passages):
        if passage.field == "dateline":
            _dateline(reading, number, 0, len(_DATE.sub("", passage.read)))
        elif passage.field == "body" and (
            found := _BODY_DATELINE.match(passage.read) or _BODY_DATELINE_ALONE.match(passage.text)
        ):
            _dateline(reading, number, found.start(1), len(_DATE.sub("", found.group(1))))


def _dateline(reading: Reading, number: int, start: int, end: int) -> None:
    passage = reading.passages[number]
    whole = passage.read[start:end]
    reading.spans = [s for s in reading.spans if s.passage != number or s.start >= end]
    for count, part in enumerate(re.finditer(r"[^/,;]+", whole)):
        text = part.group().strip()
        at = start + part.start() + len(part.group()) - len(part.group().lstrip())
        if not text or text.rstrip(".") in lexicon.CALENDAR or any(c.isdigit() for c in text):
            continue
        state = authority.abbreviations().get(text) or authority.abbreviations().get(text + ".")
        inner = count > 0 and whole[part.start() - 1] == ","
        found = [e for e in authority.lookup(text, "place") if e.kind == "state"]
        state = state or (found[0] if found and inner else None)
        if inner and state is None and not authority.lookup(text, "place"):
            continue
        span = Span(number, at, at + len(text), "place", name=_titled(text), sure=True)
        if state is not None and inner:
            span.name, span.entry = state.name, state
        reading.add(span)


def _titled(text: str) -> str:
    known = authority.lookup(text, "place")
    if known:
        return known[0].name
    if not text.isupper():
        return text
    words = re.sub(r"[^\W\d_]+(?:['’][^\W\d_]+)*", lambda m: m.group().capitalize(), text)
    return re.sub(
        r"(?<=[ -])(De|Del|Du|Sur|Upon|El|La|Of|The)(?=[ -])", lambda m: m[0].lower(), words
    )


# --- states behind towns


def abbreviated_states(reading: Reading) -> None:
    """Add states that are abbreviated after a town and a comma, or as in `D-Ore.`."""
    short = authority.abbreviations() | authority.postal_codes()
    for number, passage in reading.prose():
        for match in re.finditer(
            r"(?:(?<=[a-z.]),\s|(?<=\b[DRI]-))"
            r"([A-Z][\w]{1,4}\.|[A-Z]\.[A-Z][a-z]?\.|[A-Z]{2}(?!\w)|[A-Z][a-z]{1,4}(?=[,.;)]))",
            passage.read,
        ):
            entry = short.get(match.group(1)) or short.get(f"{match.group(1)}.")
            if entry is None:
                continue
            start, end = match.span(1)
            reading.replace(Span(number, start, end, "place", entry.name, entry, sure=True))


# --- which of several


class Meanings:
    """Disambiguation of names in an article whose spans are final.

    The evidence of the whole article is computed once per name.
    """

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._states: dict[tuple[str, str], bool] = {}
        self._organizations: dict[str, Entry | None] = {}

    def choose(self, span: Span, found: tuple[Entry, ...]) -> Entry | None:
        """The entry of `found` that a span names; None if that is unclear."""
        if span.type == "organization":
            return self._organization(self._reading.name(span), found)
        if len(found) == 1:
            return found[0]
        read = self._reading.passages[span.passage].read
        states = [entry for entry in found if entry.kind == "state"]
        others = [entry for entry in found if entry.kind != "state"]
        if not states or not others:
            return None
        if re.search(r"[a-z],\s$", read[max(span.start - 3, 0) : span.start]):
            return states[0]  # Yakima, Washington
        if others[0].kind == "country":
            return states[0] if self._lies_in(others[0], states[0]) else others[0]
        return others[0]

    def _lies_in(self, country: Entry, state: Entry) -> bool:
        key = (country.key, state.key)
        if key not in self._states:
            self._states[key] = _lies_in(self._reading, country, state)
        return self._states[key]

    def _organization(self, text: str, found: tuple[Entry, ...]) -> Entry | None:
        if text not in self._organizations:
            self._organizations[text] = _organization(self._reading, found, text)
        return self._organizations[text]


def _lies_in(reading: Reading, country: Entry, state: Entry) -> bool:
    """Whether the article's other places indicate the state rather than the country."""
    signs = 0
    for span in reading.spans:
        if span.type != "place":
            continue
        entries = authority.lookup(reading.name(span), "place")
        if len(entries) == 1 and entries[0].kind in {"city", "state"}:
            signs += entries[0].country == state.country
        if len(entries) == 1 and country.iso in {entries[0].country, entries[0].iso}:
            signs -= 2
    people = re.compile(rf"\b(?:{'|'.join(country.people)})\b")
    signs -= 3 * sum(bool(people.search(passage.read)) for passage in reading.passages)
    return signs > 0


def _organization(reading: Reading, found: tuple[Entry, ...], text: str) -> Entry | None:
    if not any(text in entry.ambiguous for entry in found):
        return found[0] if len(found) == 1 else None
    found_here = [
        entry
        for entry in found
        if any(
            name in passage.text
            for passage in reading.passages
            for name in entry.names
            if name not in entry.ambiguous
        )
    ]
    return found_here[0] if len(found_here) == 1 else None
