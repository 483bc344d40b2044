"""Titles and offices: cut from people's names, and people found after them.

A step of `pipeline`: `Gen. Bajwa` is Bajwa, `FBI Director` is the FBI, and capitalized words after
`Finance Minister` are a person, whatever the finder says.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app.extract import authority, lexicon
from app.extract.document import Span, next_word
from app.extract.steps.spans import trimmed

if TYPE_CHECKING:
    from app.extract.document import Reading

_NAME = r"[^\W\d_a-z][\w’'-]*\.?"
_SMALL = r"(?:al|el|bin|ibn|bint|abu|de|da|di|van|von|der|den|del|la|le|ul|ud)"
_PERSON_AFTER_TITLE = re.compile(
    rf"(?:{_NAME}|{_SMALL}(?:-{_NAME})?)(?:[ ](?:{_NAME}|{_SMALL}(?=[ -])(?:-{_NAME})?)){{0,9}}"
)
_WORD = re.compile(r"[^\s,]+")
_TOKEN = re.compile(r"\S+")
_LONGEST = 6  # words of a person's name


def _bare(word: str) -> str:
    return word.rstrip(".,").lower()


def titles(reading: Reading) -> None:
    """Cut titles from people and organizations; add the people after titles."""
    kept: list[Span] = []
    companies = {
        start.group(1) for passage in reading.passages for start in _COMPANY.finditer(passage.read)
    }
    for span in reading.spans:
        read = reading.passages[span.passage].read
        if span.type == "person" and _as_company(reading, span, companies):
            found = [span]
        elif span.type == "person":
            found = _without_title(read, span)
        else:
            found = _office(read, span)
        kept += found
    reading.spans = kept
    _behind_titles(reading, companies)


def _as_company(reading: Reading, span: Span, companies: set[str]) -> bool:
    """Retype `General Mills` and `Mills` as the company if `General Mills Inc` occurs too."""
    text, before = reading.surface(span), reading.before(span)
    if before and f"{before} {text}" in companies:
        read = reading.passages[span.passage].read
        reading.move(span, read.rindex(before, 0, span.start), span.end)
    elif text not in companies:
        return False
    span.type = "organization"
    return True


def _without_title(read: str, span: Span) -> list[Span]:
    """A person without the title before the name; nothing when all of it is a title."""
    words = list(_WORD.finditer(read, span.start, span.end))
    start = 0
    for number, word in enumerate(words):
        bare = _bare(word.group())
        office = bare in lexicon.ROLE_WORDS or word.group() in authority.demonyms()
        if bare in lexicon.HONORIFICS:
            start = number + 1
        elif not office and (bare in _LINKS or "-" not in word.group()):
            break
    middle = [n for n, w in enumerate(words[:-1]) if n and _bare(w.group()) in lexicon.OFFICES]
    start = max(start, middle[-1] + 1) if middle else start
    if not start and len(words) > 2 and words[0].group() in authority.demonyms():
        start = 1
    if start == len(words):
        return [] if len(words) > 1 or _bare(words[0].group()) in _PLAIN_TITLES else [span]
    if start:
        return [Span(span.passage, words[start].start(), span.end, "person", sure=True)]
    return [span]


_LINKS = frozenset({"of", "for", "and", "the"})
_PLAIN_TITLES = lexicon.ROLE_WORDS - frozenset(
    {"king", "prince", "pope", "bishop", "judge", "major", "marshal"}
)
_LONGEST_BEHIND = 4  # words behind an office that may be a name


def _office(read: str, span: Span) -> list[Span]:
    """An organization or place without the office behind it, and who holds it.

    `Economy Minister Nino Kapanadze` is a person, `FBI Director` the FBI.
    """
    words = list(_TOKEN.finditer(read, span.start, span.end))
    if _bare(next_word(read, span.end)) in lexicon.HONORIFICS:
        while len(words) > 1 and _bare(words[-1].group()) in lexicon.ROLE_WORDS:
            words.pop()
        span = Span(span.passage, span.start, words[-1].end(), span.type, sure=span.sure)
    if len(words) == 1:
        return [] if _bare(words[0].group()) in _PLAIN_TITLES else [span]
    titled = [n for n, word in enumerate(words) if _bare(word.group()) in lexicon.HONORIFICS]
    if not titled or authority.lookup(read[span.start : span.end]):
        return [span]
    behind = [word.group().strip(".,") for word in words[titled[-1] + 1 :]]
    if len(behind) > 1 and behind[0] == "of" and authority.lookup(" ".join(behind[1:])):
        start = words[titled[-1] + 2].start()
        return [Span(span.passage, start, span.end, span.type)]
    if any(word in lexicon.ORG_HEADS or word.lower() in _LINKS for word in behind):
        return [span]
    found = _before_office(read, span, words, titled[-1])
    if behind and len(behind) <= _LONGEST_BEHIND:
        start = words[titled[-1] + 1].start()
        found.append(Span(span.passage, start, span.end, "person", sure=True))
    return found


def _before_office(read: str, span: Span, words: list[re.Match[str]], at: int) -> list[Span]:
    """What stands before the office whose last word is number `at`, if that is a name."""
    while at and _bare(words[at - 1].group()) in lexicon.ROLE_WORDS | _LINKS:
        at -= 1
    if not at:
        return []
    start, end = trimmed(read, span.start, words[at - 1].end())
    text = read[start:end]
    if not text or text in authority.demonyms():
        return []
    known = authority.lookup(text)
    return [Span(span.passage, start, end, known[0].type if known else span.type)]


_TITLED = re.compile(
    r"(?<![\w-])(?:Gen|Lt|Maj|Col|Capt|Sgt|Brig|Adm|Dr|Mr|Mrs|Ms|Prof|Sen|Rep|Gov|Sir|Lord|Lady|Sheikh|King|"
    r"Queen|Prince|Princess|President|Premier|Chancellor|Minister|Senator|Governor|General|Colonel|"
    r"Captain|Admiral|Major|Marshal|Secretary|Undersecretary|Ambassador|Justice|Judge|Mayor|Pope|Cardinal|Bishop|"
    r"Archbishop|Mullah|Ayatollah|Imam|Emir|Sultan|Chairman|Chairwoman|Chairperson|Spokesman|"
    r"Spokeswoman|Councilman|Congressman|Congresswoman|Sheriff|Detective|Inspector|Professor|Doctor|"
    r"Director|Commissioner|Commander|Rabbi|Envoy|Adviser|Advisor|Analyst|spokesman|spokeswoman|spokesperson|"
    r"president|chairman|minister|coach|striker|midfielder|defender|goalkeeper|analyst|economist|"
    r"governor|senator|lawmaker|secretary|ambassador|envoy|captain|CEO|CFO|COO)\.?[ ]"
)


_COMPANY = re.compile(
    r"((?:[A-Z][\w&’'-]{0,99}[ ]){0,3}[A-Z][\w&’'-]{0,99}),?[ ]"
    r"(?:Inc|Corp|Co|Ltd|Plc|PLC|AG|SA|NV)\b"
)


def _behind_titles(reading: Reading, companies: set[str]) -> None:
    """Mark the capitalized words after a title as a person, whatever the finder marked there."""
    for number, passage in reading.prose():
        for title in _TITLED.finditer(passage.read):
            start = _behind_office(passage.read, title)
            name = _PERSON_AFTER_TITLE.match(passage.read, start)
            if not name:
                continue
            end = name.end()
            words = passage.read[start:end].split()
            while words and not words[-1][-1].isalnum() and len(words[-1]) > 2:
                end -= 1
                words = passage.read[start:end].split()
            end = _name_end(passage.read, start, end)
            if end <= start or passage.read[title.start() : end] in companies:
                continue
            _take_person(reading, number, start, end, lower=title.group()[0].islower())


_OFFICE = re.compile(r"(?:of|for)[ ](?:the[ ])?((?:(?:[A-Z][a-z]+|and),?[ ])+)")


def _behind_office(read: str, title: re.Match[str]) -> int:
    """Where the name begins: behind what a `Secretary of State` or the like is for."""
    office = _OFFICE.match(read, title.end())
    if not office:
        return title.end()
    at = office.start(1)
    for word in office.group(1).split():
        if word.strip(",").lower() not in lexicon.ROLE_WORDS | {"and"}:
            break
        at += len(word) + 1
    return at if at > office.start(1) else title.end()


def _name_end(read: str, start: int, end: int) -> int:
    """Where the name that begins at `start` stops: before a word that is no name."""
    last = start
    for count, word in enumerate(_TOKEN.finditer(read, start, end)):
        text = re.sub(r"['’]s?$", "", word.group())
        plain = text.rstrip(".,")
        stop = (
            plain.lower() in lexicon.ROLE_WORDS
            or plain in lexicon.CALENDAR
            or plain in lexicon.ORG_HEADS
            or plain.lower() in lexicon.DESIGNATORS
            or plain in authority.demonyms()
            or plain.lower() in lexicon.NO_NAMES
            or count >= _LONGEST
        )
        if stop or (
            not plain[:1].isupper() and plain.lower().split("-")[0] not in lexicon.PARTICLES
        ):
            break
        dotted = text.endswith(".") and len(plain) > 2 and plain.lower() not in {"jr", "sr"}
        last = word.start() + len(plain if dotted else text)
        if dotted or text != word.group():
            break
    while last > start and re.search(
        r"[ ](?:bin|ibn|bint|al|el|de|da|di|van|von|la|le)$", read[start:last]
    ):
        last = read.rfind(" ", start, last)
    return last


def _take_person(reading: Reading, passage: int, start: int, end: int, *, lower: bool) -> None:
    read = reading.passages[passage].read
    there = reading.touching(passage, start, end)
    if not there:
        single = " " not in read[start:end].strip()
        if (lower and single) or authority.lookup(read[start:end]):
            return
        reading.add(Span(passage, start, end, "person", sure=True))
    elif all(s.type == "person" and start <= s.start and s.end <= end for s in there):
        reading.replace(Span(passage, start, end, "person", sure=True))
    elif (
        len(there) == 1
        and there[0].end == end
        and not authority.lookup(read[there[0].start : end])
        and all(_bare(word) in lexicon.ROLE_WORDS for word in read[there[0].start : start].split())
    ):
        reading.move(there[0], start, end)
        there[0].type, there[0].sure = "person", True
    elif len(there) == 1 and there[0].start >= start and there[0].type != "person":
        span = there[0]
        text = read[span.start : span.end]
        if span.end <= end and not (lower and authority.lookup(text)):
            entries = authority.lookup(text)
            if entries and not any(entry.weak for entry in entries):
                return
            reading.move(span, start, end)
            span.type, span.sure = "person", True
