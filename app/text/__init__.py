"""The analyzer: text to tokens with their offsets, for all engines, queries and highlights.

A token is a Unicode word with case and accents folded and its ending removed, depending on the
language of its text. These are one word each: `Pakistan's`, `20th`, `5,000`, `5.8`, `U.S.`,
`C++`. Hyphens separate words; soft hyphens and joiners are removed. Chinese, Japanese and Thai
runs become overlapping pairs of characters. Word boundaries do not depend on the language.
Nothing here knows an index or a query.

    >>> [token.text for token in tokens("The U.S. envoy's 5,000 prisoners")]
    ['the', 'u.s.', 'envoy', '5000', 'prison']
    >>> [token.text for token in tokens("l'Assemblée", "fr")]
    ['fr:assembl']

Index terms: `prison` is a stem of English or an unknown language, `fr:assembl` one of another
language. `=prisoners` and `=fr:assemblee` are forms that differ from their stems. `!prison` occurs
only in queries: the positions of `prison` at which the word is written so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice, pairwise
from typing import NamedTuple

import regex

from app.text import folding, stems
from app.text.folding import folded

ANALYZER_VERSION = 4
"""Raise with every change to the output of `tokens`: an index of another version is rebuilt."""

_JOINERS = r"\u00ad\u200c\u200d\u2060"
_VOICED = r"\u3099\u309a\uff9e\uff9f"
_CJK = r"\p{Han}\p{Hiragana}\p{Katakana}\u30fc\uff70"
_LETTER = rf"[[\p{{L}}\p{{M}}\p{{N}}{_JOINERS}]--[{_CJK}\p{{Thai}}]]"
_NAME_LETTER = rf"[[\p{{L}}\p{{M}}\p{{N}}{_JOINERS}]--[\p{{Han}}\p{{Hiragana}}\p{{Katakana}}]]"
_PATTERN = r"""
      (?<![\p{{L}}\p{{N}}]) \p{{L}} (?: \.\p{{L}} )+ (?![\p{{L}}\p{{N}}]) \.?   # U.S., e.g.
    | \p{{Nd}}{{1,3}} (?: ,\p{{Nd}}{{3}} )+ (?!\p{{Nd}}) (?: \.\p{{Nd}}+ )?    # 5,000
    | \p{{Nd}}+ (?: \.\p{{Nd}}+ )+ {letter}*                                  # 5.8bn
    | (?<![\p{{L}}\p{{N}}]) \p{{L}} (?: \+\+ | \# ) (?![\p{{L}}\p{{N}}])       # C++, C#
    | (?! [\p{{M}}{joiners}] ) {letter}+ (?: ['’ʼ] (?! \p{{M}} ) {letter}+ )*
    | {run}
    """
_WORD, _PLAIN_WORD = (
    regex.compile(
        _PATTERN.format(letter=_LETTER, joiners=_JOINERS, run=run), regex.VERBOSE | regex.V1
    )
    for run in (
        rf"(?P<run> [{_CJK}] [{_CJK}{_VOICED}]* | \p{{Thai}}+ )",
        "(?!)",  # for a text without runs
    )
)
_RUN = regex.compile(rf"[{_CJK}\p{{Thai}}]", regex.V1)
# The same for ASCII: `re` takes half the time of `regex`.
_ASCII_WORD = re.compile(
    r"(?<![^\W_])[A-Za-z](?:\.[A-Za-z])+(?![^\W_])\.?"
    r"|[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])(?:\.[0-9]+)?"
    r"|[0-9]+(?:\.[0-9]+)+[^\W_]*"
    r"|(?<![^\W_])[A-Za-z](?:\+\+|#)(?![^\W_])"
    r"|[A-Za-z0-9]+(?:'[A-Za-z0-9]+)*",
    re.ASCII,
)
_NAME = regex.compile(
    _PATTERN.format(
        letter=_NAME_LETTER, joiners=_JOINERS, run=r"[\p{Han}\p{Hiragana}\p{Katakana}]"
    ),
    regex.VERBOSE | regex.V1,
)
_UNIT = regex.compile(  # a character of a run with its marks, or a Thai consonant with its vowels
    r"[เ-ไ]?[ก-ฮ][ะ-ูๅ็-๎]* | . [\u3099\u309a\uff9e\uff9f]*", regex.VERBOSE | regex.V1 | regex.S
)
LONGEST = 64
"""Characters of a token; no word of any news text is longer."""


Term = tuple[str, str, tuple[str, ...]]
"""Text, form and other terms of a token."""


class Token(NamedTuple):
    """A word as it is indexed; `start` and `end` cut its surface out of the text.

    `form` is the folded word with its ending, for quotes, prefixes and fuzzy words. `others` are
    further index terms at the same position; that of the form, if among them, is the first.
    """

    text: str
    form: str
    start: int
    end: int
    others: tuple[str, ...] = ()


def tokens(text: str, language: str | None = None) -> Iterator[Token]:
    """The tokens of `text`, in order."""
    for match in _WORD.finditer(text):
        if match.lastgroup:
            yield from _grams(match.group(), match.start())
        else:
            term, form, others = _term(match.group(), language)
            yield Token(term, form, match.start(), match.end(), others)


def terms(text: str, language: str | None = None) -> list[str]:
    """The texts of `tokens(text)`, which an engine indexes."""
    return [token.text for token in tokens(text, language)]


def analysed(text: str, language: str | None = None) -> list[Term]:
    """`tokens(text)` without offsets, which is faster."""
    if text.isascii():
        surfaces = _ASCII_WORD.findall(text)
    elif not _RUN.search(text):
        surfaces = _PLAIN_WORD.findall(text)
    else:
        found: list[Term] = []
        for match in _WORD.finditer(text):
            if match.lastgroup:
                found += [(t.text, t.form, t.others) for t in _grams(match.group(), match.start())]
            else:
                found.append(_term(match.group(), language))
        return found
    known = _known_terms(language)
    return [known[surface] for surface in surfaces]


def alternatives(
    surface: str, languages: Iterable[str], *, exact: bool
) -> tuple[tuple[str, ...], ...]:
    """For each token of `surface` its index terms in any of `languages`.

    English and unknown languages are always included. `exact` means the word as it is written,
    otherwise any word of its stem.

    >>> alternatives("élections", ("en", "fr"), exact=False)
    (('elect', 'fr:elect'),)
    >>> alternatives("author", (), exact=True)
    (('!author',),)
    """
    made = [list(tokens(surface))]
    known = [""]
    for language in languages:
        if language in stems.LANGUAGES:
            made.append(list(tokens(surface, language)))
            known.append(language)
    found = zip(*made, strict=True)
    return tuple(tuple(dict.fromkeys(_asked(surface, each, known, exact))) for each in found)


def _asked(
    surface: str, analysed: tuple[Token, ...], known: list[str], exact: bool
) -> Iterator[str]:
    word = surface[analysed[0].start : analysed[0].end]
    if word in stems.CAPITALS and not exact:
        yield stems.CAPITALS[word]
        return
    for language, token in zip(known, analysed, strict=True):
        if not language:
            own = "=" + token.form in token.others
            yield token.text if not exact else f"={token.form}" if own else f"!{token.form}"
            if exact and own and len(token.form) == 1:  # within a run it has no `=form`
                yield token.text
        elif ":" in token.text or token.form != analysed[0].form:
            if not exact:
                yield token.text
            # An omitted accent may lead to another stem; the form stays the same.
            if exact or (word.isascii() and stems.LANGUAGES[language].accented):
                yield f"={language}:{token.form}"
            if exact:
                yield f"!{language}:{token.form}"


def stem(form: str) -> str:
    """The token of a folded word of English or an unknown language."""
    return _term(form, None)[0]


def words(text: str) -> Iterator[tuple[str, bool]]:
    """The words of `text` as they are written, each with whether it is a run without spaces."""
    for match in _WORD.finditer(text):
        yield match.group(), bool(match["run"])


def fold(text: str) -> str:
    """The comparison key of a name: its words with case and accents folded, one space between.

    Words keep their endings. The key of a text without words is the text, stripped and casefolded.
    """
    words = (_ASCII_WORD if text.isascii() else _NAME).findall(text)
    return " ".join(map(_name_word, words)) or text.strip().casefold()


def fold_start(text: str, words: int) -> str:
    """The first `words` of `fold(text)`, without reading the rest."""
    matches = (_ASCII_WORD if text.isascii() else _NAME).finditer(text)
    found = [_name_word(match.group()) for match in islice(matches, words)]
    return " ".join(found) or " ".join(fold(text).split()[:words])


def _name_word(word: str) -> str:
    return folding.joined(folded(word))[:LONGEST]


class _Terms(dict[str, Term]):
    """A cache of the terms of a language's words; all caches are cleared when they are full.

    A hit in a dict takes no Python call. Longer words, which are invented, are not cached, so that
    its bytes are bounded.
    """

    def __init__(self, language: str | None) -> None:
        super().__init__()
        self._language = language

    def __missing__(self, word: str) -> Term:
        made = _made_term(word, self._language)
        if len(word) <= LONGEST:
            if not len(self) % 64 and sum(map(len, _known.values())) >= _KEPT:
                for each in _known.values():
                    each.clear()
            self[word] = made
        return made


_KEPT = 30_000  # words, 300 bytes each
_known = {language: _Terms(language) for language in (None, *stems.LANGUAGES)}


def _known_terms(language: str | None) -> _Terms:
    return _known[language if language in stems.LANGUAGES else None]  # the default is English


def _term(word: str, language: str | None) -> Term:
    return _known_terms(language)[word]


def _made_term(word: str, language: str | None) -> Term:
    form, bare, others = stems.analysed(word, language)
    form, bare = form[:LONGEST], bare[: LONGEST + (3 if ":" in bare else 0)]
    prefix, _, stem = bare.rpartition(":")
    if stem != form:
        others = (f"={prefix}:{form}" if prefix else f"={form}", *others)
    return bare, form, others


def _grams(run: str, start: int) -> Iterator[Token]:
    """Pairs of characters, each with its first character as another term; the last one alone."""
    units = [(start + m.start(), start + m.end(), folded(m.group())) for m in _UNIT.finditer(run)]
    for (begin, end, one), (_, last, two) in pairwise(units):
        if (one + two) == "京都" and run[begin - start - 1 : begin - start] == "東":
            yield _gram(one, begin, end)  # 東京都 does not contain 京都
        else:
            yield _gram(one + two, begin, last, one)
    if units:
        begin, end, one = units[-1]
        yield _gram(one, begin, end)


def _gram(form: str, start: int, end: int, *more: str) -> Token:
    plain = folding.variants(form)
    others = tuple(folding.variants(each) for each in more)
    return Token(plain, form, start, end, others if plain == form else (f"={form}", *others))
