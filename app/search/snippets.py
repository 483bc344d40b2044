"""Highlights: the passages of an article that show why a query found it, with marks.

Works on an article's own texts with the tokens of `text.tokens`, so that highlights are the
same whatever engine found the article. What is cut out is escaped HTML with nothing but
`<mark>` in it, and the offsets cut the same passage out of the field. Every highlight holds
a mark: where no word matched, as in a search by place alone, there is none.

    >>> from app.search.query import Word
    >>> marker = compile(Word(text="fills", token="fill"))
    >>> marker.highlights("Rain fills <all>", [], None, "")[0].text
    'Rain <mark>fills</mark> &lt;all&gt;'
"""

from __future__ import annotations

import html
import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass
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
    from collections.abc import Iterable, Iterator, Sequence

    from app.text import Token

    Leaf = Word | Phrase | Prefix | Fuzzy
    _Span = tuple[int, int, tuple[int, ...]]

PASSAGE = 200
"""Characters of a passage at the most; a longer word is not marked."""
WHOLE = 300
"""A headline, bullet or caption of at most so many characters is shown whole."""
MOST_BULLETS = 2
MOST_PASSAGES = 2

LOOKED_AT = 100_000
"""Characters of a field that are looked at, cut at a space."""
_MOST_BULLETS_LOOKED_AT = 100
_MOST_HITS = 1_000  # matching words of a field; text after them is not looked at
_MOST_STEPS = 10_000  # comparisons for the phrases of a field
_MOST_FUZZY = 100  # words with typing errors of a query
_CONTEXT = 60  # characters before the first mark, where no sentence begins near
_TAIL = 30  # and after the last one, where a sentence began far before
_MOST_COMBINING = 30  # marks on one letter, as in the stream-safe format of UAX #15

_PUNCTUATION = '.,;:!?"()[]\n“”‘—'
_SHORT = 50  # letters of a word that is not cut when it is folded
_LONG = 20  # characters of the average piece of a text that is written without spaces
_APART = re.compile("(?<= )|(?<=[一-鿯ぁ-ゖァ-ヺ])(?=[一-鿯ぁ-ゖァ-ヺ])")
_BEYOND = "\xaa-\u1fff\u2070-\U0010ffff"  # what words can hold beyond ASCII
_HEAD = re.compile("[a-z0-9]*(?![^\\x00-\\x7f])")
_MOST_HEADS = 50
_SENTENCE_END = re.compile(
    r"[.!?…。！？](?:(?<=[。！？])[。！？」』]*|[.!?…]*[\"'”’)\]]*(?=\s+(\S)))"
)
_NO_SENTENCE = re.compile(
    r"(?<!\w)(?:[^\W\d]|Mrs?|Ms|Dr|Gen|Lt|Col|Maj|Capt|Sgt|Sen|Rep|Gov|St|Prof|Rev|Hon|No|vs"
    r"|Jan|Feb|Mar|Apr|Aug|Sept?|Oct|Nov|Dec)\Z"
)
_WORD_START = re.compile(r"(?<=\s)\S")


@dataclass(frozen=True, slots=True)
class Highlight:
    """A passage of a field: `text` is escaped HTML with marks.

    `start` and `end` cut the same passage out of the field, in characters. `index` is the
    number of the summary's bullet, from 0; None in another field.
    """

    field: str
    index: int | None
    text: str
    start: int
    end: int


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


class _Mark(NamedTuple):
    start: int
    end: int
    clauses: frozenset[int]


class _Passage(NamedTuple):
    highlight: Highlight
    clauses: frozenset[int]
    marks: int


def compile(query: Query | None) -> Marker:  # noqa: A001 as re.compile: once for many texts
    """What marks the words of `query`; make it once for a search."""
    clauses: dict[tuple[tuple[str, ...], Leaf], int] = {}
    if query is not None:
        for clause in _leaves(query, ZONES):
            clauses.setdefault(clause, len(clauses))
    made: dict[tuple[int, ...], _Wanted] = {}
    wanted: dict[str, _Wanted] = {}
    for zone in ZONES:
        here = {n: leaf for (zones, leaf), n in clauses.items() if zone in zones}
        key = tuple(here)
        if key not in made:
            made[key] = _Wanted(here)
        wanted[zone] = made[key]
    return Marker(wanted)


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


class Marker:
    """Marks the words of one query in articles; it remembers the words it has seen.

    Not for two threads at once.
    """

    def __init__(self, wanted: dict[str, _Wanted]) -> None:
        self._wanted = wanted

    def highlights(
        self, headline: str, summary: Sequence[str], caption: str | None, body: str
    ) -> list[Highlight]:
        """The passages that match, in the order headline, summary, caption, body.

        The headline, at most 2 bullets and at most 2 passages of the body: those with the
        most different clauses, then with the most marks. The caption only if it matches a
        clause that nothing else here does. A headline, bullet or caption of up to 300
        characters is whole; of a longer one, and of the body, a passage has up to 200 and
        never goes over a blank line.
        """
        heads = self._passages("headline", None, headline, 1)
        bullets: list[_Passage] = []
        for index, bullet in enumerate(summary[:_MOST_BULLETS_LOOKED_AT]):
            bullets += self._passages("summary", index, bullet, 1)
        if len(bullets) > MOST_BULLETS:
            best = sorted(bullets, key=lambda found: (-len(found.clauses), -found.marks))
            bullets = [found for found in bullets if found in best[:MOST_BULLETS]]
        bodies = self._passages("body", None, body, MOST_PASSAGES)
        captions = self._passages("caption", None, caption or "", 1)
        shown = {clause for found in (*heads, *bullets, *bodies) for clause in found.clauses}
        if captions and captions[0].clauses <= shown:
            captions = []
        return [found.highlight for found in (*heads, *bullets, *captions, *bodies)]

    def _passages(self, field: str, index: int | None, text: str, most: int) -> list[_Passage]:
        """The best passages of a text, in their order in it."""
        if len(text) > LOOKED_AT:
            text = text[: max(text.rfind(" ", 0, LOOKED_AT), text.rfind("\n", 0, LOOKED_AT), 0)]
        marks = self._wanted[field].marks(text)
        if not marks:
            return []
        whole = field != "body" and len(text) <= WHOLE
        cuts = [(0, len(text))] if whole else _cuts(text, marks, most)
        found = []
        for start, end in cuts:
            inside = [mark for mark in marks if start <= mark.start and mark.end <= end]
            highlight = Highlight(field, index, _marked(text, inside, start, end), start, end)
            clauses = frozenset[int]().union(*(mark.clauses for mark in inside))
            found.append(_Passage(highlight, clauses, len(inside)))
        return found


class _Wanted:
    """What one zone is searched for, and the pieces of text it was looked for in.

    A piece is what stands between two spaces, or between two Chinese or Japanese characters:
    no token goes over such a place and none of the tokens' rules looks over it, so that the
    tokens of the pieces are those of the text. One expression finds the pieces that may
    match, which are few; each is tokenised once a search.
    """

    def __init__(self, leaves: dict[int, Leaf]) -> None:
        self._words: dict[str, int] = {}
        self._prefixes: dict[str, int] = {}
        self._phrases: list[tuple[Phrase, int]] = []
        self._fuzzy: dict[int, list[tuple[str, int, int]]] = {}
        self._misspelt_words: list[tuple[str, int, int]] = []
        for clause, leaf in leaves.items():
            match leaf:
                case Word():
                    self._words[leaf.token] = clause
                case Prefix():
                    self._prefixes[leaf.prefix] = clause
                case Phrase():
                    self._phrases.append((leaf, clause))
                case Fuzzy():
                    self._misspelt_words.append((leaf.form, leaf.distance, clause))
        del self._misspelt_words[_MOST_FUZZY:]
        self._numbers = False  # whether a word without a letter can be one of them
        for wanted in self._misspelt_words:
            form, distance, _ = wanted
            for edits in range(-distance, distance + 1):
                self._fuzzy.setdefault(len(form) + edits, []).append(wanted)
            self._numbers |= sum(map(str.isalpha, form)) <= distance
        self._nothing = not leaves
        self._lengths = sorted({len(prefix) for prefix in self._prefixes})
        self._phrased = {token for phrase, _ in self._phrases for token in phrase.tokens}
        self._begins = _begins({*self._words, *self._phrased}, set(self._prefixes))
        self._known: dict[str, Sequence[_Hit]] = {}
        self._counts: dict[str, int] = {}

    def marks(self, text: str) -> list[_Mark]:
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
            spans += self._runs(text, places)
        return _united(spans)

    def _pieces(self, text: str) -> Iterator[tuple[int, str, Sequence[_Hit]]]:
        """The pieces that match, each with its place and its hits."""
        if len(text) > _LONG * (text.count(" ") + 1):
            return self._among(_APART.split(text), 0)
        if self._fuzzy:
            return self._among(text.split(" "), 1)
        return self._around(text)

    def _among(self, pieces: list[str], gap: int) -> Iterator[tuple[int, str, Sequence[_Hit]]]:
        """`_pieces` by looking at every piece that is not known."""
        known = self._known
        new = set(pieces).difference(known)
        known.update(dict.fromkeys(new, ()))
        likely = set(filter(self._begins.search, new))
        if self._fuzzy:
            likely.update(self._misspelt_perhaps(new))
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

    def _misspelt_perhaps(self, pieces: set[str]) -> Iterator[str]:
        """The pieces that are near a word with typing errors, and those that are no plain word."""
        words = {piece: piece.strip(_PUNCTUATION).lower() for piece in pieces}
        for form, distance, _ in self._misspelt_words:
            near = process.extract_iter(form, words, scorer=OSA.distance, score_cutoff=distance)
            yield from (piece for _, _, piece in near)
        for piece, word in words.items():
            lettered = word.islower() or self._numbers
            if not word.isascii() or len(word) > _SHORT or (lettered and not word.isalpha()):
                yield piece

    def _misspelt(self, form: str) -> list[int]:
        return [
            clause
            for wanted, distance, clause in self._fuzzy.get(len(form), ())
            if OSA.distance(wanted, form, score_cutoff=distance) <= distance
        ]

    def _hits_in(self, piece: str) -> list[_Hit]:
        hits = []
        for word, token in enumerate(tokens(piece)):
            if token.end - token.start <= PASSAGE:
                clauses = self._clauses(token)
                phrased = token.text if token.text in self._phrased else ""
                if clauses or phrased:
                    hits.append(_Hit(word, token.start, token.end, clauses, phrased))
        return hits

    def _clauses(self, token: Token) -> tuple[int, ...]:
        found = self._misspelt(token.form)
        if token.text in self._words:
            found.append(self._words[token.text])
        for length in self._lengths:
            clause = self._prefixes.get(token.form[:length])
            if clause is not None:
                found.append(clause)
        return tuple(found)

    def _runs(self, text: str, places: dict[str, list[_Place]]) -> Iterator[_Span]:
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
                if phrase.slop or end - start > PASSAGE or "\n\n" in text[start:end]:
                    yield from ((place.start, place.end, (clause,)) for place in run)
                else:
                    yield start, end, (clause,)

    def _left(self, text: str, last: _Place, following: _Place, slop: int) -> int:
        """`slop` less the words between two words; below 0 if there are more, or too much else."""
        if following.start - last.end > PASSAGE * (slop + 1):
            return -1
        slop += last.word + 1 - following.word
        if last.begin < following.begin:
            for piece in (
                text[last.begin : last.stop],
                *text[last.stop : following.begin].split(" "),
            ):
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


def _united(spans: list[tuple[int, int, tuple[int, ...]]]) -> list[_Mark]:
    """Spans as marks in order, those that overlap as one of at most a passage."""
    marks: list[_Mark] = []
    for start, end, clauses in sorted(spans):
        if not marks or start >= marks[-1].end:
            marks.append(_Mark(start, end, frozenset(clauses)))
        elif end - marks[-1].start <= PASSAGE:
            before = marks[-1]
            end = max(end, before.end)
            marks[-1] = _Mark(before.start, end, before.clauses.union(clauses))
    return marks


def _cuts(text: str, marks: Sequence[_Mark], most: int) -> list[tuple[int, int]]:
    """Start and end of the best passages, in their order in the text; they do not overlap."""
    cuts: list[tuple[int, int]] = []
    shown: set[int] = set()
    left = marks
    while left and len(cuts) < most:
        window = _best(text, left, shown, cuts)
        start, end = _passage(text, window[0].start, window[-1].end, cuts)
        for mark in marks:  # a phrase is shown whole or not at all
            if mark.start < start < mark.end:
                start = _skip_space(text, mark.end)
            elif mark.start < end < mark.end:
                end = mark.start - _space_before(text, mark.start)
        cuts.append((start, end))
        shown.update(*(mark.clauses for mark in window))
        left = [mark for mark in left if mark.end <= start or mark.start >= end]
    return sorted(cuts)


def _best(
    text: str, marks: Sequence[_Mark], shown: set[int], cuts: Iterable[tuple[int, int]]
) -> Sequence[_Mark]:
    """The marks that fit in one passage and show the most: clauses not shown yet, clauses, marks.

    The first of equal ones.
    """
    best = (0, 0, 0)
    found = marks[:1]
    first = 0
    inside: dict[int, int] = {}
    for last, mark in enumerate(marks):
        if last and _parted(text, marks[last - 1].end, mark.start, cuts):
            first = last
            inside.clear()
        for clause in mark.clauses:
            inside[clause] = inside.get(clause, 0) + 1
        while mark.end - marks[first].start > PASSAGE:
            for clause in marks[first].clauses:
                inside[clause] -= 1
                if not inside[clause]:
                    del inside[clause]
            first += 1
        worth = (len(inside.keys() - shown), len(inside), last - first + 1)
        if worth > best:
            best, found = worth, marks[first : last + 1]
    return found


def _parted(text: str, end: int, start: int, cuts: Iterable[tuple[int, int]]) -> bool:
    return text.find("\n\n", end, start) >= 0 or any(end <= cut < start for cut, _ in cuts)


def _passage(text: str, first: int, last: int, cuts: Iterable[tuple[int, int]]) -> tuple[int, int]:
    """Start and end of a passage around `first` to `last`, clear of those in `cuts`.

    It begins with a sentence if one begins near enough, else with a word, and ends alike.
    """
    low = text.rfind("\n\n", max(last - PASSAGE - 2, 0), first) + 2
    starts = [low] if low > 1 or last <= PASSAGE else []
    low = low if low > 1 else max(last - PASSAGE, 0)
    high = text.find("\n\n", last, first + PASSAGE + 2)
    high = high if high >= 0 else min(first + PASSAGE + 1, len(text))
    for start, end in cuts:
        if low < end <= first:
            low, starts = end, []
        if last <= start < high:
            high = start
    low = min(_skip_space(text, low), first)

    starts = [low for _ in starts]
    starts += [_skip_space(text, end) for end in _sentence_ends(text, low, first)]
    starts = [
        start for start in starts if last - start <= PASSAGE - _TAIL or high - start <= PASSAGE
    ]
    if not starts:
        start = _word_start(
            text, max(low, min(first, max(first - _CONTEXT, last - PASSAGE))), first
        )
    elif high - starts[-1] > PASSAGE:
        start = starts[-1]
    else:  # the paragraph ends soon: room for what comes before
        start = next(start for start in starts if high - start <= PASSAGE)

    limit = min(start + PASSAGE, high)
    if limit < high:
        ends = [end for end in _sentence_ends(text, last, limit) if end - start > PASSAGE // 2]
        limit = ends[-1] if ends else _word_end(text, last, limit)
    return start, max(limit - _space_before(text, limit), last)


def _sentence_ends(text: str, low: int, high: int) -> list[int]:
    """Where sentences end after `low` and up to `high`."""
    ends = []
    for match in _SENTENCE_END.finditer(text, low, high + _TAIL):
        end = match.end()
        if end > high:
            break
        goes_on = match[1] is not None and match[1].islower()
        if not goes_on and not _NO_SENTENCE.search(text[max(match.start() - 5, 0) : match.start()]):
            ends.append(end)
    return ends


def _word_start(text: str, low: int, first: int) -> int:
    """The first place from `low` where a word begins; `first` is one."""
    for found in _WORD_START.finditer(text, low, first):
        if not _is_combining(found[0]):
            return found.start()
    return next((low + token.start for token in tokens(text[low:first]) if token.start), first)


def _word_end(text: str, last: int, high: int) -> int:
    """The last place up to `high` where a word ends; `last` is one."""
    for end in range(high, last - 1, -1):
        if text[end].isspace():
            return end
    ends = (last + token.end for token in tokens(text[last : high + _CONTEXT]))
    end = max((end for end in ends if end <= high), default=last)
    for character in text[end : end + _MOST_COMBINING]:
        if not _is_combining(character):
            break
        end += 1
    return end


def _is_combining(character: str) -> bool:
    return unicodedata.category(character).startswith("M")


def _skip_space(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _space_before(text: str, at: int) -> int:
    """How many spaces stand before `at`."""
    begin = at
    while begin and text[begin - 1].isspace():
        begin -= 1
    return at - begin


def _marked(text: str, marks: Iterable[_Mark], start: int, end: int) -> str:
    parts = []
    for mark in marks:
        parts += [
            html.escape(text[start : mark.start]),
            "<mark>",
            html.escape(text[mark.start : mark.end]),
            "</mark>",
        ]
        start = mark.end
    parts.append(html.escape(text[start:end]))
    return "".join(parts)
