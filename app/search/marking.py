"""What is marked: the places of a text that match the words of a query.

A query's tree in, for each zone what finds the marks of a text. It compares the tokens of
`text.tokens`, so that marks are the same whatever engine found the article, and holds what
it reads of one text in bounds. It never cuts a text and knows no HTML.

    >>> from app.search.query import Word
    >>> zones = wanted(Word(text="fills", token="fill"))
    >>> zones["headline"].marks("Rain filled it")
    [Mark(start=5, end=11, clauses=frozenset({0}))]
"""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate, chain
from typing import TYPE_CHECKING, NamedTuple

from rapidfuzz import process
from rapidfuzz.distance import OSA

from app.search.query import (
    ZONES,
    And,
    Boost,
    Fuzzy,
    Or,
    Phrase,
    Prefix,
    Query,
    Within,
    Word,
)
from app.text import tokens

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from app.text import Token

    Leaf = Word | Phrase | Prefix | Fuzzy
    _Span = tuple[int, int, tuple[int, ...]]

LONGEST_MARK = 200
"""Characters; a longer word is not marked, a longer phrase is marked word by word."""

_MOST_HITS = 1_000  # matching words of a field; text after them is not looked at
_MOST_STEPS = 10_000  # comparisons for the phrases of a field
_MOST_FUZZY = 100  # words with typing errors of a query

_PUNCTUATION = '.,;:!?"()[]\n“”‘—'
_SHORT = 50  # letters of a word that is not cut when it is folded
_LONG = 20  # characters of the average piece of a text that is written without spaces
_APART = re.compile("(?<= )|(?<=[一-鿯ぁ-ゖァ-ヺ])(?=[一-鿯ぁ-ゖァ-ヺ])")
_BEYOND = "\xaa-\u1fff\u2070-\U0010ffff"  # what words can hold beyond ASCII
_HEAD = re.compile("[a-z0-9]*(?![^\\x00-\\x7f])")
_MOST_HEADS = 50


class Mark(NamedTuple):
    """A place of a text that matches; `clauses` are the numbers of the clauses it shows."""

    start: int
    end: int
    clauses: frozenset[int]


class _Hit(NamedTuple):
    """A word of a piece of text that matches: its number and place there.

    `clauses` are the clauses it matches by itself; `token` is "" unless a phrase wants it.
    """

    word: int
    start: int
    end: int
    clauses: tuple[int, ...]
    token: str


class _Place(NamedTuple):
    """A word of a phrase in a text, number `word` of the piece that goes from `begin` to `stop`."""

    start: int
    end: int
    word: int
    begin: int
    stop: int


def wanted(query: Query | None) -> dict[str, Wanted]:
    """For each zone what marks the words of `query` there; make it once for many texts."""
    clauses: dict[tuple[tuple[str, ...], Leaf], int] = {}
    if query is not None:
        for clause in _leaves(query, ZONES):
            clauses.setdefault(clause, len(clauses))
    made: dict[tuple[int, ...], Wanted] = {}
    found: dict[str, Wanted] = {}
    for zone in ZONES:
        here = {n: leaf for (zones, leaf), n in clauses.items() if zone in zones}
        key = tuple(here)
        if key not in made:
            made[key] = Wanted(here)
        found[zone] = made[key]
    return found


def _leaves(query: Query, zones: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Leaf]]:
    match query:
        case Word() | Phrase() | Prefix() | Fuzzy():
            yield zones, query
        case And() | Or():
            yield from chain.from_iterable(_leaves(clause, zones) for clause in query.clauses)
        case Boost():
            yield from _leaves(query.node, zones)
        case Within():
            yield from _leaves(query.node, (query.zone,))
        case _:
            return


class Wanted:
    """What one zone is searched for, and the pieces of text it was looked for in.

    A piece is what stands between two spaces, or between two Chinese or Japanese characters:
    no token goes over such a place and none of the tokens' rules looks over it, so that the
    tokens of the pieces are those of the text. One expression finds the pieces that may
    match, which are few; each is tokenised once a search. Not for two threads at once.
    """

    def __init__(self, leaves: dict[int, Leaf]) -> None:
        self._words: dict[str, int] = {}
        self._prefixes: dict[str, int] = {}
        misspelt: list[tuple[Fuzzy, int]] = []
        phrases: list[tuple[Phrase, int]] = []
        for clause, leaf in leaves.items():
            match leaf:
                case Word():
                    self._words[leaf.token] = clause
                case Prefix():
                    self._prefixes[leaf.prefix] = clause
                case Phrase():
                    phrases.append((leaf, clause))
                case Fuzzy():
                    misspelt.append((leaf, clause))
        self._nothing = not leaves
        self._lengths = sorted({len(prefix) for prefix in self._prefixes})
        self._misspelt = _Misspelt(misspelt[:_MOST_FUZZY])
        self._phrases = _Phrases(phrases)
        self._begins = _begins({*self._words, *self._phrases.tokens}, set(self._prefixes))
        self._known: dict[str, Sequence[_Hit]] = {}

    def marks(self, text: str) -> list[Mark]:
        """Where `text` matches, in order; marks do not overlap."""
        if self._nothing:
            return []
        spans: list[_Span] = []
        places: dict[str, list[_Place]] = {}
        seen = 0
        for begin, piece, hits in self._pieces(text):
            for hit in hits:
                start, end = begin + hit.start, begin + hit.end
                if hit.clauses:
                    spans.append((start, end, hit.clauses))
                if hit.token:
                    place = _Place(start, end, hit.word, begin, begin + len(piece))
                    places.setdefault(hit.token, []).append(place)
            seen += len(hits)
            if seen >= _MOST_HITS:
                break
        if places:
            spans += self._phrases.spans(text, places)
        return _united(spans)

    def _pieces(self, text: str) -> Iterator[tuple[int, str, Sequence[_Hit]]]:
        """The pieces that match, each with its place and its hits."""
        if len(text) > _LONG * (text.count(" ") + 1):
            return self._among(_APART.split(text), 0)
        if self._misspelt.words:
            return self._among(text.split(" "), 1)
        return self._around(text)

    def _among(self, pieces: list[str], gap: int) -> Iterator[tuple[int, str, Sequence[_Hit]]]:
        """`_pieces` by looking at every piece that is not known."""
        known = self._known
        new = set(pieces).difference(known)
        known.update(dict.fromkeys(new, ()))
        likely = set(filter(self._begins.search, new))
        if self._misspelt.words:
            likely.update(self._misspelt.perhaps_in(new))
        for piece in likely:
            known[piece] = self._hits_in(piece)
        begins = [0, *accumulate(map(len, pieces))]
        for number in [number for number, piece in enumerate(pieces) if known[piece]]:
            piece = pieces[number]
            yield begins[number] + gap * number, piece, known[piece]

    def _around(self, text: str) -> Iterator[tuple[int, str, Sequence[_Hit]]]:
        """`_pieces` by looking only where a word that is wanted may begin."""
        end = -1
        for match in self._begins.finditer(text):
            at = match.start()
            if at > end:
                begin = text.rfind(" ", end + 1, at) + 1 or end + 1
                end = text.find(" ", at)
                end = end if end >= 0 else len(text)
                piece = text[begin:end]
                hits = self._known.get(piece)
                if hits is None:
                    hits = self._known[piece] = self._hits_in(piece)
                if hits:
                    yield begin, piece, hits

    def _hits_in(self, piece: str) -> list[_Hit]:
        hits = []
        for word, token in enumerate(tokens(piece)):
            if token.end - token.start <= LONGEST_MARK:
                clauses = self._clauses(token)
                phrased = token.text if token.text in self._phrases.tokens else ""
                if clauses or phrased:
                    hits.append(_Hit(word, token.start, token.end, clauses, phrased))
        return hits

    def _clauses(self, token: Token) -> tuple[int, ...]:
        found = self._misspelt.clauses(token.form)
        if token.text in self._words:
            found.append(self._words[token.text])
        for length in self._lengths:
            clause = self._prefixes.get(token.form[:length])
            if clause is not None:
                found.append(clause)
        return tuple(found)


class _Misspelt:
    """The words of a zone that may have typing errors: form, distance and clause of each."""

    def __init__(self, leaves: Sequence[tuple[Fuzzy, int]]) -> None:
        self.words = [(leaf.form, leaf.distance, clause) for leaf, clause in leaves]
        self._by_length: dict[int, list[tuple[str, int, int]]] = {}
        self._numbers = False  # whether a word without a letter can be one of them
        for word in self.words:
            form, distance, _ = word
            for edits in range(-distance, distance + 1):
                self._by_length.setdefault(len(form) + edits, []).append(word)
            self._numbers |= sum(map(str.isalpha, form)) <= distance

    def perhaps_in(self, pieces: set[str]) -> Iterator[str]:
        """The pieces that are near one of the words, and those that are no plain word."""
        words = {piece: piece.strip(_PUNCTUATION).lower() for piece in pieces}
        for form, distance, _ in self.words:
            near = process.extract_iter(form, words, scorer=OSA.distance, score_cutoff=distance)
            yield from (piece for _, _, piece in near)
        for piece, word in words.items():
            lettered = word.islower() or self._numbers
            if not word.isascii() or len(word) > _SHORT or (lettered and not word.isalpha()):
                yield piece

    def clauses(self, form: str) -> list[int]:
        """The clauses that a word of the form `form` matches."""
        return [
            clause
            for word, distance, clause in self._by_length.get(len(form), ())
            if OSA.distance(word, form, score_cutoff=distance) <= distance
        ]


class _Phrases:
    """The phrases of a zone, found among the places of their words in a text."""

    def __init__(self, phrases: Sequence[tuple[Phrase, int]]) -> None:
        self._phrases = phrases
        self.tokens = {token for phrase, _ in phrases for token in phrase.tokens}
        self._counts: dict[str, int] = {}

    def spans(self, text: str, places: dict[str, list[_Place]]) -> Iterator[_Span]:
        """Where the phrases stand: side by side as one span, else a span for each word.

        From each first word on to the nearest next word each time, as the engines do.
        """
        steps = _MOST_STEPS
        for phrase, clause in self._phrases:
            at = [places[token] for token in phrase.tokens if token in places]
            if len(at) < len(phrase.tokens):
                continue
            for place in at[0]:
                run, slop = [place], phrase.slop
                for following in at[1:]:
                    steps -= 1
                    after = bisect_right(following, run[-1])
                    if after == len(following):
                        break
                    slop = self._left(text, run[-1], following[after], slop)
                    if slop < 0:
                        break
                    run.append(following[after])
                if steps < 0:
                    return
                if len(run) < len(at):
                    continue
                start, end = place.start, run[-1].end
                if phrase.slop or end - start > LONGEST_MARK or "\n\n" in text[start:end]:
                    yield from ((place.start, place.end, (clause,)) for place in run)
                else:
                    yield start, end, (clause,)

    def _left(self, text: str, last: _Place, following: _Place, slop: int) -> int:
        """`slop` less the words between two words; below 0 if there are more, or too much else."""
        if following.start - last.end > LONGEST_MARK * (slop + 1):
            return -1
        slop += last.word + 1 - following.word
        if last.begin < following.begin:
            between = text[last.stop : following.begin].split(" ")
            for piece in (text[last.begin : last.stop], *between):
                if slop < 0:
                    break
                slop -= self._count(piece)
        return slop

    def _count(self, piece: str) -> int:
        count = self._counts.get(piece)
        if count is None:
            count = self._counts[piece] = sum(1 for _ in tokens(piece))
        return count


def _begins(stems: set[str], prefixes: set[str]) -> re.Pattern[str]:
    """Matches wherever a word may begin that is wanted.

    A stem has its word's letters but for the last two (`dying`, `die`). Points and commas
    inside a word are not in its token, and a letter beyond ASCII may be folded to any other.
    """
    heads = {stem[: min(max(len(stem) - 2, 1), 4)] for stem in stems}
    heads |= {prefix[:4] for prefix in prefixes}
    if len(heads) > _MOST_HEADS:
        heads = {head[0] for head in heads}
    known = sorted({found[0] for found in map(_HEAD.match, heads) if found and found[0]})
    initials = "".join(_either(initial) for initial in {head[0] for head in known})
    rest = "|".join(
        f"(?<=[{_either(head[0])}])" + "".join(f"[.,]?[{_either(letter)}]" for letter in head[1:])
        for head in known
    )
    if not rest:
        return re.compile(f"[{_BEYOND}]")
    return re.compile(f"[{initials}{_BEYOND}](?:(?<=[{_BEYOND}])|(?<![A-Za-z].)(?:{rest}))")


def _either(letter: str) -> str:
    return letter + letter.upper() if letter.isalpha() else re.escape(letter)


def _united(spans: list[_Span]) -> list[Mark]:
    """Spans as marks in order, those that overlap as one, but for what makes it too long."""
    marks: list[Mark] = []
    for start, end, clauses in sorted(spans):
        if not marks or start >= marks[-1].end:
            marks.append(Mark(start, end, frozenset(clauses)))
        elif end - marks[-1].start <= LONGEST_MARK:
            before = marks[-1]
            end = max(end, before.end)
            marks[-1] = Mark(before.start, end, before.clauses.union(clauses))
    return marks
