"""The highlighter's matcher: the offsets of the words of a query in a text.

Takes a tree, returns a FieldMatcher for each text field. It compares the tokens of
`text.tokens`, so that the marks do not depend on the engine, and bounds its work on one text.
It cuts no text and knows no HTML.

    >>> from app.search.query.tree import Word
    >>> fields = field_matchers(Word(text="fills", token="fill"))
    >>> fields["headline"].marks("Rain filled it")
    [Mark(start=5, end=11, clauses=frozenset({0}))]
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from itertools import accumulate, chain
from typing import TYPE_CHECKING, NamedTuple

from rapidfuzz import process
from rapidfuzz.distance import OSA

from app.search.query import tree
from app.search.query.tree import Leaf, Query
from app.text import tokens

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence, Set

    from app.text import Token

    _Span = tuple[int, int, tuple[int, ...]]

LONGEST_MARK = 200
"""Characters. A longer word is not marked, a longer phrase is marked word by word."""

_MOST_HITS = 1_000  # matching words of a field; the text after them is not matched
_MOST_STEPS = 10_000  # comparisons for the phrases of a field
_MOST_FUZZY = 100  # fuzzy words of a query

_PUNCTUATION = '.,;:!?"()[]\n“”‘—'
_SHORT = 50  # letters of a word that folding does not cut
_LONG = 20  # average characters of a piece in a text written without spaces
_APART = re.compile("(?<=[ 。、，！？；：\n])")
_BEYOND = "\xaa-\u1fff\u2070-\U0010ffff"  # characters of words beyond ASCII
_HEAD = re.compile("[a-z0-9]*(?![^\\x00-\\x7f])")
_MOST_HEADS = 50


class Mark(NamedTuple):
    """The offsets of a match in a text; `clauses` are the numbers of the clauses that match."""

    start: int
    end: int
    clauses: frozenset[int]


class _Hit(NamedTuple):
    """A matching word of a piece: its number and offsets there.

    `clauses` are the clauses that it matches alone, `phrased` the places of phrases, as their
    terms, that it can take.
    """

    word: int
    start: int
    end: int
    clauses: tuple[int, ...]
    phrased: tuple[tuple[str, ...], ...]


class _Place(NamedTuple):
    """A word of a phrase in a text, number `word` of the piece from `begin` to `stop`."""

    start: int
    end: int
    word: int
    begin: int
    stop: int


def field_matchers(query: Query | None, language: str | None = None) -> dict[str, FieldMatcher]:
    """The matcher of `query` for each text field, for texts in `language`.

    Make it once for many texts. Texts without a language, or in one without stems of its own,
    are analysed as English.
    """
    clauses: dict[tuple[tuple[str, ...], Leaf], int] = {}
    if query is not None:
        query = tree.in_languages(query, (language,) if language else ())
        for clause in _leaves(query, tree.TEXT_FIELDS):
            clauses.setdefault(clause, len(clauses))
    made: dict[tuple[int, ...], FieldMatcher] = {}
    found: dict[str, FieldMatcher] = {}
    for field in tree.TEXT_FIELDS:
        in_field = {n: leaf for (fields, leaf), n in clauses.items() if field in fields}
        key = tuple(in_field)
        if key not in made:
            made[key] = FieldMatcher(in_field, language)
        found[field] = made[key]
    return found


def _leaves(query: Query, fields: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Leaf]]:
    if isinstance(query, tree.Within):
        fields = (query.field,)
    if isinstance(query, Leaf):
        yield fields, query
    elif not isinstance(query, tree.Not):
        yield from chain.from_iterable(_leaves(each, fields) for each in tree.clauses(query))


class FieldMatcher:
    """Finds the leaves of one field in texts; caches the pieces of text it has seen.

    A piece stands between two spaces or, in a text without spaces, between two punctuation marks.
    No token crosses such a boundary and no rule of the tokens looks beyond it, so the tokens of
    the pieces are those of the text. In English one regular expression finds the few pieces that
    may match; each is tokenised once a search. Not thread-safe.
    """

    def __init__(self, leaves: dict[int, Leaf], language: str | None) -> None:
        self._language = language
        self._words: dict[str, int] = {}
        self._prefixes: dict[str, int] = {}
        self._patterns: list[tuple[re.Pattern[str], int]] = []
        fuzzy: list[tuple[tree.Fuzzy, int]] = []
        phrases: list[tuple[tree.Phrase, int]] = []
        for clause, leaf in leaves.items():
            match leaf:
                case tree.Word() | tree.Spelt():
                    for term in leaf.terms:
                        self._words[term] = clause
                case tree.Wildcard():
                    self._patterns.append((_compiled(leaf.pattern), clause))
                case tree.Prefix():
                    self._prefixes[leaf.prefix] = clause
                case tree.Phrase():
                    phrases.append((leaf, clause))
                case tree.Fuzzy():
                    fuzzy.append((leaf, clause))
        self._is_empty = not leaves
        self._lengths = sorted({len(prefix) for prefix in self._prefixes})
        self._fuzzy = _FuzzyWords(fuzzy[:_MOST_FUZZY])
        self._phrases = _Phrases(phrases)
        stems = {term.lstrip("=!") for term in (*self._words, *self._phrases.fits)}
        heads = {pattern.partition("*")[0] for pattern in self._phrases.patterns}
        self._begins = _begins(
            {stem for stem in stems if ":" not in stem}, set(self._prefixes) | heads - {""}
        )
        self._everywhere = bool(self._patterns or language) or "" in heads
        self._known: dict[str, Sequence[_Hit]] = {}

    def marks(self, text: str) -> list[Mark]:
        """The marks of `text`, in order, without overlap."""
        if self._is_empty:
            return []
        spans: list[_Span] = []
        places: dict[tuple[str, ...], list[_Place]] = {}
        seen = 0
        for begin, piece, hits in self._pieces(text):
            for hit in hits:
                start, end = begin + hit.start, begin + hit.end
                if hit.clauses:
                    spans.append((start, end, hit.clauses))
                place = _Place(start, end, hit.word, begin, begin + len(piece))
                for terms in hit.phrased:
                    places.setdefault(terms, []).append(place)
            seen += len(hits)
            if seen >= _MOST_HITS:
                break
        if places:
            spans += self._phrases.spans(text, places)
        return _united(spans)

    def _pieces(self, text: str) -> Iterator[tuple[int, str, Sequence[_Hit]]]:
        """The pieces that match, each with its offset and its hits."""
        if len(text) > _LONG * (text.count(" ") + 1):
            return self._among(_APART.split(text), 0)
        if self._fuzzy.words or self._everywhere:
            return self._among(text.split(" "), 1)
        return self._around(text)

    def _among(self, pieces: list[str], gap: int) -> Iterator[tuple[int, str, Sequence[_Hit]]]:
        """`_pieces` by matching every piece that is not cached."""
        known = self._known
        new = set(pieces).difference(known)
        known.update(dict.fromkeys(new, ()))
        likely = new if self._everywhere else set(filter(self._begins.search, new))
        if self._fuzzy.words:
            likely.update(self._fuzzy.candidates(new))
        for piece in likely:
            known[piece] = self._hits_in(piece)
        begins = [0, *accumulate(map(len, pieces))]
        for number in [number for number, piece in enumerate(pieces) if known[piece]]:
            piece = pieces[number]
            yield begins[number] + gap * number, piece, known[piece]

    def _around(self, text: str) -> Iterator[tuple[int, str, Sequence[_Hit]]]:
        """`_pieces` by matching only where a searched word may begin."""
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
        for word, token in enumerate(tokens(piece, self._language)):
            if token.end - token.start <= LONGEST_MARK:
                clauses = self._clauses(token)
                phrased = self._phrases.fitting(token)
                if clauses or phrased:
                    searched = self._words.keys() | self._phrases.fits.keys()
                    end = _end(piece, token, searched)
                    hits.append(_Hit(word, token.start, end, clauses, phrased))
        return hits

    def _clauses(self, token: Token) -> tuple[int, ...]:
        found = self._fuzzy.clauses(token.form)
        found += dict.fromkeys(self._words[term] for term in _terms(token) if term in self._words)
        found += (clause for pattern, clause in self._patterns if pattern.fullmatch(token.form))
        for length in self._lengths:
            clause = self._prefixes.get(token.form[:length])
            if clause is not None:
                found.append(clause)
        return tuple(found)


class _FuzzyWords:
    """The fuzzy words of a field: form, distance and clause of each."""

    def __init__(self, leaves: Sequence[tuple[tree.Fuzzy, int]]) -> None:
        self.words = [(leaf.form, leaf.distance, clause) for leaf, clause in leaves]
        self._by_length: dict[int, list[tuple[str, int, int]]] = {}
        self._numbers = False  # whether a word without a letter can match one of them
        for word in self.words:
            form, distance, _ = word
            for edits in range(-distance, distance + 1):
                self._by_length.setdefault(len(form) + edits, []).append(word)
            self._numbers |= sum(map(str.isalpha, form)) <= distance

    def candidates(self, pieces: set[str]) -> Iterator[str]:
        """The pieces within the distance of a word, and those that are not a plain word."""
        words = {piece: piece.strip(_PUNCTUATION).lower() for piece in pieces}
        for form, distance, _ in self.words:
            near = process.extract_iter(form, words, scorer=OSA.distance, score_cutoff=distance)
            yield from (piece for _, _, piece in near)
        for piece, word in words.items():
            lettered = word.islower() or self._numbers
            if not word.isascii() or len(word) > _SHORT or (lettered and not word.isalpha()):
                yield piece

    def clauses(self, form: str) -> list[int]:
        """The clauses that `form` matches."""
        return [
            clause
            for word, distance, clause in self._by_length.get(len(form), ())
            if OSA.distance(word, form, score_cutoff=distance) <= distance
        ]


class _Phrases:
    """The phrases of a field, matched by the places of their words in a text."""

    def __init__(self, phrases: Sequence[tuple[tree.Phrase, int]]) -> None:
        self._phrases = phrases
        self.fits: dict[str, set[tuple[str, ...]]] = defaultdict(set)
        """For each term the places of phrases that it can take, each as all its terms."""
        self.patterns: dict[str, re.Pattern[str]] = {}
        for terms in chain.from_iterable(phrase.places for phrase, _ in phrases):
            if "*" in terms[0]:
                self.patterns[terms[0]] = _compiled(terms[0])
            else:
                for term in terms:
                    self.fits[term].add(terms)
        self._counts: dict[str, int] = {}

    def fitting(self, token: Token) -> tuple[tuple[str, ...], ...]:
        """The places of phrases that a word can take."""
        fits = (self.fits[term] for term in _terms(token) if term in self.fits)
        found = dict.fromkeys(chain.from_iterable(fits))
        found |= {(p,): None for p, fits in self.patterns.items() if fits.fullmatch(token.form)}
        return tuple(found)

    def spans(self, text: str, places: dict[tuple[str, ...], list[_Place]]) -> Iterator[_Span]:
        """The spans of the phrases: one for adjacent words, otherwise one for each word.

        From each first word, the nearest next word is taken each time, as the engines do.
        """
        steps = _MOST_STEPS
        for phrase, clause in self._phrases:
            at = [places[terms] for terms in phrase.places if terms in places]
            if len(at) < len(phrase.tokens):
                continue
            for place in at[0]:
                run, slop = [place], phrase.slop
                for following in at[1:]:
                    steps -= 1
                    after = bisect_right(following, run[-1])
                    if after == len(following):
                        break
                    slop = self._slop_left(text, run[-1], following[after], slop)
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

    def _slop_left(self, text: str, last: _Place, following: _Place, slop: int) -> int:
        """`slop` minus the words between two places; negative if they are too far apart."""
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


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(tree.expression(pattern))


def _begins(stems: set[str], prefixes: set[str]) -> re.Pattern[str]:
    """Matches wherever a searched word may begin.

    A stem shares all letters of its word except the last two (`dying`, `die`). Points and commas
    inside a word are not in its token, and folding may turn a non-ASCII letter into any other.
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


def _end(piece: str, token: Token, searched: Set[str]) -> int:
    """The end of the searched part of a token: of a CJK pair perhaps the first character alone."""
    if len(token.form) != 2 or not token.others or piece[token.start].isascii():
        return token.end
    whole = {token.text, f"={token.form}", f"!{token.text}"}
    return token.end if whole & searched or token.others[-1] not in searched else token.start + 1


def _terms(token: Token) -> Iterator[str]:
    """The index terms of a word, and `!stem` if it is written as its stem."""
    yield token.text
    yield from token.others
    if not token.others or token.others[0][0] != "=":
        yield f"!{token.text}"


def _either(letter: str) -> str:
    return letter + letter.upper() if letter.isalpha() else re.escape(letter)


def _united(spans: list[_Span]) -> list[Mark]:
    """Spans as marks in order; overlapping ones are merged up to LONGEST_MARK."""
    marks: list[Mark] = []
    for start, end, clauses in sorted(spans):
        if not marks or start >= marks[-1].end:
            marks.append(Mark(start, end, frozenset(clauses)))
        elif end - marks[-1].start <= LONGEST_MARK:
            before = marks[-1]
            end = max(end, before.end)
            marks[-1] = Mark(before.start, end, before.clauses.union(clauses))
    return marks
